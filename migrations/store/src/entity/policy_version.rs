//! One version of the rules of one programme.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "policy_version")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub programme: String,
    pub version: String,
    pub file_name: String,
    pub source_text: String,
    pub digest: String,
    pub state: String,
    pub effective_from: Date,
    pub effective_until: Option<Date>,
    pub drafted_by: Option<Uuid>,
    pub published_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
