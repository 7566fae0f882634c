//! Claim lines that wait, the monthly close, and the ledger's balances.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use domain::{
    division::Scope,
    id::{ClaimLineId, ProviderId, SettlementPeriodId, StatementId},
    policy::ProgrammeCode,
    time::{BusinessDate, Month},
};
use serde::{Deserialize, Serialize};
use store::{
    command::{
        claim::{DecideHeldClaim, DecidedClaim},
        settlement::{ApproveSettlement, ComputeSettlement, PeriodView, ReleaseSettlement, StatementView},
    },
    query::settlement::{AccountBalance, MonthContent, StatementLine},
};
use utoipa::ToSchema;
use validator::Validate;

use super::quotes::WordsResponse;
use crate::{
    extract::{PathId, RequestCtx, Valid, ValidQuery},
    problem::Problem,
    state::AppState,
};

/// The decision on a held claim line.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideHeldClaimRequest {
    /// Whether it is paid.
    pay: bool,
}

/// A decided claim line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecideHeldClaimResponse {
    #[schema(value_type = String)]
    claim_line_id: ClaimLineId,
    state: String,
    subsidy_fen: i64,
}

impl From<DecidedClaim> for DecideHeldClaimResponse {
    fn from(done: DecidedClaim) -> Self {
        Self { claim_line_id: done.claim_line_id, state: done.state.to_string(), subsidy_fen: done.subsidy.get() }
    }
}

/// Decides a claim line that is held for weak evidence
#[utoipa::path(post, path = "/claim_lines/{claim_line_id}/decision", tag = "settlement", params(("claim_line_id" = String, Path)), request_body = DecideHeldClaimRequest, responses((status = OK, body = DecideHeldClaimResponse)))]
pub(crate) async fn decide_held_claim(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(claim): PathId<ClaimLineId>,
    body: Valid<DecideHeldClaimRequest>,
) -> Result<Json<DecideHeldClaimResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, DecideHeldClaim { claim, pay: body.value.pay }).await?.into()))
}

/// Which month is closed.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ComputeSettlementRequest {
    #[schema(value_type = String)]
    programme: ProgrammeCode,
    /// Six digits of the county whose bureau settles.
    #[schema(value_type = String)]
    bureau: Scope,
    /// Such as `2026-12`.
    #[schema(value_type = String)]
    month: Month,
}

/// A settlement period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettlementPeriodResponse {
    #[schema(value_type = String)]
    settlement_period_id: SettlementPeriodId,
    programme: String,
    bureau: String,
    month: String,
    /// `computed`, `approved` or `released`.
    state: String,
    /// What the approver must have seen.
    content_hash: String,
    line_count: i64,
    total_fen: i64,
    statements: Vec<StatementResponse>,
}

/// What one provider is paid.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementResponse {
    #[schema(value_type = String)]
    statement_id: StatementId,
    #[schema(value_type = String)]
    provider_id: ProviderId,
    line_count: i64,
    total_fen: i64,
    /// By fund, in fen.
    split: BTreeMap<String, i64>,
}

impl From<StatementView> for StatementResponse {
    fn from(view: StatementView) -> Self {
        Self {
            statement_id: view.statement_id,
            provider_id: view.provider_id,
            line_count: view.line_count,
            total_fen: view.total.get(),
            split: view.split.into_iter().map(|(fund, part)| (fund, part.get())).collect(),
        }
    }
}

impl From<PeriodView> for SettlementPeriodResponse {
    fn from(view: PeriodView) -> Self {
        Self {
            settlement_period_id: view.settlement_period_id,
            programme: view.programme,
            bureau: view.bureau,
            month: view.month.to_string(),
            state: view.state.to_string(),
            content_hash: view.content_hash,
            line_count: view.line_count,
            total_fen: view.total.get(),
            statements: view.statements.into_iter().map(StatementResponse::from).collect(),
        }
    }
}

/// Computes a month of one programme and bureau
///
/// The same lines always give the same content; it can be computed again until it is approved.
#[utoipa::path(put, path = "/settlement_periods", tag = "settlement", request_body = ComputeSettlementRequest, responses((status = OK, body = SettlementPeriodResponse)))]
pub(crate) async fn compute(
    State(state): State<AppState>,
    who: RequestCtx,
    body: Valid<ComputeSettlementRequest>,
) -> Result<Json<SettlementPeriodResponse>, Problem> {
    let ComputeSettlementRequest { programme, bureau, month } = body.value;
    Ok(Json(state.store.write(who.ctx, ComputeSettlement { programme, bureau, month }).await?.into()))
}

/// What the approver has seen.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveSettlementRequest {
    content_hash: String,
}

/// Approves the very content that another person computed
#[utoipa::path(post, path = "/settlement_periods/{settlement_period_id}/approval", tag = "settlement", params(("settlement_period_id" = String, Path)), request_body = ApproveSettlementRequest, responses((status = OK, body = SettlementPeriodResponse)))]
pub(crate) async fn approve(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(period): PathId<SettlementPeriodId>,
    body: Valid<ApproveSettlementRequest>,
) -> Result<Json<SettlementPeriodResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, ApproveSettlement { period, content_hash: body.value.content_hash }).await?.into()))
}

/// Releases an approved period
///
/// By a third person; each statement is paid out of its funds, and the period is closed for ever.
#[utoipa::path(post, path = "/settlement_periods/{settlement_period_id}/release", tag = "settlement", params(("settlement_period_id" = String, Path)), responses((status = OK, body = SettlementPeriodResponse)))]
pub(crate) async fn release(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(period): PathId<SettlementPeriodId>,
) -> Result<Json<SettlementPeriodResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, ReleaseSettlement { period }).await?.into()))
}

