//! Deliveries that were given up.

use axum::{Json, extract::State};
use domain::{
    id::{DeliveryId, EventId},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use store::query::list::DeadDeliveryRow;
use utoipa::ToSchema;
use validator::Validate;

use super::{PageResponse, asked};
use crate::{
    extract::{RequestCtx, ValidQuery},
    problem::Problem,
    state::AppState,
};

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadDeliveriesQuery {
    /// Most entries, 1 to 100; 50 if absent.
    #[validate(range(min = 1, max = 100))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[validate(length(max = 200))]
    cursor: Option<String>,
}

/// A delivery that was given up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadDeliveryEntry {
    #[schema(value_type = String)]
    delivery_id: DeliveryId,
    #[schema(value_type = String)]
    event_id: EventId,
    event_kind: String,
    #[schema(value_type = String, format = DateTime)]
    event_at: Instant,
    /// Who was to receive it.
    subscriber: String,
    /// How often it was tried.
    attempts: i64,
    /// Why it failed the last time.
    last_error: Option<String>,
}

impl From<DeadDeliveryRow> for DeadDeliveryEntry {
    fn from(row: DeadDeliveryRow) -> Self {
        Self {
            delivery_id: row.delivery_id,
            event_id: row.event_id,
            event_kind: row.event_kind,
            event_at: row.event_at,
            subscriber: row.subscriber,
            attempts: row.attempts,
            last_error: row.last_error,
        }
    }
}

/// Lists the deliveries that were given up, the newest first
#[utoipa::path(get, path = "/jobs/dead_deliveries", tag = "trail", params(DeadDeliveriesQuery), responses((status = OK, body = PageResponse<DeadDeliveryEntry>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<DeadDeliveriesQuery>,
) -> Result<Json<PageResponse<DeadDeliveryEntry>>, Problem> {
    Ok(Json(state.store.dead_deliveries(&who.ctx.actor, &asked(query.limit, query.cursor)).await?.into()))
}
