//! I1: every transfer balances.

use std::collections::BTreeMap;

use domain::{
    catalogue::Unit,
    id::TransferId,
    ledger::{Book, Fact, Side, Transfer, TransferKind},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::{Check, Snapshot, pages::Pages};
use crate::{
    convert,
    entity::{ledger_entry, ledger_transfer},
    error::StoreError,
};

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check = Check::new("I1", "each ledger transfer balances, and its id is that of the fact it records");
    let mut pages = Pages::new(ledger_transfer::Entity::find(), ledger_transfer::Column::Id, |row| row.id);
    while let Some(transfers) = pages.next(snapshot.db).await? {
        let entries = entries_of(snapshot, transfers.iter().map(|row| row.id)).await?;
        for row in &transfers {
            let entries = entries.get(&row.id).map_or(&[][..], Vec::as_slice);
            check.count(1 + entries.len());
            check_transfer(&mut check, row, entries);
        }
    }
    Ok(check)
}

/// The entries of transfers, by transfer.
pub(super) async fn entries_of(
    snapshot: &Snapshot<'_>,
    transfers: impl IntoIterator<Item = Uuid>,
) -> Result<BTreeMap<Uuid, Vec<ledger_entry::Model>>, StoreError> {
    let rows = ledger_entry::Entity::find().filter(ledger_entry::Column::TransferId.is_in(transfers)).all(snapshot.db).await?;
    let mut entries: BTreeMap<Uuid, Vec<_>> = BTreeMap::new();
    for row in rows {
        entries.entry(row.transfer_id).or_default().push(row);
    }
    for lines in entries.values_mut() {
        lines.sort_by_key(|entry| entry.line);
    }
    Ok(entries)
}

fn check_transfer(check: &mut Check, row: &ledger_transfer::Model, entries: &[ledger_entry::Model]) {
    let id = TransferId::from_uuid(row.id);
    let (mut debits, mut credits) = (0_i128, 0_i128);
    for entry in entries {
        match entry.side.parse::<Side>() {
            Ok(Side::Debit) => debits += i128::from(entry.amount),
            Ok(Side::Credit) => credits += i128::from(entry.amount),
            Err(_unknown) => check.fault(id, format!("line {} is neither debit nor credit", entry.line)),
        }
        check.require(entry.amount > 0, id, || format!("line {} is not positive", entry.line));
        check.require(in_book(&row.book, &entry.account), id, || format!("line {} is on an account of another book", entry.line));
    }
    check.require(!entries.is_empty(), id, || "it has no entries".to_owned());
    check.require(debits == credits, id, || format!("debits of {debits} do not equal credits of {credits}"));
    match derived_id(row) {
        Some(derived) => check.require(derived == id, id, || "its id is not the one of the fact it records".to_owned()),
        None => check.fault(id, "its book, kind or unit is unknown"),
    }
}

/// Whether an account belongs to a book, by its first segment.
fn in_book(book: &str, account: &str) -> bool {
    let wanted = match account.split('/').next() {
        Some("window") => Book::Entitlement,
        Some("budget") => Book::Budget,
        Some(_) | None => Book::Money,
    };
    book.parse() == Ok(wanted)
}

fn derived_id(row: &ledger_transfer::Model) -> Option<TransferId> {
    let book: Book = row.book.parse().ok()?;
    let kind: TransferKind = row.kind.parse().ok()?;
    let unit: Unit = row.unit.parse().ok()?;
    let fact = Fact { book, kind, unit, key: row.fact.clone(), effective_on: convert::date(row.effective_on) };
    Transfer::new(fact, Vec::new()).ok().map(|transfer| transfer.id())
}
