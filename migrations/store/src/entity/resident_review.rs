//! When the entitlements of a resident must be looked at next.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resident_review")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub resident_id: Uuid,
    pub due_on: Date,
    pub reviewed_on: Option<Date>,
}

impl ActiveModelBehavior for ActiveModel {}
