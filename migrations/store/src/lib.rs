//! The present of the database: entities, conversions, commands, queries, ledger rows, event log, delivery,
//! idempotency, audit.
//!
//! A [`Store`] is one city's database, passed as a value. [`Store::write`] is the only way to change it: it
//! takes a [`Command`], runs it as one transaction and leaves events and audit rows in the same commit.
//! Queries take `&Store` and the actor, whose reach is part of every look-up. Start reading at [`write`] and
//! at [`command`].

mod audit;
pub mod backup;
pub mod command;
mod connect;
mod context;
mod convert;
pub mod delivery;
mod entity;
mod error;
mod event_log;
mod facts;
mod ground;
mod holds;
mod idempotency;
mod keys;
mod ledger_book;
mod matching;
mod pricing;
pub mod query;
mod reference;
pub mod rotation;
mod seats;
pub mod seed;
mod signature;
mod tx;
pub mod verify;
mod visit_record;
pub mod write;

use std::sync::Arc;

use domain::division::Scope;
use migrations::{Migrator, MigratorTrait as _};
use sea_orm::{DatabaseConnection, DbBackend, EntityTrait as _};

pub use audit::SealAudit;
pub use context::{Clock, Ctx, Source, SystemClock};
pub use error::{Refusal, StoreError};
pub use idempotency::{Answer, KEY_LENGTH_MAX};
pub use keys::{KeyError, KeyRing};
pub use reference::Reference;
pub use tx::Tx;
pub use write::Command;

use crate::keys::Cell;

/// One city's database with its keys.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: DatabaseConnection,
    keys: KeyRing,
    reference: Reference,
    /// As many passwords are hashed at one time as half the cores can.
    hashing: tokio::sync::Semaphore,
    /// Writers of one process take turns on SQLite.
    writers: Option<write::group::Writers>,
}

/// Whether a database holds the schema of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// No tables yet.
    Empty,
    /// Exactly this program's changes.
    Current,
    /// Some of this program's changes are missing.
    Behind {
        /// Names of the missing changes.
        missing: Vec<String>,
    },
    /// Changes that this program does not know.
    Unknown {
        /// Their names.
        unknown: Vec<String>,
    },
}

/// Whether the city is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum CityMode {
    /// Real residents and money; the clock cannot be moved.
    Live,
    /// A demonstration.
    Demo,
}

/// The one city of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct City {
    /// Prefix of its divisions.
    pub scope: Scope,
    /// Whether it is real.
    pub mode: CityMode,
    /// How far the clock of a demo city is ahead.
    pub clock_offset_seconds: i64,
}

/// A database before its keys are known.
#[derive(Debug)]
pub struct Database {
    db: DatabaseConnection,
}

impl Database {
    /// Opens a pool on `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    /// An unusable address, no answer, or a SQLite file whose pragmas do not hold.
    pub async fn connect(url: &str, connections_max: u32) -> Result<Self, StoreError> {
        Ok(Self { db: connect::connect(url, connections_max).await? })
    }

    /// Opens one connection on a database that is being built. A SQLite file is not synced before
    /// [`Store::close_built`]: use it for files that are thrown away when building fails.
    ///
    /// # Errors
    /// An unusable address or no answer.
    pub async fn connect_to_build(url: &str) -> Result<Self, StoreError> {
        Ok(Self { db: connect::connect_to_build(url).await? })
    }

