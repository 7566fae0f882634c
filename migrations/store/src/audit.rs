//! The audit trail: who did what, in the transaction that did it; sealed in batches afterwards.
//!
//! A row holds ids and hashes, never names or values. The sealer (a periodic job) takes the rows that no
//! batch holds yet, computes their Merkle root in the form of RFC 9162 (leaf prefix 0x00, node prefix 0x01),
//! links it to the batch before and authenticates it under the active key. Chaining inside the transaction
//! would put every writer in one queue.

use domain::access::{Actor, Permit};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    entity::{audit, audit_seal, audit_sealed, audit_unsealed},
    error::StoreError,
    keys::{AUDIT_SEAL, KeyError, KeyRing},
    tx::Tx,
    write::Command,
};

/// An audit row before it is written.
#[derive(Debug)]
pub(crate) struct AuditDraft {
    pub(crate) object: String,
    pub(crate) purpose: Option<String>,
    pub(crate) before_hash: Option<String>,
    pub(crate) after_hash: Option<String>,
}

/// Writes the audit rows of a write; answers whether there are any.
pub(crate) async fn append(
    tx: &Tx<'_>,
    action: &str,
    write_id: Uuid,
    permit: Option<Permit>,
    mut drafts: Vec<AuditDraft>,
) -> Result<bool, StoreError> {
    if drafts.is_empty() {
        // The system looked and found nothing to do.
        if tx.actor().person().is_none() {
            return Ok(false);
        }
        drafts.push(AuditDraft { object: "none".to_owned(), purpose: None, before_hash: None, after_hash: None });
    }
    let (actor, account, session) = match tx.actor() {
        Actor::Person(signed_in) => ("person".to_owned(), Some(signed_in.account.uuid()), Some(signed_in.session.uuid())),
        Actor::System(name) => (format!("system/{name}"), None, None),
    };
    let rows = drafts.into_iter().map(|draft| audit::ActiveModel {
        id: Set(tx.id::<domain::id::Audit>().uuid()),
        at: Set(tx.now()),
        person_id: Set(tx.actor().person().map(domain::id::Id::uuid)),
        account_id: Set(account),
        session_id: Set(session),
        role: Set(permit.and_then(|permit| permit.role).map(|role| role.to_string())),
        actor: Set(actor.clone()),
        action: Set(action.to_owned()),
        object: Set(draft.object),
        purpose: Set(draft.purpose),
        before_hash: Set(draft.before_hash),
        after_hash: Set(draft.after_hash),
        request_id: Set(tx.ctx().request.uuid()),
        write_id: Set(write_id),
    });
    let rows: Vec<_> = rows.collect();
    let unsealed: Vec<_> = rows.iter().map(|row| audit_unsealed::ActiveModel { audit_id: row.id.clone() }).collect();
    audit::Entity::insert_many(rows).exec_without_returning(tx.db).await?;
    audit_unsealed::Entity::insert_many(unsealed).exec_without_returning(tx.db).await?;
    Ok(true)
}

/// Hash of a row before or after a change. Rows hold personal data only as ciphertext, so that the hashes tell
/// nothing about a person.
pub(crate) fn row_hash(row: &dyn std::fmt::Debug) -> String {
    Sha256::digest(format!("{row:?}")).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Hash of one row: RFC 9162 leaf over its fields, length-prefixed.
pub(crate) fn leaf(row: &audit::Model) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update([0]);
    let option = |id: Option<Uuid>| id.map(|id| id.simple().to_string()).unwrap_or_default();
    let fields = [
        row.id.simple().to_string(),
        row.at.timestamp_micros().to_string(),
        option(row.person_id),
        option(row.account_id),
        option(row.session_id),
        row.role.clone().unwrap_or_default(),
        row.actor.clone(),
        row.action.clone(),
        row.object.clone(),
        row.purpose.clone().unwrap_or_default(),
        row.before_hash.clone().unwrap_or_default(),
        row.after_hash.clone().unwrap_or_default(),
        row.request_id.simple().to_string(),
        row.write_id.simple().to_string(),
    ];
    for field in fields {
        digest.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(field);
    }
    digest.finalize().into()
}

