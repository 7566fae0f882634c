//! The clock of a demo city. In a live city there is no such thing.

use axum::{Json, extract::State};
use chrono::TimeDelta;
use domain::time::BusinessDate;
use serde::{Deserialize, Serialize};
use store::{CityMode, command::city::MoveDemoClock};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    extract::{RequestCtx, Valid},
    problem::Problem,
    state::AppState,
};

/// To which day, or by how many minutes.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveClockRequest {
    /// The day that it is to be; the time of day stays.
    #[schema(value_type = Option<String>, format = Date)]
    today: Option<BusinessDate>,
    /// Minutes to move on, after the day was set.
    #[serde(default)]
    #[validate(range(min = 0, max = 527_040))]
    minutes: i64,
}

/// What time it is now in the city.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClockResponse {
    #[schema(value_type = String, format = DateTime)]
    now: domain::time::Instant,
    /// The business date in Shanghai.
    #[schema(value_type = String, format = Date)]
    today: BusinessDate,
}

/// Moves the clock of a demo city
///
/// Forward only: what was written would lie in the future.
#[utoipa::path(put, path = "/demo/clock", tag = "city", request_body = MoveClockRequest, responses((status = OK, body = ClockResponse)))]
pub(crate) async fn set(
    State(state): State<AppState>,
    who: RequestCtx,
    body: Valid<MoveClockRequest>,
) -> Result<Json<ClockResponse>, Problem> {
    let now = who.ctx.now;
    let days = body.value.today.map_or(0, |today| (today.get() - BusinessDate::of(now).get()).num_days());
    let moved = state.clock.offset_seconds() + TimeDelta::days(days).num_seconds() + body.value.minutes * 60;
    state.store.write(who.ctx, MoveDemoClock { offset_seconds: moved }).await?;
    state.clock.move_to_offset(moved);
    let now = state.source.now();
    Ok(Json(ClockResponse { now, today: BusinessDate::of(now) }))
}

/// Tells what time it is in a demo city
#[utoipa::path(get, path = "/demo/clock", tag = "city", responses((status = OK, body = ClockResponse)))]
pub(crate) async fn read(State(state): State<AppState>) -> Result<Json<ClockResponse>, Problem> {
    if state.store.city().await?.mode != CityMode::Demo {
        return Err(Problem::not_found());
    }
    let now = state.source.now();
    Ok(Json(ClockResponse { now, today: BusinessDate::of(now) }))
}
