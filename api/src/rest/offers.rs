//! Who could serve, who was asked, and what nobody gave.

use std::collections::{BTreeMap, BTreeSet};

use axum::{Json, extract::State};
use domain::{
    catalogue::{ItemCode, Quantity, ServiceClass},
    id::{OrderId, ProviderId, ResidentId, ServiceAddressId},
    policy::{FactValue, ProgrammeCode},
    time::{Instant, Month},
};
use serde::{Deserialize, Serialize};
use store::{
    command::candidates::{CandidateView, CandidatesView, ExcludedView, FindCandidates},
    query::offer::{OfferView, UnmetDemand},
};
use utoipa::ToSchema;
use validator::Validate;

use super::quotes::read_instant;
use crate::{
    extract::{PathId, RequestCtx, Valid, ValidQuery},
    problem::Problem,
    state::AppState,
};

/// What is wanted.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CandidatesRequest {
    #[schema(value_type = String)]
    resident_id: ResidentId,
    /// Where the resident is served; needed for services at home.
    #[schema(value_type = Option<String>)]
    address_id: Option<ServiceAddressId>,
    #[schema(value_type = String)]
    item: ItemCode,
    #[schema(value_type = String)]
    class: ServiceClass,
    /// RFC 3339; without an offset it is China Standard Time.
    #[schema(format = DateTime)]
    starts_at: String,
    /// In catalogue units, with at most two decimals, as text: `1`, `1.5`.
    #[schema(value_type = String)]
    quantity: Quantity,
    /// Facts of the visit that policies declare, such as `meal`.
    #[serde(default)]
    #[schema(value_type = Object)]
    facts: BTreeMap<String, FactValue>,
    /// The programmes to use; absent means all that the resident has.
    #[schema(value_type = Option<Vec<String>>)]
    programmes: Option<BTreeSet<ProgrammeCode>>,
}

/// Who could serve, best first, and who could not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CandidatesResponse {
    candidates: Vec<CandidateResponse>,
    excluded: Vec<ExcludedResponse>,
}

/// A provider that could serve.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CandidateResponse {
    #[schema(value_type = String)]
    provider_id: ProviderId,
    name: String,
    gross_fen: i64,
    subsidy_fen: i64,
    family_fen: i64,
    /// What decided its place, in the order of weight, such as `same_carer:1`, `near:street`, `load:3/5`.
    reasons: Vec<String>,
}

/// A provider that could not serve.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExcludedResponse {
    #[schema(value_type = String)]
    provider_id: ProviderId,
    name: String,
    /// Every reason, such as `licence:home_service:absent`, `no_carer:0/1`, `outside_area`.
    reasons: Vec<String>,
}

impl From<CandidateView> for CandidateResponse {
    fn from(view: CandidateView) -> Self {
        Self {
            provider_id: view.provider_id,
            name: view.name,
            gross_fen: view.gross.get(),
            subsidy_fen: view.subsidy.get(),
            family_fen: view.family.get(),
            reasons: view.reasons,
        }
    }
}

impl From<ExcludedView> for ExcludedResponse {
    fn from(view: ExcludedView) -> Self {
        Self { provider_id: view.provider_id, name: view.name, reasons: view.reasons }
    }
}

impl From<CandidatesView> for CandidatesResponse {
    fn from(view: CandidatesView) -> Self {
        Self {
            candidates: view.candidates.into_iter().map(CandidateResponse::from).collect(),
            excluded: view.excluded.into_iter().map(ExcludedResponse::from).collect(),
        }
    }
}

/// Shows which providers could serve, and why the others could not
///
/// Ranked by the rule that later offers the order. Nothing is stored; ask for a quote next.
#[utoipa::path(post, path = "/candidates", tag = "orders", request_body = CandidatesRequest, responses((status = OK, body = CandidatesResponse)))]
pub(crate) async fn candidates(
    State(state): State<AppState>,
    who: RequestCtx,
    body: Valid<CandidatesRequest>,
) -> Result<Json<CandidatesResponse>, Problem> {
    let given = body.value;
    let command = FindCandidates {
        resident: given.resident_id,
        address: given.address_id,
        item: given.item,
        class: given.class,
        starts_at: read_instant("starts_at", &given.starts_at)?,
        quantity: given.quantity,
        facts: given.facts,
        programmes: given.programmes,
    };
    Ok(Json(state.store.write(who.ctx, command).await?.into()))
}

