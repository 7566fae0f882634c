//! Claim lines that wait for a decision, and settlement periods.

use axum::{Json, extract::State};
use domain::{
    id::{ClaimLineId, OrderId, ProviderId, ResidentId, SettlementPeriodId},
    policy::ProgrammeCode,
    settlement::PeriodState,
    time::Month,
};
use serde::{Deserialize, Serialize};
use store::query::list::{HeldClaimFilter, HeldClaimRow, PeriodFilter, PeriodRow};
use utoipa::ToSchema;
use validator::Validate;

use super::{PageResponse, asked};
use crate::{
    extract::{RequestCtx, ValidQuery},
    problem::Problem,
    state::AppState,
};

/// Which held claim lines.
#[derive(Debug, Deserialize, utoipa::IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HeldClaimsQuery {
    #[param(value_type = Option<String>)]
    programme: Option<ProgrammeCode>,
    #[param(value_type = Option<String>)]
    provider_id: Option<ProviderId>,
    /// Most entries, 1 to 100; 50 if absent.
    #[validate(range(min = 1, max = 100))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[validate(length(max = 200))]
    cursor: Option<String>,
}

/// Which settlement periods.
#[derive(Debug, Deserialize, utoipa::IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodsQuery {
    #[param(value_type = Option<String>)]
    programme: Option<ProgrammeCode>,
    /// Such as `2026-12`.
    #[param(value_type = Option<String>)]
    month: Option<Month>,
    /// `computed`, `approved` or `released`.
    #[param(value_type = Option<String>)]
    state: Option<PeriodState>,
    /// Most entries, 1 to 100; 50 if absent.
    #[validate(range(min = 1, max = 100))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[validate(length(max = 200))]
    cursor: Option<String>,
}

/// A claim line that waits for a decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldClaimEntry {
    #[schema(value_type = String)]
    claim_line_id: ClaimLineId,
    #[schema(value_type = String)]
    order_id: OrderId,
    #[schema(value_type = String)]
    resident_id: ResidentId,
    #[schema(value_type = String)]
    provider_id: ProviderId,
    programme: String,
    /// Six digits of the county whose bureau decides and pays.
    bureau: String,
    service_on: String,
    quoted_fen: i64,
    subsidy_fen: i64,
    /// Why it is held.
    codes: Vec<String>,
}

impl From<HeldClaimRow> for HeldClaimEntry {
    fn from(row: HeldClaimRow) -> Self {
        Self {
            claim_line_id: row.claim_line_id,
            order_id: row.order_id,
            resident_id: row.resident_id,
            provider_id: row.provider_id,
            programme: row.programme,
            bureau: row.bureau,
            service_on: row.service_on.to_string(),
            quoted_fen: row.quoted.get(),
            subsidy_fen: row.subsidy.get(),
            codes: row.codes.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A settlement period in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeriodEntry {
    #[schema(value_type = String)]
    settlement_period_id: SettlementPeriodId,
    programme: String,
    bureau: String,
    month: String,
    state: String,
    line_count: i64,
    total_fen: i64,
}

impl From<PeriodRow> for PeriodEntry {
    fn from(row: PeriodRow) -> Self {
        Self {
            settlement_period_id: row.settlement_period_id,
            programme: row.programme,
            bureau: row.bureau,
            month: row.month.to_string(),
            state: row.state.to_string(),
            line_count: row.line_count,
            total_fen: row.total.get(),
        }
    }
}

/// Lists the claim lines that are held for missing evidence, the newest first
#[utoipa::path(get, path = "/held_claim_lines", tag = "settlement", params(HeldClaimsQuery), responses((status = OK, body = PageResponse<HeldClaimEntry>)))]
pub(crate) async fn held_claims(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<HeldClaimsQuery>,
) -> Result<Json<PageResponse<HeldClaimEntry>>, Problem> {
    let filter = HeldClaimFilter { programme: query.programme, provider: query.provider_id };
    Ok(Json(state.store.held_claims(&who.ctx.actor, &filter, &asked(query.limit, query.cursor)).await?.into()))
}

/// Lists the settlement periods of the bureaus within reach, the newest first
#[utoipa::path(get, path = "/settlement_periods", tag = "settlement", params(PeriodsQuery), responses((status = OK, body = PageResponse<PeriodEntry>)))]
pub(crate) async fn periods(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<PeriodsQuery>,
) -> Result<Json<PageResponse<PeriodEntry>>, Problem> {
    let filter = PeriodFilter { programme: query.programme, month: query.month, state: query.state };
    Ok(Json(state.store.settlement_periods(&who.ctx.actor, &filter, &asked(query.limit, query.cursor)).await?.into()))
}
