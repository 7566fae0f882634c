//! Residents: registration, family members, entitlements.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use domain::{
    division::DivisionCode,
    error::{Fault as _, FieldError},
    id::{PersonId, ResidentId, ServiceAddressId},
    policy::FactValue,
    resident::{
        Category, CategorySpan, Consent, ConsentChannel, ConsentPurpose, Coordinate, CoordinateSystem, Disability, DisabilityKind,
        IdentityDocument, Living, PersonName, PhoneNumber, Relation, Sex,
    },
    time::{BusinessDate, DateRange},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::{
    command::resident::{BindFamilyMember, BoundFamilyMember, NewAddress, RegisterResident, RegisteredResident},
    query::resident::{EntitlementView, ResidentView, WindowView},
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

/// An older person as a community worker registers them. Absent means unknown, never "none".
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterResidentRequest {
    #[schema(value_type = String)]
    document: IdentityDocument,
    /// Number of the document.
    #[schema(value_type = String)]
    number: SecretString,
    /// Name as on the document.
    name: String,
    phone: Option<String>,
    /// Needed where the document does not state it.
    #[schema(value_type = Option<String>, format = Date)]
    birth_date: Option<BusinessDate>,
    /// Needed where the document does not state it.
    #[schema(value_type = Option<String>)]
    sex: Option<Sex>,
    /// Division of the household register.
    #[schema(value_type = Option<String>)]
    hukou: Option<DivisionCode>,
    /// Community of residence.
    #[schema(value_type = String)]
    residence: DivisionCode,
    #[schema(value_type = Option<String>)]
    living: Option<Living>,
    /// Recognised circumstances; an empty list means known to have none.
    categories: Option<Vec<CategoryRequest>>,
    disability: Option<DisabilityRequest>,
    /// Facts that policies declare, such as `needs_care`.
    #[serde(default)]
    #[schema(value_type = Object)]
    facts: BTreeMap<String, FactValue>,
    #[validate(length(max = 5), nested)]
    addresses: Vec<AddressRequest>,
}

/// A recognised circumstance with the days on which it holds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CategoryRequest {
    #[schema(value_type = String)]
    category: Category,
    #[schema(value_type = String, format = Date)]
    from: BusinessDate,
    /// First day on which it no longer holds.
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<BusinessDate>,
}

/// A recognised disability.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisabilityRequest {
    #[schema(value_type = String)]
    kind: DisabilityKind,
    /// 1 (most severe) to 4.
    grade: u8,
}

/// Where a resident is served.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressRequest {
    /// Community in which it lies.
    #[schema(value_type = String)]
    division: DivisionCode,
    /// Street, house, door.
    #[validate(length(min = 1, max = 200))]
    text: String,
    position: Option<PositionRequest>,
}

/// A position in the system in which it was measured.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PositionRequest {
    #[schema(value_type = String)]
    pub(super) system: CoordinateSystem,
    /// Decimal degrees as text, such as `39.117220`.
    pub(super) latitude: String,
    /// Decimal degrees as text, such as `117.195980`.
    pub(super) longitude: String,
}

impl PositionRequest {
    pub(super) fn read(&self, field: &str, faults: &mut Vec<FieldError>) -> Option<Coordinate> {
        let read = Coordinate::parse(self.system, &self.latitude, &self.longitude);
        read.map_err(|fault| faults.extend(fault.fields().into_iter().map(|own| FieldError { field: field.to_owned(), ..own }))).ok()
    }
}

/// A registered resident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisterResidentResponse {
    #[schema(value_type = String)]
    resident_id: ResidentId,
    #[schema(value_type = Vec<String>)]
    address_ids: Vec<ServiceAddressId>,
    /// What somebody should look at although it was accepted.
    warnings: Vec<String>,
}

impl From<RegisteredResident> for RegisterResidentResponse {
    fn from(made: RegisteredResident) -> Self {
        Self { resident_id: made.resident_id, address_ids: made.address_ids, warnings: made.warnings }
    }
}