/// Shows a settlement period with its statements
#[utoipa::path(get, path = "/settlement_periods/{settlement_period_id}", tag = "settlement", params(("settlement_period_id" = String, Path)), responses((status = OK, body = SettlementPeriodResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<SettlementPeriodId>,
) -> Result<Json<SettlementPeriodResponse>, Problem> {
    Ok(Json(state.store.settlement_period(&who.ctx.actor, id).await?.into()))
}

/// Which month.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonthQuery {
    programme: ProgrammeCode,
    month: Month,
}

/// What a month holds, submitted or not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MonthContentResponse {
    programme: String,
    bureau: String,
    month: String,
    /// `computed`, `approved` or `released`; absent while nobody has submitted it.
    state: Option<String>,
    content_hash: String,
    line_count: i64,
    total_fen: i64,
    statements: Vec<ProviderContentResponse>,
}

/// What one provider is paid for a month.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderContentResponse {
    provider_id: String,
    line_count: i64,
    total_fen: i64,
    /// By fund, in fen.
    split: BTreeMap<String, i64>,
}

impl From<MonthContent> for MonthContentResponse {
    fn from(content: MonthContent) -> Self {
        let statements = content.statements.into_iter().map(|one| ProviderContentResponse {
            provider_id: one.provider_id.to_string(),
            line_count: one.line_count,
            total_fen: one.total.get(),
            split: one.split.into_iter().map(|(fund, part)| (fund, part.get())).collect(),
        });
        Self {
            programme: content.programme,
            bureau: content.bureau,
            month: content.month.to_string(),
            state: content.state.map(|state| state.to_string()),
            content_hash: content.content_hash,
            line_count: content.line_count,
            total_fen: content.total.get(),
            statements: statements.collect(),
        }
    }
}

/// Shows what a month holds, by bureau
///
/// As it was submitted, or as it would be submitted now; the same as `yijia settle` prints. Nothing is written.
#[utoipa::path(get, path = "/settlement_months", tag = "settlement", params(("programme" = String, Query), ("month" = String, Query, description = "Such as `2026-12`")), responses((status = OK, body = Vec<MonthContentResponse>)))]
pub(crate) async fn months(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<MonthQuery>,
) -> Result<Json<Vec<MonthContentResponse>>, Problem> {
    let today = BusinessDate::of(state.source.now());
    let contents = state.store.month_contents_within(&who.ctx.actor, &query.programme, query.month, today).await?;
    Ok(Json(contents.into_iter().map(MonthContentResponse::from).collect()))
}

/// One line of a statement: a visit, or what is taken back of one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementLineResponse {
    claim_line_id: String,
    /// What is taken back of the line, as an entry of its own.
    correction_id: Option<String>,
    policy_version: String,
    benefit: String,
    service_on: String,
    /// Whether the visit belongs to an earlier month than the period.
    late: bool,
    gross_fen: i64,
    quoted_fen: i64,
    /// Negative where it is taken back.
    subsidy_fen: i64,
    /// By fund, in fen.
    split: BTreeMap<String, i64>,
    family_fen: i64,
    /// Why it differs from the quote.
    reasons: Vec<LineReasonResponse>,
}

/// A reason, with its code in the columns of X12 835.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineReasonResponse {
    code: String,
    text: WordsResponse,
    x12_group: String,
    x12_reason: String,
}

impl From<StatementLine> for StatementLineResponse {
    fn from(line: StatementLine) -> Self {
        let reasons = line.reasons.into_iter().map(|reason| LineReasonResponse {
            text: WordsResponse::of(reason.area, &reason.code),
            code: reason.code,
            x12_group: reason.group.to_owned(),
            x12_reason: reason.reason.to_owned(),
        });
        Self {
            claim_line_id: line.claim_line_id.to_string(),
            correction_id: line.correction_id.map(|id| id.to_string()),
            policy_version: line.policy_version,
            benefit: line.benefit,
            service_on: line.service_on.to_string(),
            late: line.late,
            gross_fen: line.gross,
            quoted_fen: line.quoted,
            subsidy_fen: line.subsidy,
            split: line.split.into_iter().collect(),
            family_fen: line.family,
            reasons: reasons.collect(),
        }
    }
}

/// Shows the lines of a statement with code and reason
#[utoipa::path(get, path = "/statements/{statement_id}/lines", tag = "settlement", params(("statement_id" = String, Path)), responses((status = OK, body = Vec<StatementLineResponse>)))]
pub(crate) async fn lines(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(statement): PathId<StatementId>,
) -> Result<Json<Vec<StatementLineResponse>>, Problem> {
    let lines = state.store.statement_lines(&who.ctx.actor, statement).await?;
    Ok(Json(lines.into_iter().map(StatementLineResponse::from).collect()))
}

/// Which accounts.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct BalancesQuery {
    /// Beginning of the account names, such as `expense/`.
    #[validate(length(min = 1, max = 200))]
    prefix: String,
}

/// Balance of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BalanceResponse {
    account: String,
    /// Debits less credits, in fen.
    net_fen: i64,
}

impl From<AccountBalance> for BalanceResponse {
    fn from(balance: AccountBalance) -> Self {
        Self { account: balance.account, net_fen: balance.net_fen }
    }
}

/// Shows balances of the ledger, derived from its entries
#[utoipa::path(get, path = "/ledger/balances", tag = "settlement", params(("prefix" = String, Query, description = "Beginning of the account names, such as `expense/`")), responses((status = OK, body = Vec<BalanceResponse>)))]
pub(crate) async fn balances(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<BalancesQuery>,
) -> Result<Json<Vec<BalanceResponse>>, Problem> {
    let balances = state.store.account_balances(&who.ctx.actor, &query.prefix).await?;
    Ok(Json(balances.into_iter().map(BalanceResponse::from).collect()))
}
