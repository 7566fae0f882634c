//! Where a resident is served.

use axum::{Json, extract::State};
use domain::{
    division::DivisionCode,
    error::{Fault as _, FieldError},
    id::{ResidentId, ServiceAddressId},
    resident::{Coordinate, CoordinateSystem},
};
use serde::{Deserialize, Serialize};
use store::{
    command::address::{AddAddress, AddressStep, EndAddress, NewAddress},
    query::resident::AddressView,
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

impl AddressRequest {
    pub(super) fn read(&self, path: &str, faults: &mut Vec<FieldError>) -> NewAddress {
        let coordinate = self.position.as_ref().and_then(|position| position.read(&format!("{path}position"), faults));
        NewAddress { division: self.division, text: self.text.clone().into(), coordinate }
    }
}

impl PositionRequest {
    /// A position as it is answered.
    pub(super) fn of(place: Coordinate) -> Self {
        Self { system: place.system(), latitude: degrees(place.latitude()), longitude: degrees(place.longitude()) }
    }

    pub(super) fn read(&self, field: &str, faults: &mut Vec<FieldError>) -> Option<Coordinate> {
        let read = Coordinate::parse(self.system, &self.latitude, &self.longitude);
        read.map_err(|fault| faults.extend(fault.fields().into_iter().map(|own| FieldError { field: field.to_owned(), ..own }))).ok()
    }
}

/// A service address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddressResponse {
    #[schema(value_type = String)]
    address_id: ServiceAddressId,
    division: String,
    text: String,
    /// In WGS-84, whatever system it came in.
    position: Option<PositionRequest>,
}

impl From<AddressView> for AddressResponse {
    fn from(view: AddressView) -> Self {
        let position = view.position.map(PositionRequest::of);
        Self { address_id: view.address_id, division: view.division, text: view.text, position }
    }
}

/// Millionths of a degree as decimal degrees.
fn degrees(millionths: i32) -> String {
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

/// Another place where a resident is served.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddAddressRequest {
    #[validate(nested)]
    address: AddressRequest,
    /// The address that ends with it.
    #[schema(value_type = Option<String>)]
    replaces: Option<ServiceAddressId>,
}

/// An added or ended address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddressStepResponse {
    #[schema(value_type = String)]
    address_id: ServiceAddressId,
    #[schema(value_type = String)]
    resident_id: ResidentId,
}

impl From<AddressStep> for AddressStepResponse {
    fn from(step: AddressStep) -> Self {
        Self { address_id: step.address_id, resident_id: step.resident_id }
    }
}

/// Adds a service address
///
/// At most five at one time; with `replaces` it takes the place of another one.
#[utoipa::path(post, path = "/residents/{resident_id}/addresses", tag = "residents", params(("resident_id" = String, Path)), request_body = AddAddressRequest, responses((status = CREATED, body = AddressStepResponse)))]
pub(crate) async fn add(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(resident): PathId<ResidentId>,
    key: IdempotencyKey,
    body: Valid<AddAddressRequest>,
) -> Result<Created<AddressStepResponse>, Problem> {
    let mut faults = Vec::new();
    let address = body.value.address.read("address.", &mut faults);
    if !faults.is_empty() {
        return Err(Problem::fields(faults));
    }
    let command = AddAddress { resident, address, replaces: body.value.replaces };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &AddressStepResponse| format!("/residents/{}", made.resident_id), answer))
}

/// Ends a service address
///
/// Nothing new is booked there; what was booked stays.
#[utoipa::path(post, path = "/service_addresses/{address_id}/end", tag = "residents", params(("address_id" = String, Path)), responses((status = OK, body = AddressStepResponse)))]
pub(crate) async fn end(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(address): PathId<ServiceAddressId>,
) -> Result<Json<AddressStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, EndAddress { address }).await?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_keep_six_decimals() {
        assert_eq!(degrees(39_117_220), "39.117220");
        assert_eq!(degrees(117_000_005), "117.000005");
    }
}
