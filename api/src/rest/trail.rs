//! The audit trail and the state of background work.

use axum::{Json, extract::State};
use domain::{
    id::{AuditId, PersonId, RequestId},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use store::{delivery::Backlog, query::trail::AuditView};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    extract::{RequestCtx, ValidQuery},
    problem::Problem,
    state::AppState,
};

/// Which rows.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// Id of the thing that was changed.
    #[validate(length(min = 1, max = 100))]
    object: Option<String>,
    /// The last row of the page before.
    before: Option<AuditId>,
}

/// One row of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditResponse {
    #[schema(value_type = String)]
    audit_id: AuditId,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// Absent for the system itself.
    #[schema(value_type = Option<String>)]
    person_id: Option<PersonId>,
    role: Option<String>,
    /// `person`, or `system/<name>`.
    actor: String,
    action: String,
    object: String,
    #[schema(value_type = String)]
    request_id: RequestId,
}

impl From<AuditView> for AuditResponse {
    fn from(view: AuditView) -> Self {
        Self {
            audit_id: view.audit_id,
            at: view.at,
            person_id: view.person_id,
            role: view.role,
            actor: view.actor,
            action: view.action,
            object: view.object,
            request_id: view.request_id,
        }
    }
}

/// Shows the audit trail, the latest rows first
///
/// At most a hundred rows; ask for the next ones with `before`.
#[utoipa::path(get, path = "/audit_records", tag = "trail", params(("object" = Option<String>, Query, description = "Id of the thing that was changed"), ("before" = Option<String>, Query, description = "The last row of the page before")), responses((status = OK, body = Vec<AuditResponse>)))]
pub(crate) async fn audit(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<AuditQuery>,
) -> Result<Json<Vec<AuditResponse>>, Problem> {
    let rows = state.store.audit_trail(&who.ctx.actor, query.object.as_deref(), query.before).await?;
    Ok(Json(rows.into_iter().map(AuditResponse::from).collect()))
}

/// How much background work waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobsResponse {
    /// Events whose deliveries are not written yet.
    undispatched: u64,
    /// Deliveries that are neither done nor given up.
    pending: u64,
    /// Deliveries that were given up.
    dead: u64,
}

impl From<Backlog> for JobsResponse {
    fn from(backlog: Backlog) -> Self {
        Self { undispatched: backlog.undispatched, pending: backlog.pending, dead: backlog.dead }
    }
}

/// Shows how much background work waits
#[utoipa::path(get, path = "/jobs", tag = "trail", responses((status = OK, body = JobsResponse)))]
pub(crate) async fn jobs(State(state): State<AppState>, who: RequestCtx) -> Result<Json<JobsResponse>, Problem> {
    Ok(Json(state.store.jobs(&who.ctx.actor).await?.into()))
}
