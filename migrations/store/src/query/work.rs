//! What the reconcilers look for. Each list is bounded; what is left is found the next time.

use domain::{
    consent::ConsentState,
    division::Scope,
    entitlement::WindowState,
    id::{ApplicationId, ConsentRequestId, EntitlementId, EntitlementWindowId, OrderId, PolicyVersionId, ProviderId, ResidentId},
    order::deadlines,
    policy::ProgrammeCode,
    time::{BusinessDate, Instant, Month, Window},
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, Query},
};

use crate::{
    Store,
    command::entitlement::window_kind,
    convert,
    entity::{
        application, care_order, claim_line, consent_request, entitlement, entitlement_window, hold, offer, policy_version, resident_review,
    },
    error::StoreError,
};

/// Applications whose public notice is over.
///
/// # Errors
/// Failures of the database.
pub async fn notices_that_ended(store: &Store, today: BusinessDate, max: u64) -> Result<Vec<ApplicationId>, StoreError> {
    let rows = application::Entity::find()
        .filter(application::Column::State.eq("on_notice"))
        .filter(application::Column::NoticeEndsOn.lt(today.get()))
        .order_by_asc(application::Column::Id)
        .limit(max)
        .all(store.db())
        .await?;
    Ok(rows.into_iter().map(|row| ApplicationId::from_uuid(row.id)).collect())
}

/// Residents whose entitlements must be looked at again.
///
/// # Errors
/// Failures of the database.
pub async fn reviews_due(store: &Store, today: BusinessDate, max: u64) -> Result<Vec<ResidentId>, StoreError> {
    let rows = resident_review::Entity::find()
        .filter(resident_review::Column::DueOn.lte(today.get()))
        .order_by_asc(resident_review::Column::DueOn)
        .order_by_asc(resident_review::Column::ResidentId)
        .limit(max)
        .all(store.db())
        .await?;
    Ok(rows.into_iter().map(|row| ResidentId::from_uuid(row.resident_id)).collect())
}

/// The lengths of windows, each looked at by itself.
pub const WINDOW_KINDS: [&str; 6] = ["day", "week", "month", "quarter", "year", "never"];

/// Entitlements with windows of a length that run today and have no window that holds today, after a given one.
///
/// # Errors
/// Failures of the database.
pub async fn windows_to_open(
    store: &Store,
    today: BusinessDate,
    kind: &str,
    after: Option<EntitlementId>,
    max: u64,
) -> Result<Vec<EntitlementId>, StoreError> {
    let window = Window::holding(window_kind(kind)?, today)?;
    let mut open = Query::select();
    open.expr(Expr::val(1))
        .from(entitlement_window::Entity)
        .and_where(
            Expr::col((entitlement_window::Entity, entitlement_window::Column::ResidentId))
                .equals((entitlement::Entity, entitlement::Column::ResidentId)),
        )
        .and_where(
            Expr::col((entitlement_window::Entity, entitlement_window::Column::Programme))
                .equals((entitlement::Entity, entitlement::Column::Programme)),
        )
        .and_where(
            Expr::col((entitlement_window::Entity, entitlement_window::Column::Benefit))
                .equals((entitlement::Entity, entitlement::Column::Benefit)),
        )
        // A window that was projected is still to be opened.
        .and_where(entitlement_window::Column::State.eq(WindowState::Open.to_string()))
        .and_where(entitlement_window::Column::WindowStart.eq(window.start.get()));
    let running =
        Condition::any().add(entitlement::Column::EffectiveUntil.is_null()).add(entitlement::Column::EffectiveUntil.gt(today.get()));
    let after = after.map_or_else(uuid::Uuid::nil, EntitlementId::uuid);
    let rows = entitlement::Entity::find()
        .filter(entitlement::Column::Id.gt(after))
        .filter(entitlement::Column::WindowKind.eq(kind))
        .filter(entitlement::Column::EffectiveFrom.lte(today.get()))
        .filter(running)
        .filter(Expr::not_exists(open))
        .order_by_asc(entitlement::Column::Id)
        .limit(max)
        .all(store.db())
        .await?;
    Ok(rows.into_iter().map(|row| EntitlementId::from_uuid(row.id)).collect())
}

/// Windows that are over and have something left.
///
/// # Errors
/// Failures of the database.
pub async fn windows_that_ended(store: &Store, today: BusinessDate, max: u64) -> Result<Vec<EntitlementWindowId>, StoreError> {
    let taken = Expr::col(entitlement_window::Column::Held)
        .add(Expr::col(entitlement_window::Column::Posted))
        .add(Expr::col(entitlement_window::Column::Expired));
    let rows = entitlement_window::Entity::find()
        .filter(entitlement_window::Column::WindowEnd.lte(today.get()))
        .filter(Expr::col(entitlement_window::Column::Granted).gt(taken))
        .order_by_asc(entitlement_window::Column::Id)
        .limit(max)
        .all(store.db())
        .await?;
    Ok(rows.into_iter().map(|row| EntitlementWindowId::from_uuid(row.id)).collect())
}

