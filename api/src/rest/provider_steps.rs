//! The steps of a provider: credit code, suspension, ending, refusal; new and renewed licences.

use axum::{Json, extract::State};
use domain::{
    id::{LicenceRequestId, PersonId, ProviderId},
    provider::SuspensionReason,
    time::{BusinessDate, Instant},
};
use serde::{Deserialize, Serialize};
use store::{
    command::provider::{
        AcceptCreditCode, DecideLicence, EndProvider, LicenceRequestView, RefuseProvider, RequestLicence, ResumeProvider, ReturnProvider,
        SuspendProvider, WithdrawProvider,
    },
    query::provider::StepView,
};
use utoipa::ToSchema;
use validator::Validate;

use super::{
    once::once,
    provider_profiles::Tagged,
    providers::{CredentialRequest, ProviderStepResponse},
};
use crate::{
    extract::{IdempotencyKey, IfMatch, PathId, RequestCtx, Valid, etag},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// Why a step was taken, for the file.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteRequest {
    #[validate(length(min = 1, max = 1_000))]
    note: String,
}

/// Why a provider's service is stopped.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SuspendRequest {
    /// `licence_ended`, `review_failed`, `agreement_ended`, `complaint`, `inspection`, `safety_incident` or `own_request`.
    #[schema(value_type = String)]
    reason: SuspensionReason,
    #[validate(length(min = 1, max = 1_000))]
    note: String,
}

/// A step of a provider.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StepResponse {
    step: String,
    /// The state after it.
    state: String,
    reason: Option<String>,
    note: Option<String>,
    #[schema(value_type = String)]
    by_person: PersonId,
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
}

impl From<StepView> for StepResponse {
    fn from(view: StepView) -> Self {
        let StepView { step, state, reason, note, by_person, at } = view;
        Self { step, state, reason, note, by_person, at }
    }
}

/// Lists the steps of a provider with their reasons
#[utoipa::path(get, path = "/providers/{provider_id}/steps", tag = "providers", params(("provider_id" = String, Path)), responses((status = OK, body = Vec<StepResponse>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
) -> Result<Json<Vec<StepResponse>>, Problem> {
    Ok(Json(state.store.provider_steps(&who.ctx.actor, provider).await?.into_iter().map(StepResponse::from).collect()))
}

/// Accepts a credit code whose check character is wrong, with the reason
#[utoipa::path(post, path = "/providers/{provider_id}/credit_code_acceptance", tag = "providers", params(("provider_id" = String, Path)), request_body = NoteRequest, responses((status = OK, body = ProviderStepResponse)))]
pub(crate) async fn accept_credit_code(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    body: Valid<NoteRequest>,
) -> Result<Json<ProviderStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, AcceptCreditCode { provider, reason: body.value.note }).await?.into()))
}

/// Stops a provider's service for the time being
///
/// It can accept, assign and begin nothing until another person lifts the suspension.
#[utoipa::path(post, path = "/providers/{provider_id}/suspension", tag = "providers", params(("provider_id" = String, Path)), request_body = SuspendRequest, responses((status = OK, body = ProviderStepResponse)))]
pub(crate) async fn suspend(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    body: Valid<SuspendRequest>,
) -> Result<Json<ProviderStepResponse>, Problem> {
    let SuspendRequest { reason, note } = body.value;
    Ok(Json(state.store.write(who.ctx, SuspendProvider { provider, reason, note }).await?.into()))
}

/// Lets a suspended provider serve again
#[utoipa::path(post, path = "/providers/{provider_id}/resumption", tag = "providers", params(("provider_id" = String, Path)), request_body = NoteRequest, responses((status = OK, body = ProviderStepResponse)))]
pub(crate) async fn resume(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    body: Valid<NoteRequest>,
) -> Result<Json<ProviderStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, ResumeProvider { provider, note: body.value.note }).await?.into()))
}

/// Ends the admission of a suspended provider
#[utoipa::path(post, path = "/providers/{provider_id}/ending", tag = "providers", params(("provider_id" = String, Path)), request_body = NoteRequest, responses((status = OK, body = ProviderStepResponse)))]
pub(crate) async fn end(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    body: Valid<NoteRequest>,
) -> Result<Json<ProviderStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, EndProvider { provider, note: body.value.note }).await?.into()))
}

