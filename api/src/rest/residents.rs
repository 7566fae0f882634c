//! Residents: registration, the record, telephone, possible doubles.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use domain::{
    division::DivisionCode,
    error::{Fault as _, FieldError},
    id::{ResidentId, ServiceAddressId},
    policy::FactValue,
    resident::{Category, Disability, DisabilityKind, IdentityDocument, Living, PersonName, PhoneNumber, Relation, Sex},
    time::{BusinessDate, DateRange},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::{
    command::{
        likeness::Likenesses,
        resident::{EditContact, Recognised, RegisterResident, RegisteredResident, Registrant},
    },
    query::resident::ResidentView,
};
use utoipa::ToSchema;
use validator::Validate;

use super::{
    addresses::{AddressRequest, AddressResponse},
    facts::EvidenceRequest,
    family_members::ConsentRequest,
    once::once,
};
use crate::{
    extract::{IdempotencyKey, IfMatch, PathId, RequestCtx, Valid, etag},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// An older person as they are registered. Absent means unknown, never "none".
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
    /// For community workers: at whose wish the resident is registered; `self` where it is left out.
    #[schema(value_type = Option<String>)]
    requested_by: Option<Relation>,
    /// For residents and family members: what the registrant is to the resident, `self` for oneself. What they
    /// state counts once the community has compared it with the papers.
    #[schema(value_type = Option<String>)]
    relation: Option<Relation>,
    /// For residents and family members: the resident's consent that the registrant acts for them.
    consent: Option<ConsentRequest>,
}

/// A recognised circumstance with the days on which it holds and the evidence.
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
    evidence: EvidenceRequest,
}

/// A recognised disability.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisabilityRequest {
    #[schema(value_type = String)]
    kind: DisabilityKind,
    /// 1 (most severe) to 4.
    grade: u8,
    /// First day of the certificate; today where it is left out.
    #[schema(value_type = Option<String>, format = Date)]
    from: Option<BusinessDate>,
    /// First day on which it no longer holds.
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<BusinessDate>,
    evidence: EvidenceRequest,
}

/// A registered resident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisterResidentResponse {
    #[schema(value_type = String)]
    resident_id: ResidentId,
    #[schema(value_type = Vec<String>)]
    address_ids: Vec<ServiceAddressId>,
    /// What somebody should look at although it was accepted: `unknown_county`, `review`.
    warnings: Vec<String>,
    /// Residents who may be the same person; told to community workers.
    duplicates: Option<DuplicatesResponse>,
}

impl From<RegisteredResident> for RegisterResidentResponse {
    fn from(made: RegisteredResident) -> Self {
        Self {
            resident_id: made.resident_id,
            address_ids: made.address_ids,
            warnings: made.warnings,
            duplicates: made.likenesses.map(DuplicatesResponse::from),
        }
    }
}

/// Residents who may be the same person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DuplicatesResponse {
    /// Those within your area.
    residents: Vec<DuplicateResponse>,
    /// How many there are elsewhere.
    elsewhere: u64,
}

/// A resident who may be the same person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DuplicateResponse {
    #[schema(value_type = String)]
    resident_id: ResidentId,
    /// In what they are alike: `number`, `name_and_birth`, `phone`.
    alike: Vec<String>,
}

impl From<Likenesses> for DuplicatesResponse {
    fn from(found: Likenesses) -> Self {
        let residents = found
            .within_reach
            .into_iter()
            .map(|one| DuplicateResponse { resident_id: one.resident_id, alike: one.kinds.iter().map(ToString::to_string).collect() });
        Self { residents: residents.collect(), elsewhere: found.elsewhere }
    }
}

/// Registers a resident
///
/// The identity number is checked and kept encrypted; one number is one resident. A community worker registers on
/// behalf of a resident; residents and family members register with `relation` and `consent`, and what they state is a
/// claim until the community has compared it with the papers.
#[utoipa::path(post, path = "/residents", tag = "residents", request_body = RegisterResidentRequest, responses((status = CREATED, body = RegisterResidentResponse)))]
pub(crate) async fn register(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<RegisterResidentRequest>,
) -> Result<Created<RegisterResidentResponse>, Problem> {
    let command = read_registration(&body.value, BusinessDate::of(who.ctx.now))?;
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &RegisterResidentResponse| format!("/residents/{}", made.resident_id), answer))
}

fn read_registration(request: &RegisterResidentRequest, today: BusinessDate) -> Result<RegisterResident, Problem> {
    let mut faults = Vec::new();
    let name = PersonName::parse(&request.name).map_err(|fault| faults.extend(fault.fields())).ok();
    let phone = request.phone.as_deref().map(PhoneNumber::parse).transpose().map_err(|fault| faults.extend(fault.fields())).ok().flatten();
    let categories = request.categories.as_deref().map(|given| read_categories(given, &mut faults));
    let disability = request.disability.as_ref().and_then(|given| read_disability(given, today, &mut faults));
    let addresses = request.addresses.iter().enumerate();
    let addresses = addresses.map(|(place, address)| address.read(&format!("addresses.{place}."), &mut faults)).collect();
    let registrant = read_registrant(request, &mut faults);
    match (name, registrant) {
        (Some(name), Some(registrant)) if faults.is_empty() => Ok(RegisterResident {
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
            registrant,
        }),
        _ => Err(Problem::fields(faults)),
    }
}

