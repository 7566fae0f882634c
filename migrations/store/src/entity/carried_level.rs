//! The ability level that was taken over from a sheet.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "carried_level")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub level_enc: Vec<u8>,
    pub assessed_on: Date,
    pub valid_until: Date,
    pub import_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