/// Registers a resident
///
/// The identity number is checked and kept encrypted; one number is one resident.
#[utoipa::path(post, path = "/residents", tag = "residents", request_body = RegisterResidentRequest, responses((status = CREATED, body = RegisterResidentResponse)))]
pub(crate) async fn register(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<RegisterResidentRequest>,
) -> Result<Created<RegisterResidentResponse>, Problem> {
    let command = read_registration(&body.value)?;
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &RegisterResidentResponse| format!("/residents/{}", made.resident_id), answer))
}

fn read_registration(request: &RegisterResidentRequest) -> Result<RegisterResident, Problem> {
    let mut faults = Vec::new();
    let name = PersonName::parse(&request.name).map_err(|fault| faults.extend(fault.fields())).ok();
    let phone = request.phone.as_deref().map(PhoneNumber::parse).transpose().map_err(|fault| faults.extend(fault.fields())).ok().flatten();
    let categories = read_categories(request.categories.as_deref(), &mut faults);
    let disability = request
        .disability
        .as_ref()
        .and_then(|given| Disability::new(given.kind, given.grade).map_err(|fault| faults.extend(fault.fields())).ok());
    let mut addresses = Vec::new();
    for (place, address) in request.addresses.iter().enumerate() {
        let coordinate = address.position.as_ref().and_then(|position| position.read(&format!("addresses.{place}.position"), &mut faults));
        addresses.push(NewAddress { division: address.division, text: address.text.clone().into(), coordinate });
    }
    match name {
        Some(name) if faults.is_empty() => Ok(RegisterResident {
            document: request.document,
            number: request.number.clone(),
            name,
            phone,
            birth_date: request.birth_date,
            sex: request.sex,
            hukou: request.hukou,
            residence: request.residence,
            living: request.living,
            categories,
            disability,
            declared: request.facts.clone(),
            addresses,
        }),
        _ => Err(Problem::fields(faults)),
    }
}

fn read_categories(given: Option<&[CategoryRequest]>, faults: &mut Vec<FieldError>) -> Option<Vec<CategorySpan>> {
    let given = given?;
    let mut spans = Vec::new();
    for (place, category) in given.iter().enumerate() {
        match DateRange::new(category.from, category.until) {
            Ok(valid) => spans.push(CategorySpan { category: category.category, valid }),
            Err(fault) => faults.push(FieldError::new(format!("categories.{place}.until"), fault.code(), "write a day after the first")),
        }
    }
    Some(spans)
}

/// A resident's record. The identity number is masked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResidentResponse {
    #[schema(value_type = String)]
    resident_id: ResidentId,
    name: String,
    document: String,
    number_masked: String,
    residence: String,
    residence_name: Option<String>,
    status: String,
    addresses: Vec<AddressResponse>,
}

/// A service address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddressResponse {
    #[schema(value_type = String)]
    address_id: ServiceAddressId,
    division: String,
    text: String,
}

impl From<ResidentView> for ResidentResponse {
    fn from(view: ResidentView) -> Self {
        let addresses = view.addresses.into_iter();
        Self {
            resident_id: view.resident_id,
            name: view.name,
            document: view.document.to_string(),
            number_masked: view.number_masked,
            residence: view.residence,
            residence_name: view.residence_name,
            status: view.status.to_string(),
            addresses: addresses
                .map(|address| AddressResponse { address_id: address.address_id, division: address.division, text: address.text })
                .collect(),
        }
    }
}

/// Shows a resident's record
#[utoipa::path(get, path = "/residents/{resident_id}", tag = "residents", params(("resident_id" = String, Path)), responses((status = OK, body = ResidentResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<ResidentId>,
) -> Result<Json<ResidentResponse>, Problem> {
    Ok(Json(state.store.resident(&who.ctx.actor, id).await?.into()))
}

