//! A month of a programme.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settlement_period")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub programme: String,
    pub bureau: String,
    pub month: String,
    pub state: String,
    pub content_hash: String,
    pub line_count: i64,
    pub total_fen: i64,
    pub computed_by: Uuid,
    pub approved_by: Option<Uuid>,
    pub released_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
