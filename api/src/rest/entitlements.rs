//! What a resident may use.

use axum::{Json, extract::State};
use domain::{id::ResidentId, time::BusinessDate};
use serde::Serialize;
use store::query::resident::{EntitlementView, WindowView};
use utoipa::ToSchema;

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
