//! Applications for a programme.

use axum::{Json, extract::State};
use domain::{
    eligibility::Decision,
    id::{ApplicationId, ResidentId},
    policy::ProgrammeCode,
    time::BusinessDate,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::{
    command::application::{
        AcceptApplication, ApplicationStep, DecideApplication, FileApplication, ObjectToApplication, ReopenApplication, ReviewApplication,
    },
    query::application::{ApplicationView, OverdueView},
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

/// Which programme is applied for.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileApplicationRequest {
    #[schema(value_type = String)]
    programme: ProgrammeCode,
}

/// Where an application stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApplicationStepResponse {
    #[schema(value_type = String)]
    application_id: ApplicationId,
    state: String,
    /// Who must act next.
    owner_role: Option<String>,
    /// By when, in working days of the official calendar.
    deadline_on: Option<String>,
    /// Last day of the public notice.
    notice_ends_on: Option<String>,
}

impl From<ApplicationStep> for ApplicationStepResponse {
    fn from(step: ApplicationStep) -> Self {
        Self {
            application_id: step.application_id,
            state: step.state.to_string(),
            owner_role: step.owner_role.map(|role| role.to_string()),
            deadline_on: step.deadline_on.map(|day| day.to_string()),
            notice_ends_on: step.notice_ends_on.map(|day| day.to_string()),
        }
    }
}

/// Files an application
#[utoipa::path(post, path = "/residents/{resident_id}/applications", tag = "applications", params(("resident_id" = String, Path)), request_body = FileApplicationRequest, responses((status = CREATED, body = ApplicationStepResponse)))]
pub(crate) async fn file(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(resident): PathId<ResidentId>,
    key: IdempotencyKey,
    body: Valid<FileApplicationRequest>,
) -> Result<Created<ApplicationStepResponse>, Problem> {
    let command = FileApplication { resident, programme: body.value.programme.clone() };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &ApplicationStepResponse| format!("/applications/{}", made.application_id), answer))
}

/// Accepts an application at the community
#[utoipa::path(post, path = "/applications/{application_id}/acceptance", tag = "applications", params(("application_id" = String, Path)), responses((status = OK, body = ApplicationStepResponse)))]
pub(crate) async fn accept(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(application): PathId<ApplicationId>,
) -> Result<Json<ApplicationStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, AcceptApplication { application }).await?.into()))
}

/// Reviews an accepted application at the street
#[utoipa::path(post, path = "/applications/{application_id}/review", tag = "applications", params(("application_id" = String, Path)), responses((status = OK, body = ApplicationStepResponse)))]
pub(crate) async fn review(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(application): PathId<ApplicationId>,
) -> Result<Json<ApplicationStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, ReviewApplication { application }).await?.into()))
}

/// The approver's decision.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideApplicationRequest {
    /// Whether what the rules allow is granted.
    approve: bool,
    /// Why not; needed for a refusal.
    #[schema(value_type = Option<String>)]
    reason: Option<SecretString>,
}

/// A decided application with its explanation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecideApplicationResponse {
    #[serde(flatten)]
    step: ApplicationStepResponse,
    decision: DecisionResponse,
}

/// Every rule that was tried, what it looked at and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionResponse {
    programme: String,
    version: String,
    /// Whether the rules grant at least one benefit.
    granted: bool,
    /// Why the programme as a whole was refused.
    reasons: Vec<String>,
    rules: Vec<RuleResponse>,
    benefits: Vec<BenefitResponse>,
    effective_from: Option<String>,
    effective_until: Option<String>,
}

/// One rule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleResponse {
    rule: String,
    inputs: String,
    /// `pass`, `fail` or `unknown`.
    #[schema(value_type = String)]
    verdict: domain::eligibility::Verdict,
    reason: Option<String>,
}

/// A granted benefit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BenefitResponse {
    benefit: String,
    unit: String,
    /// The amount of one window, in the unit.
    amount: i64,
    #[schema(value_type = String)]
    window: domain::time::WindowKind,
}

impl From<Decision> for DecisionResponse {
    fn from(decision: Decision) -> Self {
        let rules = decision.rules.into_iter().map(|tried| RuleResponse {
            rule: tried.rule,
            inputs: tried.inputs,
            verdict: tried.verdict,
            reason: tried.reason.map(|reason| reason.to_string()),
        });
        let benefits = decision.benefits.into_iter().map(|grant| BenefitResponse {
            benefit: grant.benefit.to_string(),
            unit: grant.unit.to_string(),
            amount: grant.amount,
            window: grant.window,
        });
        Self {
            programme: decision.programme.to_string(),
            version: decision.version,
            granted: decision.granted,
            reasons: decision.reasons.iter().map(ToString::to_string).collect(),
            rules: rules.collect(),
            benefits: benefits.collect(),
            effective_from: decision.effective_from.map(|day| day.to_string()),
            effective_until: decision.effective_until.map(|day| day.to_string()),
        }
    }
}

