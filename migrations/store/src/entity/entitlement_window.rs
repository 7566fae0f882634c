//! What an entitlement grants in one window, with its balance.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entitlement_window")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub entitlement_id: Uuid,
    pub resident_id: Uuid,
    pub programme: String,
    pub benefit: String,
    pub unit: String,
    pub window_start: Date,
    pub window_end: Option<Date>,
    pub granted: i64,
    pub held: i64,
    pub posted: i64,
    pub expired: i64,
    pub version: i64,
    pub state: String,
}

impl ActiveModelBehavior for ActiveModel {}
