//! Onboarding: sheets that were handed in, the rows taken over from them, uses of windows from before.

use sea_orm_migration::prelude::*;

use crate::portable;

pub(crate) struct Onboarding;

impl MigrationName for Onboarding {
    fn name(&self) -> &'static str {
        "m0010_onboarding"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes this signature")]
#[async_trait::async_trait]
impl MigrationTrait for Onboarding {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0010/up.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0010/down.sql")).await
    }
}
