//! Where and when a provider serves, and the bureau's agreement and yearly review.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue},
};
use domain::{
    division::Scope,
    error::{Fault, FieldError},
    id::{AgreementId, ProviderId, QualificationReviewId},
    provider::{Agreement, Credential, ProviderProfile, Reach, ServiceArea, TimeOfDay, WeekHours, WeekRange},
    time::{BusinessDate, DateRange},
};
use serde::{Deserialize, Serialize};
use store::{
    command::provider::{AgreementView, EditProfile, EndAgreement, RecordAgreement, RecordReview, RecordedReview, Versioned},
    query::provider::ProviderView,
};
use utoipa::ToSchema;
use validator::Validate;

use super::{addresses::PositionRequest, once::once};
use crate::{
    extract::{IdempotencyKey, IfMatch, PathId, RequestCtx, Valid, etag},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// An answer with the version of what it shows.
pub(super) type Tagged<T> = ([(HeaderName, HeaderValue); 1], Json<T>);

/// A range of hours on one weekday, in China Standard Time.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WeekRangeBody {
    /// 1 Monday to 7 Sunday.
    weekday: u8,
    /// First minute, such as `08:30`.
    #[schema(value_type = String)]
    from: TimeOfDay,
    /// First minute outside, at most `24:00`.
    #[schema(value_type = String)]
    until: TimeOfDay,
}

/// Reads the hours of a week.
pub(super) fn read_hours(given: &[WeekRangeBody], field: &str, faults: &mut Vec<FieldError>) -> Option<WeekHours> {
    let ranges = given.iter().map(|range| WeekRange { weekday: range.weekday, from: range.from, until: range.until }).collect();
    named(WeekHours::new(ranges), field, faults)
}

/// Keeps a fault under the name that the field has in the request.
pub(super) fn named<T>(read: Result<T, impl Fault>, field: &str, faults: &mut Vec<FieldError>) -> Option<T> {
    read.map_err(|fault| faults.extend(fault.fields().into_iter().map(|own| FieldError { field: field.to_owned(), ..own }))).ok()
}

/// The hours of a week as they are answered.
pub(super) fn hours_body(hours: &WeekHours) -> Vec<WeekRangeBody> {
    hours.ranges().iter().map(|range| WeekRangeBody { weekday: range.weekday, from: range.from, until: range.until }).collect()
}

/// Where and when a provider serves. Of divisions and distance each one that is stated must hold.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderProfileBody {
    /// Prefixes of division codes, such as `120101`.
    #[validate(length(max = 500))]
    #[schema(value_type = Vec<String>)]
    divisions: Vec<Scope>,
    reach: Option<ReachBody>,
    /// Opening hours of a week.
    #[validate(length(max = 28))]
    hours: Vec<WeekRangeBody>,
    /// Days on which it is closed all the same.
    #[validate(length(max = 400))]
    #[schema(value_type = Vec<String>)]
    closing_days: Vec<BusinessDate>,
}

/// A circle around the provider's own place.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReachBody {
    position: PositionRequest,
    /// As the crow flies, in metres.
    radius_m: u32,
}

impl ProviderProfileBody {
    fn read(&self) -> Result<ProviderProfile, Problem> {
        let mut faults = Vec::new();
        let reach = match &self.reach {
            None => Some(None),
            Some(reach) => {
                reach.position.read("reach.position", &mut faults).map(|centre| Some(Reach { centre, radius_m: reach.radius_m }))
            }
        };
        let divisions: BTreeSet<Scope> = self.divisions.iter().copied().collect();
        let area = reach.and_then(|reach| named(ServiceArea::new(divisions, reach), "divisions", &mut faults));
        let hours = read_hours(&self.hours, "hours", &mut faults);
        let Some((area, hours)) = area.zip(hours) else { return Err(Problem::fields(faults)) };
        let profile = ProviderProfile::new(area, hours, self.closing_days.iter().copied().collect());
        named(profile, "closing_days", &mut faults).ok_or_else(|| Problem::fields(faults))
    }

    fn of(profile: &ProviderProfile) -> Self {
        let reach = profile.area.reach().map(|reach| ReachBody { position: PositionRequest::of(reach.centre), radius_m: reach.radius_m });
        Self {
            divisions: profile.area.divisions().iter().copied().collect(),
            reach,
            hours: hours_body(&profile.hours),
            closing_days: profile.closing_days.iter().copied().collect(),
        }
    }
}

