//! A booked service.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "care_order")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub quote_id: Uuid,
    pub resident_id: Uuid,
    pub provider_id: Uuid,
    pub item: String,
    pub class: String,
    pub starts_at: DateTimeUtc,
    pub ends_at: DateTimeUtc,
    pub gross_fen: i64,
    pub subsidy_fen: i64,
    pub family_fen: i64,
    pub state: String,
    pub owner_role: Option<String>,
    pub deadline_at: Option<DateTimeUtc>,
    pub placed_by: Uuid,
    pub decided_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub version: i64,
    pub offer_mode: String,
    pub family_max_fen: i64,
    pub escalations: i64,
}

impl ActiveModelBehavior for ActiveModel {}
