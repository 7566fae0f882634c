//! Entitlements and their windows: opened on the first day, held by orders, posted, voided, expired.
//!
//! The balance of a window stands in its row (so that it can be locked and checked) and, transfer by
//! transfer, in the entitlement ledger; `verify` compares the two.

use domain::{
    access::Action,
    catalogue::Unit,
    consent::ConsentCause,
    eligibility::{BenefitGrant, Decision},
    entitlement::{Balance, BalanceParts, EntitlementError, WindowState, window_amount},
    event::Event,
    id::{DecisionId, EntitlementId, EntitlementWindowId, ResidentId},
    ledger::{Pot, Purse, move_units, take_back},
    policy::{BenefitCode, ProgrammeCode},
    tariff::Share,
    time::{BusinessDate, Window, WindowKind},
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _};

use crate::{
    command::{consent, resident, review},
    convert,
    entity::{self, entitlement, entitlement_window, hold},
    error::{StoreError, exists},
    tx::{Tx, for_update},
    write::Command,
};

/// Opens the right of a resident to one benefit, and its first window if that has begun.
pub(crate) async fn open(
    tx: &Tx<'_>,
    resident: &entity::resident::Model,
    decision: DecisionId,
    decided: &Decision,
    grant: &BenefitGrant,
    from: BusinessDate,
) -> Result<EntitlementId, StoreError> {
    let id: EntitlementId = tx.id();
    let row = entitlement::Model {
        id: id.uuid(),
        decision_id: decision.uuid(),
        resident_id: resident.id,
        programme: decided.programme.to_string(),
        benefit: grant.benefit.to_string(),
        unit: grant.unit.to_string(),
        window_kind: window_code(grant.window),
        effective_from: from.get(),
        effective_until: decided.effective_until.map(BusinessDate::get),
        created_at: tx.now(),
        version: 1,
        ended_as: None,
    };
    entitlement::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await.map_err(exists("this entitlement"))?;
    tx.emit(Event::EntitlementOpened { entitlement: id, resident: ResidentId::from_uuid(resident.id) });
    tx.record(&id, None, Some(&row));
    review::ask_for_review(tx, resident.id).await?;
    if from <= tx.today() {
        open_window(tx, resident, &row).await?;
    }
    Ok(id)
}

/// How a window kind is stored.
pub(crate) fn window_code(kind: WindowKind) -> String {
    match kind {
        WindowKind::Day => "day",
        WindowKind::Week => "week",
        WindowKind::Month => "month",
        WindowKind::Quarter => "quarter",
        WindowKind::Year => "year",
        WindowKind::Never => "never",
    }
    .to_owned()
}

/// Reads a stored window kind.
pub(crate) fn window_kind(text: &str) -> Result<WindowKind, StoreError> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|cause| convert::corrupt("entitlement", "window_kind", &cause))
}

/// Opens the window of today for an entitlement, or raises what it grants.
///
/// Whoever is eligible on any day of a window gets its whole amount: a window is not opened for somebody who
/// is not eligible today, but on the first later day on which they are; and when they are entitled to more
/// than the window grants, it is raised. What was granted is never taken back here.
#[derive(Debug, Clone)]
pub struct OpenWindow {
    /// The entitlement.
    pub entitlement: EntitlementId,
}

impl Command for OpenWindow {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "open_window";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let seen = entitlement::Entity::find_by_id(self.entitlement.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let resident = resident::lock(tx, ResidentId::from_uuid(seen.resident_id)).await?;
        open_window(tx, &resident, &seen).await
    }
}

/// Looks at all windows of a resident again after a new assessment.
#[derive(Debug, Clone)]
pub struct RefreshWindows {
    /// The resident.
    pub resident: ResidentId,
}

impl Command for RefreshWindows {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "refresh_windows";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        let today = tx.today().get();
        let running =
            Condition::any().add(entitlement::Column::EffectiveUntil.is_null()).add(entitlement::Column::EffectiveUntil.gt(today));
        let rows = entitlement::Entity::find()
            .filter(entitlement::Column::ResidentId.eq(resident.id))
            .filter(entitlement::Column::EffectiveFrom.lte(today))
            .filter(running)
            .order_by_asc(entitlement::Column::Id)
            .all(tx.db)
            .await?;
        for row in rows {
            open_window(tx, &resident, &row).await?;
        }
        consent::reopen(tx, &resident, ConsentCause::EntitlementChanged).await
    }
}

