//! A transfer; never changed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_transfer")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub book: String,
    pub kind: String,
    pub unit: String,
    pub fact: String,
    pub effective_on: Date,
    pub booked_at: DateTimeUtc,
    pub reverses: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
