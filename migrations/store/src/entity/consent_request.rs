//! A question to the family about a larger share.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent_request")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub resident_id: Uuid,
    pub old_quote_id: Uuid,
    pub new_quote_id: Uuid,
    pub cause: String,
    pub old_family_fen: i64,
    pub new_family_fen: i64,
    pub state: String,
    pub owner_role: Option<String>,
    pub deadline_at: Option<DateTimeUtc>,
    pub answered_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
