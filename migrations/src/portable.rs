//! The few places where the two databases differ.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr};

/// Runs a script of portable SQL, with the types in braces filled in for this database.
pub(crate) async fn run(db: &impl ConnectionTrait, script: &str) -> Result<(), DbErr> {
    let types = match db.get_database_backend() {
        DbBackend::Postgres => {
            [("{uuid}", "uuid"), ("{blob}", "bytea"), ("{instant}", "timestamptz"), ("{json}", "jsonb"), ("{bool}", "boolean")]
        }
        _ => [("{uuid}", "blob"), ("{blob}", "blob"), ("{instant}", "text"), ("{json}", "text"), ("{bool}", "boolean")],
    };
    let script = types.iter().fold(script.to_owned(), |script, (name, sql)| script.replace(name, sql));
    db.execute_unprepared(&script).await.map(drop)
}

/// Takes away what [`make_append_only`] leaves behind when its tables are gone.
pub(crate) async fn forget_append_only(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    match db.get_database_backend() {
        DbBackend::Postgres => db.execute_unprepared("DROP FUNCTION IF EXISTS refuse_change()").await.map(drop),
        _ => Ok(()),
    }
}

/// Lets rows be inserted and read, but never changed or deleted.
pub(crate) async fn make_append_only(db: &impl ConnectionTrait, table: &str) -> Result<(), DbErr> {
    let script = match db.get_database_backend() {
        DbBackend::Postgres => format!(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME; END $$; \
             CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} \
             FOR EACH ROW EXECUTE FUNCTION refuse_change(); \
             CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} \
             FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
        ),
        _ => ["UPDATE", "DELETE"]
            .map(|verb| {
                format!(
                    "CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} \
                     BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END;"
                )
            })
            .concat(),
    };
    db.execute_unprepared(&script).await.map(drop)
}
