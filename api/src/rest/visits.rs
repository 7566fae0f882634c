//! Visits: the code that proves presence, the clock, and what is recorded beside it.

pub(crate) mod corrections;
pub(crate) mod records;
pub(crate) mod view;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{
    device::SignedClock,
    error::FieldError,
    id::{DeviceId, VisitId},
    visit::{Explanation, LocationFix, VisitCode},
};
use serde::{Deserialize, Serialize};
use store::command::visit::{ClockKind, ClockOutcome, ClockVisit, ClockedVisit};
use utoipa::ToSchema;
use validator::Validate;

use super::{addresses::PositionRequest, devices::read_bytes, quotes::read_instant};
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
    /// What the phone's own key says; absent is absent evidence.
    signature: Option<SignatureRequest>,
}

/// What a bound phone adds to an event. It signs these lines, each ended by a line feed, with `-` for what is
/// absent: `yijia clock 1`, `visit:…`, `kind:clock_in` or `kind:clock_out`, `client_event_id:…`,
/// `occurred_at:` in microseconds since 1970, `location:<system> <latitude> <longitude> <accuracy_m>` in
/// millionths of a degree, `code:…`, `explanation:…`, `device:…`, `sequence:…`, `previous:…`, `anchor:…`,
/// `elapsed_ms:…`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureRequest {
    #[schema(value_type = String)]
    device_id: DeviceId,
    /// Number of the event in the sequence of the device, from 1 on.
    sequence: u64,
    /// SHA-256 of the lines that the device signed before, in hexadecimal digits; `chain_start` for the first.
    previous: String,
    /// The server's time as it was told last, for events recorded without signal.
    anchor: Option<String>,
    /// Milliseconds that the phone's monotonic clock counted since.
    elapsed_ms: Option<u64>,
    /// The signature in base64url.
    signature: String,
}

impl SignatureRequest {
    fn read(self, faults: &mut Vec<FieldError>) -> SignedClock {
        let signature = read_bytes("signature.signature", &self.signature, faults);
        let Self { device_id: device, sequence, previous, anchor, elapsed_ms, .. } = self;
        SignedClock { device, sequence, previous, anchor, elapsed_ms, signature }
    }
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
    /// `stored`, `waiting` (for the arrival that it follows), `quarantined` (it does not fit; a person decides) or
    /// `duplicate`.
    outcome: String,
    /// Why it does not fit.
    quarantine_reason: Option<String>,
    visit_state: String,
    order_state: String,
    /// Whether the code that was given is the right one; absent if none was given.
    code_right: Option<bool>,
    /// What was found of the signature: `sound`, `time_unproven`, `device_revoked` or `sequence_used`.
    signature: Option<String>,
}

impl From<ClockedVisit> for ClockResponse {
    fn from(done: ClockedVisit) -> Self {
        Self {
            visit_id: done.visit_id,
            outcome: done.outcome.to_string(),
            quarantine_reason: done.quarantine_reason.map(|reason| reason.to_string()),
            visit_state: done.visit_state.to_string(),
            order_state: done.order_state.to_string(),
            code_right: done.code_right,
            signature: done.signature.map(|finding| finding.to_string()),
        }
    }
}

/// Clocks a carer in
#[utoipa::path(post, path = "/visits/{visit_id}/clock_in", tag = "visits", params(("visit_id" = String, Path)), request_body = ClockRequest, responses((status = OK, body = ClockResponse), (status = ACCEPTED, description = "Kept for a person: the event does not fit", body = ClockResponse)))]
pub(crate) async fn clock_in(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(visit): PathId<VisitId>,
    body: Valid<ClockRequest>,
) -> Result<Response, Problem> {
    clock(&state, who, read(visit, ClockKind::ClockIn, body.value)?).await
}

/// Clocks a carer out
#[utoipa::path(post, path = "/visits/{visit_id}/clock_out", tag = "visits", params(("visit_id" = String, Path)), request_body = ClockRequest, responses((status = OK, body = ClockResponse), (status = ACCEPTED, description = "Kept for a person: the event does not fit", body = ClockResponse)))]
pub(crate) async fn clock_out(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(visit): PathId<VisitId>,
    body: Valid<ClockRequest>,
) -> Result<Response, Problem> {
    clock(&state, who, read(visit, ClockKind::ClockOut, body.value)?).await
}

/// `200 OK` for what takes effect, `202 Accepted` for what waits for a person.
async fn clock(state: &AppState, who: RequestCtx, command: ClockVisit) -> Result<Response, Problem> {
    let done = state.store.write(who.ctx, command).await?;
    let kept = done.outcome == ClockOutcome::Quarantined;
    let status = if kept { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(ClockResponse::from(done))).into_response())
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
    let signed = given.signature.map(|signature| signature.read(&mut faults));
    if !faults.is_empty() {
        return Err(Problem::fields(faults));
    }
    let (client_event_id, explanation) = (given.client_event_id, given.explanation);
    Ok(ClockVisit { visit, kind, client_event_id, occurred_at, location, code, explanation, signed })
}
