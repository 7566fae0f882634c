//! What a backup needs of a database: a consistent copy, and the facts by which it is recognised.
//!
//! SQLite writes the copy itself (`VACUUM INTO`, one read transaction beside the writers). PostgreSQL exports a
//! snapshot, under which `pg_dump` and the facts see the same moment. The keys are no part of a backup: without
//! the key file the personal data in it cannot be read.

use std::path::Path;

use domain::{access::Action, time::Instant};
use sea_orm::{
    ConnectionTrait as _, DatabaseTransaction, DbBackend, EntityTrait as _, FromQueryResult, PaginatorTrait as _, QueryOrder as _,
    QuerySelect as _, Set, Statement,
};
use serde::{Deserialize, Serialize};

use crate::{
    Database, Store,
    connect::begin_snapshot,
    convert,
    entity::{audit_seal, backup_made, care_order, event, resident},
    error::StoreError,
    keys,
    tx::Tx,
    write::Command,
};

/// What a database held at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holding {
    /// Prefix of the city's divisions.
    pub city: String,
    /// Whether the city is real.
    pub mode: String,
    /// How far its clock was ahead of the machine's, in seconds.
    pub clock_offset_seconds: i64,
    /// Names of the changes of the schema, in order.
    pub schema: Vec<String>,
    /// The key under which the city's check value is encrypted.
    pub key_id: String,
    /// Rows by which a restored copy is compared.
    pub counts: Counts,
    /// The last seal of the audit trail.
    pub audit_checkpoint: Option<Checkpoint>,
}

/// How many rows there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Residents.
    pub residents: u64,
    /// Orders.
    pub orders: u64,
    /// Events.
    pub events: u64,
}

/// The end of the sealed audit trail. Kept elsewhere it shows whether the trail of a copy was cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Number of the seal.
    pub seq: i64,
    /// Its authentication code, in hexadecimal digits.
    pub mac: String,
}

/// A snapshot of PostgreSQL that other programs can read while this value lives.
#[derive(Debug)]
pub struct Exported {
    /// The name that `pg_dump --snapshot` takes.
    pub name: String,
    /// What the database holds in it.
    pub holding: Holding,
    _txn: DatabaseTransaction,
}

#[derive(FromQueryResult)]
struct CityRow {
    division_prefix: String,
    mode: String,
    clock_offset_seconds: i64,
    key_check_enc: Vec<u8>,
}

#[derive(FromQueryResult)]
struct Text {
    value: String,
}

impl Database {
    /// What the database holds now.
    ///
    /// # Errors
    /// No city, or failures of the database.
    pub async fn holding(&self) -> Result<Holding, StoreError> {
        let txn = begin_snapshot(&self.db).await?;
        let holding = read_holding(&txn).await?;
        txn.rollback().await?;
        Ok(holding)
    }

