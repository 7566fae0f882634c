//! A finding of supervision.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "flag")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub rule: String,
    pub object: String,
    pub provider_id: Option<Uuid>,
    pub month: String,
    pub evidence: Json,
    pub raised_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
