//! Visits: the code that proves presence, and the clock.

use axum::{Json, extract::State};
use domain::{
    error::FieldError,
    id::VisitId,
    visit::{Explanation, LocationFix, VisitCode},
};
use serde::{Deserialize, Serialize};
use store::command::visit::{ClockKind, ClockVisit, ClockedVisit};
use utoipa::ToSchema;
use validator::Validate;

use super::{addresses::PositionRequest, quotes::read_instant};
use crate::{
    extract::{PathId, RequestCtx, Valid},
    problem::Problem,
    state::AppState,
};

/// Coarsest position that is taken, in metres.
const ACCURACY_M_MAX: u32 = 100_000;

/// The code that the family or the resident shows to the carer.
#[derive(Serialize, ToSchema)]
pub(crate) struct VisitCodeResponse {
    /// Six digits; a new code every half hour, the last one still holds.
    code: String,
}

/// Shows the code of a visit
#[utoipa::path(get, path = "/visits/{visit_id}/code", tag = "visits", params(("visit_id" = String, Path)), responses((status = OK, body = VisitCodeResponse)))]
pub(crate) async fn code(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<VisitId>,
) -> Result<Json<VisitCodeResponse>, Problem> {
    let code = state.store.visit_code(&who.ctx.actor, id, who.ctx.now).await?;
    Ok(Json(VisitCodeResponse { code }))
}

/// A clock event as the carer's phone sends it.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockRequest {
    /// Id that the phone made; repeats carry the same one.
    #[validate(length(min = 1, max = 64))]
    client_event_id: String,
    /// When it happened, by the phone.
    #[schema(format = DateTime)]
    occurred_at: String,
    /// Where the phone was; absent is absent evidence, never a pass.
    location: Option<LocationRequest>,
    /// The six digits that were shown.
    code: Option<String>,
    /// Why something is missing.
    #[schema(value_type = Option<String>)]
    explanation: Option<Explanation>,
}

/// A position with its accuracy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocationRequest {
    position: PositionRequest,
    /// In metres.
    accuracy_m: u32,
}

/// A visit after a clock event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClockResponse {
    #[schema(value_type = String)]
    visit_id: VisitId,
    visit_state: String,
    order_state: String,
    /// Whether the code that was given is the right one; absent if none was given.
    code_right: Option<bool>,
}

impl From<ClockedVisit> for ClockResponse {
    fn from(done: ClockedVisit) -> Self {
        Self {
            visit_id: done.visit_id,
            visit_state: done.visit_state.to_string(),
            order_state: done.order_state.to_string(),
            code_right: done.code_right,
        }
    }
}

/// Clocks a carer in
#[utoipa::path(post, path = "/visits/{visit_id}/clock_in", tag = "visits", params(("visit_id" = String, Path)), request_body = ClockRequest, responses((status = OK, body = ClockResponse)))]
pub(crate) async fn clock_in(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(visit): PathId<VisitId>,
    body: Valid<ClockRequest>,
) -> Result<Json<ClockResponse>, Problem> {
    let command = read(visit, ClockKind::ClockIn, body.value)?;
    Ok(Json(state.store.write(who.ctx, command).await?.into()))
}

/// Clocks a carer out
#[utoipa::path(post, path = "/visits/{visit_id}/clock_out", tag = "visits", params(("visit_id" = String, Path)), request_body = ClockRequest, responses((status = OK, body = ClockResponse)))]
pub(crate) async fn clock_out(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(visit): PathId<VisitId>,
    body: Valid<ClockRequest>,
) -> Result<Json<ClockResponse>, Problem> {
    let command = read(visit, ClockKind::ClockOut, body.value)?;
    Ok(Json(state.store.write(who.ctx, command).await?.into()))
}

fn read(visit: VisitId, kind: ClockKind, given: ClockRequest) -> Result<ClockVisit, Problem> {
    let occurred_at = read_instant("occurred_at", &given.occurred_at)?;
    let mut faults = Vec::new();
    let location = given.location.as_ref().and_then(|location| {
        if location.accuracy_m > ACCURACY_M_MAX {
            let cure = format!("state the accuracy in metres, at most {ACCURACY_M_MAX}, or leave the location out");
            faults.push(FieldError::new("location.accuracy_m", "location.accuracy", cure));
        }
        let coordinate = location.position.read("location.position", &mut faults)?;
        Some(LocationFix { coordinate, accuracy_m: location.accuracy_m })
    });
    let code: Option<VisitCode> = match given.code.as_deref().map(str::parse) {
        None => None,
        Some(Ok(code)) => Some(code),
        Some(Err(_wrong)) => {
            faults.push(FieldError::new("code", "visit_code.form", "write the six digits that were shown, or leave the code out"));
            None
        }
    };
    if !faults.is_empty() {
        return Err(Problem::fields(faults));
    }
    Ok(ClockVisit { visit, kind, client_event_id: given.client_event_id, occurred_at, location, code, explanation: given.explanation })
}
