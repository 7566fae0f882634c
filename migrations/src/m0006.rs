//! Money in depth: projected windows, holds that expire, consent to a larger share, drafts of a month, and
//! corrections.

use sea_orm_migration::prelude::*;

use crate::portable;

pub(crate) struct Money;

impl MigrationName for Money {
    fn name(&self) -> &'static str {
        "m0006_money"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes this signature")]
#[async_trait::async_trait]
impl MigrationTrait for Money {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0006/up.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0006/down.sql")).await
    }
}
