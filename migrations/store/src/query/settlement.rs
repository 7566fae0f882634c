//! Settlement periods and the ledger as an auditor reads it.

use domain::{
    access::{Action, Actor, Object},
    division::Scope,
    id::SettlementPeriodId,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    sea_query::{Expr, ExprTrait as _, Func},
};
use serde::Serialize;

use crate::{
    Store,
    command::settlement::{PeriodView, period_view},
    convert,
    entity::{ledger_entry, settlement_period, statement},
    error::StoreError,
    ledger_book::net,
};

/// Balance of one money account: debits less credits, in fen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountBalance {
    /// The account.
    pub account: String,
    /// Debits less credits, in fen.
    pub net_fen: i64,
}

impl Store {
    /// A settlement period with its statements.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn settlement_period(&self, actor: &Actor, id: SettlementPeriodId) -> Result<PeriodView, StoreError> {
        actor.may(Action::ReadSettlement)?;
        let row = settlement_period::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let bureau: Scope = convert::code("settlement_period", "bureau", &row.bureau)?;
        actor.permit(Action::ReadSettlement, &Object { division: Some(bureau.division()), ..Object::default() })?;
        let statements = statement::Entity::find()
            .filter(statement::Column::PeriodId.eq(row.id))
            .order_by_asc(statement::Column::ProviderId)
            .all(self.db())
            .await?;
        period_view(&row, &statements)
    }

    /// Balances of the money accounts whose name begins so, as an auditor of the whole city reads them.
    ///
    /// # Errors
    /// A role that may not, or a reach that is not the whole city.
    pub async fn account_balances(&self, actor: &Actor, prefix: &str) -> Result<Vec<AccountBalance>, StoreError> {
        let city = self.city().await?;
        actor.permit(Action::ReadSettlement, &Object { division: Some(city.scope.division()), ..Object::default() })?;
        // Not LIKE: `%` and `_` are letters to whoever asks.
        let length = i32::try_from(prefix.chars().count()).unwrap_or(i32::MAX);
        let entries = ledger_entry::Entity::find()
            .filter(Func::cust("substr").arg(Expr::col(ledger_entry::Column::Account)).arg(1_i32).arg(length).eq(prefix))
            .order_by_asc(ledger_entry::Column::Account)
            .all(self.db())
            .await?;
        Ok(entries
            .chunk_by(|one, other| one.account == other.account)
            .filter_map(|entries| entries.first().map(|first| AccountBalance { account: first.account.clone(), net_fen: net(entries) }))
            .collect())
    }
}
