//! Day-care centres and their seats.

use axum::{Json, extract::State};
use chrono::NaiveTime;
use domain::{
    daycare::{Half, Session},
    division::{DivisionCode, Scope},
    error::FieldError,
    id::{DayCareCentreId, ProviderId},
    time::BusinessDate,
};
use serde::{Deserialize, Serialize};
use store::{
    command::daycare::{NewRoom, OpenDayCareCentre, OpenedCentre},
    query::daycare::{CentreView, HalfSeats, SeatView},
};
use utoipa::ToSchema;
use validator::Validate;

use super::once::once;
use crate::{
    extract::{IdempotencyKey, PathId, RequestCtx, Valid, ValidQuery},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// A centre with its rooms and hours.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenCentreRequest {
    #[validate(length(min = 1, max = 100))]
    name: String,
    #[schema(value_type = String)]
    division: DivisionCode,
    #[validate(length(min = 1, max = 50))]
    rooms: Vec<RoomRequest>,
    /// At most one morning and one afternoon per weekday.
    #[validate(length(min = 1, max = 14))]
    sessions: Vec<SessionRequest>,
    /// Days on which it is closed all the same.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    #[validate(length(max = 366))]
    closing_days: Vec<BusinessDate>,
}

/// A room with its seats.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoomRequest {
    name: String,
    seats: u32,
}

/// When a centre is open on one weekday in one half.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionRequest {
    /// 1 Monday to 7 Sunday.
    weekday: u32,
    /// `morning` or `afternoon`.
    #[schema(value_type = String)]
    half: Half,
    /// China Standard Time, such as `08:30`.
    from: String,
    until: String,
}

impl From<&Session> for SessionRequest {
    fn from(session: &Session) -> Self {
        let time = |time: NaiveTime| time.format("%H:%M").to_string();
        Self { weekday: session.weekday, half: session.half, from: time(session.from), until: time(session.until) }
    }
}

fn read_sessions(given: &[SessionRequest]) -> Result<Vec<Session>, Problem> {
    let mut faults = Vec::new();
    let mut sessions = Vec::new();
    for (place, one) in given.iter().enumerate() {
        let mut time = |name: &str, text: &str| {
            let read = NaiveTime::parse_from_str(text, "%H:%M").ok();
            if read.is_none() {
                faults.push(FieldError::new(format!("sessions.{place}.{name}"), "day_care.time", "write a time such as 08:30"));
            }
            read
        };
        if let (Some(from), Some(until)) = (time("from", &one.from), time("until", &one.until)) {
            sessions.push(Session { weekday: one.weekday, half: one.half, from, until });
        }
    }
    if faults.is_empty() { Ok(sessions) } else { Err(Problem::fields(faults)) }
}

/// An opened centre.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenedCentreResponse {
    #[schema(value_type = String)]
    centre_id: DayCareCentreId,
}

impl From<OpenedCentre> for OpenedCentreResponse {
    fn from(opened: OpenedCentre) -> Self {
        Self { centre_id: opened.centre_id }
    }
}

/// Opens a day-care centre
#[utoipa::path(post, path = "/providers/{provider_id}/day_care_centres", tag = "day_care", params(("provider_id" = String, Path)), request_body = OpenCentreRequest, responses((status = CREATED, body = OpenedCentreResponse)))]
pub(crate) async fn open(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    key: IdempotencyKey,
    body: Valid<OpenCentreRequest>,
) -> Result<Created<OpenedCentreResponse>, Problem> {
    let given = &body.value;
    let command = OpenDayCareCentre {
        provider,
        name: given.name.clone(),
        division: given.division,
        rooms: given.rooms.iter().map(|room| NewRoom { name: room.name.clone(), seats: room.seats }).collect(),
        sessions: read_sessions(&given.sessions)?,
        closing_days: given.closing_days.clone(),
    };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &OpenedCentreResponse| format!("/day_care_centres/{}", made.centre_id), answer))
}

/// A day-care centre.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CentreResponse {
    #[schema(value_type = String)]
    centre_id: DayCareCentreId,
    #[schema(value_type = String)]
    provider_id: ProviderId,
    name: String,
    division: String,
    sessions: Vec<SessionRequest>,
    #[schema(value_type = Vec<String>)]
    closing_days: Vec<BusinessDate>,
}

impl From<CentreView> for CentreResponse {
    fn from(view: CentreView) -> Self {
        Self {
            centre_id: view.centre_id,
            provider_id: view.provider_id,
            name: view.name,
            division: view.division.to_string(),
            sessions: view.sessions.iter().map(SessionRequest::from).collect(),
            closing_days: view.closing_days,
        }
    }
}

/// In which division.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithinQuery {
    division: Scope,
}

/// Lists the day-care centres of a division
///
/// By name, at most 200.
#[utoipa::path(get, path = "/day_care_centres", tag = "day_care", params(("division" = String, Query, description = "Prefix of a division code, such as `120101`")), responses((status = OK, body = Vec<CentreResponse>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<WithinQuery>,
) -> Result<Json<Vec<CentreResponse>>, Problem> {
    let rows = state.store.day_care_centres(&who.ctx.actor, query.division).await?;
    Ok(Json(rows.into_iter().map(CentreResponse::from).collect()))
}

/// Which day.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DayQuery {
    day: BusinessDate,
}

/// Seats of a centre in one half of a day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HalfSeatsResponse {
    /// `morning` or `afternoon`.
    half: String,
    seats: i64,
    free: i64,
}

impl From<HalfSeats> for HalfSeatsResponse {
    fn from(row: HalfSeats) -> Self {
        Self { half: row.half.to_string(), seats: row.seats, free: row.free }
    }
}

/// Shows the seats of a centre on a day
///
/// One row for each half in which it is open.
#[utoipa::path(get, path = "/day_care_centres/{centre_id}/seats", tag = "day_care", params(("centre_id" = String, Path), ("day" = String, Query, description = "Such as `2026-12-01`")), responses((status = OK, body = Vec<HalfSeatsResponse>)))]
pub(crate) async fn seats(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<DayCareCentreId>,
    ValidQuery(query): ValidQuery<DayQuery>,
) -> Result<Json<Vec<HalfSeatsResponse>>, Problem> {
    let rows = state.store.day_care_seats(&who.ctx.actor, id, query.day).await?;
    Ok(Json(rows.into_iter().map(HalfSeatsResponse::from).collect()))
}

/// The seat of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SeatResponse {
    #[schema(value_type = String)]
    centre_id: DayCareCentreId,
    room: String,
    /// In which halves of the day.
    halves: Vec<String>,
}

impl From<SeatView> for SeatResponse {
    fn from(view: SeatView) -> Self {
        Self { centre_id: view.centre_id, room: view.room, halves: view.halves.iter().map(ToString::to_string).collect() }
    }
}
