//! An entitlement decided anew.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entitlement_review")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub entitlement_id: Uuid,
    pub resident_id: Uuid,
    pub programme: String,
    pub policy_version_id: Uuid,
    pub outcome: String,
    pub explanation_enc: Vec<u8>,
    pub ceased_on: Option<Date>,
    pub effective_on: Date,
    pub reviewed_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
