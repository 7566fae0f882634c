//! Where a resident is served.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_address")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub resident_id: Uuid,
    pub division: String,
    pub text_enc: Vec<u8>,
    pub coordinate_enc: Option<Vec<u8>>,
    pub created_at: DateTimeUtc,
    pub ended_on: Option<Date>,
}

impl ActiveModelBehavior for ActiveModel {}
