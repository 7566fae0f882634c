//! A carer named for a visit.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "assignment")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub visit_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub carer_id: Uuid,
    pub starts_at: DateTimeUtc,
    pub ends_at: DateTimeUtc,
    pub active: bool,
    pub clock_in_at: Option<DateTimeUtc>,
    pub clock_out_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
