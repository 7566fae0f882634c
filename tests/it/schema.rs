//! The schema: made, taken away and made again; never made twice; never touched when it is somebody else's.
#![cfg(test)]

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use store::Schema;
use tests::{
    city::SampleCity,
    db::{CITY, TestDb},
    on_each_database,
};

/// Tables, indexes, triggers and CHECKs by name and text, without the book-keeping of the migrations.
async fn objects(raw: &DatabaseConnection) -> Vec<String> {
    let query = match raw.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS name FROM information_schema.columns
               WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'seaql_migrations'
             UNION ALL SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal
             UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
               WHERE connamespace = 'public'::regnamespace AND conrelid <> COALESCE(to_regclass('seaql_migrations'), 0::oid)
             ORDER BY name"
        }
        _ => {
            "SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master WHERE tbl_name <> 'seaql_migrations'
               AND name NOT LIKE 'sqlite_%' ORDER BY type, name"
        }
    };
    let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), query)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

on_each_database!(the_schema_is_made_taken_away_and_made_again_the_same, async |db: TestDb| {
    let database = db.database().await.unwrap();
    assert_eq!(database.schema().await.unwrap(), Schema::Empty);
    database.migrate().await.unwrap();
    let raw = db.raw().await.unwrap();
    let made = objects(&raw).await;
    assert!(made.len() > 50, "{made:#?}");
    let steps = u32::try_from(migrations::names().len()).unwrap();
    database.revert(steps).await.unwrap();
    assert_eq!(objects(&raw).await, Vec::<String>::new(), "no table is left behind");
    assert_eq!(database.schema().await.unwrap(), Schema::Empty);
    database.migrate().await.unwrap();
    assert_eq!(objects(&raw).await, made);
    assert_eq!(database.schema().await.unwrap(), Schema::Current);
});

on_each_database!(a_second_migration_changes_nothing, async |db: TestDb| {
    let store = db.store().await.unwrap();
    let raw = db.raw().await.unwrap();
    let before = objects(&raw).await;
    db.database().await.unwrap().migrate().await.unwrap();
    assert_eq!(objects(&raw).await, before);
    assert_eq!(store.city().await.unwrap().scope, CITY.parse().unwrap(), "what was in it is still there");
});

on_each_database!(a_database_of_a_newer_program_is_refused_and_left_alone, async |db: TestDb| {
    db.store().await.unwrap().close().await.unwrap();
    let raw = db.raw().await.unwrap();
    raw.execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)").await.unwrap();
    let before = objects(&raw).await;
    let database = db.database().await.unwrap();
    assert_eq!(database.schema().await.unwrap(), Schema::Unknown { unknown: vec!["m9999_later".to_owned()] });
    for refused in [
        database.migrate().await.unwrap_err(),
        database.city().await.map(drop).unwrap_err(),
        database.open(TestDb::keys()).await.map(drop).unwrap_err(),
    ] {
        assert_eq!(refused.code(), "store.configuration");
        assert_eq!(
            refused.to_string(),
            "the database holds changes that this program does not know (m9999_later); it was written by a newer version, use that one"
        );
    }
    assert_eq!(objects(&raw).await, before);
});

on_each_database!(an_empty_database_is_not_opened_but_says_what_to_run, async |db: TestDb| {
    let refused = db.database().await.unwrap().open(TestDb::keys()).await.map(drop).unwrap_err();
    assert_eq!(refused.to_string(), "the database is empty; run: yijia migrate");
});

on_each_database!(rows_of_the_past_are_neither_changed_nor_deleted, async |db: TestDb| {
    let city = SampleCity::build(&db).await.unwrap();
    let raw = db.raw().await.unwrap();
    for (table, column) in [
        ("event", "stream"),
        ("audit", "action"),
        ("audit_seal", "key_id"),
        ("audit_sealed", "position"),
        ("ledger_transfer", "fact"),
        ("ledger_entry", "account"),
    ] {
        for change in [format!("UPDATE {table} SET {column} = {column}"), format!("DELETE FROM {table}")] {
            let refused = raw.execute_unprepared(&change).await.unwrap_err().to_string();
            assert!(refused.contains(&format!("rows of {table} are never changed")), "{change}: {refused}");
        }
    }
    assert!(city.store().verify(db.source().now()).await.unwrap().is_clean());
});