/// Sends a reviewed provider's papers back to be completed
#[utoipa::path(post, path = "/providers/{provider_id}/return", tag = "providers", params(("provider_id" = String, Path)), request_body = NoteRequest, responses((status = OK, body = ProviderStepResponse)))]
pub(crate) async fn send_back(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    body: Valid<NoteRequest>,
) -> Result<Json<ProviderStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, ReturnProvider { provider, note: body.value.note }).await?.into()))
}

/// Refuses admission: an officer on the application, an approver after the review
#[utoipa::path(post, path = "/providers/{provider_id}/refusal", tag = "providers", params(("provider_id" = String, Path)), request_body = NoteRequest, responses((status = OK, body = ProviderStepResponse)))]
pub(crate) async fn refuse(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    body: Valid<NoteRequest>,
) -> Result<Json<ProviderStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, RefuseProvider { provider, note: body.value.note }).await?.into()))
}

/// Takes an application back, or closes during a suspension
#[utoipa::path(post, path = "/providers/{provider_id}/withdrawal", tag = "providers", params(("provider_id" = String, Path)), responses((status = OK, body = ProviderStepResponse)))]
pub(crate) async fn withdraw(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
) -> Result<Json<ProviderStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, WithdrawProvider { provider }).await?.into()))
}

/// A licence on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LicenceRequestResponse {
    #[schema(value_type = String)]
    licence_request_id: LicenceRequestId,
    kind: String,
    number: String,
    #[schema(value_type = String, format = Date)]
    valid_from: BusinessDate,
    #[schema(value_type = Option<String>, format = Date)]
    valid_until: Option<BusinessDate>,
    /// `requested`, `confirmed` or `refused`.
    state: String,
    /// Version, for the decision.
    version: i64,
}

impl From<LicenceRequestView> for LicenceRequestResponse {
    fn from(view: LicenceRequestView) -> Self {
        let LicenceRequestView { licence_request_id, kind, number, valid_from, valid_until, state, version } = view;
        Self { licence_request_id, kind, number, valid_from, valid_until, state, version }
    }
}

/// Asks for a new or renewed licence to be looked at
///
/// It counts once an officer has confirmed it.
#[utoipa::path(post, path = "/providers/{provider_id}/licence_requests", tag = "providers", params(("provider_id" = String, Path)), request_body = CredentialRequest, responses((status = CREATED, body = LicenceRequestResponse)))]
pub(crate) async fn request_licence(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    key: IdempotencyKey,
    body: Valid<CredentialRequest>,
) -> Result<Created<LicenceRequestResponse>, Problem> {
    let licence = body.value.read()?;
    let answer = once(&state, who, key, &body, RequestLicence { provider, licence }).await?;
    Ok(Created::at(|_made: &LicenceRequestResponse| format!("/providers/{provider}/licence_requests"), answer))
}

/// Lists the licences that a provider has asked to have looked at
#[utoipa::path(get, path = "/providers/{provider_id}/licence_requests", tag = "providers", params(("provider_id" = String, Path)), responses((status = OK, body = Vec<LicenceRequestResponse>)))]
pub(crate) async fn list_licence_requests(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
) -> Result<Json<Vec<LicenceRequestResponse>>, Problem> {
    let requests = state.store.licence_requests(&who.ctx.actor, provider).await?;
    Ok(Json(requests.into_iter().map(LicenceRequestResponse::from).collect()))
}

/// A decision on a licence.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideLicenceRequest {
    /// Whether the paper is true.
    confirm: bool,
}

/// Confirms or refuses a licence that somebody else asked for
#[utoipa::path(post, path = "/licence_requests/{licence_request_id}/decision", tag = "providers", params(("licence_request_id" = String, Path)), request_body = DecideLicenceRequest, responses((status = OK, body = LicenceRequestResponse)))]
pub(crate) async fn decide_licence(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(request): PathId<LicenceRequestId>,
    IfMatch(version): IfMatch,
    body: Valid<DecideLicenceRequest>,
) -> Result<Tagged<LicenceRequestResponse>, Problem> {
    let view = state.store.write(who.ctx, DecideLicence { request, version, confirm: body.value.confirm }).await?;
    Ok((etag(view.version), Json(view.into())))
}
