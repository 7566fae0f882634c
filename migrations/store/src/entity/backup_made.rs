//! A backup that was made.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "backup_made")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub taken_at: DateTimeUtc,
    pub bytes: i64,
    pub sha256: String,
}

impl ActiveModelBehavior for ActiveModel {}