/// A licence or certificate.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CredentialResponse {
    kind: String,
    number: String,
    #[schema(value_type = String, format = Date)]
    valid_from: BusinessDate,
    /// First day on which it no longer holds.
    #[schema(value_type = Option<String>, format = Date)]
    valid_until: Option<BusinessDate>,
}

impl From<&Credential> for CredentialResponse {
    fn from(held: &Credential) -> Self {
        Self {
            kind: held.kind().to_string(),
            number: held.number().to_owned(),
            valid_from: held.valid().from(),
            valid_until: held.valid().until(),
        }
    }
}

/// A provider's record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderResponse {
    #[schema(value_type = String)]
    provider_id: ProviderId,
    name: String,
    credit_code: String,
    division: String,
    state: String,
    /// Since when it is admitted; the day of its application before that.
    #[schema(value_type = String, format = Date)]
    admitted_on: BusinessDate,
    licences: Vec<CredentialResponse>,
    agreements: Vec<AgreementResponse>,
    /// Whether the last yearly review of each year was passed.
    #[schema(value_type = Object)]
    reviews: BTreeMap<String, bool>,
    prices: Vec<PriceResponse>,
}

/// A row of a price list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PriceResponse {
    item: String,
    class: String,
    /// Price of one catalogue unit, in fen.
    unit_price_fen: i64,
    #[schema(value_type = String, format = Date)]
    effective_from: BusinessDate,
}

impl From<ProviderView> for ProviderResponse {
    fn from(view: ProviderView) -> Self {
        let price = |row: store::query::provider::PriceView| PriceResponse {
            item: row.item,
            class: row.class,
            unit_price_fen: row.unit_price.get(),
            effective_from: row.effective_from,
        };
        Self {
            provider_id: view.provider_id,
            name: view.name,
            credit_code: view.credit_code,
            division: view.division,
            state: view.state.to_string(),
            admitted_on: view.admitted_on,
            licences: view.licences.iter().map(CredentialResponse::from).collect(),
            agreements: view.agreements.into_iter().map(AgreementResponse::from).collect(),
            reviews: view.reviews.into_iter().map(|(year, passed)| (year.to_string(), passed)).collect(),
            prices: view.prices.into_iter().map(price).collect(),
        }
    }
}

/// Reads a provider's record: state, licences, agreements, reviews, prices with their history
#[utoipa::path(get, path = "/providers/{provider_id}", tag = "providers", params(("provider_id" = String, Path)), responses((status = OK, body = ProviderResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
) -> Result<Json<ProviderResponse>, Problem> {
    Ok(Json(state.store.provider(&who.ctx.actor, provider).await?.into()))
}

/// Reads where and when a provider serves
///
/// `null` before it was said; the `ETag` is the version for the edit.
#[utoipa::path(get, path = "/providers/{provider_id}/profile", tag = "providers", params(("provider_id" = String, Path)), responses((status = OK, body = Option<ProviderProfileBody>)))]
pub(crate) async fn read_profile(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
) -> Result<Tagged<Option<ProviderProfileBody>>, Problem> {
    let view = state.store.provider_profile(&who.ctx.actor, provider).await?;
    Ok((etag(view.version), Json(view.profile.as_ref().map(ProviderProfileBody::of))))
}

/// The version after an edit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionResponse {
    version: i64,
}

/// An edit's answer.
pub(super) fn edited(done: &Versioned) -> Tagged<VersionResponse> {
    (etag(done.version), Json(VersionResponse { version: done.version }))
}

/// Says where and when a provider serves
///
/// `If-Match` names the version that was read, `"0"` for the first one.
#[utoipa::path(put, path = "/providers/{provider_id}/profile", tag = "providers", params(("provider_id" = String, Path)), request_body = ProviderProfileBody, responses((status = OK, body = VersionResponse)))]
pub(crate) async fn edit_profile(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    IfMatch(version): IfMatch,
    body: Valid<ProviderProfileBody>,
) -> Result<Tagged<VersionResponse>, Problem> {
    let profile = body.value.read()?;
    Ok(edited(&state.store.write(who.ctx, EditProfile { provider, version, profile }).await?))
}

