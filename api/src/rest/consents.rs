//! Questions to the family about a larger share.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use domain::{
    id::{ConsentRequestId, OrderId, ResidentId},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use store::command::consent::{AnswerConsent, ConsentView};
use utoipa::ToSchema;
use validator::Validate;

use super::quotes::{AdjustmentResponse, Divided, ShareResponse, WordsResponse};
use crate::{
    extract::{PathId, RequestCtx, Valid},
    problem::Problem,
    state::AppState,
};

/// A question: the programmes would pay less for a booked order than the family was shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsentResponse {
    #[schema(value_type = String)]
    consent_request_id: ConsentRequestId,
    #[schema(value_type = String)]
    order_id: OrderId,
    /// `window_opened`, `entitlement_changed` or `policy_changed`.
    cause: String,
    /// The cause in words.
    text: WordsResponse,
    /// What the family was shown, in fen.
    old_family_fen: i64,
    /// What it would pay, in fen.
    new_family_fen: i64,
    /// `open`, `accepted`, `declined`, `lapsed` or `superseded`.
    state: String,
    /// Who must answer; absent once it is answered.
    owner_role: Option<String>,
    /// By when; without an answer the order is called off free of charge.
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline_at: Option<Instant>,
    /// What programmes would pay.
    shares: Vec<ShareResponse>,
    /// Why they pay less or nothing.
    adjustments: Vec<AdjustmentResponse>,
    /// What would have to change for them to pay more.
    blocked_by: BTreeSet<String>,
}

impl From<ConsentView> for ConsentResponse {
    fn from(view: ConsentView) -> Self {
        let Divided { shares, adjustments, blocked_by } = Divided::new(view.body.split, &view.body.outlook);
        Self {
            consent_request_id: view.consent_request_id,
            order_id: view.order_id,
            cause: view.cause.to_string(),
            text: WordsResponse::of("consent_cause", view.cause),
            old_family_fen: view.old_family.get(),
            new_family_fen: view.new_family.get(),
            state: view.state.to_string(),
            owner_role: view.owner_role.map(|role| role.to_string()),
            deadline_at: view.deadline_at,
            shares,
            adjustments,
            blocked_by,
        }
    }
}

/// The family's answer.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerConsentRequest {
    /// Whether the family pays the new share; else the order is called off free of charge.
    accept: bool,
}

/// Lists the questions about a resident's orders
#[utoipa::path(get, path = "/residents/{resident_id}/consent_requests", tag = "orders", params(("resident_id" = String, Path)), responses((status = OK, body = Vec<ConsentResponse>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(resident): PathId<ResidentId>,
) -> Result<Json<Vec<ConsentResponse>>, Problem> {
    let views = state.store.consent_requests(&who.ctx.actor, resident).await?;
    Ok(Json(views.into_iter().map(ConsentResponse::from).collect()))
}

/// Shows a question
#[utoipa::path(get, path = "/consent_requests/{consent_request_id}", tag = "orders", params(("consent_request_id" = String, Path)), responses((status = OK, body = ConsentResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(request): PathId<ConsentRequestId>,
) -> Result<Json<ConsentResponse>, Problem> {
    Ok(Json(state.store.consent_request(&who.ctx.actor, request).await?.into()))
}

/// Answers a question: pay the new share, or call the order off free of charge
#[utoipa::path(post, path = "/consent_requests/{consent_request_id}/answer", tag = "orders", params(("consent_request_id" = String, Path)), request_body = AnswerConsentRequest, responses((status = OK, body = ConsentResponse)))]
pub(crate) async fn answer(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(request): PathId<ConsentRequestId>,
    body: Valid<AnswerConsentRequest>,
) -> Result<Json<ConsentResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, AnswerConsent { request, accept: body.value.accept }).await?.into()))
}