async fn open_window(tx: &Tx<'_>, resident: &entity::resident::Model, row: &entitlement::Model) -> Result<(), StoreError> {
    let window = Window::holding(window_kind(&row.window_kind)?, tx.today())?;
    let granted = granted_on(tx, resident, row, &window, tx.today()).await?;
    match find(tx, row, &window).await? {
        None if granted > 0 => insert_window(tx, row, &window, granted).await.map(drop),
        Some(ahead) if ahead.state == WindowState::Projected.to_string() => begin(tx, resident, &ahead, granted).await,
        Some(open) if granted > open.granted => set_granted(tx, &open, granted).await.map(drop),
        None | Some(_) => Ok(()),
    }
}

/// Opens a window that was projected: it is granted what the rules and facts of today give, and the orders that
/// hold some of it are priced again. Whoever is not eligible today keeps it closed and empty.
async fn begin(tx: &Tx<'_>, resident: &entity::resident::Model, ahead: &entitlement_window::Model, granted: i64) -> Result<(), StoreError> {
    let mut ahead = ahead.clone();
    if granted != ahead.granted {
        let orders = consent::Reopened::of_window(tx, resident, EntitlementWindowId::from_uuid(ahead.id)).await?;
        orders.release(tx).await?;
        ahead = set_granted(tx, &lock_window(tx, EntitlementWindowId::from_uuid(ahead.id)).await?, granted).await?;
        orders.price_again(tx, ConsentCause::WindowOpened).await?;
        ahead = lock_window(tx, EntitlementWindowId::from_uuid(ahead.id)).await?;
    }
    if granted == 0 {
        return Ok(());
    }
    let id = EntitlementWindowId::from_uuid(ahead.id);
    let next = entitlement_window::Model { state: WindowState::Open.to_string(), version: ahead.version + 1, ..ahead.clone() };
    tx.save(next.clone()).await?;
    tx.emit(Event::WindowOpened { window: id, entitlement: EntitlementId::from_uuid(ahead.entitlement_id) });
    tx.record(&id, Some(&ahead), Some(&next));
    Ok(())
}

/// What the version in force on a day grants for the window; nothing to whoever is not eligible on that day.
pub(crate) async fn granted_on(
    tx: &Tx<'_>,
    resident: &entity::resident::Model,
    row: &entitlement::Model,
    window: &Window,
    day: BusinessDate,
) -> Result<i64, StoreError> {
    let programme: ProgrammeCode = convert::code("entitlement", "programme", &row.programme)?;
    let benefit: BenefitCode = convert::code("entitlement", "benefit", &row.benefit)?;
    let book = tx.reference.policies(tx.db).await?;
    let Some(policy) = book.in_force(&programme, day) else { return Ok(0) };
    let decided = review::decision_on(tx, resident, policy, day).await?;
    let same_form = |grant: &&BenefitGrant| grant.unit.to_string() == row.unit && window_code(grant.window) == row.window_kind;
    Ok(decided.grant(&benefit).filter(same_form).map_or(Ok(0), |grant| window_amount(policy, grant, window))?)
}

/// Windows ahead that would be granted otherwise than they were projected, with what they would be granted.
pub(crate) async fn outdated_projections(
    tx: &Tx<'_>,
    resident: &entity::resident::Model,
) -> Result<Vec<(EntitlementWindowId, i64)>, StoreError> {
    let rows = entitlement_window::Entity::find()
        .filter(entitlement_window::Column::ResidentId.eq(resident.id))
        .filter(entitlement_window::Column::State.eq(WindowState::Projected.to_string()))
        .filter(entitlement_window::Column::WindowStart.gt(tx.today().get()))
        .order_by_asc(entitlement_window::Column::Id)
        .all(tx.db)
        .await?;
    let mut outdated = Vec::new();
    for row in rows {
        let right = entitlement::Entity::find_by_id(row.entitlement_id).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let day = first_use(tx, &row).await?;
        let ended = right.effective_until.is_some_and(|until| until <= day.get());
        let window = Window::holding(window_kind(&right.window_kind)?, day)?;
        let granted = if ended { 0 } else { granted_on(tx, resident, &right, &window, day).await? };
        if granted != row.granted {
            outdated.push((EntitlementWindowId::from_uuid(row.id), granted));
        }
    }
    Ok(outdated)
}

/// The first day of a window on which something is booked; else its first day.
async fn first_use(tx: &Tx<'_>, row: &entitlement_window::Model) -> Result<BusinessDate, StoreError> {
    let first = hold::Entity::find()
        .filter(hold::Column::WindowId.eq(row.id))
        .filter(hold::Column::State.eq("held"))
        .order_by_asc(hold::Column::ServiceOn)
        .one(tx.db)
        .await?;
    Ok(convert::date(first.map_or(row.window_start, |hold| hold.service_on)))
}

