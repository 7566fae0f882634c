use std::future::pending;

use domain::{access::Action, time::parse_instant};
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};

use super::*;
use crate::{
    CityMode, Ctx, Database, KeyRing, Source, SystemClock, Tx,
    command::city::{FoundCity, ImportDivisions},
    entity,
};

/// What a use case does after it has left a row, an event and an audit row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Stay,
    Refuse,
    Panic,
    /// Leaves a row without the parent that the commit asks for.
    BreakCommit,
    /// Ends the shared transaction, as SQLite does by itself when the disk is full.
    LoseTransaction,
}

#[derive(Debug, Clone, Copy)]
struct Probe(Then);

/// A use case that does not end in its time.
#[derive(Debug, Clone, Copy)]
struct Hanging;

impl Command for Hanging {
    type Output = u64;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "hanging";
    const LIMIT: Duration = Duration::from_millis(1);

    async fn run(&self, tx: &Tx<'_>) -> Result<u64, StoreError> {
        Probe(Then::Stay).run(tx).await?;
        pending().await
    }
}

/// No test waits for it.
const LONG: Duration = Duration::from_hours(1);
const DIVISION: &str = "code,name\n120000000000,天津市\n";

impl Command for Probe {
    type Output = u64;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "probe";
    async fn run(&self, tx: &Tx<'_>) -> Result<u64, StoreError> {
        let imported = ImportDivisions { csv: DIVISION.to_owned() }.run(tx).await?.imported;
        match self.0 {
            Then::Stay => Ok(imported),
            Then::Refuse => Err(StoreError::not_found()),
            Then::Panic => panic!("a fault of the program"),
            Then::BreakCommit => {
                tx.db.execute_unprepared("PRAGMA defer_foreign_keys = ON").await?;
                tx.db.execute_unprepared("INSERT INTO event_pending (event_id) VALUES (x'00000000000000000000000000000000')").await?;
                Ok(imported)
            }
            Then::LoseTransaction => {
                tx.db.execute_unprepared("ROLLBACK").await?;
                Err(StoreError::not_found())
            }
        }
    }
}

struct Fixture {
    store: Store,
    source: Source,
    _folder: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("city.sqlite").display());
        let database = Database::connect(&url, 2).await.unwrap();
        database.migrate().await.unwrap();
        let store = database.open(KeyRing::from_random([7; 64])).await.unwrap();
        let clock = SystemClock::standing_at(parse_instant("2026-11-02T09:00:00+08:00").unwrap());
        let source = Source::fixed(Arc::new(clock), 7);
        let found = FoundCity { scope: "1201".parse().unwrap(), mode: CityMode::Live, clock_offset_seconds: 0 };
        store.write(source.context(domain::access::Actor::System("test")), found).await.unwrap();
        Self { store, source, _folder: folder }
    }

    fn context(&self) -> Ctx {
        self.source.context(domain::access::Actor::System("test"))
    }

    fn writers(&self) -> &Writers {
        self.store.inner.writers.as_ref().unwrap()
    }

    /// Lets a use case wait without anybody who leads.
    fn wait(&self, then: Then) -> oneshot::Receiver<Answer<Probe>> {
        self.wait_with(Probe(then))
    }

    fn wait_with<C: Command<Output = u64>>(&self, command: C) -> oneshot::Receiver<Answer<Probe>> {
        let (caller, answered) = oneshot::channel();
        let call = Arc::new(Call { ctx: self.context(), command });
        self.writers().queue().push_back(Box::new(UseCase { call, outcome: None, caller }));
        answered
    }

    async fn commit_next(&self) {
        self.store.commit_next(self.writers(), LONG).await;
    }

    async fn imports(&self) -> u64 {
        entity::event::Entity::find().filter(entity::event::Column::Kind.eq("divisions_imported")).count(self.store.db()).await.unwrap()
    }

    async fn traces(&self) -> u64 {
        entity::audit::Entity::find().filter(entity::audit::Column::Action.eq("probe")).count(self.store.db()).await.unwrap()
    }
}

/// The code of a refusal, `ok`, or `alone` for one that has to run alone.
fn told(answer: Answer<Probe>) -> &'static str {
    match answer {
        None => "alone",
        Some(Ok(_)) => "ok",
        Some(Err(cause)) => cause.code(),
    }
}

#[tokio::test]
async fn one_commit_serves_all_who_wait_and_each_failure_goes_back_to_its_own_savepoint() {
    let fixture = Fixture::new().await;
    let mut answers: Vec<_> = [Then::Stay, Then::Refuse, Then::Stay, Then::Panic].map(|then| fixture.wait(then)).into();
    answers.push(fixture.wait_with(Hanging));
    answers.push(fixture.wait(Then::Stay));
    fixture.commit_next().await;
    let answers: Vec<_> = futures::future::join_all(answers).await.into_iter().map(Result::unwrap).collect();
    let codes: Vec<_> = answers.into_iter().map(told).collect();
    assert_eq!(codes, ["ok", "access.not_found", "ok", "store.panicked", "store.timed_out", "ok"]);
    assert_eq!((fixture.imports().await, fixture.traces().await), (3, 3), "events and audit rows of those alone that stay");
}

#[tokio::test]
async fn a_group_has_a_largest_size_and_a_longest_time() {
    let fixture = Fixture::new().await;
    let waiting: Vec<_> = (0..=GROUP_MAX).map(|_| fixture.wait(Then::Refuse)).collect();
    fixture.commit_next().await;
    assert_eq!(fixture.writers().queue().len(), 1);
    let more = fixture.wait(Then::Refuse);
    fixture.store.commit_next(fixture.writers(), Duration::ZERO).await;
    assert_eq!(fixture.writers().queue().len(), 1, "one is always taken in");
    drop((waiting, more));
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing_and_sends_everybody_on_alone() {
    let fixture = Fixture::new().await;
    for culprit in [Then::BreakCommit, Then::LoseTransaction] {
        let answers = [Then::Stay, Then::Refuse, culprit].map(|then| fixture.wait(then));
        let before = fixture.imports().await;
        fixture.commit_next().await;
        for answer in futures::future::join_all(answers).await {
            assert_eq!(told(answer.unwrap()), "alone", "{culprit:?}");
        }
        assert_eq!(fixture.imports().await, before, "{culprit:?}");
    }
}

#[tokio::test]
async fn who_breaks_the_commit_fails_and_the_others_are_written() {
    let fixture = Fixture::new().await;
    let write = |then| fixture.store.write(fixture.context(), Probe(then));
    let thens = [Then::Stay, Then::BreakCommit, Then::Stay, Then::LoseTransaction, Then::Stay, Then::Refuse];
    let outcomes = futures::future::join_all(thens.map(write)).await;
    let codes: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().map_or_else(StoreError::code, |_| "ok")).collect();
    assert_eq!(codes, ["ok", "store.database", "ok", "store.database", "ok", "access.not_found"]);
    assert_eq!((fixture.imports().await, fixture.traces().await), (3, 3));
}
