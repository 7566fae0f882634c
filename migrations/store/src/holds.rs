//! Holds: what an order reserves of windows and budgets when it is placed, and what becomes of it.
//!
//! Each move changes the row under its lock and leaves a ledger transfer whose key names the order, so that
//! doing it twice changes nothing.

use chrono::Datelike as _;
use domain::{
    catalogue::Unit,
    id::{EntitlementWindowId, OrderId},
    ledger::{LedgerError, Pot, Purse, move_units},
    policy::{FundCode, ProgrammeCode},
    tariff::Share,
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _};

use crate::{
    command::entitlement::{change, is_over, lapse, lock_window, window_for},
    convert,
    entity::{self, budget, claim_line, hold},
    error::{StoreError, exists},
    pricing::{lock_budget, parts, stored_parts},
    tx::{Tx, for_update},
};

/// Whose holds are placed.
pub(crate) struct Booking<'a> {
    /// The order.
    pub(crate) order: OrderId,
    /// Its resident, locked.
    pub(crate) resident: &'a entity::resident::Model,
    /// The day of the service.
    pub(crate) service_on: BusinessDate,
}

/// Reserves what the shares of a quote need: units of the windows and fen of the funds' budgets. A window ahead
/// that has no row yet gets one, as a projection. A hold that the order had and gave back is used again.
pub(crate) async fn place(tx: &Tx<'_>, booking: &Booking<'_>, shares: &[Share]) -> Result<(), StoreError> {
    let (order, service_on) = (booking.order, booking.service_on);
    let known = of_order(tx, order).await?;
    for share in shares {
        let window = window_for(tx, booking.resident, share, service_on).await?;
        let earlier = known.iter().find(|row| {
            (row.programme.as_str(), row.benefit.as_str()) == (share.programme.as_str(), share.benefit.as_str())
                && row.window_id == window.id
        });
        let fact = match earlier {
            None => fact(order, share.programme.as_str(), share.benefit.as_str()),
            Some(row) => again(row),
        };
        change(tx, &window, (Pot::Available, Pot::Held), share.units, &fact).await?;
        for (fund, part) in parts(share) {
            let fact = format!("{fact}/{}", share.window.start);
            move_budget(tx, &BudgetOf::of(&share.programme, fund, service_on), (Pot::Available, Pot::Held), part, &fact).await?;
        }
        let row = hold::Model {
            id: earlier.map_or_else(|| tx.id::<domain::id::Hold>().uuid(), |row| row.id),
            order_id: order.uuid(),
            window_id: window.id,
            programme: share.programme.to_string(),
            policy_version: share.version.clone(),
            benefit: share.benefit.to_string(),
            window_start: share.window.start.get(),
            unit: share.unit.to_string(),
            units: share.units,
            uses: share.count,
            service_on: service_on.get(),
            subsidy_fen: share.subsidy.get(),
            split: convert::to_json("hold", &share.split)?,
            state: "held".to_owned(),
            posted_units: 0,
            posted_fen: 0,
            version: earlier.map_or(1, |row| row.version + 1),
        };
        if earlier.is_some() {
            tx.save(row).await?;
        } else {
            hold::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await.map_err(exists("this hold"))?;
        }
    }
    Ok(())
}

/// Gives back what an order reserves, to reserve anew in the same transaction: the holds stay held, at nothing.
pub(crate) async fn release(tx: &Tx<'_>, order: OrderId) -> Result<(), StoreError> {
    for row in of_order(tx, order).await?.into_iter().filter(|row| row.state == "held") {
        let fact = again(&row);
        let window = lock_window(tx, EntitlementWindowId::from_uuid(row.window_id)).await?;
        change(tx, &window, (Pot::Held, Pot::Available), row.units, &fact).await?;
        let programme: ProgrammeCode = convert::code("hold", "programme", &row.programme)?;
        for (fund, part) in stored_parts(&row)? {
            let fact = format!("{fact}/{}", row.window_start);
            move_budget(tx, &BudgetOf::of(&programme, &fund, convert::date(row.service_on)), (Pot::Held, Pot::Available), part, &fact)
                .await?;
        }
        let nothing: [(FundCode, i64); 0] = [];
        let split = convert::to_json("hold", &nothing)?;
        tx.save(hold::Model { units: 0, uses: 0, subsidy_fen: 0, split, version: row.version + 1, ..row }).await?;
    }
    Ok(())
}

/// What the ledger calls the use of a benefit by an order.
pub(crate) fn fact(order: OrderId, programme: &str, benefit: &str) -> String {
    format!("{order}/{programme}/{benefit}")
}

/// The fact of a later move of a hold; the version of its row tells one from the next.
fn again(row: &hold::Model) -> String {
    format!("{}/again/{}", fact(OrderId::from_uuid(row.order_id), &row.programme, &row.benefit), row.version)
}

/// The budget that pays a fund's part of a service on a day.
struct BudgetOf<'a> {
    programme: &'a ProgrammeCode,
    fund: &'a FundCode,
    year: i32,
}

impl<'a> BudgetOf<'a> {
    fn of(programme: &'a ProgrammeCode, fund: &'a FundCode, service_on: BusinessDate) -> Self {
        Self { programme, fund, year: service_on.get().year() }
    }
}

