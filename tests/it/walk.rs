//! One order from assessment to released subsidy, through the JSON API over a real connection, on both
//! databases.

use serde_json::{Value, json};
use tests::{on_each_database, served::Served};

fn net(balances: &[Value], account: &str) -> i64 {
    let of_account: Vec<_> =
        balances.iter().filter(|balance| balance["account"].as_str().is_some_and(|name| name.starts_with(account))).collect();
    assert!(!of_account.is_empty(), "{account} is in {balances:?}");
    of_account.iter().map(|balance| balance["net_fen"].as_i64().unwrap()).sum()
}

on_each_database!(a_family_books_with_the_subsidy_and_with_the_voucher, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let outcome = served.walk(1, Box::new(|_line| {})).run(&["national-voucher-tianjin", "tianjin-home-care"]).await.unwrap();
    let [voucher, subsidy] = outcome.orders.try_into().unwrap();
    assert_eq!(voucher.quote["shares"][0]["split"], json!({ "central": 5_100, "local": 900 }));
    assert_eq!((voucher.quote["gross_fen"].as_i64(), voucher.quote["family_fen"].as_i64()), (Some(12_000), Some(6_000)));
    assert_eq!(subsidy.quote["shares"][0]["split"], json!({ "city": 6_000, "district": 6_000 }));
    assert_eq!(subsidy.quote["family_fen"], 0);
    assert_eq!(voucher.order["claim_lines"][0]["subsidy_fen"], 6_000);
    assert_eq!((&voucher.order["grade"], &subsidy.order["grade"]), (&json!("a"), &json!("a")));
    assert_eq!(outcome.periods[1]["total_fen"], 12_000);
    assert_eq!(net(&outcome.balances, "bank/"), -18_000);
    assert_eq!(served.store.backlog().await.unwrap().pending, 0);
});

/// Half the price of bathing, at most 800.00 a month, city and district 1 : 1.
const WORKED_EXAMPLE: &str = r#"
format = 1
programme = "bathing-subsidy"
version = "v1"
title = { zh = "助浴补贴", en = "Bathing subsidy" }
division = "12"
effective_from = 2026-01-01
order_of_use = 20
rounding = "half_up"

[source]
name = "Worked example"
knowledge = "confirmed"

[requires]
age_min = 60

[[funds]]
code = "city"
title = { zh = "市级", en = "City" }
weight = 1

[[funds]]
code = "district"
title = { zh = "区级", en = "District" }
weight = 1

[[benefits]]
code = "bathing"
title = { zh = "助浴", en = "Bathing" }
unit = "fen"
window = "month"
amount = 80000
items = ["bathing"]
classes = ["home"]
share_percent = 50
share_of = "price"
"#;

on_each_database!(the_worked_example_of_a_bathing_visit, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(2, Box::new(|_line| {}));
    let budgets = [("bathing-subsidy", "city"), ("bathing-subsidy", "district")];
    walk.publish_policy("worked-example.toml", WORKED_EXAMPLE, &budgets, 2026).await.unwrap();
    let outcome = walk.run(&["bathing-subsidy"]).await.unwrap();
    let quote = &outcome.orders[0].quote;
    assert_eq!(quote["shares"][0]["split"], json!({ "city": 3_000, "district": 3_000 }));
    assert_eq!((quote["shares"][0]["units"].as_i64(), quote["family_fen"].as_i64()), (Some(6_000), Some(6_000)));
    assert_eq!(outcome.periods[0]["statements"][0]["split"], json!({ "city": 3_000, "district": 3_000 }));
    for (account, fen) in [
        ("expense/bathing-subsidy/city", 3_000),
        ("expense/bathing-subsidy/district", 3_000),
        ("receivable/", 6_000),
        // What was owed by the funds is paid; the family's part is not yet.
        ("payable/", -6_000),
        ("bank/bathing-subsidy/city", -3_000),
        ("bank/bathing-subsidy/district", -3_000),
    ] {
        assert_eq!(net(&outcome.balances, account), fen, "{account}");
    }
});
