//! What is taken back of one claim line.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "claim_correction")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub claim_line_id: Uuid,
    pub reversal_id: Uuid,
    pub provider_id: Uuid,
    pub bureau: String,
    pub programme: String,
    pub cause: String,
    pub subsidy_fen: i64,
    pub units: i64,
    pub split: Json,
    pub service_month: String,
    pub booked_month: String,
    pub period_id: Option<Uuid>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
