//! Policy versions and budgets.

use axum::{Json, extract::State, http::StatusCode};
use domain::{
    id::PolicyVersionId,
    money::Fen,
    policy::{FundCode, ProgrammeCode},
};
use serde::{Deserialize, Serialize};
use store::{
    command::policy::{BudgetView, DraftPolicy, DraftedPolicy, PublishPolicy, SetBudget},
    query::policy::{PolicyVersionText, PolicyVersionView},
};
use utoipa::ToSchema;
use validator::Validate;

use super::{once::once, quotes::WordsResponse};
use crate::{
    extract::{IdempotencyKey, PathId, RequestCtx, Valid, ValidQuery},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// A policy file.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftPolicyRequest {
    /// Name of the file, for messages.
    #[validate(length(min = 1, max = 100))]
    file_name: String,
    /// Its text (TOML).
    #[validate(length(min = 1, max = 200_000))]
    text: String,
}

/// A drafted policy version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DraftPolicyResponse {
    #[schema(value_type = String)]
    policy_version_id: PolicyVersionId,
    programme: String,
    version: String,
    /// What the publisher must have seen.
    digest: String,
}

impl From<DraftedPolicy> for DraftPolicyResponse {
    fn from(made: DraftedPolicy) -> Self {
        Self {
            policy_version_id: made.policy_version_id,
            programme: made.programme.to_string(),
            version: made.version,
            digest: made.digest,
        }
    }
}

/// Drafts a policy version from its file
///
/// The file is checked completely; every fault names its line, rule and cure.
#[utoipa::path(post, path = "/policy_versions", tag = "policies", request_body = DraftPolicyRequest, responses((status = CREATED, body = DraftPolicyResponse)))]
pub(crate) async fn draft(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<DraftPolicyRequest>,
) -> Result<Created<DraftPolicyResponse>, Problem> {
    let command = DraftPolicy { file_name: body.value.file_name.clone(), text: body.value.text.clone() };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &DraftPolicyResponse| format!("/policy_versions/{}", made.policy_version_id), answer))
}

/// What the publisher has seen.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishPolicyRequest {
    /// Digest of the drafted text.
    digest: String,
}

/// Publishes a policy version that another person drafted
#[utoipa::path(post, path = "/policy_versions/{policy_version_id}/publication", tag = "policies", params(("policy_version_id" = String, Path)), request_body = PublishPolicyRequest, responses((status = NO_CONTENT)))]
pub(crate) async fn publish(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(policy): PathId<PolicyVersionId>,
    body: Valid<PublishPolicyRequest>,
) -> Result<StatusCode, Problem> {
    state.store.write(who.ctx, PublishPolicy { policy, digest: body.value.digest }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A policy version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyVersionResponse {
    #[schema(value_type = String)]
    policy_version_id: PolicyVersionId,
    programme: String,
    version: String,
    /// `draft` or `published`.
    state: &'static str,
    /// First day on which it is in force.
    effective_from: String,
    /// First day on which it is no longer in force, if that is known.
    effective_until: Option<String>,
    digest: String,
}

impl From<PolicyVersionView> for PolicyVersionResponse {
    fn from(view: PolicyVersionView) -> Self {
        Self {
            policy_version_id: view.policy_version_id,
            programme: view.programme,
            version: view.version,
            state: if view.published { "published" } else { "draft" },
            effective_from: view.effective_from.to_string(),
            effective_until: view.effective_until.map(|day| day.to_string()),
            digest: view.digest,
        }
    }
}

/// A policy version with its source and text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyVersionTextResponse {
    #[serde(flatten)]
    version: PolicyVersionResponse,
    title: WordsResponse,
    /// The document that it is taken from.
    source: String,
    /// Number of the document, where known.
    source_number: Option<String>,
    /// Date of the document, where known.
    source_date: Option<String>,
    /// `confirmed`, or `reported` where only a report or a repost was read.
    knowledge: String,
    /// What the source does not say.
    gaps: Vec<String>,
    file_name: String,
    /// The file (TOML).
    text: String,
}

impl From<PolicyVersionText> for PolicyVersionTextResponse {
    fn from(found: PolicyVersionText) -> Self {
        let source = found.policy.source();
        Self {
            title: WordsResponse::in_each(|language| found.policy.title(language).to_owned()),
            source: source.name().to_owned(),
            source_number: source.number().map(ToOwned::to_owned),
            source_date: source.date().map(|date| date.to_string()),
            knowledge: source.knowledge().to_string(),
            gaps: source.gaps().to_vec(),
            version: found.view.into(),
            file_name: found.file_name,
            text: found.text,
        }
    }
}

/// Lists the policy versions of all programmes
///
/// Drafts are shown to whoever drafts or publishes.
#[utoipa::path(get, path = "/policy_versions", tag = "policies", responses((status = OK, body = Vec<PolicyVersionResponse>)))]
pub(crate) async fn list(State(state): State<AppState>, who: RequestCtx) -> Result<Json<Vec<PolicyVersionResponse>>, Problem> {
    let views = state.store.policy_versions(&who.ctx.actor).await?;
    Ok(Json(views.into_iter().map(PolicyVersionResponse::from).collect()))
}

/// Shows a policy version with its source and text
#[utoipa::path(get, path = "/policy_versions/{policy_version_id}", tag = "policies", params(("policy_version_id" = String, Path)), responses((status = OK, body = PolicyVersionTextResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(policy): PathId<PolicyVersionId>,
) -> Result<Json<PolicyVersionTextResponse>, Problem> {
    Ok(Json(state.store.policy_version(&who.ctx.actor, policy).await?.into()))
}

