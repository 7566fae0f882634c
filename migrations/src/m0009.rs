//! Findings of supervision.

use sea_orm_migration::prelude::*;

use crate::portable;

pub(crate) struct Flags;

impl MigrationName for Flags {
    fn name(&self) -> &'static str {
        "m0009_flags"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes this signature")]
#[async_trait::async_trait]
impl MigrationTrait for Flags {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0009/up.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0009/down.sql")).await
    }
}
