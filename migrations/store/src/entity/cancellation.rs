//! What a cancellation cost and why.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cancellation")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: Uuid,
    pub cancelled_by: Option<Uuid>,
    pub role: Option<String>,
    pub reason: String,
    pub because: String,
    pub fee_fen: i64,
    pub share_points: i64,
    pub free_until: DateTimeUtc,
    pub cancelled_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