/// A signed agreement.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordAgreementRequest {
    number: String,
    #[schema(value_type = String, format = Date)]
    signed_on: BusinessDate,
    #[schema(value_type = String, format = Date)]
    valid_from: BusinessDate,
    /// First day on which it no longer holds.
    #[schema(value_type = String, format = Date)]
    valid_until: BusinessDate,
}

/// An agreement of a provider with the bureau.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgreementResponse {
    #[schema(value_type = String)]
    agreement_id: AgreementId,
    number: String,
    #[schema(value_type = String, format = Date)]
    signed_on: BusinessDate,
    #[schema(value_type = String, format = Date)]
    valid_from: BusinessDate,
    /// First day on which it no longer holds.
    #[schema(value_type = String, format = Date)]
    valid_until: BusinessDate,
    /// Version, for edits.
    version: i64,
}

impl From<AgreementView> for AgreementResponse {
    fn from(view: AgreementView) -> Self {
        let AgreementView { agreement_id, number, signed_on, valid_from, valid_until, version } = view;
        Self { agreement_id, number, signed_on, valid_from, valid_until, version }
    }
}

/// Records a provider's agreement with the bureau
///
/// Public programmes pay a service only on days that an agreement covers.
#[utoipa::path(post, path = "/providers/{provider_id}/agreements", tag = "providers", params(("provider_id" = String, Path)), request_body = RecordAgreementRequest, responses((status = CREATED, body = AgreementResponse)))]
pub(crate) async fn record_agreement(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    key: IdempotencyKey,
    body: Valid<RecordAgreementRequest>,
) -> Result<Created<AgreementResponse>, Problem> {
    let given = &body.value;
    let mut faults = Vec::new();
    let valid = named(DateRange::new(given.valid_from, Some(given.valid_until)), "valid_until", &mut faults);
    let Some(valid) = valid else { return Err(Problem::fields(faults)) };
    let agreement = Agreement::new(&given.number, given.signed_on, valid).map_err(|fault| Problem::fields(fault.fields()))?;
    let answer = once(&state, who, key, &body, RecordAgreement { provider, agreement }).await?;
    Ok(Created::at(|_made: &AgreementResponse| format!("/providers/{provider}"), answer))
}

/// When an agreement ends before its time.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndAgreementRequest {
    /// First day on which it no longer holds.
    #[schema(value_type = String, format = Date)]
    valid_until: BusinessDate,
}

/// Ends an agreement before its time
#[utoipa::path(post, path = "/agreements/{agreement_id}/ending", tag = "providers", params(("agreement_id" = String, Path)), request_body = EndAgreementRequest, responses((status = OK, body = AgreementResponse)))]
pub(crate) async fn end_agreement(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(agreement): PathId<AgreementId>,
    IfMatch(version): IfMatch,
    body: Valid<EndAgreementRequest>,
) -> Result<Tagged<AgreementResponse>, Problem> {
    let view = state.store.write(who.ctx, EndAgreement { agreement, version, until: body.value.valid_until }).await?;
    Ok((etag(view.version), Json(view.into())))
}

/// A yearly review.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordReviewRequest {
    /// The year that was reviewed: this one or the last.
    year: i32,
    /// Whether the provider goes on meeting the conditions.
    passed: bool,
    /// What was found; needed when it was not passed.
    #[validate(length(min = 1, max = 1_000))]
    note: Option<String>,
}

/// A recorded review.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordReviewResponse {
    #[schema(value_type = String)]
    review_id: QualificationReviewId,
}

impl From<RecordedReview> for RecordReviewResponse {
    fn from(made: RecordedReview) -> Self {
        Self { review_id: made.review_id }
    }
}

/// Records the yearly review of a provider's qualification
///
/// From 1 July on a provider that has not passed the review of the year accepts no orders.
#[utoipa::path(post, path = "/providers/{provider_id}/reviews", tag = "providers", params(("provider_id" = String, Path)), request_body = RecordReviewRequest, responses((status = CREATED, body = RecordReviewResponse)))]
pub(crate) async fn record_review(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    key: IdempotencyKey,
    body: Valid<RecordReviewRequest>,
) -> Result<Created<RecordReviewResponse>, Problem> {
    let RecordReviewRequest { year, passed, ref note } = body.value;
    let command = RecordReview { provider, year, passed, note: note.clone() };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|_made: &RecordReviewResponse| format!("/providers/{provider}"), answer))
}
