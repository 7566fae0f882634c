//! Operation: the backups that were made.

use sea_orm_migration::prelude::*;

use crate::portable;

pub(crate) struct Operation;

impl MigrationName for Operation {
    fn name(&self) -> &'static str {
        "m0008_operation"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes this signature")]
#[async_trait::async_trait]
impl MigrationTrait for Operation {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0008/up.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0008/down.sql")).await
    }
}
