//! An older person; identity, name and facts are encrypted.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resident")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub document_kind: String,
    pub document_enc: Vec<u8>,
    pub document_index: Vec<u8>,
    pub name_enc: Vec<u8>,
    pub phone_enc: Option<Vec<u8>>,
    pub facts_enc: Vec<u8>,
    pub home_secret_enc: Vec<u8>,
    pub hukou_division: String,
    pub residence_division: String,
    pub status: String,
    pub status_on: Date,
    pub registered_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
