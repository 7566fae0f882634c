//! Part of I4: a statement was paid to an account of its own provider that was in force on that day.

use std::collections::BTreeMap;

use domain::{id::StatementId, provider::BankAccountState, time::BusinessDate};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use crate::{
    entity::{bank_account, payout_account, statement},
    error::StoreError,
    verify::{Check, Snapshot, pages::Pages},
};

pub(super) async fn check(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut pages = Pages::new(payout_account::Entity::find(), payout_account::Column::StatementId, |row| row.statement_id);
    while let Some(paid) = pages.next(snapshot.db).await? {
        check.count(paid.len());
        let ids = paid.iter().map(|row| row.statement_id);
        let statements = statement::Entity::find().filter(statement::Column::Id.is_in(ids)).all(snapshot.db).await?;
        let payees: BTreeMap<Uuid, Uuid> = statements.into_iter().map(|row| (row.id, row.provider_id)).collect();
        let ids = paid.iter().map(|row| row.bank_account_id);
        let accounts = bank_account::Entity::find().filter(bank_account::Column::Id.is_in(ids)).all(snapshot.db).await?;
        let accounts: BTreeMap<Uuid, bank_account::Model> = accounts.into_iter().map(|row| (row.id, row)).collect();
        for row in &paid {
            let id = StatementId::from_uuid(row.statement_id);
            let Some(account) = accounts.get(&row.bank_account_id) else {
                check.fault(id, "the account that it was paid to is missing");
                continue;
            };
            check.require(payees.get(&row.statement_id) == Some(&account.provider_id), id, || {
                "it was paid to an account of another provider".to_owned()
            });
            let day = BusinessDate::of(row.created_at).get();
            let in_force =
                account.state == BankAccountState::Approved.to_string() && account.effective_from.is_some_and(|from| from <= day);
            check.require(in_force, id, || "it was paid to an account that was not approved and in force on that day".to_owned());
        }
    }
    Ok(())
}
