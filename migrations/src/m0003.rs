//! Providers in full: profile, agreements, annual reviews, bank accounts, carers' working times, the published
//! catalogue and the bureaus' purchase lists.

use sea_orm_migration::prelude::*;

use crate::portable;

/// Tables whose rows are facts of the past. Those with notes are not among them: a change of the encryption key
/// writes the notes anew.
const APPEND_ONLY: [&str; 1] = ["payout_account"];

pub(crate) struct Providers;

impl MigrationName for Providers {
    fn name(&self) -> &'static str {
        "m0003_providers"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes this signature")]
#[async_trait::async_trait]
impl MigrationTrait for Providers {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        portable::run(db, include_str!("m0003/up.sql")).await?;
        for table in APPEND_ONLY {
            portable::make_append_only(db, table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0003/down.sql")).await
    }
}
