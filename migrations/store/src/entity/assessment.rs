//! An ability assessment; the record is encrypted.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "assessment")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub resident_id: Uuid,
    pub state: String,
    pub record_enc: Vec<u8>,
    pub first_assessor: Uuid,
    pub second_assessor: Option<Uuid>,
    pub assessed_on: Date,
    pub valid_until: Date,
    pub created_at: DateTimeUtc,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
