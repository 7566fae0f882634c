//! A paper sheet of codes for a resident without a telephone.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code_sheet")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub serial: String,
    pub account_id: Uuid,
    pub resident_id: Uuid,
    pub issued_by: Uuid,
    pub created_at: DateTimeUtc,
    pub failures: i64,
    pub ended_at: Option<DateTimeUtc>,
    pub ended_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