/// Somebody who is to act for a resident, or the resident's own account.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct BindFamilyMemberRequest {
    /// Login of an account with the role `family_member` or `resident`.
    #[validate(length(min = 3, max = 64))]
    login: String,
    #[schema(value_type = String)]
    relation: Relation,
    consent: ConsentRequest,
}

/// The resident's consent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentRequest {
    /// Version of the text that was agreed to.
    version: String,
    #[schema(value_type = Vec<String>)]
    purposes: Vec<ConsentPurpose>,
    #[schema(value_type = String, format = Date)]
    given_on: BusinessDate,
    #[schema(value_type = String)]
    channel: ConsentChannel,
}

/// A bound family member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BindFamilyMemberResponse {
    #[schema(value_type = String)]
    resident_id: ResidentId,
    #[schema(value_type = String)]
    person_id: PersonId,
}

impl From<BoundFamilyMember> for BindFamilyMemberResponse {
    fn from(made: BoundFamilyMember) -> Self {
        Self { resident_id: made.resident_id, person_id: made.person_id }
    }
}

/// Binds a family member to a resident
///
/// From now on they may act for the resident, by the recorded relation and consent.
#[utoipa::path(post, path = "/residents/{resident_id}/family_members", tag = "residents", params(("resident_id" = String, Path)), request_body = BindFamilyMemberRequest, responses((status = CREATED, body = BindFamilyMemberResponse)))]
pub(crate) async fn bind_family_member(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(resident): PathId<ResidentId>,
    key: IdempotencyKey,
    body: Valid<BindFamilyMemberRequest>,
) -> Result<Created<BindFamilyMemberResponse>, Problem> {
    let given = &body.value.consent;
    let consent = Consent::new(&given.version, given.purposes.iter().copied(), given.given_on, given.channel);
    let consent = consent.map_err(|fault| Problem::fields(fault.fields()))?;
    let command = BindFamilyMember { resident, login: body.value.login.clone(), relation: body.value.relation, consent };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &BindFamilyMemberResponse| format!("/residents/{}", made.resident_id), answer))
}

/// A right to a benefit with its windows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntitlementResponse {
    entitlement_id: String,
    programme: String,
    benefit: String,
    /// `fen`, `minutes`, `visits` or `meals`.
    unit: String,
    effective_from: String,
    effective_until: Option<String>,
    /// The latest first.
    windows: Vec<WindowResponse>,
}

/// One window with its balance, in the unit of the entitlement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WindowResponse {
    window_id: String,
    start: String,
    /// First day after.
    end: Option<String>,
    granted: i64,
    held: i64,
    posted: i64,
    expired: i64,
    /// What can still be reserved today.
    available: i64,
}

impl From<EntitlementView> for EntitlementResponse {
    fn from(view: EntitlementView) -> Self {
        Self {
            entitlement_id: view.entitlement_id.to_string(),
            programme: view.programme,
            benefit: view.benefit,
            unit: view.unit.to_string(),
            effective_from: view.effective_from.to_string(),
            effective_until: view.effective_until.map(|day| day.to_string()),
            windows: view.windows.into_iter().map(WindowResponse::from).collect(),
        }
    }
}

impl From<WindowView> for WindowResponse {
    fn from(view: WindowView) -> Self {
        Self {
            window_id: view.window_id.to_string(),
            start: view.start.to_string(),
            end: view.end.map(|day| day.to_string()),
            granted: view.granted,
            held: view.held,
            posted: view.posted,
            expired: view.expired,
            available: view.available,
        }
    }
}

/// Shows what a resident may use
#[utoipa::path(get, path = "/residents/{resident_id}/entitlements", tag = "residents", params(("resident_id" = String, Path)), responses((status = OK, body = Vec<EntitlementResponse>)))]
pub(crate) async fn entitlements(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<ResidentId>,
) -> Result<Json<Vec<EntitlementResponse>>, Problem> {
    let today = BusinessDate::of(who.ctx.now);
    let views = state.store.entitlements(&who.ctx.actor, id, today).await?;
    Ok(Json(views.into_iter().map(EntitlementResponse::from).collect()))
}
