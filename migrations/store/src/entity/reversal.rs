//! A proposal to take back what was posted for an order.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reversal")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub cause: String,
    pub note_enc: Vec<u8>,
    pub state: String,
    pub owner_role: Option<String>,
    pub deadline_at: Option<DateTimeUtc>,
    pub proposed_by: Uuid,
    pub decided_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
