//! A clock time as somebody else says it was.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "visit_correction")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub visit_id: Uuid,
    pub carer_id: Uuid,
    pub kind: String,
    pub occurred_at: DateTimeUtc,
    pub reason: String,
    pub note_enc: Option<Vec<u8>>,
    pub quarantined_event_id: Option<Uuid>,
    pub made_by: Uuid,
    pub made_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
