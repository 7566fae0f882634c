//! I5: what is reserved and used of an entitlement lies within what was granted, window by window.

use std::collections::BTreeMap;

use domain::{
    id::{EntitlementWindowId, HoldId},
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::{Check, Snapshot, pages::Pages};
use crate::{
    entity::{entitlement_window, hold, opening_use},
    error::StoreError,
};

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check = Check::new(
        "I5",
        "per window, available, held, posted and expired make up what was granted, and its holds and its opening make up held and posted",
    );
    let today = BusinessDate::of(snapshot.now).get();
    let mut pages = Pages::new(entitlement_window::Entity::find(), entitlement_window::Column::Id, |row| row.id);
    while let Some(windows) = pages.next(snapshot.db).await? {
        let mut sums = add_up(snapshot, &mut check, &windows).await?;
        add_openings(snapshot, &windows, &mut sums).await?;
        check.count(windows.len());
        for window in &windows {
            check_window(&mut check, window, sums.get(&window.id).copied().unwrap_or_default(), today);
        }
    }
    Ok(check)
}

/// Units that the holds of a window reserve and have used.
#[derive(Clone, Copy, Default)]
struct Sum {
    held: i128,
    posted: i128,
}

/// Adds up the holds of a page of windows, holds in pages of their own: a window has as many as it has visits.
async fn add_up(
    snapshot: &Snapshot<'_>,
    check: &mut Check,
    windows: &[entitlement_window::Model],
) -> Result<BTreeMap<Uuid, Sum>, StoreError> {
    let by_id: BTreeMap<Uuid, &entitlement_window::Model> = windows.iter().map(|window| (window.id, window)).collect();
    let select = hold::Entity::find().filter(hold::Column::WindowId.is_in(by_id.keys().copied()));
    let mut pages = Pages::new(select, hold::Column::Id, |row| row.id);
    let mut sums: BTreeMap<Uuid, Sum> = BTreeMap::new();
    while let Some(holds) = pages.next(snapshot.db).await? {
        check.count(holds.len());
        for row in &holds {
            let sum = sums.entry(row.window_id).or_default();
            let held = if row.state == "held" { row.units } else { 0 };
            sum.held += i128::from(held);
            sum.posted += i128::from(row.posted_units);
            if let Some(window) = by_id.get(&row.window_id) {
                check_hold(check, row, window);
            }
        }
    }
    Ok(sums)
}

/// What was used before these books began was posted without a hold.
async fn add_openings(
    snapshot: &Snapshot<'_>,
    windows: &[entitlement_window::Model],
    sums: &mut BTreeMap<Uuid, Sum>,
) -> Result<(), StoreError> {
    let of_page = opening_use::Column::WindowId.is_in(windows.iter().map(|window| window.id));
    for opening in opening_use::Entity::find().filter(of_page).all(snapshot.db).await? {
        sums.entry(opening.window_id).or_default().posted += i128::from(opening.units);
    }
    Ok(())
}

fn check_window(check: &mut Check, window: &entitlement_window::Model, sum: Sum, today: chrono::NaiveDate) {
    let id = EntitlementWindowId::from_uuid(window.id);
    for (what, units) in [("granted", window.granted), ("held", window.held), ("posted", window.posted), ("expired", window.expired)] {
        check.require(units >= 0, id, || format!("{what} is negative: {units}"));
    }
    let taken = i128::from(window.held) + i128::from(window.posted) + i128::from(window.expired);
    check.require(taken <= i128::from(window.granted), id, || format!("{taken} of {} units are held, posted or expired", window.granted));
    check.require(sum.held == i128::from(window.held), id, || format!("its holds reserve {}, it says {}", sum.held, window.held));
    check.require(window.posted == 0 || window.state == "open" || window.window_start <= today, id, || {
        format!("it opens on {} and {} units of it are used", window.window_start, window.posted)
    });
    check.require(sum.posted == i128::from(window.posted), id, || format!("its holds have used {}, it says {}", sum.posted, window.posted));
}

/// A hold is used in its own window, on a day of it, and never beyond what it reserved.
fn check_hold(check: &mut Check, row: &hold::Model, window: &entitlement_window::Model) {
    let id = HoldId::from_uuid(row.id);
    let inside = window.window_start <= row.service_on && window.window_end.is_none_or(|end| row.service_on < end);
    check.require(inside, id, || format!("its service on {} lies outside its window", row.service_on));
    let same = (&row.programme, &row.benefit, &row.unit, row.window_start)
        == (&window.programme, &window.benefit, &window.unit, window.window_start);
    check.require(same, id, || "its window is of another programme, benefit, unit or start".to_owned());
    check.require((0..=row.units).contains(&row.posted_units), id, || format!("it has used {} of {} units", row.posted_units, row.units));
    let unsettled = row.posted_units == 0 && row.posted_fen == 0;
    let fits = match row.state.as_str() {
        "held" | "voided" | "expired" => unsettled,
        "posted" => !unsettled,
        _ => false,
    };
    check.require(fits, id, || format!("it is {} and has used {} units and {} fen", row.state, row.posted_units, row.posted_fen));
}
