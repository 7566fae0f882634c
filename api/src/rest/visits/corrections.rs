//! Corrections of clock times, and events that do not fit their visits.

use axum::{Json, extract::State, http::StatusCode};
use domain::{
    id::{CarerId, QuarantinedEventId, VisitCorrectionId, VisitId},
    visit::{ClockKind, CorrectionReason},
};
use serde::{Deserialize, Serialize};
use store::command::visit::{CorrectVisit, CorrectedVisit, DiscardQuarantined};
use utoipa::ToSchema;
use validator::Validate;

use super::view::QuarantinedEventResponse;
use crate::{
    extract::{IdempotencyKey, PathId, RequestCtx, Valid},
    problem::Problem,
    rest::{Created, once::once, quotes::read_instant},
    state::AppState,
};

/// Events of one answer.
const EVENTS_MAX: u64 = 100;

/// When a carer arrived or left, as somebody else says.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CorrectionRequest {
    #[schema(value_type = String)]
    carer_id: CarerId,
    /// `clock_in` or `clock_out`.
    #[schema(value_type = String)]
    kind: ClockKind,
    #[schema(format = DateTime)]
    occurred_at: String,
    /// A code of the list, such as `forgot_clock_out`.
    #[schema(value_type = String)]
    reason: CorrectionReason,
    /// What happened; needed for the reasons `emergency` and `other`.
    note: Option<String>,
    /// The event in quarantine that this decides.
    #[schema(value_type = Option<String>)]
    quarantined_event_id: Option<QuarantinedEventId>,
}

/// A visit after a correction.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CorrectionResponse {
    #[schema(value_type = String)]
    correction_id: VisitCorrectionId,
    visit_state: String,
    order_state: String,
}

impl From<CorrectedVisit> for CorrectionResponse {
    fn from(done: CorrectedVisit) -> Self {
        Self { correction_id: done.correction_id, visit_state: done.visit_state.to_string(), order_state: done.order_state.to_string() }
    }
}

/// Corrects a clock time by a new record
///
/// What the phone recorded stays. The visit is graded C at best: another person approves its payment.
#[utoipa::path(post, path = "/visits/{visit_id}/corrections", tag = "visits", params(("visit_id" = String, Path)), request_body = CorrectionRequest, responses((status = CREATED, body = CorrectionResponse)))]
pub(crate) async fn correct(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(visit): PathId<VisitId>,
    key: IdempotencyKey,
    body: Valid<CorrectionRequest>,
) -> Result<Created<CorrectionResponse>, Problem> {
    let given = &body.value;
    let command = CorrectVisit {
        visit,
        carer: given.carer_id,
        kind: given.kind,
        occurred_at: read_instant("occurred_at", &given.occurred_at)?,
        reason: given.reason,
        note: given.note.clone(),
        quarantined: given.quarantined_event_id,
    };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|_made: &CorrectionResponse| format!("/visits/{visit}"), answer))
}

/// Shows the events that do not fit and wait for a decision
///
/// At most a hundred, the most urgent first. One is decided by a correction that names it, or set aside.
#[utoipa::path(get, path = "/quarantined_events", tag = "visits", responses((status = OK, body = Vec<QuarantinedEventResponse>)))]
pub(crate) async fn quarantined(State(state): State<AppState>, who: RequestCtx) -> Result<Json<Vec<QuarantinedEventResponse>>, Problem> {
    let events = state.store.quarantined_events(&who.ctx.actor, EVENTS_MAX).await?;
    Ok(Json(events.into_iter().map(QuarantinedEventResponse::from).collect()))
}

/// Sets an event aside that says nothing true about its visit
#[utoipa::path(post, path = "/quarantined_events/{quarantined_event_id}/discard", tag = "visits", params(("quarantined_event_id" = String, Path)), responses((status = NO_CONTENT)))]
pub(crate) async fn discard(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(event): PathId<QuarantinedEventId>,
) -> Result<StatusCode, Problem> {
    state.store.write(who.ctx, DiscardQuarantined { event }).await?;
    Ok(StatusCode::NO_CONTENT)
}
