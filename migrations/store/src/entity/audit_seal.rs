//! A signed batch of audit rows; never changed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_seal")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub first_audit: Uuid,
    pub last_audit: Uuid,
    pub leaves: i64,
    pub root: Vec<u8>,
    pub previous: Vec<u8>,
    pub mac: Vec<u8>,
    pub key_id: String,
    pub sealed_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
