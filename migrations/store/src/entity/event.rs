//! Something that happened; never changed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub stream: String,
    pub seq: i64,
    pub kind: String,
    pub version: i64,
    pub payload: Json,
    pub at: DateTimeUtc,
    pub person_id: Option<Uuid>,
    pub request_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
