//! I2: the balances that stand in rows are the sums of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::EntitlementWindowId,
    ledger::{Pot, Purse, Side},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr};

use super::{
    Check, Snapshot,
    pages::{PAGE, Pages},
};
use crate::{
    entity::{budget, entitlement_window, ledger_entry},
    error::StoreError,
};

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check = Check::new("I2", "the balance of each window and budget is the sum of its ledger accounts, and no pot is negative");
    check_windows(snapshot, &mut check).await?;
    check_budgets(snapshot, &mut check).await?;
    check_owners(snapshot, &mut check).await?;
    Ok(check)
}

/// A balance as its row states it.
struct Stated {
    row: String,
    purse: Purse,
    granted: i64,
    held: i64,
    posted: i64,
    expired: i64,
}

impl Stated {
    /// What each pot must hold. Issued is the counter-account of all others.
    fn pots(&self) -> [(Pot, i128); 5] {
        let (granted, held, posted, expired) =
            (i128::from(self.granted), i128::from(self.held), i128::from(self.posted), i128::from(self.expired));
        [
            (Pot::Issued, -granted),
            (Pot::Available, granted - held - posted - expired),
            (Pot::Held, held),
            (Pot::Posted, posted),
            (Pot::Expired, expired),
        ]
    }
}

async fn check_windows(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut pages = Pages::new(entitlement_window::Entity::find(), entitlement_window::Column::Id, |row| row.id);
    while let Some(rows) = pages.next(snapshot.db).await? {
        let stated = rows.into_iter().map(|row| {
            let id = EntitlementWindowId::from_uuid(row.id);
            let purse = Purse::Window(id);
            Stated { row: id.to_string(), purse, granted: row.granted, held: row.held, posted: row.posted, expired: row.expired }
        });
        compare(snapshot, check, &stated.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

async fn check_budgets(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut pages = Pages::new(budget::Entity::find(), budget::Column::Id, |row| row.id);
    while let Some(rows) = pages.next(snapshot.db).await? {
        let stated = rows.into_iter().map(|row| Stated {
            row: budget_key(&row),
            purse: Purse::Budget { programme: row.programme, fund: row.fund, year: row.year },
            granted: row.granted,
            held: row.held,
            posted: row.posted,
            expired: 0,
        });
        compare(snapshot, check, &stated.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

fn budget_key(row: &budget::Model) -> String {
    format!("budget/{}/{}/{}", row.programme, row.fund, row.year)
}

async fn compare(snapshot: &Snapshot<'_>, check: &mut Check, stated: &[Stated]) -> Result<(), StoreError> {
    let accounts = stated.iter().flat_map(|one| one.pots().map(|(pot, _)| one.purse.account(pot).as_str().to_owned()));
    let sums = sums_of(snapshot, accounts).await?;
    check.count(stated.len());
    for one in stated {
        for (pot, in_row) in one.pots() {
            let in_ledger = sums.get(one.purse.account(pot).as_str()).copied().unwrap_or(0);
            check.require(in_row == in_ledger, &one.row, || format!("{pot} is {in_row} in its row and {in_ledger} in the ledger"));
            let guarded = pot != Pot::Issued;
            check.require(!guarded || in_ledger >= 0, &one.row, || format!("{pot} is negative in the ledger: {in_ledger}"));
        }
    }
    Ok(())
}

/// Credits less debits of accounts: what the pot of that name holds.
async fn sums_of(snapshot: &Snapshot<'_>, accounts: impl IntoIterator<Item = String>) -> Result<BTreeMap<String, i128>, StoreError> {
    let rows: Vec<(String, String, i64)> = ledger_entry::Entity::find()
        .select_only()
        .column(ledger_entry::Column::Account)
        .column(ledger_entry::Column::Side)
        // PostgreSQL sums bigint into numeric.
        .column_as(Expr::col(ledger_entry::Column::Amount).sum().cast_as("bigint"), "total")
        .filter(ledger_entry::Column::Account.is_in(accounts))
        .group_by(ledger_entry::Column::Account)
        .group_by(ledger_entry::Column::Side)
        .into_tuple()
        .all(snapshot.db)
        .await?;
    let debit = Side::Debit.to_string();
    let mut sums = BTreeMap::new();
    for (account, side, total) in rows {
        let signed = if side == debit { -i128::from(total) } else { i128::from(total) };
        *sums.entry(account).or_default() += signed;
    }
    Ok(sums)
}

/// Every account of a window or budget belongs to one that exists; else units would be in nobody's row.
async fn check_owners(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let budgets = budget::Entity::find().all(snapshot.db).await?;
    let budgets: BTreeSet<String> = budgets.iter().map(budget_key).collect();
    let mut last = String::new();
    loop {
        let accounts: Vec<String> = ledger_entry::Entity::find()
            .select_only()
            .column(ledger_entry::Column::Account)
            .distinct()
            .filter(ledger_entry::Column::Account.gt(last.as_str()))
            .order_by_asc(ledger_entry::Column::Account)
            .limit(PAGE)
            .into_tuple()
            .all(snapshot.db)
            .await?;
        let Some(end) = accounts.last() else { return Ok(()) };
        last.clone_from(end);
        let owners: BTreeSet<&str> = accounts.iter().filter_map(|account| account.rsplit_once('/')).map(|(owner, _pot)| owner).collect();
        let named = owners.iter().filter_map(|owner| owner.strip_prefix("window/")).filter_map(|id| id.parse::<EntitlementWindowId>().ok());
        let windows: Vec<uuid::Uuid> = entitlement_window::Entity::find()
            .select_only()
            .column(entitlement_window::Column::Id)
            .filter(entitlement_window::Column::Id.is_in(named.map(EntitlementWindowId::uuid)))
            .into_tuple()
            .all(snapshot.db)
            .await?;
        let windows: BTreeSet<String> = windows.into_iter().map(|id| format!("window/{}", EntitlementWindowId::from_uuid(id))).collect();
        for owner in owners.into_iter().filter(|owner| owner.starts_with("window/") || owner.starts_with("budget/")) {
            let known = windows.contains(owner) || budgets.contains(owner);
            check.require(known, owner, || "the ledger has entries for it, but there is no such row".to_owned());
        }
    }
}
