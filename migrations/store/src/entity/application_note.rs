//! What was written about a step of an application.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "application_note")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub application_id: Uuid,
    pub step: String,
    pub text_enc: Vec<u8>,
    pub written_by: Uuid,
    pub written_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
