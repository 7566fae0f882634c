//! The place of an audit row in its batch; never changed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_sealed")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub audit_id: Uuid,
    pub seal_seq: i64,
    pub position: i64,
}

impl ActiveModelBehavior for ActiveModel {}