/// Orders whose deadline has passed: each has a consequence that the system brings about.
///
/// # Errors
/// Failures of the database.
pub async fn orders_past_deadline(store: &Store, now: Instant, max: u64) -> Result<Vec<OrderId>, StoreError> {
    let rows = care_order::Entity::find()
        .filter(care_order::Column::DeadlineAt.lte(now))
        .filter(care_order::Column::State.is_in(deadlines().iter().map(|rule| rule.state.to_string())))
        .order_by_asc(care_order::Column::DeadlineAt)
        .limit(max)
        .all(store.db())
        .await?;
    Ok(rows.into_iter().map(|row| OrderId::from_uuid(row.id)).collect())
}

/// Questions to families whose deadline has passed.
///
/// # Errors
/// Failures of the database.
pub async fn consents_past_deadline(store: &Store, now: Instant, max: u64) -> Result<Vec<ConsentRequestId>, StoreError> {
    let rows = consent_request::Entity::find()
        .filter(consent_request::Column::DeadlineAt.lte(now))
        .filter(consent_request::Column::State.eq(ConsentState::Open.to_string()))
        .order_by_asc(consent_request::Column::DeadlineAt)
        .limit(max)
        .all(store.db())
        .await?;
    Ok(rows.into_iter().map(|row| ConsentRequestId::from_uuid(row.id)).collect())
}

/// The programme of a policy version and its first day.
///
/// # Errors
/// Failures of the database.
pub async fn rules_of(store: &Store, policy: PolicyVersionId) -> Result<Option<(String, BusinessDate)>, StoreError> {
    let version = policy_version::Entity::find_by_id(policy.uuid()).one(store.db()).await?;
    Ok(version.map(|row| (row.programme, convert::date(row.effective_from))))
}

/// Residents with booked orders that reserve something of the programme of a policy version, after a given one.
///
/// # Errors
/// Failures of the database.
pub async fn residents_who_booked_under(
    store: &Store,
    (programme, from): (&str, BusinessDate),
    after: Option<ResidentId>,
    max: u64,
) -> Result<Vec<ResidentId>, StoreError> {
    let mut orders = Query::select();
    orders
        .column(hold::Column::OrderId)
        .from(hold::Entity)
        .and_where(hold::Column::Programme.eq(programme))
        .and_where(hold::Column::State.eq("held"))
        .and_where(hold::Column::ServiceOn.gte(from.get()));
    let after = after.map_or_else(uuid::Uuid::nil, ResidentId::uuid);
    let residents: Vec<uuid::Uuid> = care_order::Entity::find()
        .select_only()
        .column(care_order::Column::ResidentId)
        .distinct()
        .filter(care_order::Column::ResidentId.gt(after))
        .filter(care_order::Column::State.is_in(["requested", "offered", "accepted", "assigned"]))
        .filter(care_order::Column::Id.in_subquery(orders))
        .order_by_asc(care_order::Column::ResidentId)
        .limit(max)
        .into_tuple()
        .all(store.db())
        .await?;
    Ok(residents.into_iter().map(ResidentId::from_uuid).collect())
}

/// Orders that a provider has, or is asked for, and that nobody has begun to serve; by id, after one of them.
///
/// # Errors
/// Failures of the database.
pub async fn orders_not_begun(store: &Store, provider: ProviderId, after: Option<OrderId>, max: u64) -> Result<Vec<OrderId>, StoreError> {
    let after = after.map_or_else(uuid::Uuid::nil, OrderId::uuid);
    let mut asked = Query::select();
    asked
        .column(offer::Column::OrderId)
        .from(offer::Entity)
        .and_where(offer::Column::ProviderId.eq(provider.uuid()))
        .and_where(offer::Column::State.eq("open"));
    let held = Condition::all()
        .add(care_order::Column::ProviderId.eq(provider.uuid()))
        .add(care_order::Column::State.is_in(["accepted", "assigned"]));
    let orders: Vec<uuid::Uuid> = care_order::Entity::find()
        .select_only()
        .column(care_order::Column::Id)
        .filter(care_order::Column::Id.gt(after))
        .filter(Condition::any().add(held).add(care_order::Column::Id.in_subquery(asked)))
        .order_by_asc(care_order::Column::Id)
        .limit(max)
        .into_tuple()
        .all(store.db())
        .await?;
    Ok(orders.into_iter().map(OrderId::from_uuid).collect())
}

/// Programmes and bureaus with posted lines up to the end of a month that no period holds.
///
/// # Errors
/// Failures of the database.
pub async fn months_to_draft(store: &Store, month: Month) -> Result<Vec<(ProgrammeCode, Scope)>, StoreError> {
    let rows: Vec<(String, String)> = claim_line::Entity::find()
        .select_only()
        .column(claim_line::Column::Programme)
        .column(claim_line::Column::Bureau)
        .distinct()
        .filter(claim_line::Column::ServiceMonth.lte(month.to_string()))
        .filter(claim_line::Column::State.eq("posted"))
        .filter(claim_line::Column::PeriodId.is_null())
        .into_tuple()
        .all(store.db())
        .await?;
    let pair = |(programme, bureau): (String, String)| {
        Ok((convert::code("claim_line", "programme", &programme)?, convert::code("claim_line", "bureau", &bureau)?))
    };
    rows.into_iter().map(pair).collect()
}
