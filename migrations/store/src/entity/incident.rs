//! Something that went wrong at a visit.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "incident")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub visit_id: Uuid,
    pub resident_id: Uuid,
    pub provider_id: Uuid,
    pub division: String,
    pub client_event_id: String,
    pub kind: String,
    pub severity: String,
    pub occurred_at: DateTimeUtc,
    pub reported_at: DateTimeUtc,
    pub reported_by: Uuid,
    pub account_enc: Vec<u8>,
    pub measures_enc: Option<Vec<u8>>,
    pub digest: String,
    pub state: String,
    pub owner_role: Option<String>,
    pub deadline_at: Option<DateTimeUtc>,
    pub resolved_by: Option<Uuid>,
    pub closed_by: Option<Uuid>,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
