//! I3: nobody pays more for an order than it costs, and the family not more than it agreed to.

use std::collections::BTreeMap;

use domain::{
    claim::ClaimLineState,
    id::{OrderId, ProviderId, ResidentId},
    ledger::{Side, recognise},
    money::Fen,
    order::OrderState,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::{Check, Snapshot, ledger::entries_of, pages::Pages};
use crate::{
    command::order::FEE_FACT,
    convert,
    entity::{care_order, claim_line, ledger_entry},
    error::StoreError,
};

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check = Check::new("I3", "no order is charged more than its price, nor its family more than was quoted");
    let mut pages = Pages::new(care_order::Entity::find(), care_order::Column::Id, |row| row.id);
    while let Some(orders) = pages.next(snapshot.db).await? {
        let lines = lines_of(snapshot, &orders).await?;
        let ids: Vec<Uuid> = orders.iter().map(recognition).collect::<Result<_, _>>()?;
        let entries = entries_of(snapshot, ids.iter().copied()).await?;
        let fees: Vec<Uuid> = orders.iter().map(|order| fact_id(order, FEE_FACT)).collect::<Result<_, _>>()?;
        let fee_entries = entries_of(snapshot, fees.iter().copied()).await?;
        for (order, fee) in orders.iter().zip(&fees) {
            check_fee(&mut check, order, fee_entries.get(fee).map_or(&[][..], Vec::as_slice));
        }
        for (order, recognition) in orders.iter().zip(&ids) {
            let lines = lines.get(&order.id).map_or(&[][..], Vec::as_slice);
            let entries = entries.get(recognition).map_or(&[][..], Vec::as_slice);
            check.count(1 + lines.len());
            check_quote(&mut check, order);
            check_lines(&mut check, order, lines);
            check_recognition(&mut check, order, lines, entries);
        }
    }
    Ok(check)
}

async fn lines_of(snapshot: &Snapshot<'_>, orders: &[care_order::Model]) -> Result<BTreeMap<Uuid, Vec<claim_line::Model>>, StoreError> {
    let ids = orders.iter().map(|order| order.id);
    let rows = claim_line::Entity::find().filter(claim_line::Column::OrderId.is_in(ids)).all(snapshot.db).await?;
    let mut lines: BTreeMap<Uuid, Vec<_>> = BTreeMap::new();
    for row in rows {
        lines.entry(row.order_id).or_default().push(row);
    }
    Ok(lines)
}

/// Id of the transfer that the confirmation of an order leaves; it follows from the order alone.
fn recognition(order: &care_order::Model) -> Result<Uuid, StoreError> {
    fact_id(order, "confirmation")
}

fn fact_id(order: &care_order::Model, fact: &str) -> Result<Uuid, StoreError> {
    let parties = (ResidentId::from_uuid(order.resident_id), ProviderId::from_uuid(order.provider_id));
    let day = domain::time::BusinessDate::of(order.starts_at);
    Ok(recognise(OrderId::from_uuid(order.id), parties, &[], Fen::ZERO, fact, day)?.id().uuid())
}

fn check_quote(check: &mut Check, order: &care_order::Model) {
    let sound = order.subsidy_fen >= 0
        && order.family_fen >= 0
        && i128::from(order.subsidy_fen) + i128::from(order.family_fen) == i128::from(order.gross_fen);
    check.require(sound, OrderId::from_uuid(order.id), || "subsidy and family share do not add up to the price".to_owned());
}

fn check_lines(check: &mut Check, order: &care_order::Model, lines: &[claim_line::Model]) {
    let id = OrderId::from_uuid(order.id);
    let Some(first) = lines.first() else { return };
    // The family's share is that of the whole visit; each line repeats it.
    let agree = lines.iter().all(|line| (line.gross_fen, line.family_fen) == (first.gross_fen, first.family_fen));
    check.require(agree, id, || "its claim lines state different prices or family shares".to_owned());
    let voided = ClaimLineState::Voided.to_string();
    let subsidies: i128 = lines.iter().filter(|line| line.state != voided).map(|line| i128::from(line.subsidy_fen)).sum();
    let charged = subsidies + i128::from(first.family_fen);
    check.require(charged <= i128::from(first.gross_fen), id, || {
        format!("subsidies of {subsidies} and a family share of {} exceed the price of {}", first.family_fen, first.gross_fen)
    });
    check.require(first.gross_fen <= order.gross_fen, id, || {
        format!("the price delivered, {}, exceeds the price booked, {}", first.gross_fen, order.gross_fen)
    });
    check.require(first.family_fen <= order.family_fen, id, || {
        format!("the family share of {} exceeds the quoted {}", first.family_fen, order.family_fen)
    });
}

/// A fee is due for a cancelled order alone, and is never more than the family's own share.
fn check_fee(check: &mut Check, order: &care_order::Model, entries: &[ledger_entry::Model]) {
    let id = OrderId::from_uuid(order.id);
    let debit = Side::Debit.to_string();
    let fee: i128 = entries.iter().filter(|entry| entry.side == debit).map(|entry| i128::from(entry.amount)).sum();
    let cancelled = order.state == OrderState::Cancelled.to_string();
    check.require(fee == 0 || cancelled, id, || format!("it is {} and a cancellation fee of {fee} is charged", order.state));
    check.require(fee <= i128::from(order.family_fen), id, || {
        format!("its cancellation fee of {fee} exceeds the family share of {}", order.family_fen)
    });
}

/// What the ledger says is owed for the order, self-paid orders included.
fn check_recognition(check: &mut Check, order: &care_order::Model, lines: &[claim_line::Model], entries: &[ledger_entry::Model]) {
    let id = OrderId::from_uuid(order.id);
    let debit = Side::Debit.to_string();
    let debits = || entries.iter().filter(|entry| entry.side == debit);
    let all: i128 = debits().map(|entry| i128::from(entry.amount)).sum();
    let family: i128 = debits().filter(|entry| entry.account.starts_with("receivable/")).map(|entry| i128::from(entry.amount)).sum();
    check.require(all <= i128::from(order.gross_fen), id, || format!("the ledger recognises {all} for a price of {}", order.gross_fen));
    check.require(family <= i128::from(order.family_fen), id, || {
        format!("the ledger charges the family {family}, quoted were {}", order.family_fen)
    });
    if let Some(line) = lines.first() {
        check.require(family == i128::from(line.family_fen), id, || {
            format!("the ledger charges the family {family}, its claim lines {}", line.family_fen)
        });
    }
}

/// Sum of the parts of a stored split; none when it cannot be read.
pub(super) fn split_total(split: &serde_json::Value) -> Option<i128> {
    let parts: Vec<(String, i64)> = convert::json("claim_line", "split", split).ok()?;
    Some(parts.iter().map(|(_, part)| i128::from(*part)).sum())
}
