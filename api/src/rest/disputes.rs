//! Disputes over completed services.

use axum::{Json, extract::State};
use domain::{
    id::OrderId,
    order::{DisputeOutcome, DisputeReason},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use store::{
    StoreError,
    command::order::{DecideDispute, DisputeOrder, StateInDispute},
    query::dispute::{DisputeView, StatementView},
};
use utoipa::ToSchema;
use validator::Validate;

use super::orders::{OrderStepResponse, step};
use crate::{
    extract::{PathId, RequestCtx, Valid},
    problem::Problem,
    state::AppState,
};

/// What was wrong.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisputeRequest {
    /// `not_delivered`, `too_short`, `not_as_agreed`, `other_person`, `harm` or `conduct`.
    #[schema(value_type = String)]
    reason: DisputeReason,
    /// In the family's words, at most 2,000 characters.
    statement: String,
}

/// Disputes a completed service
#[utoipa::path(post, path = "/orders/{order_id}/dispute", tag = "orders", params(("order_id" = String, Path)), request_body = DisputeRequest, responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn raise(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
    body: Valid<DisputeRequest>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, DisputeOrder { order, reason: body.value.reason, statement: body.value.statement }).await
}

/// What one side has to say.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisputeStatementRequest {
    /// At most 2,000 characters.
    statement: String,
}

/// Adds a statement to a dispute
///
/// By the family or the provider, while nothing is decided.
#[utoipa::path(post, path = "/orders/{order_id}/dispute/statements", tag = "orders", params(("order_id" = String, Path)), request_body = DisputeStatementRequest, responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn state_case(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
    body: Valid<DisputeStatementRequest>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, StateInDispute { order, statement: body.value.statement }).await
}

/// The bureau's decision.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideDisputeRequest {
    /// `full`: paid as far as it is proven; `part`: a part of it; `none`: nobody pays.
    outcome: String,
    /// For a part: 1 to 99.
    percent: Option<i64>,
    /// Why, for both sides; at most 2,000 characters.
    statement: String,
}

/// Decides a dispute
///
/// By a clerk who is no party; by an approver when the clerk has left it overdue.
#[utoipa::path(post, path = "/orders/{order_id}/dispute/decision", tag = "orders", params(("order_id" = String, Path)), request_body = DecideDisputeRequest, responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn decide(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
    body: Valid<DecideDisputeRequest>,
) -> Result<Json<OrderStepResponse>, Problem> {
    let given = body.value;
    let outcome = DisputeOutcome::parse(&given.outcome, given.percent).map_err(|fault| StoreError::refused(&fault))?;
    step(state, who, DecideDispute { order, outcome, statement: given.statement }).await
}

/// A dispute with what both sides say.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DisputeResponse {
    #[schema(value_type = String)]
    order_id: OrderId,
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    raised_at: Instant,
    /// Oldest first.
    statements: Vec<DisputeStatementResponse>,
    /// `full`, `part` or `none`, once decided.
    outcome: Option<String>,
    /// The recognised part in hundredths of a percent, once decided.
    share_points: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Instant>,
}

/// What one side says.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DisputeStatementResponse {
    /// `family`, `provider` or `bureau`.
    side: String,
    text: String,
    #[schema(value_type = String, format = DateTime)]
    made_at: Instant,
}

impl From<StatementView> for DisputeStatementResponse {
    fn from(view: StatementView) -> Self {
        Self { side: view.side.to_string(), text: view.text, made_at: view.made_at }
    }
}

impl From<DisputeView> for DisputeResponse {
    fn from(view: DisputeView) -> Self {
        Self {
            order_id: view.order_id,
            reason: view.reason.to_string(),
            raised_at: view.raised_at,
            statements: view.statements.into_iter().map(DisputeStatementResponse::from).collect(),
            outcome: view.outcome,
            share_points: view.share_points,
            decided_at: view.decided_at,
        }
    }
}

/// Shows a dispute with what both sides say
#[utoipa::path(get, path = "/orders/{order_id}/dispute", tag = "orders", params(("order_id" = String, Path)), responses((status = OK, body = DisputeResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<OrderId>,
) -> Result<Json<DisputeResponse>, Problem> {
    Ok(Json(state.store.dispute(&who.ctx.actor, id).await?.into()))
}
