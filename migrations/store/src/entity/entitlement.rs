//! A right to a benefit.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entitlement")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub decision_id: Uuid,
    pub resident_id: Uuid,
    pub programme: String,
    pub benefit: String,
    pub unit: String,
    pub window_kind: String,
    pub effective_from: Date,
    pub effective_until: Option<Date>,
    pub created_at: DateTimeUtc,
    pub version: i64,
    pub ended_as: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
