//! Writers at the same time: those who are refused, die, take too long or vanish take nobody with them.
#![cfg(test)]

use std::{future::pending, time::Duration};

use domain::access::{Action, Actor};
use futures::future::join_all;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use store::{Command, StoreError, Tx, command::city::ImportDivisions, delivery::TakeTick};
use tests::{city::DIVISIONS, on_each_database};

/// Writers of each kind.
const EACH: usize = 8;

/// What a writer does after it has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Stays,
    IsRefused,
    Panics,
}

#[derive(Debug, Clone)]
struct Writer {
    tick: TakeTick,
    then: Then,
}

impl Writer {
    fn new(name: &str, number: usize, then: Then) -> Self {
        let job = Box::leak(format!("{name}-{number}").into_boxed_str());
        Self { tick: TakeTick { job, period: "2026-11-02".to_owned() }, then }
    }
}

impl Command for Writer {
    type Output = bool;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "writer";

    async fn run(&self, tx: &Tx<'_>) -> Result<bool, StoreError> {
        ImportDivisions { csv: DIVISIONS.to_owned() }.run(tx).await?;
        let taken = self.tick.run(tx).await?;
        match self.then {
            Then::Stays => Ok(taken),
            Then::IsRefused => Err(StoreError::not_found()),
            Then::Panics => panic!("a fault of the program"),
        }
    }
}

/// A writer that does not end in its time.
#[derive(Debug, Clone)]
struct Hanging(Writer);

impl Command for Hanging {
    type Output = bool;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "hanging";
    const LIMIT: Duration = Duration::from_millis(50);

    async fn run(&self, tx: &Tx<'_>) -> Result<bool, StoreError> {
        self.0.run(tx).await?;
        pending().await
    }
}

async fn count(raw: &DatabaseConnection, query: &str) -> i64 {
    let row = raw.query_one_raw(Statement::from_string(raw.get_database_backend(), query)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

fn code(outcome: Result<bool, StoreError>) -> &'static str {
    outcome.map_or_else(|cause| cause.code(), |taken| if taken { "taken" } else { "not taken" })
}

on_each_database!(writers_at_one_time_share_nothing_but_the_flush, async |db: TestDb| {
    let store = db.store().await.unwrap();
    let write = |name: &str, number, then| store.write(db.source().context(Actor::System("test")), Writer::new(name, number, then));
    // The same tick is taken by two: the second one sees what the first one wrote in the same transaction.
    let staying = join_all((0..2 * EACH).map(|number| write("stays", number % EACH, Then::Stays)));
    let refused = join_all((0..EACH).map(|number| write("refused", number, Then::IsRefused)));
    let panicking = join_all((0..EACH).map(|number| write("panics", number, Then::Panics)));
    let hanging = store.write(db.source().context(Actor::System("test")), Hanging(Writer::new("hangs", 0, Then::Stays)));
    let (staying, refused, panicking, hanging) = futures::join!(staying, refused, panicking, hanging);
    let codes: Vec<_> = staying.into_iter().map(code).collect();
    assert_eq!(codes.iter().filter(|code| **code == "taken").count(), EACH, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == "not taken").count(), EACH, "{codes:?}");
    assert!(refused.into_iter().all(|outcome| code(outcome) == "access.not_found"));
    assert!(panicking.into_iter().all(|outcome| code(outcome) == "store.panicked"));
    assert_eq!(code(hanging), "store.timed_out");

    let raw = db.raw().await.unwrap();
    assert_eq!(count(&raw, "SELECT COUNT(*) FROM job_tick").await, 8, "ticks of those alone that stay");
    assert_eq!(count(&raw, "SELECT COUNT(*) FROM job_tick WHERE job LIKE 'stays-%'").await, 8);
    assert_eq!(count(&raw, "SELECT COUNT(*) FROM audit WHERE action = 'writer'").await, 16);
    assert_eq!(count(&raw, "SELECT COUNT(DISTINCT write_id) FROM audit WHERE action = 'writer'").await, 16);
    assert_eq!(count(&raw, "SELECT COUNT(DISTINCT seq) FROM event WHERE stream = 'city'").await, 16);
    assert_eq!(count(&raw, "SELECT MAX(seq) FROM event WHERE stream = 'city'").await, 16, "without a gap");
    assert!(store.verify(db.source().now()).await.unwrap().is_clean());
});
