//! What a device signed, in its own sequence.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device_event")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: Uuid,
    pub device_id: Uuid,
    pub sequence: i64,
    pub previous: String,
    pub digest: String,
    pub finding: String,
}

impl ActiveModelBehavior for ActiveModel {}
