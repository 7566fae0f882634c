//! A relation that has ended.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "past_relation")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub person_id: Uuid,
    pub resident_id: Uuid,
    pub relation: String,
    pub consent: Json,
    pub valid_from: Date,
    pub valid_until: Date,
    pub recorded_by: Option<Uuid>,
    pub ended_by: Option<Uuid>,
    pub ended_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
