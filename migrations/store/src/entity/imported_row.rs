//! A row that was taken over from a sheet.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "imported_row")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_index: Vec<u8>,
    pub text_digest: Vec<u8>,
    pub import_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
