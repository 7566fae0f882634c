//! Corrections: what was posted is taken back by two persons.

use axum::{Json, extract::State};
use domain::{
    claim::ReversalCause,
    id::{OrderId, ReversalId},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use store::command::correction::{DecideReversal, ProposeReversal, ReversalView};
use utoipa::ToSchema;
use validator::Validate;

use super::{once::once, quotes::WordsResponse};
use crate::{
    extract::{IdempotencyKey, PathId, RequestCtx, Valid},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// Why something is to be taken back.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProposeReversalRequest {
    /// `dispute_upheld`, `not_delivered`, `resident_absent`, `paid_twice` or `wrongly_judged`.
    #[schema(value_type = String)]
    cause: ReversalCause,
    /// What was found, in words; kept encrypted.
    #[validate(length(min = 1, max = 1000))]
    note: String,
}

/// A proposal to take back what was posted for an order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReversalResponse {
    #[schema(value_type = String)]
    reversal_id: ReversalId,
    #[schema(value_type = String)]
    order_id: OrderId,
    cause: String,
    /// The cause in words.
    text: WordsResponse,
    /// `proposed`, `approved` or `refused`.
    state: String,
    owner_role: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline_at: Option<Instant>,
    /// What is taken back, once it is approved.
    corrections: Vec<CorrectionResponse>,
}

/// What is taken back of one claim line; it stands in the next open settlement period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CorrectionResponse {
    correction_id: String,
    claim_line_id: String,
    subsidy_fen: i64,
}

impl From<ReversalView> for ReversalResponse {
    fn from(view: ReversalView) -> Self {
        let corrections = view.corrections.into_iter().map(|one| CorrectionResponse {
            correction_id: one.correction_id.to_string(),
            claim_line_id: one.claim_line_id.to_string(),
            subsidy_fen: one.subsidy.get(),
        });
        Self {
            reversal_id: view.reversal_id,
            order_id: view.order_id,
            cause: view.cause.to_string(),
            text: WordsResponse::of("reversal_cause", view.cause),
            state: view.state.to_string(),
            owner_role: view.owner_role.map(|role| role.to_string()),
            deadline_at: view.deadline_at,
            corrections: corrections.collect(),
        }
    }
}

/// Proposes to take back what was posted for an order
#[utoipa::path(post, path = "/orders/{order_id}/reversals", tag = "settlement", params(("order_id" = String, Path)), request_body = ProposeReversalRequest, responses((status = CREATED, body = ReversalResponse)))]
pub(crate) async fn propose(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(order): PathId<OrderId>,
    key: IdempotencyKey,
    body: Valid<ProposeReversalRequest>,
) -> Result<Created<ReversalResponse>, Problem> {
    let command = ProposeReversal { order, cause: body.value.cause, note: body.value.note.clone() };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &ReversalResponse| format!("/reversals/{}", made.reversal_id), answer))
}

/// The other person's decision.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideReversalRequest {
    /// Whether it is taken back.
    approve: bool,
}

/// Decides on a proposal of another person
///
/// Each posted line of the order gets a correction in the next open period; the family gets its part back where the
/// service is at fault.
#[utoipa::path(post, path = "/reversals/{reversal_id}/decision", tag = "settlement", params(("reversal_id" = String, Path)), request_body = DecideReversalRequest, responses((status = OK, body = ReversalResponse)))]
pub(crate) async fn decide(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(reversal): PathId<ReversalId>,
    body: Valid<DecideReversalRequest>,
) -> Result<Json<ReversalResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, DecideReversal { reversal, approve: body.value.approve }).await?.into()))
}
