//! A way to sign in.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub person_id: Uuid,
    pub login: String,
    pub password_hash: String,
    pub totp_secret_enc: Option<Vec<u8>>,
    pub totp_last_step: Option<i64>,
    pub failed_count: i64,
    pub retry_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub kind: String,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
