//! The spine: registry, eligibility, booking, visits, ledger, settlement, and the machinery beneath them.

use sea_orm_migration::prelude::*;

use crate::portable;

/// Tables whose rows are facts of the past.
const APPEND_ONLY: [&str; 6] = ["event", "audit", "audit_seal", "audit_sealed", "ledger_transfer", "ledger_entry"];

pub(crate) struct Spine;

impl MigrationName for Spine {
    fn name(&self) -> &'static str {
        "m0001_spine"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes this signature")]
#[async_trait::async_trait]
impl MigrationTrait for Spine {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        portable::run(db, include_str!("m0001/up.sql")).await?;
        for table in APPEND_ONLY {
            portable::make_append_only(db, table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        portable::run(db, include_str!("m0001/down.sql")).await?;
        portable::forget_append_only(db).await
    }
}
