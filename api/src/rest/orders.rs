//! Care orders.

use axum::{Json, extract::State};
use domain::{
    id::{CarerId, DayCareCentreId, OrderId, ProviderId, QuoteId, ResidentId, VisitId},
    money::Fen,
    order::{CancelReason, DeclineReason, OfferMode},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use store::{
    Command,
    command::order::{AcceptOrder, AssignOrder, CancelOrder, ConfirmOrder, DeclineOrder, OrderStep, PlaceOrder, ReturnOrder},
    query::order::{ClaimLineView, OrderView},
};
use utoipa::ToSchema;
use validator::Validate;

use super::{daycare::SeatResponse, once::once};
use crate::{
    extract::{IdempotencyKey, PathId, RequestCtx, Valid, ValidQuery},
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
    /// In which order providers are asked: `named_only`, `named_first` (the default), `one_by_one` or `several`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    offer_mode: OfferMode,
    /// Where the resident has a seat: for day care, and for nothing else. Its provider is asked alone.
    #[schema(value_type = Option<String>)]
    centre_id: Option<DayCareCentreId>,
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
    let command = PlaceOrder { quote: body.value.quote_id, mode: body.value.offer_mode, centre: body.value.centre_id };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &OrderStepResponse| format!("/orders/{}", made.order_id), answer))
}

pub(super) async fn step(
    state: AppState,
    who: RequestCtx,
    command: impl Command<Output = OrderStep>,
) -> Result<Json<OrderStepResponse>, Problem> {
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

/// Why a provider does not serve.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclineReasonRequest {
    /// `no_carer`, `too_far`, `time_not_possible`, `needs_too_high` or `closed`.
    #[schema(value_type = String)]
    reason: DeclineReason,
}

/// Declines an offered order
///
/// The next candidate is asked; when nobody is left the order ends and its holds are voided.
#[utoipa::path(post, path = "/orders/{order_id}/refusal", tag = "orders", params(("order_id" = String, Path)), request_body = DeclineReasonRequest, responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn decline(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
    body: Valid<DeclineReasonRequest>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, DeclineOrder { order, reason: body.value.reason }).await
}

/// Gives an accepted order back
///
/// Before the visit has begun. The next candidate is asked; when nobody is left the order ends and its holds are voided.
#[utoipa::path(post, path = "/orders/{order_id}/return", tag = "orders", params(("order_id" = String, Path)), request_body = DeclineReasonRequest, responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn give_back(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
    body: Valid<DeclineReasonRequest>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, ReturnOrder { order, reason: body.value.reason }).await
}

/// Why an order is to be called off.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelQuery {
    reason: CancelReason,
}

/// What cancelling costs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CancellationTermsResponse {
    /// Up to this instant cancelling is free; at it no longer.
    #[schema(value_type = String, format = DateTime)]
    free_until: Instant,
    /// The part of the family's share that is due afterwards, in hundredths of a percent.
    share_points: i64,
    /// What is due now.
    fee_fen: i64,
    /// `nobody_committed`, `before_border`, `waived` or `after_border`.
    because: String,
}

/// Shows what cancelling an order would cost now
#[utoipa::path(get, path = "/orders/{order_id}/cancellation", tag = "orders", params(("order_id" = String, Path), ("reason" = String, Query, description = "Why: `plans_changed`, `booked_by_mistake`, `other_help`, `unwell`, `in_hospital`, `died`, `provider_fault` or `force_majeure`")), responses((status = OK, body = CancellationTermsResponse)))]
pub(crate) async fn cancellation_terms(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
    ValidQuery(query): ValidQuery<CancelQuery>,
) -> Result<Json<CancellationTermsResponse>, Problem> {
    let terms = state.store.cancellation(&who.ctx.actor, order, query.reason, who.ctx.now).await?;
    Ok(Json(CancellationTermsResponse {
        free_until: terms.free_until,
        share_points: terms.share.get(),
        fee_fen: terms.fee.get(),
        because: terms.because.to_string(),
    }))
}

/// Why an order is called off, and what the person has agreed to pay for it.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelRequest {
    /// `plans_changed`, `booked_by_mistake`, `other_help`, `unwell`, `in_hospital`, `died`, `provider_fault` or
    /// `force_majeure`.
    #[schema(value_type = String)]
    reason: CancelReason,
    /// The fee that was shown; nothing when it was free. A higher one is refused and told.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    fee_fen: Fen,
}

/// Calls an order off before service
///
/// Free up to a border before the start, then for a part of the family's own share; see the same path with GET.
#[utoipa::path(post, path = "/orders/{order_id}/cancellation", tag = "orders", params(("order_id" = String, Path)), request_body = CancelRequest, responses((status = OK, body = OrderStepResponse)))]
pub(crate) async fn cancel(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
    body: Valid<CancelRequest>,
) -> Result<Json<OrderStepResponse>, Problem> {
    step(state, who, CancelOrder { order, reason: body.value.reason, fee_agreed: body.value.fee_fen }).await
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
    /// The seat, for day care.
    seat: Option<SeatResponse>,
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
            seat: view.seat.map(SeatResponse::from),
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