/// One provider asked to serve one order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OfferResponse {
    offer_id: String,
    #[schema(value_type = String)]
    order_id: OrderId,
    #[schema(value_type = String)]
    provider_id: ProviderId,
    /// Which round of asking; several of one round are asked at once.
    round: i64,
    /// `open`, `accepted`, `declined`, `expired`, `withdrawn` or `returned`.
    state: String,
    /// Why it was asked in this place; `named` for the quoted provider.
    rank_reasons: Vec<String>,
    gross_fen: i64,
    family_fen: i64,
    #[schema(value_type = String, format = DateTime)]
    offered_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    deadline_at: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Instant>,
    /// Why it was declined or given back.
    reason: Option<String>,
}

impl From<OfferView> for OfferResponse {
    fn from(view: OfferView) -> Self {
        Self {
            offer_id: view.offer_id.to_string(),
            order_id: view.order_id,
            provider_id: view.provider_id,
            round: view.round,
            state: view.state.to_string(),
            rank_reasons: view.rank_reasons,
            gross_fen: view.gross.get(),
            family_fen: view.family.get(),
            offered_at: view.offered_at,
            deadline_at: view.deadline_at,
            answered_at: view.answered_at,
            reason: view.reason.map(|reason| reason.to_string()),
        }
    }
}

fn offers(views: Vec<OfferView>) -> Json<Vec<OfferResponse>> {
    Json(views.into_iter().map(OfferResponse::from).collect())
}

/// Shows who was asked to serve an order
///
/// A provider sees its own offers only.
#[utoipa::path(get, path = "/orders/{order_id}/offers", tag = "orders", params(("order_id" = String, Path)), responses((status = OK, body = Vec<OfferResponse>)))]
pub(crate) async fn of_order(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<OrderId>,
) -> Result<Json<Vec<OfferResponse>>, Problem> {
    Ok(offers(state.store.offers_of_order(&who.ctx.actor, id).await?))
}

/// Shows the offers that wait for a provider's answer
///
/// The most urgent first, at most 200.
#[utoipa::path(get, path = "/providers/{provider_id}/offers", tag = "orders", params(("provider_id" = String, Path)), responses((status = OK, body = Vec<OfferResponse>)))]
pub(crate) async fn of_provider(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<ProviderId>,
) -> Result<Json<Vec<OfferResponse>>, Problem> {
    Ok(offers(state.store.open_offers(&who.ctx.actor, id).await?))
}

/// Which month.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonthQuery {
    month: Month,
}

/// How often a service was wanted and not given.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnmetDemandResponse {
    /// Community of the residents.
    division: String,
    item: String,
    class: String,
    /// `nobody_to_ask`, `declined`, `unanswered` or `missed`.
    reason: String,
    /// How many orders ended so.
    orders: u64,
}

impl From<UnmetDemand> for UnmetDemandResponse {
    fn from(row: UnmetDemand) -> Self {
        Self {
            division: row.division.to_string(),
            item: row.item.to_string(),
            class: row.class.to_string(),
            reason: row.reason.to_string(),
            orders: row.orders,
        }
    }
}

/// Shows which wanted services nobody gave in a month
///
/// Within the reader's divisions, by community, service and reason.
#[utoipa::path(get, path = "/unmet_demand", tag = "orders", params(("month" = String, Query, description = "Month in which the services should have begun, such as `2026-11`")), responses((status = OK, body = Vec<UnmetDemandResponse>)))]
pub(crate) async fn unmet_demand(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<MonthQuery>,
) -> Result<Json<Vec<UnmetDemandResponse>>, Problem> {
    let rows = state.store.unmet_demand(&who.ctx.actor, query.month).await?;
    Ok(Json(rows.into_iter().map(UnmetDemandResponse::from).collect()))
}
