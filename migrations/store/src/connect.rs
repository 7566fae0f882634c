//! Connecting: what differs between SQLite and PostgreSQL.
//!
//! SQLite runs in WAL mode with `synchronous=FULL` (with NORMAL a power loss takes acknowledged commits),
//! foreign keys on, and a busy timeout; the pragmas are read back and a database that does not obey is
//! refused. SQLite ends a transaction by itself when the disk is full or cannot be read, and sqlx does not
//! notice: it would go on with savepoints that begin, and never end, a transaction of their own. Such a
//! connection is closed when it comes back. On PostgreSQL each connection that leaves the pool is rolled back first: sqlx 0.9.0 can hand out
//! one on which a cancelled `BEGIN` is still open, and what is written on it later is lost without an error.

use std::time::Duration;

use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, FromQueryResult,
    IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sqlx::{
        Connection as _, Executor as _,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};

use crate::error::StoreError;

/// How long SQLite waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Opens a pool on `sqlite:PATH` or `postgres://…` with so many connections at most.
///
/// # Errors
/// An unusable address, no answer, or a SQLite file whose pragmas do not hold.
pub(crate) async fn connect(url: &str, connections_max: u32) -> Result<DatabaseConnection, StoreError> {
    let db = open(url, connections_max, Durability::Full).await?;
    if db.get_database_backend() == DbBackend::Sqlite {
        check_pragmas(&db).await?;
    }
    Ok(db)
}

/// Opens one connection on a database that is being built: a SQLite file is nobody's before it is whole, so nothing of
/// it is synced or kept for a rollback until it is.
///
/// # Errors
/// An unusable address or no answer.
pub(crate) async fn connect_to_build(url: &str) -> Result<DatabaseConnection, StoreError> {
    open(url, 1, Durability::WhenWhole).await
}

/// Asks a SQLite file that was built whether it is sound: every page and every reference to another row.
///
/// # Errors
/// [`StoreError::Corrupt`] when it is not.
pub(crate) async fn check_built(db: &DatabaseConnection) -> Result<(), StoreError> {
    if db.get_database_backend() != DbBackend::Sqlite {
        return Ok(());
    }
    let ask = |sql: &str| Statement::from_string(DbBackend::Sqlite, sql);
    let sound = db.query_one_raw(ask("PRAGMA quick_check(1)")).await?.map(|row| row.try_get_by_index::<String>(0)).transpose()?;
    if sound.as_deref() != Some("ok") {
        return Err(StoreError::Corrupt { table: "sqlite_master", why: "the file is damaged".to_owned() });
    }
    match db.query_one_raw(ask("PRAGMA foreign_key_check")).await? {
        None => Ok(()),
        Some(row) => {
            let (table, parent): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(2)?);
            Err(StoreError::Corrupt { table: "seed", why: format!("a row of {table} names a row of {parent} that does not exist") })
        }
    }
}

/// When a SQLite file is made safe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// At every commit.
    Full,
    /// When it is whole; until then a failure throws it away.
    WhenWhole,
}

async fn open(url: &str, connections_max: u32, durability: Durability) -> Result<DatabaseConnection, StoreError> {
    let mut options = ConnectOptions::new(url.to_owned());
    options.max_connections(connections_max).acquire_timeout(ACQUIRE_TIMEOUT).connect_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
    options.map_sqlx_sqlite_opts(move |sqlite| {
        let (journal, synchronous) = match durability {
            Durability::Full => (SqliteJournalMode::Wal, SqliteSynchronous::Full),
            Durability::WhenWhole => (SqliteJournalMode::Memory, SqliteSynchronous::Off),
        };
        sqlite
            .create_if_missing(true)
            // References of a file that is being built are checked when it is whole.
            .foreign_keys(durability == Durability::Full)
            // Without it a REPLACE deletes rows past the triggers that forbid it.
            .pragma("recursive_triggers", "ON")
            .busy_timeout(BUSY_TIMEOUT)
            .journal_mode(journal)
            .synchronous(synchronous)
    });
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.after_release(|connection, _meta| {
            Box::pin(async move {
                // A rollback that was begun when a transaction was dropped comes before the answer.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
    });
    options.map_sqlx_postgres_opts(|postgres| {
        postgres.application_name("yijia").options([
            ("lock_timeout", "5s"),
            ("statement_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "60s"),
            // The rollback of a connection that leaves the pool warns that there was nothing to roll back.
            ("client_min_messages", "error"),
        ])
    });
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.before_acquire(|connection, _meta| {
            Box::pin(async move {
                // Only a warning when no transaction was left open.
                connection.execute("ROLLBACK").await?;
                Ok(true)
            })
        })
    });
    Ok(Database::connect(options).await?)
}

#[derive(FromQueryResult)]
struct Pragma {
    value: String,
}

async fn check_pragmas(db: &DatabaseConnection) -> Result<(), StoreError> {
    for (pragma, column, wanted) in
        [("journal_mode", "journal_mode", "wal"), ("synchronous", "synchronous", "2"), ("foreign_keys", "foreign_keys", "1")]
    {
        let sql = format!("SELECT CAST({column} AS text) AS value FROM pragma_{pragma}");
        let found = Pragma::find_by_statement(Statement::from_string(DbBackend::Sqlite, sql)).one(db).await?;
        if found.is_none_or(|found| found.value != wanted) {
            return Err(StoreError::Configuration(format!(
                "the SQLite file does not accept {pragma} = {wanted}; is it on a network or read-only file system?"
            )));
        }
    }
    Ok(())
}

/// Begins a transaction that will write: IMMEDIATE on SQLite, because one that reads first and writes then
/// fails at once when another wrote in between.
pub(crate) async fn begin_write(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..TransactionOptions::default() };
    db.begin_with_options(options).await
}

/// Begins a transaction that only reads and sees the database as it was at its first read, however long it
/// lasts. A deferred transaction of SQLite does so by itself in WAL mode.
pub(crate) async fn begin_snapshot(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = match db.get_database_backend() {
        DbBackend::Postgres => TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            sqlite_transaction_mode: None,
        },
        _ => TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred), ..TransactionOptions::default() },
    };
    db.begin_with_options(options).await
}
