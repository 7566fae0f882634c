//! Where and whether a resident lives.

use axum::{Json, extract::State};
use domain::{
    id::ResidentId,
    resident::LifeStatus,
    time::{BusinessDate, Instant},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::{
    command::status::{CorrectDeath, ReportStatus, StatusStep},
    query::registry::StatusView,
};
use utoipa::ToSchema;
use validator::Validate;

use super::once::once;
use crate::{
    extract::{IdempotencyKey, PathId, RequestCtx, Valid},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// A new life status.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportStatusRequest {
    /// `alive` (at home), `hospital`, `institution`, `moved` or `dead`.
    #[schema(value_type = String)]
    status: LifeStatus,
    /// Its first day.
    #[schema(value_type = String, format = Date)]
    since: BusinessDate,
}

/// A changed status.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusStepResponse {
    #[schema(value_type = String)]
    resident_id: ResidentId,
    status: String,
    since: String,
}

impl From<StatusStep> for StatusStepResponse {
    fn from(step: StatusStep) -> Self {
        Self { resident_id: step.resident_id, status: step.status.to_string(), since: step.since.to_string() }
    }
}

/// Reports a new life status
///
/// Whoever is near reports that a resident is in a hospital or an institution, or has moved away; a death is not for
/// the resident to report, a return home for the community alone.
#[utoipa::path(post, path = "/residents/{resident_id}/statuses", tag = "residents", params(("resident_id" = String, Path)), request_body = ReportStatusRequest, responses((status = CREATED, body = StatusStepResponse)))]
pub(crate) async fn report(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(resident): PathId<ResidentId>,
    key: IdempotencyKey,
    body: Valid<ReportStatusRequest>,
) -> Result<Created<StatusStepResponse>, Problem> {
    let command = ReportStatus { resident, status: body.value.status, since: body.value.since };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &StatusStepResponse| format!("/residents/{}/statuses", made.resident_id), answer))
}

/// Why the record of a death was wrong.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CorrectDeathRequest {
    #[schema(value_type = String)]
    reason: SecretString,
}

/// Corrects a death that was recorded wrongly
///
/// By another person than the one who recorded it. The resident has been living at home since.
#[utoipa::path(post, path = "/residents/{resident_id}/statuses/correction", tag = "residents", params(("resident_id" = String, Path)), request_body = CorrectDeathRequest, responses((status = OK, body = StatusStepResponse)))]
pub(crate) async fn correct(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(resident): PathId<ResidentId>,
    body: Valid<CorrectDeathRequest>,
) -> Result<Json<StatusStepResponse>, Problem> {
    let command = CorrectDeath { resident, reason: body.value.reason.clone() };
    Ok(Json(state.store.write(who.ctx, command).await?.into()))
}

/// A life status.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusResponse {
    status: String,
    since: String,
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Instant,
    /// Whether another person found it wrong.
    corrected: bool,
}

impl From<StatusView> for StatusResponse {
    fn from(view: StatusView) -> Self {
        Self { status: view.status.to_string(), since: view.since.to_string(), recorded_at: view.recorded_at, corrected: view.corrected }
    }
}

/// Shows the life statuses of a resident since the registration
#[utoipa::path(get, path = "/residents/{resident_id}/statuses", tag = "residents", params(("resident_id" = String, Path)), responses((status = OK, body = Vec<StatusResponse>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<ResidentId>,
) -> Result<Json<Vec<StatusResponse>>, Problem> {
    let views = state.store.statuses(&who.ctx.actor, id).await?;
    Ok(Json(views.into_iter().map(StatusResponse::from).collect()))
}
