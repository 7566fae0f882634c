//! A purchase agreement of a provider with the bureau.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_agreement")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub provider_id: Uuid,
    pub number: String,
    pub signed_on: Date,
    pub valid_from: Date,
    pub valid_until: Date,
    pub recorded_by: Uuid,
    pub ended_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
