//! A clock event as a phone sent it.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "visit_event")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub visit_id: Uuid,
    pub carer_id: Uuid,
    pub client_event_id: String,
    pub kind: String,
    pub occurred_at: DateTimeUtc,
    pub received_at: DateTimeUtc,
    pub evidence_enc: Vec<u8>,
    pub digest: String,
}

impl ActiveModelBehavior for ActiveModel {}
