//! What a carer can do and when they work.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "carer_profile")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub carer_id: Uuid,
    pub sex: String,
    pub skills: Json,
    pub dialects: Json,
    pub working_times: Json,
    pub employed_from: Date,
    pub employed_until: Option<Date>,
    pub changed_by: Uuid,
    pub changed_at: DateTimeUtc,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
