//! Care orders.

use axum::{Json, extract::State};
use domain::{
    id::{CarerId, OrderId, ProviderId, QuoteId, ResidentId, VisitId},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use store::{
    Command,
    command::order::{
        AcceptOrder, AssignOrder, CancelOrder, ConfirmOrder, DecideDispute, DeclineOrder, DisputeOrder, OrderStep, PlaceOrder,
    },
    query::order::{ClaimLineView, OrderView},
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

/// Which quote is booked.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceOrderRequest {
    #[schema(value_type = String)]
    quote_id: QuoteId,
}

/// Where an order stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderStepResponse {
    #[schema(value_type = String)]
    order_id: OrderId,
    #[schema(value_type = String)]
    visit_id: VisitId,
    state: String,
    /// Who must act next; absent while the system does, or when it has ended.
    owner_role: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline_at: Option<Instant>,
}

impl From<OrderStep> for OrderStepResponse {
    fn from(step: OrderStep) -> Self {
        Self {
            order_id: step.order_id,
            visit_id: step.visit_id,
            state: step.state.to_string(),
            owner_role: step.owner_role.map(|role| role.to_string()),
            deadline_at: step.deadline_at,
        }
    }
}

/// Books a quote
///
/// Reserves the entitlement and each fund's budget in the same step.
#[utoipa::path(post, path = "/orders", tag = "orders", request_body = PlaceOrderRequest, responses((status = CREATED, body = OrderStepResponse)))]
pub(crate) async fn place(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<PlaceOrderRequest>,
) -> Result<Created<OrderStepResponse>, Problem> {
    let command = PlaceOrder { quote: body.value.quote_id };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &OrderStepResponse| format!("/orders/{}", made.order_id), answer))
}

async fn step(state: AppState, who: RequestCtx, command: impl Command<Output = OrderStep>) -> Result<Json<OrderStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, command).await?.into()))
}

/// Accepts an offered order
#[utoipa::path(post, path = "/orders/{order_id}/acceptance", tag = "orders", params(("order_id" = String, Path)), responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn accept(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, AcceptOrder { order }).await
}

/// Declines an offered order
#[utoipa::path(post, path = "/orders/{order_id}/refusal", tag = "orders", params(("order_id" = String, Path)), responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn decline(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, DeclineOrder { order }).await
}

/// Calls an order off before service
#[utoipa::path(post, path = "/orders/{order_id}/cancellation", tag = "orders", params(("order_id" = String, Path)), responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn cancel(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, CancelOrder { order }).await
}

/// The carers of a visit.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignOrderRequest {
    /// As many as the visit needs.
    #[schema(value_type = Vec<String>)]
    #[validate(length(min = 1, max = 8))]
    carer_ids: Vec<CarerId>,
}

/// Names the carers of an accepted order
#[utoipa::path(post, path = "/orders/{order_id}/assignment", tag = "orders", params(("order_id" = String, Path)), request_body = AssignOrderRequest, responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn assign(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
    body: Valid<AssignOrderRequest>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, AssignOrder { order, carers: body.value.carer_ids }).await
}

/// Confirms a completed service
///
/// The claim is judged at once, by the code that made the quote.
#[utoipa::path(post, path = "/orders/{order_id}/confirmation", tag = "orders", params(("order_id" = String, Path)), responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn confirm(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, ConfirmOrder { order }).await
}

/// Disputes a completed service
#[utoipa::path(post, path = "/orders/{order_id}/dispute", tag = "orders", params(("order_id" = String, Path)), responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn dispute(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, DisputeOrder { order }).await
}

/// The bureau's decision.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideDisputeRequest {
    /// Whether the service is to be paid as far as it is proven.
    pay: bool,
}

/// Decides a dispute
#[utoipa::path(post, path = "/orders/{order_id}/dispute/decision", tag = "orders", params(("order_id" = String, Path)), request_body = DecideDisputeRequest, responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn decide_dispute(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
    body: Valid<DecideDisputeRequest>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, DecideDispute { order, pay: body.value.pay }).await
}

/// An order with its visit and claim lines.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderResponse {
    #[serde(flatten)]
    step: OrderStepResponse,
    #[schema(value_type = String)]
    resident_id: ResidentId,
    #[schema(value_type = String)]
    provider_id: ProviderId,
    item: String,
    class: String,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    ends_at: Instant,
    /// Whole price, in fen.
    gross_fen: i64,
    /// What programmes were quoted to pay, in fen.
    subsidy_fen: i64,
    /// What the family was quoted to pay, in fen.
    family_fen: i64,
    visit_state: String,
    /// Grade of the evidence, `a` to `d`, once judged.
    grade: Option<String>,
    /// Why it has that grade, per carer.
    #[schema(value_type = Option<Vec<Vec<String>>>)]
    grade_reasons: Option<serde_json::Value>,
    #[schema(value_type = Vec<String>)]
    carer_ids: Vec<CarerId>,
    claim_lines: Vec<ClaimLineResponse>,
}

/// One visit judged against one benefit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClaimLineResponse {
    claim_line_id: String,
    programme: String,
    policy_version: String,
    benefit: String,
    /// `posted`, `held` or `voided`.
    state: String,
    quoted_fen: i64,
    subsidy_fen: i64,
    /// Who pays which part, in fen.
    split: std::collections::BTreeMap<String, i64>,
    codes: Vec<String>,
    /// Month of the service; a line that is posted too late for it is settled with a later one.
    service_month: String,
    /// The settlement period that holds it.
    settlement_period_id: Option<String>,
}

impl From<ClaimLineView> for ClaimLineResponse {
    fn from(view: ClaimLineView) -> Self {
        Self {
            claim_line_id: view.claim_line_id.to_string(),
            programme: view.programme,
            policy_version: view.policy_version,
            benefit: view.benefit,
            state: view.state.to_string(),
            quoted_fen: view.quoted.get(),
            subsidy_fen: view.subsidy.get(),
            split: view.split.into_iter().map(|(fund, part)| (fund, part.get())).collect(),
            codes: view.codes.iter().map(ToString::to_string).collect(),
            service_month: view.service_month,
            settlement_period_id: view.period_id.map(|period| period.to_string()),
        }
    }
}

impl From<OrderView> for OrderResponse {
    fn from(view: OrderView) -> Self {
        Self {
            step: OrderStepResponse {
                order_id: view.order_id,
                visit_id: view.visit_id,
                state: view.state.to_string(),
                owner_role: view.owner_role.map(|role| role.to_string()),
                deadline_at: view.deadline_at,
            },
            resident_id: view.resident_id,
            provider_id: view.provider_id,
            item: view.item.to_string(),
            class: view.class.to_string(),
            starts_at: view.starts_at,
            ends_at: view.ends_at,
            gross_fen: view.gross.get(),
            subsidy_fen: view.subsidy.get(),
            family_fen: view.family.get(),
            visit_state: view.visit_state.to_string(),
            grade: view.grade,
            grade_reasons: view.grade_reasons,
            carer_ids: view.carers,
            claim_lines: view.claim_lines.into_iter().map(ClaimLineResponse::from).collect(),
        }
    }
}

/// Shows an order with its visit and claim lines
#[utoipa::path(get, path = "/orders/{order_id}", tag = "orders", params(("order_id" = String, Path)), responses((status = OK, body = OrderResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<OrderId>,
) -> Result<Json<OrderResponse>, Problem> {
    Ok(Json(state.store.order(&who.ctx.actor, id).await?.into()))
}
