//! Made-up cities are whole, the same for the same seed, and full of what supervision must find.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use api::demo::{Filled, Wanted, fill};
use domain::{
    sample::{Fraud, Shape, Size},
    time::parse_instant,
};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use store::Store;
use strum::IntoEnumIterator as _;
use tests::{db::TestDb, on_each_database};

/// A Monday morning in the middle of a month, with visits under way.
const NOW: &str = "2026-11-23T10:20:00+08:00";

/// One neighbourhood of forty homes.
fn small(seed: u64) -> Wanted {
    let shape = Shape { residents: 40, neighbourhood: 40, providers: 8, carers: 3, ..Size::Street.shape() };
    Wanted { shape, seed, now: parse_instant(NOW).unwrap(), clock_offset_seconds: 0 }
}

async fn made(db: &TestDb, wanted: &Wanted) -> (Store, Filled) {
    let database = db.database().await.unwrap();
    database.migrate().await.unwrap();
    let store = database.open(TestDb::keys()).await.unwrap();
    let filled = fill(&store, wanted, |_done, _all| {}).await.unwrap();
    (store, filled)
}

/// How many rows of a table have each value of a column.
async fn counts(db: &DatabaseConnection, table: &str, column: &str) -> BTreeMap<String, i64> {
    let sql =
        format!("SELECT CAST({column} AS text) AS value, COUNT(*) AS number FROM {table} WHERE {column} IS NOT NULL GROUP BY {column}");
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    rows.iter().map(|row| (row.try_get("", "value").unwrap(), row.try_get("", "number").unwrap())).collect()
}

on_each_database!(a_made_up_city_keeps_every_invariant_and_shows_every_grade, async |db: TestDb| {
    let wanted = small(1);
    let (store, filled) = made(&db, &wanted).await;
    let report = store.verify(wanted.now).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
    let raw = db.raw().await.unwrap();
    let grades = counts(&raw, "visit", "grade").await;
    assert_eq!(grades.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "c", "d"], "{grades:?}");
    let all: i64 = grades.values().sum();
    let share = |grade: &str| grades[grade] * 1_000 / all;
    assert!((250..600).contains(&share("a")) && (300..700).contains(&share("b")), "{grades:?}");
    assert!((5..150).contains(&share("c")) && (5..150).contains(&share("d")), "{grades:?}");
    let orders = counts(&raw, "care_order", "state").await;
    for state in ["confirmed", "cancelled", "missed", "completed", "assigned", "accepted", "declined"] {
        assert!(orders.contains_key(state), "no order is {state}: {orders:?}");
    }
    let months = counts(&raw, "claim_line", "service_month").await;
    assert_eq!(months.keys().map(String::as_str).collect::<Vec<_>>(), ["2026-08", "2026-09", "2026-10", "2026-11"]);
    assert_eq!(counts(&raw, "resident", "status").await, BTreeMap::from([("alive".to_owned(), 39), ("dead".to_owned(), 1)]));
    assert_eq!(counts(&raw, "provider", "state").await["admitted"], 9);
    let periods = counts(&raw, "settlement_period", "state").await;
    assert!(periods["released"] >= 2 && periods["computed"] >= 1, "{periods:?}");
    let planted: BTreeSet<Fraud> = filled.answers.cases.iter().map(|case| case.fraud).collect();
    assert_eq!(planted, Fraud::iter().collect());
    let flags = counts(&raw, "flag", "rule").await;
    assert_eq!(flags.len(), Fraud::iter().count(), "{flags:?}");
    let listed: usize = filled.answers.cases.iter().map(|case| case.flags.len()).sum();
    assert_eq!(i64::try_from(listed).unwrap(), flags.values().sum::<i64>());
    assert_eq!(filled.answers.to_csv().lines().count(), filled.answers.cases.len() + 1);
});

on_each_database!(a_city_in_use_is_never_filled_again, async |db: TestDb| {
    let wanted = small(1);
    let (store, _) = made(&db, &wanted).await;
    let refused = fill(&store, &wanted, |_done, _all| {}).await.unwrap_err();
    assert_eq!(refused.code(), "store.exists", "{refused}");
});

/// Every row of every table as text, without what hashing a password draws from the machine.
async fn text(db: &TestDb) -> String {
    let raw = db.raw().await.unwrap();
    let ask = async |sql: String| -> Vec<String> {
        let rows = raw.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect()
    };
    let mut all = String::new();
    for table in ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'seaql_migrations' ORDER BY 1".to_owned()).await {
        let columns = ask(format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> 'password_hash'")).await;
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
        let rows = ask(format!("SELECT {} AS line FROM \"{table}\" ORDER BY 1", quoted.join("||'|'||"))).await;
        all.extend([table, "\n".to_owned(), rows.join("\n"), "\n".to_owned()]);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_gives_the_same_rows_and_another_seed_others() {
    let mut texts = Vec::new();
    for seed in [1, 1, 2] {
        tests::db::on_sqlite(async |db| {
            made(&db, &small(seed)).await;
            texts.push(text(&db).await);
        })
        .await
        .unwrap();
    }
    assert!(texts[0] == texts[1], "the same seed, but other rows");
    assert!(texts[0] != texts[2], "another seed, but the same rows");
}
