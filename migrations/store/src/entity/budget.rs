//! What a fund may spend on a programme in a year, with its balance.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "budget")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub programme: String,
    pub fund: String,
    pub year: i32,
    pub granted: i64,
    pub held: i64,
    pub posted: i64,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
