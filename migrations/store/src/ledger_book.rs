//! Ledger rows: a transfer is inserted once and never changed.

use domain::ledger::{LedgerError, Side, Transfer};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set};

use crate::{
    entity::{ledger_entry, ledger_transfer},
    error::StoreError,
    tx::Tx,
};

/// Records a transfer. The id is derived from the fact: a repeat with the same entries is fine, one with
/// other entries is refused.
pub(crate) async fn record(tx: &Tx<'_>, transfer: &Transfer) -> Result<(), StoreError> {
    if transfer.is_empty() {
        return Ok(());
    }
    let id = transfer.id().uuid();
    let entries: Vec<_> = transfer
        .entries()
        .iter()
        .zip(1_i64..)
        .map(|(entry, line)| ledger_entry::Model {
            transfer_id: id,
            line,
            account: entry.account.as_str().to_owned(),
            side: entry.side.to_string(),
            amount: entry.amount,
        })
        .collect();
    if ledger_transfer::Entity::find_by_id(id).one(tx.db).await?.is_some() {
        let known = ledger_entry::Entity::find()
            .filter(ledger_entry::Column::TransferId.eq(id))
            .order_by_asc(ledger_entry::Column::Line)
            .all(tx.db)
            .await?;
        return if known == entries { Ok(()) } else { Err(LedgerError::Differs(transfer.key().to_owned()).into()) };
    }
    let row = ledger_transfer::ActiveModel {
        id: Set(id),
        book: Set(transfer.book().to_string()),
        kind: Set(transfer.kind().to_string()),
        unit: Set(transfer.unit().to_string()),
        fact: Set(transfer.key().to_owned()),
        effective_on: Set(transfer.effective_on().get()),
        booked_at: Set(tx.now()),
        reverses: Set(None),
    };
    ledger_transfer::Entity::insert(row).exec_without_returning(tx.db).await?;
    let rows = entries.into_iter().map(sea_orm::IntoActiveModel::into_active_model);
    ledger_entry::Entity::insert_many(rows.collect::<Vec<ledger_entry::ActiveModel>>()).exec_without_returning(tx.db).await?;
    Ok(())
}

/// Sum of the debits less the credits of an account in rows that were read.
pub(crate) fn net(entries: &[ledger_entry::Model]) -> i64 {
    let debit = Side::Debit.to_string();
    entries.iter().map(|entry| if entry.side == debit { entry.amount } else { -entry.amount }).sum()
}
