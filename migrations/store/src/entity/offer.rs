//! One provider asked to serve one order.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "offer")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub provider_id: Uuid,
    pub gross_fen: i64,
    pub family_fen: i64,
    pub round: i64,
    pub rank_reasons: Json,
    pub state: String,
    pub deadline_at: DateTimeUtc,
    pub offered_at: DateTimeUtc,
    pub answered_at: Option<DateTimeUtc>,
    pub answered_by: Option<Uuid>,
    pub reason: Option<String>,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
