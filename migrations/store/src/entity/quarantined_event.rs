//! A clock event that does not fit its visit.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quarantined_event")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub visit_id: Uuid,
    pub carer_id: Uuid,
    pub provider_id: Uuid,
    pub client_event_id: String,
    pub kind: String,
    pub occurred_at: DateTimeUtc,
    pub received_at: DateTimeUtc,
    pub evidence_enc: Vec<u8>,
    pub digest: String,
    pub reason: String,
    pub state: String,
    pub owner_role: Option<String>,
    pub deadline_at: Option<DateTimeUtc>,
    pub resolved_by: Option<Uuid>,
    pub resolved_at: Option<DateTimeUtc>,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
