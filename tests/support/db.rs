//! A fresh database for each test, on SQLite and on PostgreSQL.
//!
//! [`on_each_database!`](crate::on_each_database) writes a case once and runs it on both. The SQLite one is a
//! file in a temporary folder; the PostgreSQL one is a database of its own in the cluster that
//! `YIJIA_TEST_POSTGRES` names, dropped when the case ends, also when it fails.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context as _;
use domain::{access::Actor, time::parse_instant};
use sea_orm::{ConnectOptions, ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use store::{CityMode, Database, KeyRing, Source, Store, command::city::FoundCity};
use tempfile::TempDir;

use crate::clock::ManualClock;

/// Names the cluster, as a URL of a database in it that may create others.
const CLUSTER: &str = "YIJIA_TEST_POSTGRES";
/// The prefix of the city that [`TestDb::store`] founds: 天津市市辖区.
pub const CITY: &str = "1201";
/// Stands between the name of a PostgreSQL database and the number of its copy.
const COPY: &str = "_copy_";
/// When a test begins, unless it moves the clock.
pub const BEGIN: &str = "2026-11-02T09:00:00+08:00";

/// Writes a case once and runs it on both databases: the tests `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! on_each_database {
    ($(#[$meta:meta])* $name:ident, async |$db:ident: TestDb| $body:block) => {
        $(#[$meta])*
        #[cfg(test)]
        mod $name {
            use super::*;

            async fn case($db: $crate::db::TestDb) $body

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                $crate::db::on_sqlite(case).await.expect("a folder for the SQLite file");
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                $crate::db::on_postgres(case).await.expect("a database in the PostgreSQL cluster");
            }
        }
    };
}

/// An empty database, a clock that stands still, and a source whose ids and secrets are always the same.
#[derive(Debug)]
pub struct TestDb {
    url: String,
    clock: Arc<ManualClock>,
    source: Source,
    copies: AtomicU64,
    /// Keeps the SQLite file until the end of the test.
    folder: Option<TempDir>,
}

impl TestDb {
    fn new(url: String, folder: Option<TempDir>) -> anyhow::Result<Self> {
        let clock = Arc::new(ManualClock::new(parse_instant(BEGIN)?));
        let source = Source::fixed(Arc::<ManualClock>::clone(&clock), 7);
        Ok(Self { url, clock, source, copies: AtomicU64::new(0), folder })
    }

    /// Its address, as `DATABASE_URL` takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which of the two systems it is.
    #[must_use]
    pub const fn backend(&self) -> DbBackend {
        if self.folder.is_some() { DbBackend::Sqlite } else { DbBackend::Postgres }
    }

    /// The clock of its source.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Makes contexts under the clock.
    #[must_use]
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The keys that [`TestDb::store`] opens it with.
    #[must_use]
    pub fn keys() -> KeyRing {
        KeyRing::from_random([7; 64])
    }

    /// A pool of four connections on the database as it is.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn database(&self) -> anyhow::Result<Database> {
        Ok(Database::connect(&self.url, 4).await?)
    }

    /// A store on the database, which is migrated and founded if it is not yet.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn store(&self) -> anyhow::Result<Store> {
        self.store_with(4).await
    }

    /// As [`TestDb::store`], with so many connections at most.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn store_with(&self, connections: u32) -> anyhow::Result<Store> {
        let database = Database::connect(&self.url, connections).await?;
        database.migrate().await?;
        let founded = database.city().await?.is_some();
        let store = database.open(Self::keys()).await?;
        if !founded {
            let found = FoundCity { scope: CITY.parse()?, mode: CityMode::Live, clock_offset_seconds: 0 };
            store.write(self.source.context(Actor::System("test")), found).await?;
        }
        Ok(store)
    }

    /// A copy as it is now, with the same clock. Nobody may be connected: close stores and connections first.
    ///
    /// # Errors
    /// Failures of the database, or somebody is connected.
    pub async fn copy(&self) -> anyhow::Result<Self> {
        let number = self.copies.fetch_add(1, Ordering::SeqCst);
        let (url, folder) = if self.folder.is_some() {
            let folder = tempfile::tempdir()?;
            let file = folder.path().join("copy.sqlite").display().to_string();
            let db = self.raw().await?;
            db.execute_unprepared(&format!("VACUUM INTO '{file}'")).await?;
            db.close().await?;
            (format!("sqlite:{file}"), Some(folder))
        } else {
            let (server, name) = self.url.rsplit_once('/').context("the URL names no database")?;
            let url = format!("{server}/{name}{COPY}{number}");
            let admin = sea_orm::Database::connect(format!("{server}/postgres")).await?;
            admin.execute_unprepared(&format!("CREATE DATABASE {name}{COPY}{number} TEMPLATE {name}")).await?;
            admin.close().await?;
            (url, None)
        };
        let (clock, source) = (Arc::clone(&self.clock), self.source.clone());
        Ok(Self { url, clock, source, copies: AtomicU64::new(0), folder })
    }

    /// A connection past the store, for looking and for doing harm.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn raw(&self) -> anyhow::Result<DatabaseConnection> {
        let mut options = ConnectOptions::new(self.url.clone());
        options.max_connections(1).sqlx_logging(false);
        Ok(sea_orm::Database::connect(options).await?)
    }

    /// As [`TestDb::raw`], with everything gone that keeps rows sound: triggers, foreign keys and CHECKs.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn raw_without_guards(&self) -> anyhow::Result<DatabaseConnection> {
        let db = self.raw().await?;
        match self.backend() {
            DbBackend::Postgres => db.execute_unprepared(DISARM_POSTGRES).await.map(drop)?,
            _ => disarm_sqlite(&db).await?,
        }
        Ok(db)
    }
}