fn read_registrant(request: &RegisterResidentRequest, faults: &mut Vec<FieldError>) -> Option<Registrant> {
    match (request.relation, &request.consent) {
        (None, None) => Some(Registrant::Community { requested_by: request.requested_by.unwrap_or(Relation::Self_) }),
        (Some(relation), Some(consent)) => {
            let consent = consent.read().map_err(|fault| faults.extend(fault.fields())).ok()?;
            Some(Registrant::Own { relation, consent })
        }
        (Some(_), None) => {
            faults.push(FieldError::new("consent", "consent.missing", "give the resident's consent that you act for them"));
            None
        }
        (None, Some(_)) => {
            faults.push(FieldError::new("relation", "relation.missing", "say what you are to the resident"));
            None
        }
    }
}

/// A fault of something that stands under a path.
pub(super) fn under(path: &str, faults: Vec<FieldError>) -> impl Iterator<Item = FieldError> {
    faults.into_iter().map(move |fault| FieldError { field: format!("{path}{}", fault.field), ..fault })
}

fn read_categories(given: &[CategoryRequest], faults: &mut Vec<FieldError>) -> Vec<Recognised<Category>> {
    let mut read = Vec::new();
    for (place, one) in given.iter().enumerate() {
        let path = format!("categories.{place}.");
        let valid = read_days(one.from, one.until, &path, faults);
        let evidence = one.evidence.read(&path, faults);
        read.extend(valid.map(|valid| Recognised { what: one.category, valid, evidence }));
    }
    read
}

fn read_disability(given: &DisabilityRequest, today: BusinessDate, faults: &mut Vec<FieldError>) -> Option<Recognised<Disability>> {
    let path = "disability.";
    let what = Disability::new(given.kind, given.grade).map_err(|fault| faults.extend(fault.fields())).ok();
    let valid = read_days(given.from.unwrap_or(today), given.until, path, faults);
    let evidence = given.evidence.read(path, faults);
    what.zip(valid).map(|(what, valid)| Recognised { what, valid, evidence })
}

/// Reads the days for which something is stated under a path.
pub(super) fn read_days(from: BusinessDate, until: Option<BusinessDate>, path: &str, faults: &mut Vec<FieldError>) -> Option<DateRange> {
    let range = DateRange::new(from, until);
    range.map_err(|fault| faults.push(FieldError::new(format!("{path}until"), fault.code(), "write a day after the first"))).ok()
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
    hukou: Option<String>,
    phone_masked: Option<String>,
    status: String,
    /// First day of the status.
    status_since: String,
    registration: Option<RegistrationResponse>,
    /// Those that have not ended.
    addresses: Vec<AddressResponse>,
}

/// Who registered a resident, and at whose wish.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegistrationResponse {
    /// `self`, `family` or `community`.
    channel: String,
    /// What whoever asked for it is to the resident.
    requested_by: String,
}

impl From<ResidentView> for ResidentResponse {
    fn from(view: ResidentView) -> Self {
        let registration = view.registration.map(|registration| RegistrationResponse {
            channel: registration.channel,
            requested_by: registration.requested_by.to_string(),
        });
        Self {
            resident_id: view.resident_id,
            name: view.name,
            document: view.document.to_string(),
            number_masked: view.number_masked,
            residence: view.residence,
            residence_name: view.residence_name,
            hukou: view.hukou,
            phone_masked: view.phone_masked,
            status: view.status.to_string(),
            status_since: view.status_since.to_string(),
            registration,
            addresses: view.addresses.into_iter().map(AddressResponse::from).collect(),
        }
    }
}

/// Shows a resident's record
#[utoipa::path(get, path = "/residents/{resident_id}", tag = "residents", params(("resident_id" = String, Path)), responses((status = OK, body = ResidentResponse)))]
pub(crate) async fn read(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<ResidentId>,
) -> Result<impl IntoResponse, Problem> {
    let view = state.store.resident(&who.ctx.actor, id).await?;
    Ok((etag(view.version), Json(ResidentResponse::from(view))))
}

/// How a resident is reached by telephone.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditResidentRequest {
    /// The new number; `null` takes it away.
    #[serde(deserialize_with = "Option::deserialize")]
    phone: Option<String>,
}

/// Changes a resident's telephone
///
/// Needs `If-Match` with the version that was read. What is stated of a resident is not edited here: see the facts.
#[utoipa::path(patch, path = "/residents/{resident_id}", tag = "residents", params(("resident_id" = String, Path)), request_body = EditResidentRequest, responses((status = NO_CONTENT)))]
pub(crate) async fn edit(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(resident): PathId<ResidentId>,
    IfMatch(version): IfMatch,
    body: Valid<EditResidentRequest>,
) -> Result<impl IntoResponse, Problem> {
    let phone = body.value.phone.as_deref().map(PhoneNumber::parse).transpose().map_err(|fault| Problem::fields(fault.fields()))?;
    let version = state.store.write(who.ctx, EditContact { resident, version, phone }).await?;
    Ok((StatusCode::NO_CONTENT, etag(version)))
}

/// Shows who may be registered twice
///
/// The same number under another kind of document, the same name and birth date, or the same telephone. Nothing is
/// merged.
#[utoipa::path(get, path = "/residents/{resident_id}/duplicates", tag = "residents", params(("resident_id" = String, Path)), responses((status = OK, body = DuplicatesResponse)))]
pub(crate) async fn duplicates(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<ResidentId>,
) -> Result<Json<DuplicatesResponse>, Problem> {
    Ok(Json(state.store.likenesses(&who.ctx.actor, id).await?.into()))
}
