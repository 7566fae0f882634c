//! A dispute with what both sides say.

use domain::{
    access::{Action, Actor},
    id::OrderId,
    order::{DisputeReason, DisputeSide},
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{
    Store, convert,
    entity::{care_order, dispute, dispute_statement},
    error::StoreError,
    keys::Cell,
    tx::open_text,
};

/// A dispute.
#[derive(Debug, Clone)]
pub struct DisputeView {
    /// The order.
    pub order_id: OrderId,
    /// What was wrong.
    pub reason: DisputeReason,
    /// When it was raised.
    pub raised_at: Instant,
    /// What was said, oldest first.
    pub statements: Vec<StatementView>,
    /// `full`, `part` or `none`, once decided.
    pub outcome: Option<String>,
    /// The recognised part in hundredths of a percent, once decided.
    pub share_points: Option<i64>,
    /// When it was decided.
    pub decided_at: Option<Instant>,
}

/// What one side says.
#[derive(Debug, Clone)]
pub struct StatementView {
    /// Who.
    pub side: DisputeSide,
    /// What.
    pub text: String,
    /// When.
    pub made_at: Instant,
}

impl Store {
    /// The dispute of an order.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn dispute(&self, actor: &Actor, id: OrderId) -> Result<DisputeView, StoreError> {
        actor.may(Action::ReadDispute)?;
        let order = care_order::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        actor.permit(Action::ReadDispute, &self.order_object(&order).await?)?;
        let row = dispute::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let said = dispute_statement::Entity::find()
            .filter(dispute_statement::Column::OrderId.eq(row.order_id))
            .order_by_asc(dispute_statement::Column::MadeAt)
            .order_by_asc(dispute_statement::Column::Id)
            .all(self.db())
            .await?;
        let statements = said.into_iter().map(|one| {
            let cell = Cell { table: "dispute_statement", column: "text_enc", row: one.id };
            Ok(StatementView {
                side: convert::code("dispute_statement", "side", &one.side)?,
                text: open_text(self.keys(), cell, &one.text_enc)?,
                made_at: one.made_at,
            })
        });
        Ok(DisputeView {
            order_id: id,
            reason: convert::code("dispute", "reason", &row.reason)?,
            raised_at: row.raised_at,
            statements: statements.collect::<Result<_, StoreError>>()?,
            outcome: row.outcome,
            share_points: row.share_points,
            decided_at: row.decided_at,
        })
    }
}
