//! Orders, and the visits of a day.

use axum::{Json, extract::State};
use domain::{
    id::{OrderId, ProviderId, ResidentId, VisitId},
    order::OrderState,
    time::{BusinessDate, Instant},
};
use serde::{Deserialize, Serialize};
use store::query::list::{OrderFilter, OrderRow, VisitFilter};
use utoipa::ToSchema;
use validator::Validate;

use super::{PageResponse, asked};
use crate::{
    extract::{RequestCtx, ValidQuery},
    problem::Problem,
    state::AppState,
};

/// Which orders.
#[derive(Debug, Deserialize, utoipa::IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrdersQuery {
    /// Such as `offered`, `assigned`, `completed`.
    #[param(value_type = Option<String>)]
    state: Option<OrderState>,
    #[param(value_type = Option<String>)]
    resident_id: Option<ResidentId>,
    #[param(value_type = Option<String>)]
    provider_id: Option<ProviderId>,
    /// First day of the planned start.
    #[param(value_type = Option<String>)]
    from: Option<BusinessDate>,
    /// First day no longer wanted.
    #[param(value_type = Option<String>)]
    until: Option<BusinessDate>,
    /// Most entries, 1 to 100; 50 if absent.
    #[validate(range(min = 1, max = 100))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[validate(length(max = 200))]
    cursor: Option<String>,
}

/// Which visits.
#[derive(Debug, Deserialize, utoipa::IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VisitsQuery {
    /// Day of the planned start.
    #[param(value_type = String)]
    day: BusinessDate,
    #[param(value_type = Option<String>)]
    provider_id: Option<ProviderId>,
    /// Most entries, 1 to 100; 50 if absent.
    #[validate(range(min = 1, max = 100))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[validate(length(max = 200))]
    cursor: Option<String>,
}

/// An order with its visit in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderEntry {
    #[schema(value_type = String)]
    order_id: OrderId,
    #[schema(value_type = String)]
    visit_id: VisitId,
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
    state: String,
    /// Who must act next.
    owner_role: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline_at: Option<Instant>,
    visit_state: String,
    /// Grade of the evidence, `a` to `d`, once judged.
    grade: Option<String>,
}

impl From<OrderRow> for OrderEntry {
    fn from(row: OrderRow) -> Self {
        Self {
            order_id: row.order_id,
            visit_id: row.visit_id,
            resident_id: row.resident_id,
            provider_id: row.provider_id,
            item: row.item.to_string(),
            class: row.class.to_string(),
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            state: row.state.to_string(),
            owner_role: row.owner_role.map(|role| role.to_string()),
            deadline_at: row.deadline_at,
            visit_state: row.visit_state.to_string(),
            grade: row.grade,
        }
    }
}

/// Lists the orders within reach, the newest first
///
/// Those of one's residents, of one's provider, of one's division, or to which one is assigned as a carer.
#[utoipa::path(get, path = "/orders", tag = "orders", params(OrdersQuery), responses((status = OK, body = PageResponse<OrderEntry>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<OrdersQuery>,
) -> Result<Json<PageResponse<OrderEntry>>, Problem> {
    let filter =
        OrderFilter { state: query.state, resident: query.resident_id, provider: query.provider_id, from: query.from, until: query.until };
    Ok(Json(state.store.orders(&who.ctx.actor, &filter, &asked(query.limit, query.cursor)).await?.into()))
}

/// Lists the visits of a day within reach, in the order of their planned start
#[utoipa::path(get, path = "/visits", tag = "visits", params(VisitsQuery), responses((status = OK, body = PageResponse<OrderEntry>)))]
pub(crate) async fn visits(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<VisitsQuery>,
) -> Result<Json<PageResponse<OrderEntry>>, Problem> {
    let filter = VisitFilter { day: query.day, provider: query.provider_id };
    Ok(Json(state.store.visits_of_day(&who.ctx.actor, &filter, &asked(query.limit, query.cursor)).await?.into()))
}
