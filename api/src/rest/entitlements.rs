//! What a resident may use.

use axum::{Json, extract::State};
use domain::{id::ResidentId, time::BusinessDate};
use serde::Serialize;
use store::query::{
    application::ReviewView,
    resident::{EntitlementView, WindowView},
};
use utoipa::ToSchema;

use super::applications::DecisionResponse;
use crate::{
    extract::{PathId, RequestCtx},
    problem::Problem,
    state::AppState,
};

/// A right to a benefit with its windows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntitlementResponse {
    entitlement_id: String,
    programme: String,
    benefit: String,
    /// `fen`, `minutes`, `visits` or `meals`.
    unit: String,
    effective_from: String,
    effective_until: Option<String>,
    /// `running`, `suspended` (begins again by itself) or `stopped`.
    standing: String,
    /// The latest first.
    windows: Vec<WindowResponse>,
}

/// One window with its balance, in the unit of the entitlement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WindowResponse {
    window_id: String,
    start: String,
    /// First day after.
    end: Option<String>,
    granted: i64,
    held: i64,
    posted: i64,
    expired: i64,
    /// What can still be reserved today.
    available: i64,
    /// `open`, or `projected` for a window ahead in which something is booked.
    state: String,
}

impl From<EntitlementView> for EntitlementResponse {
    fn from(view: EntitlementView) -> Self {
        Self {
            entitlement_id: view.entitlement_id.to_string(),
            programme: view.programme,
            benefit: view.benefit,
            unit: view.unit.to_string(),
            effective_from: view.effective_from.to_string(),
            effective_until: view.effective_until.map(|day| day.to_string()),
            standing: view.standing.to_string(),
            windows: view.windows.into_iter().map(WindowResponse::from).collect(),
        }
    }
}

impl From<WindowView> for WindowResponse {
    fn from(view: WindowView) -> Self {
        Self {
            window_id: view.window_id.to_string(),
            start: view.start.to_string(),
            end: view.end.map(|day| day.to_string()),
            granted: view.granted,
            held: view.held,
            posted: view.posted,
            expired: view.expired,
            available: view.available,
            state: view.state.to_string(),
        }
    }
}

/// Shows what a resident may use
#[utoipa::path(get, path = "/residents/{resident_id}/entitlements", tag = "residents", params(("resident_id" = String, Path)), responses((status = OK, body = Vec<EntitlementResponse>)))]
pub(crate) async fn entitlements(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<ResidentId>,
) -> Result<Json<Vec<EntitlementResponse>>, Problem> {
    let today = BusinessDate::of(who.ctx.now);
    let views = state.store.entitlements(&who.ctx.actor, id, today).await?;
    Ok(Json(views.into_iter().map(EntitlementResponse::from).collect()))
}

/// An entitlement that was decided anew.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewResponse {
    review_id: String,
    entitlement_id: String,
    programme: String,
    /// `stopped`, `suspended`, `resumed` or `changed`.
    change: String,
    /// First day on which the grounds did not suffice.
    ceased_on: Option<String>,
    /// From which day the change holds.
    effective_on: String,
    reviewed_at: String,
    /// Every rule that was tried.
    decision: DecisionResponse,
}

impl From<ReviewView> for ReviewResponse {
    fn from(view: ReviewView) -> Self {
        Self {
            review_id: view.review_id.to_string(),
            entitlement_id: view.entitlement_id.to_string(),
            programme: view.programme,
            change: view.change.to_string(),
            ceased_on: view.ceased_on.map(|day| day.to_string()),
            effective_on: view.effective_on.to_string(),
            reviewed_at: view.reviewed_at.to_rfc3339(),
            decision: view.decision.into(),
        }
    }
}

/// Shows how a resident's entitlements were decided anew
///
/// The latest first, each with every rule that was tried.
#[utoipa::path(get, path = "/residents/{resident_id}/entitlement_reviews", tag = "residents", params(("resident_id" = String, Path)), responses((status = OK, body = Vec<ReviewResponse>)))]
pub(crate) async fn reviews(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<ResidentId>,
) -> Result<Json<Vec<ReviewResponse>>, Problem> {
    let views = state.store.entitlement_reviews(&who.ctx.actor, id).await?;
    Ok(Json(views.into_iter().map(ReviewResponse::from).collect()))
}
