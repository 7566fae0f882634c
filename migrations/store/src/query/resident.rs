//! A resident's record, and what they may use.

use domain::{
    access::{Action, Actor},
    catalogue::Unit,
    entitlement::{Standing, WindowState},
    id::{EntitlementId, EntitlementWindowId, ResidentId, ServiceAddressId},
    resident::{Coordinate, IdentityDocument, IdentityNumber, LifeStatus, PhoneNumber, Relation},
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde::Serialize;

use crate::{
    Store, command, convert,
    entity::{self, entitlement, entitlement_window, resident_registration, service_address},
    error::StoreError,
    keys::Cell,
    tx::{open_json, open_text},
};

/// A resident as staff and family see them. The identity number is masked.
#[derive(Debug, Clone, Serialize)]
pub struct ResidentView {
    /// The resident.
    pub resident_id: ResidentId,
    /// Name.
    pub name: String,
    /// Kind of identity document.
    pub document: IdentityDocument,
    /// Its number, masked.
    pub number_masked: String,
    /// Community of residence.
    pub residence: String,
    /// The path of names of that community.
    pub residence_name: Option<String>,
    /// Division of the household register, where it is known.
    pub hukou: Option<String>,
    /// Telephone, masked.
    pub phone_masked: Option<String>,
    /// Whether they can be served.
    pub status: LifeStatus,
    /// First day of that status.
    pub status_since: BusinessDate,
    /// Who registered them, and at whose wish.
    pub registration: Option<RegistrationView>,
    /// Where they are served.
    pub addresses: Vec<AddressView>,
    /// Version, for edits.
    pub version: i64,
}

/// Who registered a resident, and at whose wish.
#[derive(Debug, Clone, Serialize)]
pub struct RegistrationView {
    /// `self`, `family` or `community`.
    pub channel: String,
    /// What whoever asked for it is to the resident.
    pub requested_by: Relation,
}

/// A service address.
#[derive(Debug, Clone, Serialize)]
pub struct AddressView {
    /// The address.
    pub address_id: ServiceAddressId,
    /// Its community.
    pub division: String,
    /// Street, house, door.
    pub text: String,
    /// Its position in WGS-84, whatever system it came in.
    pub position: Option<Coordinate>,
}

/// A window of an entitlement with its balance.
#[derive(Debug, Clone, Serialize)]
pub struct WindowView {
    /// The window.
    pub window_id: EntitlementWindowId,
    /// First day.
    pub start: BusinessDate,
    /// First day after; none for a window without end.
    pub end: Option<BusinessDate>,
    /// Granted.
    pub granted: i64,
    /// Reserved by orders.
    pub held: i64,
    /// Used.
    pub posted: i64,
    /// Lapsed.
    pub expired: i64,
    /// What can still be reserved today: nothing in a window that is over.
    pub available: i64,
    /// Whether it has begun; a window ahead stands only where something is booked in it.
    pub state: WindowState,
}

/// A right to a benefit with its windows.
#[derive(Debug, Clone, Serialize)]
pub struct EntitlementView {
    /// The entitlement.
    pub entitlement_id: EntitlementId,
    /// The programme.
    pub programme: String,
    /// The benefit.
    pub benefit: String,
    /// In what it is measured.
    pub unit: Unit,
    /// First day.
    pub effective_from: BusinessDate,
    /// First day no longer covered.
    pub effective_until: Option<BusinessDate>,
    /// How it stands.
    pub standing: Standing,
    /// Its windows, the latest first.
    pub windows: Vec<WindowView>,
}

/// Loads a resident within the actor's reach.
pub(crate) async fn load(store: &Store, actor: &Actor, action: Action, id: ResidentId) -> Result<entity::resident::Model, StoreError> {
    actor.may(action)?;
    let row = entity::resident::Entity::find_by_id(id.uuid()).one(store.db()).await?.ok_or_else(StoreError::not_found)?;
    actor.permit(action, &command::resident::object(&row)?)?;
    Ok(row)
}

impl Store {
    /// A resident's record.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn resident(&self, actor: &Actor, id: ResidentId) -> Result<ResidentView, StoreError> {
        let row = load(self, actor, Action::ReadResident, id).await?;
        let text = |column, envelope| open_text(self.keys(), Cell { table: "resident", column, row: row.id }, envelope);
        let document: IdentityDocument = convert::code("resident", "document_kind", &row.document_kind)?;
        let number = text("document_enc", &row.document_enc)?;
        // Read with the day of registration, on which it was checked.
        let checked = IdentityNumber::parse(document, &number, BusinessDate::of(row.created_at), |_county| true);
        let (number, _) = checked.map_err(|cause| convert::corrupt("resident", "document_enc", &cause))?;
        let rows = service_address::Entity::find()
            .filter(service_address::Column::ResidentId.eq(row.id))
            .filter(service_address::Column::EndedOn.is_null())
            .order_by_asc(service_address::Column::Id)
            .all(self.db())
            .await?;
        let mut addresses = Vec::new();
        for address in rows {
            addresses.push(self.address_view(address)?);
        }
        let phone = row.phone_enc.as_ref().map(|envelope| text("phone_enc", envelope)).transpose()?;
        let phone = phone.map(|phone| PhoneNumber::parse(&phone)).transpose();
        let phone = phone.map_err(|cause| convert::corrupt("resident", "phone_enc", &cause))?;
        let registration = resident_registration::Entity::find_by_id(row.id).one(self.db()).await?.map(registration_view).transpose()?;
        let residence = convert::code("resident", "residence_division", &row.residence_division)?;
        Ok(ResidentView {
            resident_id: id,
            name: text("name_enc", &row.name_enc)?,
            document,
            number_masked: number.to_string(),
            residence_name: self.reference().divisions.display_name(residence),
            residence: row.residence_division.clone(),
            hukou: Some(row.hukou_division.clone()).filter(|hukou| !hukou.is_empty()),
            phone_masked: phone.map(|phone| phone.to_string()),
            status: convert::code("resident", "status", &row.status)?,
            status_since: convert::date(row.status_on),
            registration,
            addresses,
            version: row.version,
        })
    }

    fn address_view(&self, row: service_address::Model) -> Result<AddressView, StoreError> {
        let cell = |column| Cell { table: "service_address", column, row: row.id };
        let text = open_text(self.keys(), cell("text_enc"), &row.text_enc)?;
        let position: Option<Coordinate> =
            row.coordinate_enc.as_ref().map(|envelope| open_json(self.keys(), cell("coordinate_enc"), envelope)).transpose()?;
        let position = position.map(Coordinate::to_wgs84);
        Ok(AddressView { address_id: ServiceAddressId::from_uuid(row.id), division: row.division, text, position })
    }

    /// What a resident may use. A window that is over has nothing left, whether or not a sweeper has been.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn entitlements(&self, actor: &Actor, id: ResidentId, today: BusinessDate) -> Result<Vec<EntitlementView>, StoreError> {
        let resident = load(self, actor, Action::ReadEntitlements, id).await?;
        let rows = entitlement::Entity::find()
            .filter(entitlement::Column::ResidentId.eq(resident.id))
            .order_by_asc(entitlement::Column::Id)
            .all(self.db())
            .await?;
        let mut views = Vec::new();
        for row in rows {
            let windows = entitlement_window::Entity::find()
                .filter(entitlement_window::Column::EntitlementId.eq(row.id))
                .order_by_desc(entitlement_window::Column::WindowStart)
                .all(self.db())
                .await?;
            let windows = windows.iter().map(|window| window_view(window, today)).collect::<Result<_, _>>()?;
            let standing = command::review::standing(&row)?;
            views.push(EntitlementView {
                entitlement_id: EntitlementId::from_uuid(row.id),
                programme: row.programme,
                benefit: row.benefit,
                unit: convert::code("entitlement", "unit", &row.unit)?,
                effective_from: convert::date(row.effective_from),
                effective_until: row.effective_until.map(convert::date),
                standing,
                windows,
            });
        }
        Ok(views)
    }
}

fn registration_view(row: resident_registration::Model) -> Result<RegistrationView, StoreError> {
    let requested_by = convert::code("resident_registration", "requested_by", &row.requested_by)?;
    Ok(RegistrationView { channel: row.channel, requested_by })
}

fn window_view(row: &entitlement_window::Model, today: BusinessDate) -> Result<WindowView, StoreError> {
    let available = command::entitlement::available(row, today)?;
    Ok(WindowView {
        window_id: EntitlementWindowId::from_uuid(row.id),
        start: convert::date(row.window_start),
        end: row.window_end.map(convert::date),
        granted: row.granted,
        held: row.held,
        posted: row.posted,
        expired: row.expired,
        available,
        state: convert::code("entitlement_window", "state", &row.state)?,
    })
}
