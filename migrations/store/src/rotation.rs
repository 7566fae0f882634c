//! Changing the encryption key: every ciphertext is made anew under the active key, batch by batch, beside a
//! running service.
//!
//! Each ciphertext names its key, so the state of the change stands in the cells themselves: a run that was
//! interrupted anywhere is simply started again. Columns of ciphertexts are found by their names in the schema
//! (`…_enc`). The blind index has a key of its own, which this does not change.

use std::collections::BTreeMap;

use domain::access::Action;
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, FromQueryResult, Order, QueryResult, Statement,
    sea_query::{Alias, Expr, ExprTrait as _, Func, Query, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    Store, convert,
    error::StoreError,
    idempotency,
    keys::{self, place},
    tx::Tx,
    write::Command,
};

/// Cells of one transaction.
const BATCH: u64 = 100;

/// A column of ciphertexts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedColumn {
    /// Table.
    pub table: String,
    /// Column.
    pub column: String,
    rows: Rows,
}

/// How the rows of a table are told apart, and to which id their cells are bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// By `id`, which is also what the cell is bound to.
    Id,
    /// The one city, bound to the nil id.
    City,
    /// Idempotency keys, by person and key.
    PersonKey,
}

/// The last row of a batch, after which the next one begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Place(Row);

#[derive(Debug, Clone, PartialEq)]
enum Row {
    Id(Uuid),
    City,
    PersonKey(Uuid, String),
}

impl Rows {
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Id | Self::City => &["id"],
            Self::PersonKey => &["person_id", "key"],
        }
    }

    fn read(self, row: &QueryResult) -> Result<Row, DbErr> {
        Ok(match self {
            Self::Id => Row::Id(row.try_get("", "id")?),
            Self::City => Row::City,
            Self::PersonKey => Row::PersonKey(row.try_get("", "person_id")?, row.try_get("", "key")?),
        })
    }
}

impl Row {
    /// The id to which the cells of the row are bound.
    fn bound_to(&self) -> Uuid {
        match self {
            Self::Id(id) => *id,
            Self::City => Uuid::nil(),
            Self::PersonKey(person, key) => idempotency::place(*person, key),
        }
    }

    fn is(&self) -> SimpleExpr {
        match self {
            Self::Id(id) => Expr::col(Alias::new("id")).eq(*id),
            Self::City => Expr::col(Alias::new("id")).eq(1),
            Self::PersonKey(person, key) => Expr::col(Alias::new("person_id")).eq(*person).and(Expr::col(Alias::new("key")).eq(key)),
        }
    }

    fn comes_after(&self) -> SimpleExpr {
        match self {
            Self::Id(id) => Expr::col(Alias::new("id")).gt(*id),
            Self::City => Expr::col(Alias::new("id")).gt(1),
            Self::PersonKey(person, key) => {
                let same = Expr::col(Alias::new("person_id")).eq(*person).and(Expr::col(Alias::new("key")).gt(key));
                Expr::col(Alias::new("person_id")).gt(*person).or(same)
            }
        }
    }
}

impl SealedColumn {
    fn new(table: String, column: String, has_id: bool) -> Result<Self, StoreError> {
        let rows = match table.as_str() {
            "city" => Rows::City,
            "idempotency_key" => Rows::PersonKey,
            _ if has_id => Rows::Id,
            _ => {
                let why = format!("it is not known to which row the cells of {table}.{column} are bound; the key cannot be changed");
                return Err(StoreError::Configuration(why));
            }
        };
        Ok(Self { table, column, rows })
    }

    /// Cells that another key than this one has made.
    fn behind(&self, active: &str) -> SimpleExpr {
        let column = Alias::new(&self.column);
        let key = Func::cust("substr").arg(Expr::col(column.clone())).arg(2).arg(8);
        Expr::col(column).is_not_null().and(Expr::expr(key).ne(active.as_bytes().to_vec()))
    }

    fn next(&self, active: &str, after: Option<&Row>) -> SelectStatement {
        let mut select = Query::select();
        for key in self.rows.columns() {
            select.column(Alias::new(*key)).order_by(Alias::new(*key), Order::Asc);
        }
        select.column(Alias::new(&self.column)).from(Alias::new(&self.table)).and_where(self.behind(active)).limit(BATCH);
        if let Some(row) = after {
            select.and_where(row.comes_after());
        }
        select
    }
}

/// What one batch did.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Cells made anew.
    pub cells: u64,
    /// Where the next batch begins; none at the end of the column.
    pub last: Option<Place>,
}

