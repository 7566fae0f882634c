//! Incidents at visits.

use axum::{Json, extract::State};
use domain::{
    id::{IncidentId, PersonId, ProviderId, ResidentId, VisitId},
    time::Instant,
    visit::{IncidentKind, Severity},
};
use serde::{Deserialize, Serialize};
use store::{
    command::incident::{HandleIncident, IncidentStep, ReportIncident, ReviewIncident},
    query::incident::{IncidentDetail, IncidentView},
};
use utoipa::ToSchema;
use validator::Validate;

use super::quotes::read_instant;
use crate::{
    extract::{PathId, RequestCtx, Valid},
    problem::Problem,
    state::AppState,
};

/// Incidents of one answer.
const INCIDENTS_MAX: u64 = 100;

/// What went wrong.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentRequest {
    /// Id that the phone made; repeats carry the same one.
    #[validate(length(min = 1, max = 64))]
    client_event_id: String,
    /// Such as `fall`.
    #[schema(value_type = String)]
    kind: IncidentKind,
    /// `minor`, `serious` or `critical`.
    #[schema(value_type = String)]
    severity: Severity,
    #[schema(format = DateTime)]
    occurred_at: String,
    /// What happened.
    account: String,
    /// What was done on the spot.
    measures: Option<String>,
}

/// Where an incident stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentStepResponse {
    #[schema(value_type = String)]
    incident_id: IncidentId,
    state: String,
    /// Who must act next; absent when it is closed.
    owner_role: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline_at: Option<Instant>,
}

impl From<IncidentStep> for IncidentStepResponse {
    fn from(step: IncidentStep) -> Self {
        Self { incident_id: step.incident_id, state: step.state.to_string(), owner_role: step.owner_role, deadline_at: step.deadline_at }
    }
}

/// Reports an incident from a visit
#[utoipa::path(post, path = "/visits/{visit_id}/incidents", tag = "incidents", params(("visit_id" = String, Path)), request_body = IncidentRequest, responses((status = OK, body = IncidentStepResponse)))]
pub(crate) async fn report(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(visit): PathId<VisitId>,
    body: Valid<IncidentRequest>,
) -> Result<Json<IncidentStepResponse>, Problem> {
    let given = body.value;
    let command = ReportIncident {
        visit,
        client_event_id: given.client_event_id,
        kind: given.kind,
        severity: given.severity,
        occurred_at: read_instant("occurred_at", &given.occurred_at)?,
        account: given.account,
        measures: given.measures,
    };
    Ok(Json(state.store.write(who.ctx, command).await?.into()))
}

/// An incident, without its words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentResponse {
    #[schema(value_type = String)]
    incident_id: IncidentId,
    #[schema(value_type = String)]
    visit_id: VisitId,
    #[schema(value_type = String)]
    resident_id: ResidentId,
    #[schema(value_type = String)]
    provider_id: ProviderId,
    kind: String,
    severity: String,
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    reported_at: Instant,
    #[schema(value_type = String)]
    reported_by: PersonId,
    state: String,
    owner_role: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline_at: Option<Instant>,
}

impl From<IncidentView> for IncidentResponse {
    fn from(view: IncidentView) -> Self {
        Self {
            incident_id: view.incident_id,
            visit_id: view.visit_id,
            resident_id: view.resident_id,
            provider_id: view.provider_id,
            kind: view.kind.to_string(),
            severity: view.severity.to_string(),
            occurred_at: view.occurred_at,
            reported_at: view.reported_at,
            reported_by: view.reported_by,
            state: view.state.to_string(),
            owner_role: view.owner_role,
            deadline_at: view.deadline_at,
        }
    }
}

/// An incident with its words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentDetailResponse {
    #[serde(flatten)]
    incident: IncidentResponse,
    /// What happened.
    account: String,
    /// What was done.
    measures: Option<String>,
}

impl From<IncidentDetail> for IncidentDetailResponse {
    fn from(detail: IncidentDetail) -> Self {
        Self { incident: detail.view.into(), account: detail.account, measures: detail.measures }
    }
}

/// Shows the incidents that are not closed
///
/// At most a hundred, the most urgent first.
#[utoipa::path(get, path = "/incidents", tag = "incidents", responses((status = OK, body = Vec<IncidentResponse>)))]
pub(crate) async fn list(State(state): State<AppState>, who: RequestCtx) -> Result<Json<Vec<IncidentResponse>>, Problem> {
    let found = state.store.incidents(&who.ctx.actor, INCIDENTS_MAX).await?;
    Ok(Json(found.into_iter().map(IncidentResponse::from).collect()))
}

/// Shows an incident with its words
#[utoipa::path(get, path = "/incidents/{incident_id}", tag = "incidents", params(("incident_id" = String, Path)), responses((status = OK, body = IncidentDetailResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<IncidentId>,
) -> Result<Json<IncidentDetailResponse>, Problem> {
    Ok(Json(state.store.incident(&who.ctx.actor, id).await?.into()))
}

/// Takes an incident up for the provider
#[utoipa::path(post, path = "/incidents/{incident_id}/take_up", tag = "incidents", params(("incident_id" = String, Path)), responses((status = OK, body = IncidentStepResponse)))]
pub(crate) async fn take_up(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(incident): PathId<IncidentId>,
) -> Result<Json<IncidentStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, HandleIncident { incident, measures: None }).await?.into()))
}

/// The measures taken.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolutionRequest {
    measures: String,
}

/// States the measures taken
#[utoipa::path(post, path = "/incidents/{incident_id}/resolution", tag = "incidents", params(("incident_id" = String, Path)), request_body = ResolutionRequest, responses((status = OK, body = IncidentStepResponse)))]
pub(crate) async fn resolve(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(incident): PathId<IncidentId>,
    body: Valid<ResolutionRequest>,
) -> Result<Json<IncidentStepResponse>, Problem> {
    let command = HandleIncident { incident, measures: Some(body.value.measures) };
    Ok(Json(state.store.write(who.ctx, command).await?.into()))
}

/// What the bureau says to the measures.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewRequest {
    /// Whether it is closed; else it goes back to the provider.
    close: bool,
}

/// Closes a resolved incident, or returns it to the provider
#[utoipa::path(post, path = "/incidents/{incident_id}/review", tag = "incidents", params(("incident_id" = String, Path)), request_body = ReviewRequest, responses((status = OK, body = IncidentStepResponse)))]
pub(crate) async fn review(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(incident): PathId<IncidentId>,
    body: Valid<ReviewRequest>,
) -> Result<Json<IncidentStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, ReviewIncident { incident, close: body.value.close }).await?.into()))
}