/// Changes what a window ahead is projected to grant. Its holds have been given back before.
pub(crate) async fn project_again(tx: &Tx<'_>, id: EntitlementWindowId, granted: i64) -> Result<(), StoreError> {
    let row = lock_window(tx, id).await?;
    set_granted(tx, &row, granted).await.map(drop)
}

/// The window of a share, locked; a booking makes its row where there is none yet.
pub(crate) async fn window_for(
    tx: &Tx<'_>,
    resident: &entity::resident::Model,
    share: &Share,
    day: BusinessDate,
) -> Result<entitlement_window::Model, StoreError> {
    let select = entitlement_window::Entity::find()
        .filter(entitlement_window::Column::ResidentId.eq(resident.id))
        .filter(entitlement_window::Column::Programme.eq(share.programme.as_str()))
        .filter(entitlement_window::Column::Benefit.eq(share.benefit.as_str()))
        .filter(entitlement_window::Column::WindowStart.eq(share.window.start.get()))
        .filter(entitlement_window::Column::Unit.eq(share.unit.to_string()));
    if let Some(row) = for_update!(tx, select).one(tx.db).await? {
        return Ok(row);
    }
    let right = entitlement::Entity::find()
        .filter(entitlement::Column::ResidentId.eq(resident.id))
        .filter(entitlement::Column::Programme.eq(share.programme.as_str()))
        .filter(entitlement::Column::Benefit.eq(share.benefit.as_str()))
        .filter(entitlement::Column::EffectiveFrom.lte(day.get()))
        .order_by_desc(entitlement::Column::EffectiveFrom)
        .one(tx.db)
        .await?
        .ok_or_else(StoreError::not_found)?;
    let granted = granted_on(tx, resident, &right, &share.window, day).await?;
    insert_window(tx, &right, &share.window, granted).await
}

async fn insert_window(
    tx: &Tx<'_>,
    row: &entitlement::Model,
    window: &Window,
    granted: i64,
) -> Result<entitlement_window::Model, StoreError> {
    let id: EntitlementWindowId = tx.id();
    let state = if window.start > tx.today() { WindowState::Projected } else { WindowState::Open };
    let model = entitlement_window::Model {
        id: id.uuid(),
        entitlement_id: row.id,
        resident_id: row.resident_id,
        programme: row.programme.clone(),
        benefit: row.benefit.clone(),
        unit: row.unit.clone(),
        window_start: window.start.get(),
        window_end: window.end.map(BusinessDate::get),
        granted,
        held: 0,
        posted: 0,
        expired: 0,
        version: 1,
        state: state.to_string(),
    };
    entitlement_window::Entity::insert(model.clone().into_active_model())
        .exec_without_returning(tx.db)
        .await
        .map_err(exists("this window"))?;
    grant(tx, &model, granted).await?;
    if state == WindowState::Open {
        tx.emit(Event::WindowOpened { window: id, entitlement: EntitlementId::from_uuid(row.id) });
    }
    tx.record(&id, None, Some(&model));
    Ok(model)
}

/// Changes what a window grants, in its row and in the ledger.
async fn set_granted(tx: &Tx<'_>, open: &entitlement_window::Model, granted: i64) -> Result<entitlement_window::Model, StoreError> {
    let changed = balance(open)?.regrant(granted)?.parts();
    let next = entitlement_window::Model { granted: changed.granted, version: open.version + 1, ..open.clone() };
    tx.save(next.clone()).await?;
    if granted >= open.granted {
        grant(tx, &next, granted - open.granted).await?;
    } else {
        let (unit, purse) = purse(&next)?;
        let fact = format!("revoke/{}", next.version);
        let pots = (Pot::Available, Pot::Issued);
        tx.transfer(&move_units(&purse, unit, pots, open.granted - granted, &fact, convert::date(next.window_start))?).await?;
    }
    tx.record(&EntitlementWindowId::from_uuid(open.id), Some(open), Some(&next));
    Ok(next)
}

fn purse(row: &entitlement_window::Model) -> Result<(Unit, Purse), StoreError> {
    let unit: Unit = convert::code("entitlement_window", "unit", &row.unit)?;
    Ok((unit, Purse::Window(EntitlementWindowId::from_uuid(row.id))))
}

/// Records what a window is granted; the version of its row tells one grant from the next.
async fn grant(tx: &Tx<'_>, row: &entitlement_window::Model, units: i64) -> Result<(), StoreError> {
    let (unit, purse) = purse(row)?;
    let fact = format!("grant/{}", row.version);
    tx.transfer(&move_units(&purse, unit, (Pot::Issued, Pot::Available), units, &fact, convert::date(row.window_start))?).await
}

