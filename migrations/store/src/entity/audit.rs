//! Who did what; never changed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub at: DateTimeUtc,
    pub person_id: Option<Uuid>,
    pub account_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub role: Option<String>,
    pub actor: String,
    pub action: String,
    pub object: String,
    pub purpose: Option<String>,
    pub before_hash: Option<String>,
    pub after_hash: Option<String>,
    pub request_id: Uuid,
    pub write_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
