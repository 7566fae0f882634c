//! Providers, their prices and carers.

use axum::{Json, extract::State};
use domain::{
    catalogue::{ItemCode, ServiceClass},
    division::DivisionCode,
    error::{Fault as _, FieldError},
    id::{CarerId, PersonId, PriceId, ProviderId},
    money::Fen,
    provider::{Credential, CredentialKind, CreditCode},
    time::{BusinessDate, DateRange},
};
use serde::{Deserialize, Serialize};
use store::command::provider::{
    AdmitProvider, ApplyAsProvider, ProviderStep, PublishPrice, PublishedPrice, RegisterCarer, RegisteredCarer, ReviewProvider,
};
use utoipa::ToSchema;
use validator::Validate;

use super::once::once;
use crate::{
    extract::{IdempotencyKey, PathId, RequestCtx, Valid},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// An organisation that wants to serve, with its papers.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplyAsProviderRequest {
    /// Name as registered.
    #[validate(length(min = 1, max = 100))]
    name: String,
    /// Unified social credit code (GB 32100-2015).
    credit_code: String,
    /// Set when the certificate shows a code whose check character is wrong: an officer compares it and says why it
    /// is accepted.
    #[serde(default)]
    credit_code_as_printed: bool,
    /// Division of its seat.
    #[schema(value_type = String)]
    division: DivisionCode,
    licences: Vec<CredentialRequest>,
}

/// A licence of a provider or a certificate of a carer.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialRequest {
    /// As the catalogue names it: `home_service`, `health_proof`.
    #[schema(value_type = String)]
    kind: CredentialKind,
    number: String,
    #[schema(value_type = String, format = Date)]
    valid_from: BusinessDate,
    /// First day on which it no longer holds.
    #[schema(value_type = Option<String>, format = Date)]
    valid_until: Option<BusinessDate>,
}

impl CredentialRequest {
    pub(super) fn read(&self) -> Result<Credential, Problem> {
        let range = DateRange::new(self.valid_from, self.valid_until);
        let valid =
            range.map_err(|fault| Problem::fields(vec![FieldError::new("valid_until", fault.code(), "write a day after the first")]))?;
        Credential::new(self.kind.clone(), &self.number, valid).map_err(|fault| Problem::fields(fault.fields()))
    }
}

fn read_credentials(given: &[CredentialRequest], field: &str, faults: &mut Vec<FieldError>) -> Vec<Credential> {
    let mut read = Vec::new();
    for (place, one) in given.iter().enumerate() {
        let at = |own: FieldError| FieldError { field: format!("{field}.{place}.{}", own.field), ..own };
        match DateRange::new(one.valid_from, one.valid_until) {
            Err(fault) => faults.push(at(FieldError::new("valid_until", fault.code(), "write a day after the first"))),
            Ok(valid) => match Credential::new(one.kind.clone(), &one.number, valid) {
                Ok(credential) => read.push(credential),
                Err(fault) => faults.extend(fault.fields().into_iter().map(at)),
            },
        }
    }
    read
}

/// How far a provider has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderStepResponse {
    #[schema(value_type = String)]
    provider_id: ProviderId,
    state: String,
}

impl From<ProviderStep> for ProviderStepResponse {
    fn from(step: ProviderStep) -> Self {
        Self { provider_id: step.provider_id, state: step.state.to_string() }
    }
}

/// Applies for admission as a provider
///
/// Whoever applies manages the provider from then on.
#[utoipa::path(post, path = "/providers", tag = "providers", request_body = ApplyAsProviderRequest, responses((status = CREATED, body = ProviderStepResponse)))]
pub(crate) async fn apply(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<ApplyAsProviderRequest>,
) -> Result<Created<ProviderStepResponse>, Problem> {
    let mut faults = Vec::new();
    let given = &body.value;
    let licences = read_credentials(&given.licences, "licences", &mut faults);
    let parsed = CreditCode::parse_with_override(&given.credit_code, given.credit_code_as_printed);
    let credit_code = parsed.map_err(|fault| faults.push(FieldError::new("credit_code", fault.code(), fault.to_string()))).ok();
    let Some(credit_code) = credit_code.filter(|_| faults.is_empty()) else { return Err(Problem::fields(faults)) };
    let command = ApplyAsProvider { name: given.name.clone(), credit_code, division: given.division, licences };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &ProviderStepResponse| format!("/providers/{}", made.provider_id), answer))
}

