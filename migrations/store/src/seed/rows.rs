//! Rows that wait to be inserted, many with one statement.

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, EntityName as _, IdenStatic as _, IntoActiveModel, Iterable as _, ModelTrait, Statement,
    Value,
};

use crate::error::StoreError;

/// The tables in the order in which their rows are inserted: what is pointed at comes first.
const ORDER: [&str; 32] = [
    "person",
    "resident",
    "resident_registration",
    "resident_match",
    "resident_fact",
    "resident_status",
    "resident_review",
    "service_address",
    "relation",
    "assessment",
    "application",
    "decision",
    "entitlement",
    "entitlement_window",
    "quote",
    "care_order",
    "offer",
    "cancellation",
    "unmet_demand",
    "dispute",
    "dispute_statement",
    "visit",
    "assignment",
    "visit_event",
    "hold",
    "claim_line",
    "ledger_transfer",
    "ledger_entry",
    "event",
    "event_pending",
    "audit",
    "flag",
];
/// These follow once their batch is sealed.
const SEALED: [&str; 2] = ["audit_seal", "audit_sealed"];

/// Rows of one INSERT. One text for nearly all of them, so that the database reads it once.
const ROWS_PER_INSERT: usize = 80;

#[derive(Default)]
struct Table {
    columns: Vec<&'static str>,
    values: Vec<Value>,
}

/// Rows by table.
pub(crate) struct Rows(Vec<(&'static str, Table)>);

impl Rows {
    pub(super) fn new() -> Self {
        Self(ORDER.into_iter().chain(SEALED).map(|name| (name, Table::default())).collect())
    }

    /// Keeps a row for its table.
    pub(super) fn push<M, A>(&mut self, row: M) -> Result<(), StoreError>
    where
        M: ModelTrait + IntoActiveModel<A>,
        A: ActiveModelTrait<Entity = M::Entity>,
    {
        type Column<M> = <<M as ModelTrait>::Entity as sea_orm::EntityTrait>::Column;
        let entity = M::Entity::default();
        let name = entity.table_name();
        let unknown = || StoreError::Corrupt { table: "seed", why: format!("the order of inserts does not name {name}") };
        let (_, table) = self.0.iter_mut().find(|(known, _)| *known == name).ok_or_else(unknown)?;
        if table.columns.is_empty() {
            table.columns = Column::<M>::iter().map(|column| column.as_str()).collect();
        }
        let mut active = row.into_active_model();
        for column in Column::<M>::iter() {
            let value = active.take(column).into_value();
            table.values.push(value.ok_or_else(unknown)?);
        }
        Ok(())
    }

    /// Inserts all rows.
    pub(super) async fn write(self, db: &impl ConnectionTrait) -> Result<(), StoreError> {
        let backend = db.get_database_backend();
        for (name, table) in self.0 {
            let width = table.columns.len().max(1);
            let mut values = table.values.into_iter().peekable();
            while values.peek().is_some() {
                let some: Vec<Value> = values.by_ref().take(width * ROWS_PER_INSERT).collect();
                let sql = insert(backend, name, &table.columns, some.len() / width);
                db.execute_raw(Statement::from_sql_and_values(backend, sql, some)).await?;
            }
        }
        Ok(())
    }
}

/// The text of an INSERT of so many rows.
fn insert(backend: DbBackend, table: &str, columns: &[&str], rows: usize) -> String {
    let mut place = 0;
    let mut row = || {
        let places: Vec<String> = columns
            .iter()
            .map(|_| {
                place += 1;
                if backend == DbBackend::Postgres { format!("${place}") } else { "?".to_owned() }
            })
            .collect();
        format!("({})", places.join(","))
    };
    let rows: Vec<String> = (0..rows).map(|_| row()).collect();
    let columns: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    format!("INSERT INTO \"{table}\" ({}) VALUES {}", columns.join(","), rows.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_statement_inserts_several_rows() {
        assert_eq!(insert(DbBackend::Sqlite, "t", &["a", "b"], 2), r#"INSERT INTO "t" ("a","b") VALUES (?,?),(?,?)"#);
        assert_eq!(insert(DbBackend::Postgres, "t", &["a", "b"], 2), r#"INSERT INTO "t" ("a","b") VALUES ($1,$2),($3,$4)"#);
    }
}
