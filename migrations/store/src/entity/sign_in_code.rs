//! A code that signs in once.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_code")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub purpose: String,
    pub account_id: Option<Uuid>,
    pub kind: Option<String>,
    pub address_enc: Option<Vec<u8>>,
    pub address_index: Option<Vec<u8>>,
    pub code_enc: Option<Vec<u8>>,
    pub code_mac: Vec<u8>,
    pub locale: String,
    pub issued_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub attempts: i64,
    pub used_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
