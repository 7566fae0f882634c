//! Where a resident is served. An address is never edited: it ends, and another one takes its place.

use domain::{
    access::Action,
    division::DivisionCode,
    error::FieldError,
    event::Event,
    id::{ResidentId, ServiceAddressId},
    resident::Coordinate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    command::resident,
    entity::{self, service_address},
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// Longest address, in characters.
const ADDRESS_LENGTH_MAX: usize = 200;
/// Addresses that one resident may have at one time.
const ADDRESSES_MAX: u64 = 5;

/// Where a resident is served.
#[derive(Debug, Clone)]
pub struct NewAddress {
    /// Community in which it lies.
    pub division: DivisionCode,
    /// Street, house, door; personal.
    pub text: SecretString,
    /// Position, if it is known, in whatever system it came.
    pub coordinate: Option<Coordinate>,
}

impl NewAddress {
    /// What is wrong with an address that stands under a path such as `addresses.0.`.
    pub(crate) async fn faults(&self, tx: &Tx<'_>, path: &str) -> Result<Vec<FieldError>, StoreError> {
        let mut faults = Vec::new();
        let text = self.text.expose_secret();
        if text.trim().is_empty() || text.chars().count() > ADDRESS_LENGTH_MAX || text.contains(char::is_control) {
            let cure = "write street, house and door in one line of 1 to 200 characters";
            faults.push(FieldError::new(format!("{path}text"), "address.form", cure));
        }
        faults.extend(resident::division_faults(tx, &format!("{path}division"), self.division).await?);
        Ok(faults)
    }
}

/// Writes an address that was checked.
pub(crate) async fn insert(tx: &Tx<'_>, resident: ResidentId, address: &NewAddress) -> Result<ServiceAddressId, StoreError> {
    let id: ServiceAddressId = tx.id();
    let coordinate_enc = match &address.coordinate {
        Some(coordinate) => Some(tx.seal_json("service_address", "coordinate_enc", id.uuid(), coordinate)?),
        None => None,
    };
    let row = service_address::Model {
        id: id.uuid(),
        resident_id: resident.uuid(),
        division: address.division.to_string(),
        text_enc: tx.seal("service_address", "text_enc", id.uuid(), address.text.expose_secret().as_bytes())?,
        coordinate_enc,
        created_at: tx.now(),
        ended_on: None,
    };
    service_address::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
    Ok(id)
}

/// Adds an address, in the place of another one where it is named.
#[derive(Debug, Clone)]
pub struct AddAddress {
    /// Whose.
    pub resident: ResidentId,
    /// The address.
    pub address: NewAddress,
    /// The address that ends with it.
    pub replaces: Option<ServiceAddressId>,
}

/// An added or ended address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressStep {
    /// The address.
    pub address_id: ServiceAddressId,
    /// Whose.
    pub resident_id: ResidentId,
}

impl Command for AddAddress {
    type Output = AddressStep;
    const ACTION: Option<Action> = Some(Action::EditContact);
    const NAME: &'static str = "add_address";

    async fn run(&self, tx: &Tx<'_>) -> Result<AddressStep, StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        tx.permit(Action::EditContact, &resident::object(&resident)?)?;
        let mut faults = self.address.faults(tx, "").await?;
        let replaced = match self.replaces {
            Some(id) => current(tx, id).await?.filter(|row| row.resident_id == resident.id),
            None => None,
        };
        if self.replaces.is_some() && replaced.is_none() {
            faults.push(FieldError::new("replaces", "address.unknown", "name an address of this resident"));
        }
        let held = service_address::Entity::find()
            .filter(service_address::Column::ResidentId.eq(resident.id))
            .filter(service_address::Column::EndedOn.is_null())
            .count(tx.db)
            .await?;
        if held >= ADDRESSES_MAX + u64::from(replaced.is_some()) {
            faults.push(FieldError::new(
                "replaces",
                "address.count",
                "a resident has at most 5 addresses: name the one that this one replaces",
            ));
        }
        if !faults.is_empty() {
            return Err(StoreError::fields(faults));
        }
        if let Some(row) = replaced {
            end(tx, row).await?;
        }
        let id = insert(tx, self.resident, &self.address).await?;
        changed(tx, &resident, &id).await?;
        Ok(AddressStep { address_id: id, resident_id: self.resident })
    }
}

/// Ends an address: nothing new is booked there.
#[derive(Debug, Clone)]
pub struct EndAddress {
    /// The address.
    pub address: ServiceAddressId,
}

impl Command for EndAddress {
    type Output = AddressStep;
    const ACTION: Option<Action> = Some(Action::EditContact);
    const NAME: &'static str = "end_address";

    async fn run(&self, tx: &Tx<'_>) -> Result<AddressStep, StoreError> {
        let seen = service_address::Entity::find_by_id(self.address.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let resident = resident::lock(tx, ResidentId::from_uuid(seen.resident_id)).await?;
        tx.permit(Action::EditContact, &resident::object(&resident)?)?;
        let row = current(tx, self.address).await?.ok_or_else(StoreError::not_found)?;
        end(tx, row).await?;
        changed(tx, &resident, &self.address).await?;
        Ok(AddressStep { address_id: self.address, resident_id: ResidentId::from_uuid(resident.id) })
    }
}

/// An address that has not ended.
async fn current(tx: &Tx<'_>, id: ServiceAddressId) -> Result<Option<service_address::Model>, StoreError> {
    let select = service_address::Entity::find_by_id(id.uuid()).filter(service_address::Column::EndedOn.is_null());
    Ok(for_update!(tx, select).one(tx.db).await?)
}

async fn end(tx: &Tx<'_>, row: service_address::Model) -> Result<(), StoreError> {
    let ended = service_address::Model { ended_on: Some(tx.today().get()), ..row.clone() };
    tx.record(&ServiceAddressId::from_uuid(row.id), Some(&row), Some(&ended));
    tx.save(ended).await
}

async fn changed(tx: &Tx<'_>, resident: &entity::resident::Model, id: &ServiceAddressId) -> Result<(), StoreError> {
    tx.save(entity::resident::Model { version: resident.version + 1, ..resident.clone() }).await?;
    tx.emit(Event::ResidentContactChanged { resident: ResidentId::from_uuid(resident.id) });
    tx.record(id, None, None);
    Ok(())
}