    /// Which schema the database holds.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        let table = sea_orm_migration::SchemaManager::new(&self.db).has_table("seaql_migrations").await?;
        if !table {
            return Ok(Schema::Empty);
        }
        let applied: Vec<String> = Migrator::get_migration_models(&self.db).await?.into_iter().map(|row| row.version).collect();
        let known = migrations::names();
        let unknown: Vec<_> = applied.iter().filter(|name| !known.contains(name)).cloned().collect();
        let missing: Vec<_> = known.iter().filter(|name| !applied.contains(name)).cloned().collect();
        Ok(match (applied.is_empty(), unknown.is_empty(), missing.is_empty()) {
            (true, _, _) => Schema::Empty,
            (_, false, _) => Schema::Unknown { unknown },
            (_, true, false) => Schema::Behind { missing },
            (_, true, true) => Schema::Current,
        })
    }

    /// Applies the missing changes.
    ///
    /// # Errors
    /// A schema of another program, or failures of the database.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if let Schema::Unknown { unknown } = self.schema().await? {
            return Err(unknown_schema(&unknown));
        }
        Ok(Migrator::up(&self.db, None).await?)
    }

    /// Takes the last changes away again, newest first.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn revert(&self, steps: u32) -> Result<(), StoreError> {
        Ok(Migrator::down(&self.db, Some(steps)).await?)
    }

    /// Whether a city was founded in it.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn city(&self) -> Result<Option<City>, StoreError> {
        match self.schema().await? {
            Schema::Empty => Ok(None),
            Schema::Unknown { unknown } => Err(unknown_schema(&unknown)),
            Schema::Current | Schema::Behind { .. } => {
                let row = entity::city::Entity::find().one(&self.db).await?;
                row.map(|row| convert::city(&row)).transpose()
            }
        }
    }

    /// The store, once schema, city and keys fit together.
    ///
    /// # Errors
    /// A schema that is not this program's, no city, or keys of another city.
    pub async fn open(self, keys: KeyRing) -> Result<Store, StoreError> {
        match self.schema().await? {
            Schema::Current => {}
            Schema::Empty => return Err(StoreError::Configuration("the database is empty; run: yijia migrate".to_owned())),
            Schema::Behind { missing } => {
                return Err(StoreError::Configuration(format!(
                    "the database lacks the changes {}; run: yijia migrate",
                    missing.join(", ")
                )));
            }
            Schema::Unknown { unknown } => return Err(unknown_schema(&unknown)),
        }
        let reference = Reference::shipped()?;
        let writers = (self.db.get_database_backend() == DbBackend::Sqlite).then(write::group::Writers::default);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let hashing = tokio::sync::Semaphore::new((cores / 2).max(1));
        let store = Store { inner: Arc::new(Inner { db: self.db, keys, reference, hashing, writers }) };
        if let Some(row) = entity::city::Entity::find().one(&store.inner.db).await? {
            let cell = Cell { table: "city", column: "key_check_enc", row: uuid::Uuid::nil() };
            let check = store.inner.keys.open(cell, &row.key_check_enc).map_err(|_cause| StoreError::Key(KeyError::Foreign))?;
            // Another index key would find nobody, and register everybody twice.
            if check != store.inner.keys.check_value() {
                return Err(StoreError::Key(KeyError::Foreign));
            }
        }
        Ok(store)
    }
}

fn unknown_schema(unknown: &[String]) -> StoreError {
    StoreError::Configuration(format!(
        "the database holds changes that this program does not know ({}); it was written by a newer version, use that one",
        unknown.join(", ")
    ))
}

impl Store {
    /// Reference data that is the same for every request.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.inner.reference
    }

    /// Waits until a password may be hashed; none when the store is closing, which ends the request anyway.
    pub(crate) async fn hashing_turn(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.inner.hashing.acquire().await.ok()
    }

    /// The city of this database.
    ///
    /// # Errors
    /// [`StoreError::Configuration`] when none was founded.
    pub async fn city(&self) -> Result<City, StoreError> {
        let row = entity::city::Entity::find().one(&self.inner.db).await?;
        let row = row.ok_or_else(|| StoreError::Configuration("no city was founded in this database".to_owned()))?;
        convert::city(&row)
    }

    /// Which schema the database holds now.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn schema(&self) -> Result<Schema, StoreError> {
        Database { db: self.inner.db.clone() }.schema().await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.inner.db.ping().await?)
    }

    /// Closes the pool.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn close(&self) -> Result<(), StoreError> {
        Ok(self.inner.db.close_by_ref().await?)
    }

    /// Checks a database that was built and closes it. Syncing a SQLite file is left to whoever moves it into place.
    ///
    /// # Errors
    /// A damaged file, a row that names one that does not exist, failures of the database.
    pub async fn close_built(&self) -> Result<(), StoreError> {
        connect::check_built(&self.inner.db).await?;
        self.close().await
    }

    pub(crate) fn db(&self) -> &DatabaseConnection {
        &self.inner.db
    }

    pub(crate) fn keys(&self) -> &KeyRing {
        &self.inner.keys
    }
}
