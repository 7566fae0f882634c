//! What was used of a window before this system kept its books.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "opening_use")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub window_id: Uuid,
    pub units: i64,
    pub import_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
