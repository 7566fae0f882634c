//! A visit judged against a benefit.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "claim_line")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub visit_id: Uuid,
    pub hold_id: Uuid,
    pub resident_id: Uuid,
    pub provider_id: Uuid,
    pub bureau: String,
    pub programme: String,
    pub policy_version: String,
    pub benefit: String,
    pub gross_fen: i64,
    pub quoted_fen: i64,
    pub subsidy_fen: i64,
    pub family_fen: i64,
    pub units: i64,
    pub uses: i64,
    pub split: Json,
    pub codes: Json,
    pub state: String,
    pub service_on: Date,
    pub service_month: String,
    pub period_id: Option<Uuid>,
    pub adjudicated_at: DateTimeUtc,
    pub decided_by: Option<Uuid>,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
