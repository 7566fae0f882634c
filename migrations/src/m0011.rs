//! Orders as they are in a city: offers to several providers, cancellations, day-care seats, and demand that nobody met.

use sea_orm_migration::prelude::*;

use crate::portable;

/// Tables whose rows are facts of the past.
const APPEND_ONLY: [&str; 2] = ["unmet_demand", "cancellation"];

pub(crate) struct Order;

impl MigrationName for Order {
    fn name(&self) -> &'static str {
        "m0011_order"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes this signature")]
#[async_trait::async_trait]
impl MigrationTrait for Order {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        portable::run(db, include_str!("m0011/up.sql")).await?;
        for table in APPEND_ONLY {
            portable::make_append_only(db, table).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        portable::run(manager.get_connection(), include_str!("m0011/down.sql")).await
    }
}
