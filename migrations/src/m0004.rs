//! Visits in full: devices with keys, events that do not fit, corrections, reports, safety checks, incidents.

use sea_orm_migration::prelude::*;

use crate::portable;

pub(crate) struct Visits;

impl MigrationName for Visits {
    fn name(&self) -> &'static str {
        "m0004_visits"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes this signature")]
#[async_trait::async_trait]
impl MigrationTrait for Visits {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        portable::run(db, include_str!("m0004/up.sql")).await?;
        portable::make_append_only(db, "device_event").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0004/down.sql")).await
    }
}
