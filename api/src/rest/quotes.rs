//! Quotes: the payability preview.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use domain::{
    catalogue::{ItemCode, Quantity, ServiceClass},
    error::FieldError,
    id::{ProviderId, QuoteId, ResidentId, ServiceAddressId},
    policy::{FactValue, ProgrammeCode},
    tariff::{Adjustment, Share},
    time::{Instant, parse_instant},
};
use serde::{Deserialize, Serialize};
use store::command::quote::{QuoteView, RequestQuote};
use utoipa::ToSchema;
use validator::Validate;

use super::once::once;
use crate::{
    extract::{IdempotencyKey, RequestCtx, Valid},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// What is to be priced.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuoteRequest {
    #[schema(value_type = String)]
    resident_id: ResidentId,
    #[schema(value_type = String)]
    provider_id: ProviderId,
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

/// A quote: who would pay which part, and why programmes pay less or nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuoteResponse {
    #[schema(value_type = String)]
    quote_id: QuoteId,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    ends_at: Instant,
    /// Whole price, in fen.
    gross_fen: i64,
    /// What programmes pay, in the order of use.
    shares: Vec<ShareResponse>,
    /// What is left to the family, in fen.
    family_fen: i64,
    /// Why programmes pay less or nothing.
    adjustments: Vec<AdjustmentResponse>,
    /// Carers that the visit needs.
    staff_count: u32,
}

/// What one benefit pays.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShareResponse {
    programme: String,
    policy_version: String,
    benefit: String,
    window_start: String,
    unit: String,
    /// How much of the entitlement it uses, in the unit.
    units: i64,
    subsidy_fen: i64,
    /// Who pays which part, in fen.
    split: BTreeMap<String, i64>,
}

/// Why a programme pays less or nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdjustmentResponse {
    programme: String,
    policy_version: String,
    benefit: String,
    code: String,
    reason: Option<String>,
}

impl From<Share> for ShareResponse {
    fn from(share: Share) -> Self {
        Self {
            programme: share.programme.to_string(),
            policy_version: share.version,
            benefit: share.benefit.to_string(),
            window_start: share.window.start.to_string(),
            unit: share.unit.to_string(),
            units: share.units,
            subsidy_fen: share.subsidy.get(),
            split: share.split.into_iter().map(|(fund, part)| (fund.to_string(), part.get())).collect(),
        }
    }
}

impl From<Adjustment> for AdjustmentResponse {
    fn from(adjustment: Adjustment) -> Self {
        Self {
            programme: adjustment.programme.to_string(),
            policy_version: adjustment.version,
            benefit: adjustment.benefit.to_string(),
            code: adjustment.code.to_string(),
            reason: adjustment.reason.map(|reason| reason.to_string()),
        }
    }
}

impl From<QuoteView> for QuoteResponse {
    fn from(view: QuoteView) -> Self {
        let split = view.body.split;
        Self {
            quote_id: view.quote_id,
            expires_at: view.expires_at,
            starts_at: view.body.priced.start,
            ends_at: view.ends_at,
            gross_fen: split.gross.get(),
            shares: split.shares.into_iter().map(ShareResponse::from).collect(),
            family_fen: split.family.get(),
            adjustments: split.codes.into_iter().map(AdjustmentResponse::from).collect(),
            staff_count: view.body.staff_count,
        }
    }
}

/// Quotes a service (payability preview)
///
/// The same code judges the visit afterwards; the family never pays more than the quote without a new consent.
#[utoipa::path(post, path = "/quotes", tag = "orders", request_body = QuoteRequest, responses((status = CREATED, body = QuoteResponse)))]
pub(crate) async fn request(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<QuoteRequest>,
) -> Result<Created<QuoteResponse>, Problem> {
    let given = &body.value;
    let starts_at = read_instant("starts_at", &given.starts_at)?;
    let command = RequestQuote {
        resident: given.resident_id,
        provider: given.provider_id,
        address: given.address_id,
        item: given.item,
        class: given.class,
        starts_at,
        quantity: given.quantity,
        facts: given.facts.clone(),
        programmes: given.programmes.clone(),
    };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &QuoteResponse| format!("/quotes/{}", made.quote_id), answer))
}

/// Reads an instant of a request.
pub(super) fn read_instant(field: &str, text: &str) -> Result<Instant, Problem> {
    parse_instant(text).map_err(|fault| Problem::fields(vec![FieldError::new(field, "time.instant", fault.to_string())]))
}
