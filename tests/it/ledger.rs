//! Reading the ledger.
#![cfg(test)]

use domain::access::Actor;
use tests::{city::SampleCity, on_each_database};

on_each_database!(a_prefix_of_accounts_is_no_pattern, async |db: TestDb| {
    let city = SampleCity::build(&db).await.unwrap();
    let reader = Actor::System("test");
    let balances = async |prefix: &str| city.store().account_balances(&reader, prefix).await.unwrap();
    let expenses = balances("expense/").await;
    assert!(!expenses.is_empty());
    assert!(expenses.iter().all(|balance| balance.account.starts_with("expense/")), "{expenses:?}");
    assert!(balances("").await.len() > expenses.len());
    for pattern in ["%", "_xpense/", "%expense/", "EXPENSE/"] {
        assert_eq!(balances(pattern).await, [], "{pattern}");
    }
});
