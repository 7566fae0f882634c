//! The one delivery of an order.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "visit")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub state: String,
    pub staff_count: i64,
    pub actual_start: Option<DateTimeUtc>,
    pub actual_end: Option<DateTimeUtc>,
    pub grade: Option<String>,
    pub grade_reasons: Option<Json>,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
