//! A check before a service that can harm.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "safety_check")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub visit_id: Uuid,
    pub carer_id: Uuid,
    pub client_event_id: String,
    pub occurred_at: DateTimeUtc,
    pub received_at: DateTimeUtc,
    pub outcome: String,
    pub body_enc: Vec<u8>,
    pub digest: String,
}

impl ActiveModelBehavior for ActiveModel {}
