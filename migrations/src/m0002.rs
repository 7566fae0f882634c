//! The registry in full: dated facts, life status, ended addresses and relations, possible duplicates, and the
//! reviews of entitlements.

use sea_orm_migration::prelude::*;

use crate::portable;

pub(crate) struct Registry;

impl MigrationName for Registry {
    fn name(&self) -> &'static str {
        "m0002_registry"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes this signature")]
#[async_trait::async_trait]
impl MigrationTrait for Registry {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0002/up.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0002/down.sql")).await
    }
}