/// The budget of a fund in a year.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetBudgetRequest {
    #[schema(value_type = String)]
    programme: ProgrammeCode,
    #[schema(value_type = String)]
    fund: FundCode,
    year: i32,
    /// What the fund may spend in the whole year, in fen.
    #[schema(value_type = i64)]
    amount_fen: Fen,
}

/// A budget as it stands, in fen.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BudgetResponse {
    programme: String,
    fund: String,
    year: i32,
    granted_fen: i64,
    held_fen: i64,
    posted_fen: i64,
}

impl From<BudgetView> for BudgetResponse {
    fn from(view: BudgetView) -> Self {
        Self {
            programme: view.programme,
            fund: view.fund,
            year: view.year,
            granted_fen: view.granted_fen,
            held_fen: view.held_fen,
            posted_fen: view.posted_fen,
        }
    }
}

/// Sets the budget of a fund in a year; it can only grow
#[utoipa::path(put, path = "/budgets", tag = "policies", request_body = SetBudgetRequest, responses((status = OK, body = BudgetResponse)))]
pub(crate) async fn set_budget(
    State(state): State<AppState>,
    who: RequestCtx,
    body: Valid<SetBudgetRequest>,
) -> Result<Json<BudgetResponse>, Problem> {
    let SetBudgetRequest { programme, fund, year, amount_fen } = body.value;
    Ok(Json(state.store.write(who.ctx, SetBudget { programme, fund, year, amount: amount_fen }).await?.into()))
}

/// Which budgets.
#[derive(Debug, Deserialize, utoipa::IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BudgetsQuery {
    #[param(value_type = Option<String>)]
    programme: Option<ProgrammeCode>,
}

/// Lists the budgets, by programme, year and fund
#[utoipa::path(get, path = "/budgets", tag = "policies", params(BudgetsQuery), responses((status = OK, body = Vec<BudgetResponse>)))]
pub(crate) async fn budgets(
    State(state): State<AppState>,
    who: RequestCtx,
    query: ValidQuery<BudgetsQuery>,
) -> Result<Json<Vec<BudgetResponse>>, Problem> {
    let views = state.store.budgets(&who.ctx.actor, query.0.programme.as_ref()).await?;
    Ok(Json(views.into_iter().map(BudgetResponse::from).collect()))
}
