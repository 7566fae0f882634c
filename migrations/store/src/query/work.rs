//! What the reconcilers look for. Each list is bounded; what is left is found the next time.

use domain::{
    id::{ApplicationId, EntitlementId, EntitlementWindowId, OrderId},
    time::{BusinessDate, Instant, Window},
};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, Query},
};

use crate::{
    Store,
    command::entitlement::window_kind,
    entity::{application, care_order, entitlement, entitlement_window},
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

/// Orders whose deadline has passed and that the system itself can move on.
///
/// # Errors
/// Failures of the database.
pub async fn orders_past_deadline(store: &Store, now: Instant, max: u64) -> Result<Vec<OrderId>, StoreError> {
    let rows = care_order::Entity::find()
        .filter(care_order::Column::DeadlineAt.lte(now))
        .filter(care_order::Column::State.is_in(["requested", "offered", "accepted", "assigned", "in_service", "completed"]))
        .order_by_asc(care_order::Column::DeadlineAt)
        .limit(max)
        .all(store.db())
        .await?;
    Ok(rows.into_iter().map(|row| OrderId::from_uuid(row.id)).collect())
}
