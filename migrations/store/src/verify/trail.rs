//! I12: the audit trail is whole.

use std::{collections::BTreeSet, fmt::Display};

use domain::id::{AuditId, ClaimLineId, OrderId, SettlementPeriodId};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use uuid::Uuid;

use super::{
    Check, Snapshot,
    pages::{PAGE, Pages},
};
use crate::{
    audit::{leaf, root, seal_mac},
    entity::{audit, audit_seal, audit_sealed, care_order, claim_line, settlement_period},
    error::StoreError,
};

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check =
        Check::new("I12", "audit seals follow from their rows and from each other, and each order, claim and settlement has its audit row");
    check_seals(snapshot, &mut check).await?;
    check_trailed(snapshot, &mut check, Pages::new(care_order::Entity::find(), care_order::Column::Id, |row| row.id), OrderId::from_uuid)
        .await?;
    let lines = Pages::new(claim_line::Entity::find(), claim_line::Column::Id, |row| row.id);
    check_trailed(snapshot, &mut check, lines, ClaimLineId::from_uuid).await?;
    let periods = Pages::new(settlement_period::Entity::find(), settlement_period::Column::Id, |row| row.id);
    check_trailed(snapshot, &mut check, periods, SettlementPeriodId::from_uuid).await?;
    Ok(check)
}

/// The seal before: its number and what the next one must continue.
struct Link {
    seq: i64,
    mac: Vec<u8>,
}

async fn check_seals(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut before = Link { seq: 0, mac: vec![0; 32] };
    loop {
        let seals = audit_seal::Entity::find()
            .filter(audit_seal::Column::Seq.gt(before.seq))
            .order_by_asc(audit_seal::Column::Seq)
            .limit(PAGE)
            .all(snapshot.db)
            .await?;
        if seals.is_empty() {
            return Ok(());
        }
        for seal in seals {
            check_link(snapshot, check, &before, &seal);
            check_batch(snapshot, check, &seal).await?;
            before = Link { seq: seal.seq, mac: seal.mac };
        }
    }
}

fn seal_key(seal: &audit_seal::Model) -> String {
    format!("audit_seal/{}", seal.seq)
}

/// Number, chain and signature of a seal.
fn check_link(snapshot: &Snapshot<'_>, check: &mut Check, before: &Link, seal: &audit_seal::Model) {
    let key = seal_key(seal);
    check.count(1);
    check.require(Some(seal.seq) == before.seq.checked_add(1), &key, || format!("it follows number {}", before.seq));
    check.require(seal.previous == before.mac, &key, || "it does not continue the seal before it".to_owned());
    match seal_mac(snapshot.keys, &seal.key_id, seal.seq, seal.leaves, &seal.root, &seal.previous) {
        Some(mac) => check.require(seal.mac == mac, &key, || "its signature is wrong".to_owned()),
        None => check.fault(&key, format!("its key {} is not in the key file", seal.key_id)),
    }
}

/// The rows that a seal covers, hashed again.
async fn check_batch(snapshot: &Snapshot<'_>, check: &mut Check, seal: &audit_seal::Model) -> Result<(), StoreError> {
    let key = seal_key(seal);
    let mut leaves: Vec<[u8; 32]> = Vec::new();
    let (mut first, mut last) = (None, None);
    let mut position = -1_i64;
    loop {
        let places = audit_sealed::Entity::find()
            .filter(audit_sealed::Column::SealSeq.eq(seal.seq))
            .filter(audit_sealed::Column::Position.gt(position))
            .order_by_asc(audit_sealed::Column::Position)
            .limit(PAGE)
            .all(snapshot.db)
            .await?;
        if places.is_empty() {
            break;
        }
        let ids = places.iter().map(|place| place.audit_id);
        let rows = audit::Entity::find().filter(audit::Column::Id.is_in(ids)).all(snapshot.db).await?;
        check.count(places.len());
        for place in &places {
            check.require(position.checked_add(1) == Some(place.position), &key, || format!("no row has its place {}", position + 1));
            position = place.position;
            first = first.or(Some(place.audit_id));
            last = Some(place.audit_id);
            match rows.iter().find(|row| row.id == place.audit_id) {
                Some(row) => leaves.push(leaf(row)),
                None => check.fault(AuditId::from_uuid(place.audit_id), format!("{key} covers it, but there is no such row")),
            }
        }
    }
    let counted = i64::try_from(leaves.len()).unwrap_or(i64::MAX);
    check.require(counted == seal.leaves, &key, || format!("it covers {} rows, {counted} are there", seal.leaves));
    check.require(root(&leaves).as_slice() == seal.root.as_slice(), &key, || "a row that it covers was changed".to_owned());
    check.require((first, last) == (Some(seal.first_audit), Some(seal.last_audit)), &key, || {
        "it names other first and last rows".to_owned()
    });
    Ok(())
}

/// Each row of a table has an audit row that names it.
async fn check_trailed<E: sea_orm::EntityTrait, I: Display>(
    snapshot: &Snapshot<'_>,
    check: &mut Check,
    mut pages: Pages<E>,
    name: fn(Uuid) -> I,
) -> Result<(), StoreError> {
    while let Some(ids) = pages.next_ids(snapshot.db).await? {
        let names: Vec<String> = ids.into_iter().map(|id| name(id).to_string()).collect();
        let trailed: Vec<String> = audit::Entity::find()
            .select_only()
            .column(audit::Column::Object)
            .distinct()
            .filter(audit::Column::Object.is_in(names.iter().cloned()))
            .into_tuple()
            .all(snapshot.db)
            .await?;
        let trailed: BTreeSet<String> = trailed.into_iter().collect();
        check.count(names.len());
        for name in names {
            check.require(trailed.contains(&name), &name, || "no audit row names it".to_owned());
        }
    }
    Ok(())
}
