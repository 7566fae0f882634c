//! Checks every invariant on the live database.
//!
//! All checks read one snapshot, so that a server which goes on writing beside them is never mistaken for a
//! fault. They walk the tables in pages by their keys: the memory they need does not grow with the city. What
//! can be recomputed is recomputed by the code of `domain` (transfers, settlement, state tables), and nothing
//! is trusted because a constraint of the schema should have prevented it: a restored or hand-edited file may
//! have lost its constraints. Faults name rows by their ids and hold amounts, states and dates, never anything
//! personal.

mod balances;
mod charges;
mod claims;
mod deadlines;
mod events;
mod ledger;
mod overlaps;
mod pages;
mod parents;
mod periods;
mod replay;
mod seats;
mod trail;
mod visits;
mod windows;

use std::fmt::Display;

use domain::time::Instant;
use sea_orm::DatabaseTransaction;
use serde::Serialize;

use crate::{Store, connect::begin_snapshot, error::StoreError, keys::KeyRing, reference::Reference};

/// Faults of one check that are kept; all are counted.
const FAULTS_KEPT: usize = 20;

/// One breach of an invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The row, as the text of its typed id or its key.
    pub row: String,
    /// What is wrong with it.
    pub detail: String,
}

/// What became of one invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Number of the invariant, such as `I1`.
    pub id: &'static str,
    /// What must always hold.
    pub title: &'static str,
    /// How many rows were looked at.
    pub rows_checked: u64,
    /// How many faults were found.
    pub faults_found: u64,
    /// The first of them, at most twenty.
    pub faults: Vec<Fault>,
}

/// What became of all invariants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One entry for each invariant, in the order of their numbers.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether no check found a fault.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(|check| check.faults_found == 0)
    }
}

impl Check {
    const fn new(id: &'static str, title: &'static str) -> Self {
        Self { id, title, rows_checked: 0, faults_found: 0, faults: Vec::new() }
    }

    /// Counts rows that were looked at.
    fn count(&mut self, rows: usize) {
        self.rows_checked = self.rows_checked.saturating_add(u64::try_from(rows).unwrap_or(u64::MAX));
    }

    fn fault(&mut self, row: impl Display, detail: impl Into<String>) {
        self.faults_found = self.faults_found.saturating_add(1);
        if self.faults.len() < FAULTS_KEPT {
            self.faults.push(Fault { row: row.to_string(), detail: detail.into() });
        }
    }

    /// Counts a fault unless the invariant holds.
    fn require(&mut self, holds: bool, row: impl Display, detail: impl FnOnce() -> String) {
        if !holds {
            self.fault(row, detail());
        }
    }
}

/// The database at one moment, and what the checks need beside it.
struct Snapshot<'a> {
    db: &'a DatabaseTransaction,
    keys: &'a KeyRing,
    reference: &'a Reference,
    now: Instant,
}

impl Store {
    /// Checks every invariant on the database as it is at this moment. `now` is the city's time, by which
    /// deadlines are judged.
    ///
    /// # Errors
    /// Failures of the database; a broken invariant is not an error but a fault in the report.
    pub async fn verify(&self, now: Instant) -> Result<Report, StoreError> {
        let txn = begin_snapshot(self.db()).await?;
        let snapshot = Snapshot { db: &txn, keys: self.keys(), reference: self.reference(), now };
        let checks = vec![
            ledger::check(&snapshot).await?,
            balances::check(&snapshot).await?,
            charges::check(&snapshot).await?,
            claims::check(&snapshot).await?,
            windows::check(&snapshot).await?,
            deadlines::check(&snapshot).await?,
            overlaps::check(&snapshot).await?,
            parents::check_bookings(&snapshot).await?,
            events::check(&snapshot).await?,
            trail::check(&snapshot).await?,
            parents::check(&snapshot).await?,
            replay::check(&snapshot).await?,
            periods::check(&snapshot).await?,
        ];
        txn.rollback().await?;
        Ok(Report { checks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_counted_and_the_first_twenty_are_kept() {
        let mut check = Check::new("I1", "each transfer balances");
        for number in 0..25 {
            check.require(number == 3, number, || "wrong".to_owned());
        }
        assert_eq!((check.faults_found, check.faults.len()), (24, 20));
        assert_eq!(check.faults.last().map(|fault| fault.row.as_str()), Some("20"));
        assert!(!Report { checks: vec![Check::new("I2", "clean"), check] }.is_clean());
        assert!(Report { checks: vec![Check::new("I2", "clean")] }.is_clean());
    }
}
