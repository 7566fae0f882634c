//! Who registered a resident, and at whose wish.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resident_registration")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub resident_id: Uuid,
    pub channel: String,
    pub requested_by: String,
    pub registered_by: Option<Uuid>,
    pub registered_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
