//! Carers: what they can do, when they work, when they are away.

use axum::{Json, extract::State, http::StatusCode};
use domain::{
    catalogue::ItemCode,
    error::FieldError,
    id::{CarerId, CarerLeaveId, CredentialId, ProviderId},
    provider::{CarerProfile, Dialect},
    resident::Sex,
    time::{BusinessDate, DateRange},
};
use serde::{Deserialize, Serialize};
use store::{
    command::provider::{AddCertificate, AddedCertificate, EditCarer, EndLeave, RecordLeave, RecordedLeave},
    query::provider::{CarerView, LeaveView},
};
use utoipa::ToSchema;
use validator::Validate;

use super::{
    once::once,
    provider_profiles::{CredentialResponse, Tagged, VersionResponse, WeekRangeBody, edited, hours_body, named, read_hours},
    providers::CredentialRequest,
};
use crate::{
    extract::{IdempotencyKey, IfMatch, PathId, RequestCtx, Valid, etag},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// What a carer can do and when they work.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CarerProfileBody {
    #[schema(value_type = String)]
    sex: Sex,
    /// Service items that the carer gives.
    #[validate(length(max = 20))]
    #[schema(value_type = Vec<String>)]
    skills: Vec<ItemCode>,
    /// What they speak, such as `tianjin`.
    #[validate(length(max = 20))]
    dialects: Vec<String>,
    /// Working hours of a week.
    #[validate(length(max = 28))]
    working_times: Vec<WeekRangeBody>,
    #[schema(value_type = String, format = Date)]
    employed_from: BusinessDate,
    /// First day after the employment; absent while it goes on.
    #[schema(value_type = Option<String>, format = Date)]
    employed_until: Option<BusinessDate>,
}

impl CarerProfileBody {
    fn read(&self) -> Result<CarerProfile, Problem> {
        let mut faults: Vec<FieldError> = Vec::new();
        let dialects = self.dialects.iter().enumerate();
        let dialects: Vec<Option<Dialect>> =
            dialects.map(|(place, text)| named(text.parse(), &format!("dialects.{place}"), &mut faults)).collect();
        let working_times = read_hours(&self.working_times, "working_times", &mut faults);
        let Some(working_times) = working_times.filter(|_| faults.is_empty()) else { return Err(Problem::fields(faults)) };
        let profile = CarerProfile {
            sex: self.sex,
            skills: self.skills.iter().copied().collect(),
            dialects: dialects.into_iter().flatten().collect(),
            working_times,
            employed_from: self.employed_from,
            employed_until: self.employed_until,
        };
        named(profile.check(), "employed_until", &mut faults).ok_or_else(|| Problem::fields(faults))
    }

    fn of(profile: &CarerProfile) -> Self {
        Self {
            sex: profile.sex,
            skills: profile.skills.iter().copied().collect(),
            dialects: profile.dialects.iter().map(ToString::to_string).collect(),
            working_times: hours_body(&profile.working_times),
            employed_from: profile.employed_from,
            employed_until: profile.employed_until,
        }
    }
}

/// A carer's record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CarerResponse {
    #[schema(value_type = String)]
    carer_id: CarerId,
    #[schema(value_type = String)]
    provider_id: ProviderId,
    name: String,
    /// Absent before it was said.
    profile: Option<CarerProfileBody>,
    certificates: Vec<CredentialResponse>,
    /// Leave that has not ended.
    leave: Vec<LeaveResponse>,
    /// Version of the profile, for edits.
    version: i64,
}

/// Days on which a carer is away.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeaveResponse {
    #[schema(value_type = String)]
    leave_id: CarerLeaveId,
    #[schema(value_type = String, format = Date)]
    first_day: BusinessDate,
    /// First day after the leave.
    #[schema(value_type = Option<String>, format = Date)]
    ends_on: Option<BusinessDate>,
}

impl From<CarerView> for CarerResponse {
    fn from(view: CarerView) -> Self {
        let leave = |row: LeaveView| LeaveResponse { leave_id: row.leave_id, first_day: row.days.from(), ends_on: row.days.until() };
        Self {
            carer_id: view.carer_id,
            provider_id: view.provider_id,
            name: view.name,
            profile: view.profile.as_ref().map(CarerProfileBody::of),
            certificates: view.certificates.iter().map(CredentialResponse::from).collect(),
            leave: view.leave.into_iter().map(leave).collect(),
            version: view.version,
        }
    }
}