/// Merkle root of a list of leaves: split at the largest power of two below the length.
pub(crate) fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [only] => *only,
        _ => {
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            let mut digest = Sha256::new();
            digest.update([1]);
            digest.update(root(left));
            digest.update(root(right));
            digest.finalize().into()
        }
    }
}

/// What is authenticated of a seal.
pub(crate) fn seal_mac(keys: &KeyRing, key_id: &str, seq: i64, leaves: i64, root: &[u8], previous: &[u8]) -> Option<[u8; 32]> {
    keys.authenticate_under(key_id, AUDIT_SEAL, &[&seq.to_be_bytes(), &leaves.to_be_bytes(), root, previous])
}

/// Rows that one batch holds at most.
pub(crate) const BATCH_MAX: u64 = 1_000;

/// Seals the next batch of audit rows; answers how many it holds.
#[derive(Debug, Clone)]
pub struct SealAudit;

impl Command for SealAudit {
    type Output = usize;
    const ACTION: Option<domain::access::Action> = None;
    const NAME: &'static str = "seal_audit";
    /// The seal is its own trail; an audit row for it would ask for the next seal.
    const AUDITED: bool = false;

    async fn run(&self, tx: &Tx<'_>) -> Result<usize, StoreError> {
        let waiting = audit_unsealed::Entity::find().order_by_asc(audit_unsealed::Column::AuditId).limit(BATCH_MAX).all(tx.db).await?;
        let ids: Vec<_> = waiting.into_iter().map(|row| row.audit_id).collect();
        let rows = audit::Entity::find().filter(audit::Column::Id.is_in(ids.clone())).order_by_asc(audit::Column::Id).all(tx.db).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(0) };
        let before = audit_seal::Entity::find().order_by_desc(audit_seal::Column::Seq).one(tx.db).await?;
        let (seq, previous) = before.map_or((1, vec![0; 32]), |seal| (seal.seq + 1, seal.mac));
        let leaves: Vec<_> = rows.iter().map(leaf).collect();
        let root = root(&leaves);
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let key_id = tx.keys.active();
        let mac = seal_mac(tx.keys, &key_id, seq, count, &root, &previous);
        let mac = mac.ok_or_else(|| KeyError::UnknownKey(key_id.clone()))?;
        let seal = audit_seal::ActiveModel {
            seq: Set(seq),
            first_audit: Set(first.id),
            last_audit: Set(last.id),
            leaves: Set(count),
            root: Set(root.to_vec()),
            previous: Set(previous),
            mac: Set(mac.to_vec()),
            key_id: Set(key_id),
            sealed_at: Set(tx.now()),
        };
        audit_seal::Entity::insert(seal).exec_without_returning(tx.db).await?;
        let places = rows.iter().zip(0_i64..).map(|(row, position)| audit_sealed::ActiveModel {
            audit_id: Set(row.id),
            seal_seq: Set(seq),
            position: Set(position),
        });
        audit_sealed::Entity::insert_many(places.collect::<Vec<_>>()).exec_without_returning(tx.db).await?;
        audit_unsealed::Entity::delete_many().filter(audit_unsealed::Column::AuditId.is_in(ids)).exec(tx.db).await?;
        Ok(rows.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_depends_on_every_leaf_and_on_their_order() {
        let leaves: Vec<_> = (0_u8..5).map(|byte| [byte; 32]).collect();
        let whole = root(&leaves);
        let mut turned = leaves.clone();
        turned.swap(0, 4);
        assert_ne!(root(&turned), whole);
        assert_ne!(root(&leaves[..4]), whole);
        let mut changed = leaves;
        changed[2][0] ^= 1;
        assert_ne!(root(&changed), whole);
    }
}
