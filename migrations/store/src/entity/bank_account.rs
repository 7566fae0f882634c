//! Where a provider is paid.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bank_account")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub provider_id: Uuid,
    pub account_enc: Vec<u8>,
    pub state: String,
    pub requested_by: Uuid,
    pub requested_at: DateTimeUtc,
    pub hold_ends_on: Date,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<DateTimeUtc>,
    pub effective_from: Option<Date>,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