/// Decides a reviewed application
///
/// The rules of the policy decide whether it can be granted; the approver is another person than those before.
#[utoipa::path(post, path = "/applications/{application_id}/approval", tag = "applications", params(("application_id" = String, Path)), request_body = DecideApplicationRequest, responses((status = OK, body = DecideApplicationResponse)))]
pub(crate) async fn decide(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(application): PathId<ApplicationId>,
    body: Valid<DecideApplicationRequest>,
) -> Result<Json<DecideApplicationResponse>, Problem> {
    let decided = state
        .store
        .write(who.ctx, DecideApplication { application, approve: body.value.approve, reason: body.value.reason.clone() })
        .await?;
    Ok(Json(DecideApplicationResponse { step: decided.step.into(), decision: decided.decision.into() }))
}

/// What is to be written about a step.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonRequest {
    #[schema(value_type = String)]
    reason: SecretString,
}

/// Raises an objection during the public notice
#[utoipa::path(post, path = "/applications/{application_id}/objection", tag = "applications", params(("application_id" = String, Path)), request_body = ReasonRequest, responses((status = OK, body = ApplicationStepResponse)))]
pub(crate) async fn object(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(application): PathId<ApplicationId>,
    body: Valid<ReasonRequest>,
) -> Result<Json<ApplicationStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, ObjectToApplication { application, reason: body.value.reason.clone() }).await?.into()))
}

/// Takes an application up again after an objection
///
/// With what looking into the objection has shown; it is decided anew.
#[utoipa::path(post, path = "/applications/{application_id}/reopening", tag = "applications", params(("application_id" = String, Path)), request_body = ReasonRequest, responses((status = OK, body = ApplicationStepResponse)))]
pub(crate) async fn reopen(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(application): PathId<ApplicationId>,
    body: Valid<ReasonRequest>,
) -> Result<Json<ApplicationStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, ReopenApplication { application, reason: body.value.reason.clone() }).await?.into()))
}

/// An application with its last decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApplicationResponse {
    #[serde(flatten)]
    step: ApplicationStepResponse,
    #[schema(value_type = String)]
    resident_id: ResidentId,
    programme: String,
    applied_on: String,
    decision: Option<DecisionResponse>,
    /// Why it was refused; for the offices also what was objected, and what looking into it has shown.
    notes: Vec<NoteResponse>,
}

/// What was written about a step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoteResponse {
    /// `refuse`, `object` or `reopen`.
    step: String,
    text: String,
    written_at: String,
}

impl From<ApplicationView> for ApplicationResponse {
    fn from(view: ApplicationView) -> Self {
        Self {
            step: ApplicationStepResponse {
                application_id: view.application_id,
                state: view.state.to_string(),
                owner_role: view.owner_role.map(|role| role.to_string()),
                deadline_on: view.deadline_on.map(|day| day.to_string()),
                notice_ends_on: view.notice_ends_on.map(|day| day.to_string()),
            },
            resident_id: view.resident_id,
            programme: view.programme,
            applied_on: view.applied_on.to_string(),
            decision: view.decision.map(DecisionResponse::from),
            notes: view
                .notes
                .into_iter()
                .map(|note| NoteResponse { step: note.step, text: note.text, written_at: note.written_at.to_rfc3339() })
                .collect(),
        }
    }
}

/// Shows an application with its decision
#[utoipa::path(get, path = "/applications/{application_id}", tag = "applications", params(("application_id" = String, Path)), responses((status = OK, body = ApplicationResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<ApplicationId>,
) -> Result<Json<ApplicationResponse>, Problem> {
    Ok(Json(state.store.application(&who.ctx.actor, id).await?.into()))
}

/// An application that waits beyond its deadline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OverdueResponse {
    #[schema(value_type = String)]
    application_id: ApplicationId,
    #[schema(value_type = String)]
    resident_id: ResidentId,
    programme: String,
    state: String,
    owner_role: String,
    deadline_on: String,
}

impl From<OverdueView> for OverdueResponse {
    fn from(view: OverdueView) -> Self {
        Self {
            application_id: view.application_id,
            resident_id: view.resident_id,
            programme: view.programme,
            state: view.state.to_string(),
            owner_role: view.owner_role.to_string(),
            deadline_on: view.deadline_on.to_string(),
        }
    }
}

/// Shows which applications wait for you beyond their deadline
///
/// Those that wait for one of your roles in your area, the oldest first, at most two hundred.
#[utoipa::path(get, path = "/overdue_applications", tag = "applications", responses((status = OK, body = Vec<OverdueResponse>)))]
pub(crate) async fn overdue(State(state): State<AppState>, who: RequestCtx) -> Result<Json<Vec<OverdueResponse>>, Problem> {
    let views = state.store.overdue_applications(&who.ctx.actor, BusinessDate::of(who.ctx.now)).await?;
    Ok(Json(views.into_iter().map(OverdueResponse::from).collect()))
}