    /// Writes a consistent copy of a SQLite database beside its writers. The file must not exist.
    ///
    /// # Errors
    /// A path that is not UTF-8, or failures of the database.
    pub async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let path = file.to_str().ok_or_else(|| StoreError::Configuration(format!("the path {} is not UTF-8", file.display())))?;
        self.db.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [path.into()])).await?;
        Ok(())
    }

    /// Checks pages and indexes of a SQLite database; answers what is wrong with them.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn check_integrity(&self) -> Result<Vec<String>, StoreError> {
        let statement = Statement::from_string(DbBackend::Sqlite, "SELECT integrity_check AS value FROM pragma_integrity_check");
        let rows = Text::find_by_statement(statement).all(&self.db).await?;
        Ok(rows.into_iter().map(|row| row.value).filter(|line| line != "ok").collect())
    }

    /// Exports a snapshot of a PostgreSQL database.
    ///
    /// # Errors
    /// No city, or failures of the database.
    pub async fn export_snapshot(&self) -> Result<Exported, StoreError> {
        let txn = begin_snapshot(&self.db).await?;
        let holding = read_holding(&txn).await?;
        let statement = Statement::from_string(DbBackend::Postgres, "SELECT pg_export_snapshot() AS value");
        let name = Text::find_by_statement(statement).one(&txn).await?.map(|row| row.value);
        let name = name.ok_or_else(|| StoreError::Configuration("the server exported no snapshot".to_owned()))?;
        Ok(Exported { name, holding, _txn: txn })
    }

    /// Whether there is nothing at all in a PostgreSQL database.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn is_bare(&self) -> Result<bool, StoreError> {
        let sql = "SELECT CAST(COUNT(*) AS text) AS value FROM pg_class WHERE relnamespace = current_schema()::regnamespace";
        let found = Text::find_by_statement(Statement::from_string(DbBackend::Postgres, sql)).one(&self.db).await?;
        Ok(found.is_some_and(|found| found.value == "0"))
    }

    /// Makes an empty PostgreSQL database of that name beside this one.
    ///
    /// # Errors
    /// The user may not, or failures of the database.
    pub async fn make_beside(&self, name: &str) -> Result<(), StoreError> {
        self.db.execute_unprepared(&format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""))).await?;
        Ok(())
    }

    /// Removes a PostgreSQL database that [`Self::make_beside`] has made.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn remove_beside(&self, name: &str) -> Result<(), StoreError> {
        self.db.execute_unprepared(&format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", name.replace('"', "\"\""))).await?;
        Ok(())
    }

    /// Ends all connections.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn close(self) -> Result<(), StoreError> {
        Ok(self.db.close().await?)
    }
}

async fn read_holding(txn: &DatabaseTransaction) -> Result<Holding, StoreError> {
    // These columns are in every schema, so that a backup can be made before an upgrade.
    let sql = "SELECT division_prefix, mode, clock_offset_seconds, key_check_enc FROM city";
    let row = CityRow::find_by_statement(Statement::from_string(txn.get_database_backend(), sql)).one(txn).await?;
    let city = row.ok_or_else(|| StoreError::Configuration("no city was founded in this database".to_owned()))?;
    let sql = "SELECT version AS value FROM seaql_migrations ORDER BY version";
    let schema = Text::find_by_statement(Statement::from_string(txn.get_database_backend(), sql)).all(txn).await?;
    let seal = audit_seal::Entity::find().order_by_desc(audit_seal::Column::Seq).one(txn).await?;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    Ok(Holding {
        city: city.division_prefix,
        mode: city.mode,
        clock_offset_seconds: city.clock_offset_seconds,
        schema: schema.into_iter().map(|row| row.value).collect(),
        key_id: keys::key_of(&city.key_check_enc).ok_or_else(|| convert::corrupt("city", "key_check_enc", &"no envelope"))?,
        counts: Counts {
            residents: resident::Entity::find().select_only().column(resident::Column::Id).count(txn).await?,
            orders: care_order::Entity::find().select_only().column(care_order::Column::Id).count(txn).await?,
            events: event::Entity::find().select_only().column(event::Column::Id).count(txn).await?,
        },
        audit_checkpoint: seal.map(|seal| Checkpoint { seq: seal.seq, mac: hex(&seal.mac) }),
    })
}

/// Notes that a backup was made, for whoever asks when the last one was.
#[derive(Debug, Clone)]
pub struct RecordBackup {
    /// Hash of the copy, in hexadecimal digits.
    pub sha256: String,
    /// Size of the file.
    pub bytes: i64,
    /// The moment that the copy shows.
    pub taken_at: Instant,
}

impl Command for RecordBackup {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "record_backup";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let row = backup_made::ActiveModel {
            id: Set(tx.id::<domain::id::Audit>().uuid()),
            taken_at: Set(self.taken_at),
            bytes: Set(self.bytes),
            sha256: Set(self.sha256.clone()),
        };
        backup_made::Entity::insert(row).exec_without_returning(tx.db).await?;
        tx.record(&"backup", None, None);
        Ok(())
    }
}

impl Store {
    /// When the last backup was taken that was noted, by the machine's clock.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn last_backup(&self) -> Result<Option<Instant>, StoreError> {
        let row = backup_made::Entity::find().order_by_desc(backup_made::Column::TakenAt).one(self.db()).await?;
        Ok(row.map(|row| row.taken_at))
    }
}
