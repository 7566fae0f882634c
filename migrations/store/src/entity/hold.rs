//! Units reserved by an order.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hold")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub window_id: Uuid,
    pub programme: String,
    pub policy_version: String,
    pub benefit: String,
    pub window_start: Date,
    pub unit: String,
    pub units: i64,
    pub uses: i64,
    pub service_on: Date,
    pub subsidy_fen: i64,
    pub split: Json,
    pub state: String,
    pub posted_units: i64,
    pub posted_fen: i64,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
