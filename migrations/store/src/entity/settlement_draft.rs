//! What a month would be settled to.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settlement_draft")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub programme: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub bureau: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub month: String,
    pub content_hash: String,
    pub line_count: i64,
    pub total_fen: i64,
    pub drafted_at: DateTimeUtc,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
