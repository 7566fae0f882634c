//! Signing in without a password: contacts, one-time codes, paper sheets; what a session tells of its device.

use sea_orm_migration::prelude::*;

use crate::portable;

pub(crate) struct SignIn;

impl MigrationName for SignIn {
    fn name(&self) -> &'static str {
        "m0012_sign_in"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes this signature")]
#[async_trait::async_trait]
impl MigrationTrait for SignIn {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0012/up.sql")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0012/down.sql")).await
    }
}
