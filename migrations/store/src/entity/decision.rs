//! What the rules said of an application.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "decision")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub application_id: Uuid,
    pub resident_id: Uuid,
    pub programme: String,
    pub policy_version_id: Uuid,
    pub granted: bool,
    pub explanation_enc: Vec<u8>,
    pub effective_from: Option<Date>,
    pub effective_until: Option<Date>,
    pub decided_by: Uuid,
    pub decided_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