async fn move_budget(tx: &Tx<'_>, of: &BudgetOf<'_>, pots: (Pot, Pot), amount: i64, fact: &str) -> Result<(), StoreError> {
    if amount == 0 {
        return Ok(());
    }
    let short = || LedgerError::Short(format!("the budget of {} in {}", of.fund, of.year));
    let row = lock_budget(tx, of.programme, of.fund, of.year).await?.ok_or_else(short)?;
    let (held, posted) = match pots {
        (Pot::Available, Pot::Held) => (row.held + amount, row.posted),
        (Pot::Held, Pot::Posted) => (row.held - amount, row.posted + amount),
        (Pot::Held, Pot::Available) => (row.held - amount, row.posted),
        (Pot::Issued | Pot::Available | Pot::Held | Pot::Posted | Pot::Expired, _) => return Err(LedgerError::Range.into()),
    };
    if held < 0 || held + posted > row.granted {
        return Err(short().into());
    }
    let next = budget::Model { held, posted, version: row.version + 1, ..row };
    tx.save(next.clone()).await?;
    let purse = Purse::Budget { programme: next.programme, fund: next.fund, year: next.year };
    tx.transfer(&move_units(&purse, Unit::Fen, pots, amount, fact, tx.today())?).await
}

/// All holds of an order, locked, in a fixed order.
pub(crate) async fn of_order(tx: &Tx<'_>, order: OrderId) -> Result<Vec<hold::Model>, StoreError> {
    Ok(for_update!(tx, hold::Entity::find().filter(hold::Column::OrderId.eq(order.uuid())).order_by_asc(hold::Column::Id))
        .all(tx.db)
        .await?)
}

/// What is used of a hold when it is settled; the rest goes back.
pub(crate) struct Used<'a> {
    /// Units of the entitlement.
    pub(crate) units: i64,
    /// Meals or visits that count for the limits of day and week.
    pub(crate) uses: i64,
    /// What each fund pays.
    pub(crate) split: &'a [(FundCode, domain::money::Fen)],
}

/// Gives everything back that an order reserved.
pub(crate) async fn void_all(tx: &Tx<'_>, order: OrderId) -> Result<(), StoreError> {
    for row in of_order(tx, order).await? {
        settle(tx, &row, &Used { units: 0, uses: 0, split: &[] }).await?;
    }
    Ok(())
}

/// Gives back what no claim line came of: a cheaper provider may have left a programme without a part.
pub(crate) async fn void_unjudged(tx: &Tx<'_>, order: OrderId) -> Result<(), StoreError> {
    let judged = claim_line::Entity::find().filter(claim_line::Column::OrderId.eq(order.uuid())).all(tx.db).await?;
    for row in of_order(tx, order).await? {
        if !judged.iter().any(|line| line.hold_id == row.id) {
            settle(tx, &row, &Used { units: 0, uses: 0, split: &[] }).await?;
        }
    }
    Ok(())
}

/// Settles a hold that is still held: posts what was used and voids the rest.
pub(crate) async fn settle(tx: &Tx<'_>, row: &hold::Model, used: &Used<'_>) -> Result<(), StoreError> {
    if row.state != "held" {
        return Ok(());
    }
    let order = OrderId::from_uuid(row.order_id);
    let fact = fact(order, &row.programme, &row.benefit);
    let mut window = lock_window(tx, EntitlementWindowId::from_uuid(row.window_id)).await?;
    if used.units > 0 {
        window = change(tx, &window, (Pot::Held, Pot::Posted), used.units, &fact).await?;
    }
    if row.units > used.units {
        window = change(tx, &window, (Pot::Held, Pot::Available), row.units - used.units, &fact).await?;
    }
    // What comes back after the end of the window can never be used again: it lapses with the rest.
    let lapsed = is_over(&window, tx.today()) && row.units > 0;
    if lapsed {
        lapse(tx, &window).await?;
    }
    let programme: ProgrammeCode = convert::code("hold", "programme", &row.programme)?;
    let mut posted_fen = 0;
    for (fund, reserved) in stored_parts(row)? {
        let paid = used.split.iter().find(|(other, _)| *other == fund).map_or(0, |(_, part)| part.get());
        let of = BudgetOf::of(&programme, &fund, convert::date(row.service_on));
        let fact = format!("{fact}/{}", row.window_start);
        if paid > reserved {
            // Dividing a smaller sum over several funds can give one of them a fen more than of the larger sum.
            move_budget(tx, &of, (Pot::Available, Pot::Held), paid - reserved, &format!("{fact}/more")).await?;
        }
        move_budget(tx, &of, (Pot::Held, Pot::Posted), paid, &fact).await?;
        move_budget(tx, &of, (Pot::Held, Pot::Available), (reserved - paid).max(0), &fact).await?;
        posted_fen += paid;
    }
    let state = match (used.units > 0 || posted_fen > 0, lapsed) {
        (true, _) => "posted",
        (false, true) => "expired",
        (false, false) => "voided",
    };
    let next = hold::Model {
        state: state.to_owned(),
        posted_units: used.units,
        posted_fen,
        uses: used.uses,
        version: row.version + 1,
        ..row.clone()
    };
    tx.save(next).await?;
    Ok(())
}
