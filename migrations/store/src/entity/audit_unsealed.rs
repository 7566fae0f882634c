//! An audit row that no seal holds yet.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_unsealed")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub audit_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