/// Finds a provider's papers complete and true
#[utoipa::path(post, path = "/providers/{provider_id}/review", tag = "providers", params(("provider_id" = String, Path)), responses((status = OK, body = ProviderStepResponse)))]
pub(crate) async fn review(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
) -> Result<Json<ProviderStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, ReviewProvider { provider }).await?.into()))
}

/// Admits a reviewed provider
#[utoipa::path(post, path = "/providers/{provider_id}/admission", tag = "providers", params(("provider_id" = String, Path)), responses((status = OK, body = ProviderStepResponse)))]
pub(crate) async fn admit(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
) -> Result<Json<ProviderStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, AdmitProvider { provider }).await?.into()))
}

/// A price from a day on.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishPriceRequest {
    #[schema(value_type = String)]
    item: ItemCode,
    #[schema(value_type = String)]
    class: ServiceClass,
    /// Price of one catalogue unit, in fen.
    #[schema(value_type = i64)]
    unit_price_fen: Fen,
    #[schema(value_type = String, format = Date)]
    effective_from: BusinessDate,
}

/// A published price.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublishPriceResponse {
    #[schema(value_type = String)]
    price_id: PriceId,
}

impl From<PublishedPrice> for PublishPriceResponse {
    fn from(made: PublishedPrice) -> Self {
        Self { price_id: made.price_id }
    }
}

/// Publishes a price; earlier ones stay as history
#[utoipa::path(post, path = "/providers/{provider_id}/prices", tag = "providers", params(("provider_id" = String, Path)), request_body = PublishPriceRequest, responses((status = CREATED, body = PublishPriceResponse)))]
pub(crate) async fn publish_price(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    key: IdempotencyKey,
    body: Valid<PublishPriceRequest>,
) -> Result<Created<PublishPriceResponse>, Problem> {
    let given = &body.value;
    let command = PublishPrice {
        provider,
        item: given.item,
        class: given.class,
        unit_price: given.unit_price_fen,
        effective_from: given.effective_from,
    };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|_made: &PublishPriceResponse| format!("/providers/{provider}"), answer))
}

/// A carer with certificates.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterCarerRequest {
    /// Login of an account with the role `carer` at this provider.
    #[validate(length(min = 3, max = 64))]
    login: String,
    certificates: Vec<CredentialRequest>,
}

/// A registered carer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisterCarerResponse {
    #[schema(value_type = String)]
    carer_id: CarerId,
    #[schema(value_type = String)]
    person_id: PersonId,
}

impl From<RegisteredCarer> for RegisterCarerResponse {
    fn from(made: RegisteredCarer) -> Self {
        Self { carer_id: made.carer_id, person_id: made.person_id }
    }
}

/// Registers a carer with certificates
#[utoipa::path(post, path = "/providers/{provider_id}/carers", tag = "providers", params(("provider_id" = String, Path)), request_body = RegisterCarerRequest, responses((status = CREATED, body = RegisterCarerResponse)))]
pub(crate) async fn register_carer(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    key: IdempotencyKey,
    body: Valid<RegisterCarerRequest>,
) -> Result<Created<RegisterCarerResponse>, Problem> {
    let mut faults = Vec::new();
    let certificates = read_credentials(&body.value.certificates, "certificates", &mut faults);
    if !faults.is_empty() {
        return Err(Problem::fields(faults));
    }
    let command = RegisterCarer { provider, login: body.value.login.clone(), certificates };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &RegisterCarerResponse| format!("/carers/{}", made.carer_id), answer))
}
