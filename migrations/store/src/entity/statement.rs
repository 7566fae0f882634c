//! What a provider is paid in a period.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "statement")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub period_id: Uuid,
    pub provider_id: Uuid,
    pub line_count: i64,
    pub total_fen: i64,
    pub split: Json,
}

impl ActiveModelBehavior for ActiveModel {}
