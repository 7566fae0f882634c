//! Why a credit code with a wrong check character was accepted.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credit_code_review")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub provider_id: Uuid,
    pub reason_enc: Vec<u8>,
    pub reviewed_by: Uuid,
    pub reviewed_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