/// Lists the carers of a provider
#[utoipa::path(get, path = "/providers/{provider_id}/carers", tag = "providers", params(("provider_id" = String, Path)), responses((status = OK, body = Vec<CarerResponse>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
) -> Result<Json<Vec<CarerResponse>>, Problem> {
    let carers = state.store.carers(&who.ctx.actor, provider, BusinessDate::of(who.ctx.now)).await?;
    Ok(Json(carers.into_iter().map(CarerResponse::from).collect()))
}

/// Reads a carer's record
///
/// The `ETag` is the version of the profile, for its edit.
#[utoipa::path(get, path = "/carers/{carer_id}", tag = "providers", params(("carer_id" = String, Path)), responses((status = OK, body = CarerResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(carer): PathId<CarerId>,
) -> Result<Tagged<CarerResponse>, Problem> {
    let view = state.store.carer(&who.ctx.actor, carer, BusinessDate::of(who.ctx.now)).await?;
    Ok((etag(view.version), Json(view.into())))
}

/// Says what a carer can do and when they work; also ends the employment
///
/// `If-Match` names the version that was read, `"0"` for the first one.
#[utoipa::path(put, path = "/carers/{carer_id}/profile", tag = "providers", params(("carer_id" = String, Path)), request_body = CarerProfileBody, responses((status = OK, body = VersionResponse)))]
pub(crate) async fn edit(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(carer): PathId<CarerId>,
    IfMatch(version): IfMatch,
    body: Valid<CarerProfileBody>,
) -> Result<Tagged<VersionResponse>, Problem> {
    let profile = body.value.read()?;
    Ok(edited(&state.store.write(who.ctx, EditCarer { carer, version, profile }).await?))
}

/// An added certificate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddCertificateResponse {
    #[schema(value_type = String)]
    credential_id: CredentialId,
}

impl From<AddedCertificate> for AddCertificateResponse {
    fn from(made: AddedCertificate) -> Self {
        Self { credential_id: made.credential_id }
    }
}

/// Adds a certificate or a renewed one to a carer
#[utoipa::path(post, path = "/carers/{carer_id}/certificates", tag = "providers", params(("carer_id" = String, Path)), request_body = CredentialRequest, responses((status = CREATED, body = AddCertificateResponse)))]
pub(crate) async fn add_certificate(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(carer): PathId<CarerId>,
    key: IdempotencyKey,
    body: Valid<CredentialRequest>,
) -> Result<Created<AddCertificateResponse>, Problem> {
    let certificate = body.value.read()?;
    let answer = once(&state, who, key, &body, AddCertificate { carer, certificate }).await?;
    Ok(Created::at(|_made: &AddCertificateResponse| format!("/carers/{carer}"), answer))
}

/// Days on which a carer is away; why is not asked.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordLeaveRequest {
    #[schema(value_type = String, format = Date)]
    first_day: BusinessDate,
    /// First day after the leave.
    #[schema(value_type = String, format = Date)]
    ends_on: BusinessDate,
}

/// Recorded leave.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordLeaveResponse {
    #[schema(value_type = String)]
    leave_id: CarerLeaveId,
}

impl From<RecordedLeave> for RecordLeaveResponse {
    fn from(made: RecordedLeave) -> Self {
        Self { leave_id: made.leave_id }
    }
}

/// Records days on which a carer is away
#[utoipa::path(post, path = "/carers/{carer_id}/leave", tag = "providers", params(("carer_id" = String, Path)), request_body = RecordLeaveRequest, responses((status = CREATED, body = RecordLeaveResponse)))]
pub(crate) async fn record_leave(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(carer): PathId<CarerId>,
    key: IdempotencyKey,
    body: Valid<RecordLeaveRequest>,
) -> Result<Created<RecordLeaveResponse>, Problem> {
    let mut faults = Vec::new();
    let days = named(DateRange::new(body.value.first_day, Some(body.value.ends_on)), "ends_on", &mut faults);
    let Some(days) = days else { return Err(Problem::fields(faults)) };
    let answer = once(&state, who, key, &body, RecordLeave { carer, days }).await?;
    Ok(Created::at(|_made: &RecordLeaveResponse| format!("/carers/{carer}"), answer))
}

/// Takes recorded leave back
#[utoipa::path(delete, path = "/leave/{leave_id}", tag = "providers", params(("leave_id" = String, Path)), responses((status = NO_CONTENT)))]
pub(crate) async fn end_leave(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(leave): PathId<CarerLeaveId>,
) -> Result<StatusCode, Problem> {
    state.store.write(who.ctx, EndLeave { leave }).await?;
    Ok(StatusCode::NO_CONTENT)
}