/// Makes the next cells of a column anew under the active key.
#[derive(Debug, Clone)]
pub struct ReencryptCells {
    /// Which column.
    pub column: SealedColumn,
    /// After which row; none at its beginning.
    pub after: Option<Place>,
}

impl Command for ReencryptCells {
    type Output = Batch;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "reencrypt_cells";

    async fn run(&self, tx: &Tx<'_>) -> Result<Batch, StoreError> {
        let SealedColumn { table, column, rows } = &self.column;
        let mut select = self.column.next(&tx.keys.active(), self.after.as_ref().map(|place| &place.0));
        if tx.locks_rows() {
            select.lock_exclusive();
        }
        let (mut cells, mut last) = (0, None);
        for found in tx.db.query_all(&select).await? {
            let (row, envelope): (Row, Vec<u8>) = (rows.read(&found)?, found.try_get("", column)?);
            let fresh = tx.seal_anew(&place(table, column, row.bound_to()), &envelope)?;
            let mut update = Query::update();
            update.table(Alias::new(table)).value(Alias::new(column), fresh).and_where(row.is());
            tx.db.execute(&update).await?;
            cells += 1;
            last = Some(Place(row));
        }
        if cells > 0 {
            tx.record(&format!("{table}.{column}"), None, None);
        }
        Ok(Batch { cells, last })
    }
}

/// Counts the cells of each key under the lock of a writer, so that on SQLite nobody is about to add one.
#[derive(Debug, Clone)]
pub struct CountCells;

impl Command for CountCells {
    type Output = BTreeMap<String, u64>;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "count_cells";
    /// It changes nothing.
    const AUDITED: bool = false;

    async fn run(&self, tx: &Tx<'_>) -> Result<Self::Output, StoreError> {
        let mut counts = BTreeMap::new();
        for column in find_columns(tx.db).await? {
            count_cells(tx.db, &column, &mut counts).await?;
        }
        Ok(counts)
    }
}

#[derive(FromQueryResult)]
struct FoundColumn {
    name: String,
    column_name: String,
    has_id: i64,
}

/// The columns of ciphertexts of the schema, in the order of their names.
async fn find_columns(db: &impl ConnectionTrait) -> Result<Vec<SealedColumn>, StoreError> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT c.table_name::text AS name, c.column_name::text AS column_name,
               (SELECT COUNT(*) FROM information_schema.columns i WHERE i.table_schema = c.table_schema
                  AND i.table_name = c.table_name AND i.column_name = 'id') AS has_id
             FROM information_schema.columns c WHERE c.table_schema = current_schema() AND c.column_name LIKE '%\\_enc' ORDER BY 1, 2"
        }
        _ => {
            "SELECT t.name AS name, c.name AS column_name,
               (SELECT COUNT(*) FROM pragma_table_info(t.name) i WHERE i.name = 'id') AS has_id
             FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND c.name LIKE '%\\_enc' ESCAPE '\\' ORDER BY 1, 2"
        }
    };
    let found = FoundColumn::find_by_statement(Statement::from_string(db.get_database_backend(), sql)).all(db).await?;
    found.into_iter().map(|found| SealedColumn::new(found.name, found.column_name, found.has_id > 0)).collect()
}

async fn count_cells(db: &impl ConnectionTrait, sealed: &SealedColumn, counts: &mut BTreeMap<String, u64>) -> Result<(), StoreError> {
    let SealedColumn { table, column, .. } = sealed;
    // Version and id of the key, nine bytes, as an envelope begins.
    let sql = format!("SELECT substr({column}, 1, 9) AS head, COUNT(*) AS cells FROM {table} WHERE {column} IS NOT NULL GROUP BY 1");
    for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await? {
        let (head, cells): (Vec<u8>, i64) = (row.try_get("", "head")?, row.try_get("", "cells")?);
        let key = keys::key_of(&head).ok_or_else(|| convert::corrupt("a table", &format!("{table}.{column}"), &"no envelope"))?;
        *counts.entry(key).or_default() += u64::try_from(cells).unwrap_or(0);
    }
    Ok(())
}

impl Store {
    /// The columns of ciphertexts.
    ///
    /// # Errors
    /// A column of which it is not known to what its cells are bound, and failures of the database.
    pub async fn sealed_columns(&self) -> Result<Vec<SealedColumn>, StoreError> {
        find_columns(self.db()).await
    }
}
