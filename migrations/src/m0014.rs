//! Bearer keys of accounts, accounts of machines, requests for new authenticators.

use sea_orm_migration::prelude::*;

use crate::portable;

pub(crate) struct AccessKeys;

impl MigrationName for AccessKeys {
    fn name(&self) -> &'static str {
        "m0014_access_keys"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes this signature")]
#[async_trait::async_trait]
impl MigrationTrait for AccessKeys {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0014/up.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0014/down.sql")).await
    }
}