async fn find(tx: &Tx<'_>, row: &entitlement::Model, window: &Window) -> Result<Option<entitlement_window::Model>, StoreError> {
    Ok(entitlement_window::Entity::find()
        .filter(entitlement_window::Column::ResidentId.eq(row.resident_id))
        .filter(entitlement_window::Column::Programme.eq(&row.programme))
        .filter(entitlement_window::Column::Benefit.eq(&row.benefit))
        .filter(entitlement_window::Column::WindowStart.eq(window.start.get()))
        .one(tx.db)
        .await?)
}

/// Lets what a window that is over has left lapse.
#[derive(Debug, Clone)]
pub struct ExpireWindow {
    /// The window.
    pub window: EntitlementWindowId,
}

impl Command for ExpireWindow {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "expire_window";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let row = lock_window(tx, self.window).await?;
        if is_over(&row, tx.today()) {
            lapse(tx, &row).await?;
        }
        Ok(())
    }
}

/// Whether a window has ended: nothing of it can be reserved any more, whether or not the sweeper has been.
pub(crate) fn is_over(row: &entitlement_window::Model, today: BusinessDate) -> bool {
    row.window_end.is_some_and(|end| end <= today.get())
}

/// What can be reserved of a window today.
pub(crate) fn available(row: &entitlement_window::Model, today: BusinessDate) -> Result<i64, StoreError> {
    if is_over(row, today) { Ok(0) } else { Ok(balance(row)?.available()) }
}

/// Lets what a window that is over has left lapse.
pub(crate) async fn lapse(tx: &Tx<'_>, row: &entitlement_window::Model) -> Result<(), StoreError> {
    let left = balance(row)?.available();
    if left == 0 {
        return Ok(());
    }
    let fact = format!("expire/{}", row.version);
    change(tx, row, (Pot::Available, Pot::Expired), left, &fact).await?;
    tx.emit(Event::WindowExpired { window: EntitlementWindowId::from_uuid(row.id) });
    Ok(())
}

pub(crate) async fn lock_window(tx: &Tx<'_>, id: EntitlementWindowId) -> Result<entitlement_window::Model, StoreError> {
    for_update!(tx, entitlement_window::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)
}

/// The balance of a window, checked.
pub(crate) fn balance(row: &entitlement_window::Model) -> Result<Balance, StoreError> {
    let parts = BalanceParts { granted: row.granted, held: row.held, posted: row.posted, expired: row.expired };
    Balance::try_from(parts).map_err(|cause| convert::corrupt("entitlement_window", "balance", &cause))
}

/// Takes back units that a locked window had posted; they are available again.
pub(crate) async fn take_back_units(
    tx: &Tx<'_>,
    row: &entitlement_window::Model,
    units: i64,
    fact: &str,
) -> Result<entitlement_window::Model, StoreError> {
    let after = balance(row)?.reverse(units)?.parts();
    let next = entitlement_window::Model { posted: after.posted, version: row.version + 1, ..row.clone() };
    tx.save(next.clone()).await?;
    let (unit, purse) = purse(row)?;
    tx.transfer(&take_back(&purse, unit, units, fact, convert::date(row.window_start))?).await?;
    Ok(next)
}

/// Moves units of a locked window between pots: in its row and in the ledger.
pub(crate) async fn change(
    tx: &Tx<'_>,
    row: &entitlement_window::Model,
    pots: (Pot, Pot),
    units: i64,
    fact: &str,
) -> Result<entitlement_window::Model, StoreError> {
    let before = balance(row)?;
    if pots == (Pot::Held, Pot::Posted) && row.state == WindowState::Projected.to_string() && convert::date(row.window_start) > tx.today() {
        return Err(EntitlementError::NotOpen.into());
    }
    let after = match pots {
        (Pot::Available, Pot::Held) => before.hold(units)?,
        (Pot::Held, Pot::Posted) => before.post(units, units)?,
        (Pot::Held, Pot::Available) => before.void(units)?,
        (Pot::Available, Pot::Expired) => before.expire()?,
        (Pot::Issued | Pot::Available | Pot::Held | Pot::Posted | Pot::Expired, _) => return Err(domain::ledger::LedgerError::Range.into()),
    };
    let BalanceParts { granted, held, posted, expired } = after.parts();
    let next = entitlement_window::Model { granted, held, posted, expired, version: row.version + 1, ..row.clone() };
    tx.save(next.clone()).await?;
    let (unit, purse) = purse(row)?;
    let transfer = move_units(&purse, unit, pots, units, fact, convert::date(row.window_start))?;
    tx.transfer(&transfer).await?;
    Ok(next)
}