/// Drops all CHECKs and unique constraints of the tables; triggers and foreign keys do not fire for a replica.
const DISARM_POSTGRES: &str = "
    SET session_replication_role = replica;
    DO $$ DECLARE guard record; BEGIN
      FOR guard IN SELECT conrelid::regclass AS place, conname FROM pg_constraint
        WHERE contype IN ('c', 'u') AND connamespace = 'public'::regnamespace
      LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', guard.place, guard.conname); END LOOP;
    END $$";

async fn disarm_sqlite(db: &DatabaseConnection) -> anyhow::Result<()> {
    db.execute_unprepared("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").await?;
    let triggers = Statement::from_string(DbBackend::Sqlite, "SELECT name FROM sqlite_master WHERE type = 'trigger'");
    for row in db.query_all_raw(triggers).await? {
        let name: String = row.try_get("", "name")?;
        db.execute_unprepared(&format!("DROP TRIGGER {name}")).await?;
    }
    Ok(())
}

/// Runs a case on a SQLite file of its own.
///
/// # Errors
/// No temporary folder.
///
/// # Panics
/// When the case does.
pub async fn on_sqlite<F, R>(case: F) -> anyhow::Result<()>
where
    F: FnOnce(TestDb) -> R,
    R: Future<Output = ()>,
{
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("city.sqlite").display());
    case(TestDb::new(url, Some(folder))?).await;
    Ok(())
}

/// Runs a case on a PostgreSQL database of its own.
///
/// # Errors
/// [`CLUSTER`] is not set, or the cluster does not let databases be made.
///
/// # Panics
/// When the case does; the database is dropped before.
pub async fn on_postgres<F, R>(case: F) -> anyhow::Result<()>
where
    F: FnOnce(TestDb) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let cluster = std::env::var(CLUSTER).ok().with_context(|| format!("set {CLUSTER} or run `make test`"))?;
    let (server, _database) = cluster.rsplit_once('/').with_context(|| format!("{CLUSTER} is not of the form postgres://…/database"))?;
    let name = format!("yijia_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
    let admin = sea_orm::Database::connect(&cluster).await?;
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
    let db = TestDb::new(format!("{server}/{name}"), None)?;
    // In a task of its own, so that a failure does not keep the database.
    let outcome = tokio::spawn(case(db)).await;
    drop_with_copies(&admin, &name).await?;
    admin.close().await?;
    match outcome.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(()) => Ok(()),
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(stopped)) => Err(stopped.into()),
    }
}

async fn drop_with_copies(admin: &DatabaseConnection, name: &str) -> anyhow::Result<()> {
    let mine = format!("SELECT datname::text FROM pg_database WHERE datname = '{name}' OR starts_with(datname, '{name}{COPY}')");
    for row in admin.query_all_raw(Statement::from_string(DbBackend::Postgres, mine)).await? {
        let database: String = row.try_get_by_index(0)?;
        admin.execute_unprepared(&format!("DROP DATABASE {database} WITH (FORCE)")).await?;
    }
    Ok(())
}
