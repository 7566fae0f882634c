//! A stored quote.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "quote")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub resident_id: Uuid,
    pub provider_id: Uuid,
    pub address_id: Option<Uuid>,
    pub item: String,
    pub class: String,
    pub starts_at: DateTimeUtc,
    pub minutes: i64,
    pub gross_fen: i64,
    pub subsidy_fen: i64,
    pub family_fen: i64,
    pub body_enc: Vec<u8>,
    pub made_by: Uuid,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
