//! Failed attempts by login, whether an account has it or not.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_failure")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub login_index: Vec<u8>,
    pub failures: i64,
    pub last_at: DateTimeUtc,
    pub retry_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
