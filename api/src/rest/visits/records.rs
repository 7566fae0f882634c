//! What carers record at a visit: tasks, and the check before the service.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use domain::{
    id::{SafetyCheckId, VisitId, VisitReportId},
    time::Instant,
    visit::{NotDoneReason, SafetyFinding, SafetyRecord, TaskReport},
};
use serde::{Deserialize, Serialize};
use store::command::visit::{CheckedSafety, RecordSafetyCheck, ReportTasks, ReportedVisit};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    extract::{PathId, RequestCtx, Valid},
    problem::Problem,
    rest::quotes::read_instant,
    state::AppState,
};

/// What a carer reports of one task.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskRequest {
    /// Code of the checklist, such as `bath`.
    task: String,
    /// Why it was not done; left out when it was done.
    #[schema(value_type = Option<String>)]
    not_done: Option<NotDoneReason>,
    /// What was measured or counted with it.
    value: Option<i64>,
    note: Option<String>,
}

/// A report of tasks.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportRequest {
    /// Id that the phone made; repeats carry the same one.
    #[validate(length(min = 1, max = 64))]
    client_event_id: String,
    #[schema(format = DateTime)]
    occurred_at: String,
    tasks: Vec<TaskRequest>,
    note: Option<String>,
}

/// A kept report.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportResponse {
    #[schema(value_type = String)]
    report_id: VisitReportId,
    /// Whether the same report came before.
    duplicate: bool,
}

impl From<ReportedVisit> for ReportResponse {
    fn from(done: ReportedVisit) -> Self {
        Self { report_id: done.report_id, duplicate: done.duplicate }
    }
}

/// Reports tasks as done, or not done with a reason
#[utoipa::path(post, path = "/visits/{visit_id}/reports", tag = "visits", params(("visit_id" = String, Path)), request_body = ReportRequest, responses((status = OK, body = ReportResponse)))]
pub(crate) async fn report(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(visit): PathId<VisitId>,
    body: Valid<ReportRequest>,
) -> Result<Json<ReportResponse>, Problem> {
    let given = body.value;
    let occurred_at = read_instant("occurred_at", &given.occurred_at)?;
    let read = |task: TaskRequest| TaskReport { task: task.task, not_done: task.not_done, value: task.value, note: task.note };
    let tasks = given.tasks.into_iter().map(read).collect();
    let command = ReportTasks { visit, client_event_id: given.client_event_id, occurred_at, tasks, note: given.note };
    Ok(Json(state.store.write(who.ctx, command).await?.into()))
}

/// What was measured and asked before the service.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SafetyCheckRequest {
    /// Id that the phone made; repeats carry the same one.
    #[validate(length(min = 1, max = 64))]
    client_event_id: String,
    #[schema(format = DateTime)]
    occurred_at: String,
    /// Numbers by the code of the measure, in its unit, such as `systolic`.
    measures: BTreeMap<String, i64>,
    /// Answers by the code of the question, such as `open_wound`.
    answers: BTreeMap<String, bool>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SafetyFindingResponse {
    /// Code of the measure or question.
    code: String,
    /// `stop` or `measure_again`.
    consequence: String,
}

impl From<SafetyFinding> for SafetyFindingResponse {
    fn from(finding: SafetyFinding) -> Self {
        Self { code: finding.code, consequence: finding.consequence.to_string() }
    }
}

/// A judged check.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SafetyCheckResponse {
    #[schema(value_type = String)]
    safety_check_id: SafetyCheckId,
    /// `passed`, `measure_again`, or `stopped`: then the visit does not take place and nobody pays.
    outcome: String,
    findings: Vec<SafetyFindingResponse>,
    /// Until when the service may begin.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Instant>,
    order_state: String,
    /// Whether the same check came before.
    duplicate: bool,
}

impl From<CheckedSafety> for SafetyCheckResponse {
    fn from(done: CheckedSafety) -> Self {
        Self {
            safety_check_id: done.safety_check_id,
            outcome: done.outcome.to_string(),
            findings: done.findings.into_iter().map(SafetyFindingResponse::from).collect(),
            valid_until: done.valid_until,
            order_state: done.order_state.to_string(),
            duplicate: done.duplicate,
        }
    }
}

/// Records the check before a service that can harm
#[utoipa::path(post, path = "/visits/{visit_id}/safety_checks", tag = "visits", params(("visit_id" = String, Path)), request_body = SafetyCheckRequest, responses((status = OK, body = SafetyCheckResponse)))]
pub(crate) async fn check_safety(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(visit): PathId<VisitId>,
    body: Valid<SafetyCheckRequest>,
) -> Result<Json<SafetyCheckResponse>, Problem> {
    let given = body.value;
    let occurred_at = read_instant("occurred_at", &given.occurred_at)?;
    let record = SafetyRecord { measures: given.measures, answers: given.answers };
    let command = RecordSafetyCheck { visit, client_event_id: given.client_event_id, occurred_at, record };
    Ok(Json(state.store.write(who.ctx, command).await?.into()))
}
