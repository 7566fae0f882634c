//! A licensed organisation.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub credit_code: String,
    pub name: String,
    pub division: String,
    pub state: String,
    pub applied_by: Uuid,
    pub reviewed_by: Option<Uuid>,
    pub admitted_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
