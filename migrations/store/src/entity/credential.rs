//! A licence of a provider or a certificate of a carer.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credential")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub provider_id: Option<Uuid>,
    pub carer_id: Option<Uuid>,
    pub kind: String,
    pub number: String,
    pub valid_from: Date,
    pub valid_until: Option<Date>,
    pub recorded_by: Uuid,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
