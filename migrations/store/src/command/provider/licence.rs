//! New and renewed licences: a provider asks, an officer looks at the paper, and only then it counts. The
//! certificates of carers are kept by their employer, who answers for them.

use domain::{
    access::Action,
    event::Event,
    id::{CarerId, CredentialId, LicenceRequestId, PersonId, ProviderId},
    provider::{Credential, Licence},
    time::{BusinessDate, DateRange},
};
use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use serde::{Deserialize, Serialize};

use super::{Holder, insert_credential, lock, object};
use crate::{
    convert,
    entity::licence_request,
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// Asks for a licence to be looked at.
#[derive(Debug, Clone)]
pub struct RequestLicence {
    /// The provider.
    pub provider: ProviderId,
    /// The licence, or its renewal.
    pub licence: Licence,
}

/// A request as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenceRequestView {
    /// The request.
    pub licence_request_id: LicenceRequestId,
    /// Kind, as the catalogue names it.
    pub kind: String,
    /// Its number as printed.
    pub number: String,
    /// First day.
    pub valid_from: BusinessDate,
    /// First day on which it no longer holds.
    pub valid_until: Option<BusinessDate>,
    /// `requested`, `confirmed` or `refused`.
    pub state: String,
    /// Version, for the decision.
    pub version: i64,
}

/// A stored request as it is shown.
pub(crate) fn licence_request_view(row: &licence_request::Model) -> LicenceRequestView {
    LicenceRequestView {
        licence_request_id: LicenceRequestId::from_uuid(row.id),
        kind: row.kind.clone(),
        number: row.number.clone(),
        valid_from: convert::date(row.valid_from),
        valid_until: row.valid_until.map(convert::date),
        state: row.state.clone(),
        version: row.version,
    }
}

impl Command for RequestLicence {
    type Output = LicenceRequestView;
    const ACTION: Option<Action> = Some(Action::RequestLicence);
    const NAME: &'static str = "request_licence";

    async fn run(&self, tx: &Tx<'_>) -> Result<LicenceRequestView, StoreError> {
        let provider = lock(tx, self.provider).await?;
        tx.permit(Action::RequestLicence, &object(&provider)?)?;
        let id: LicenceRequestId = tx.id();
        let row = licence_request::Model {
            id: id.uuid(),
            provider_id: provider.id,
            kind: self.licence.kind().to_string(),
            number: self.licence.number().to_owned(),
            valid_from: self.licence.valid().from().get(),
            valid_until: self.licence.valid().until().map(BusinessDate::get),
            state: "requested".to_owned(),
            requested_by: tx.actor().need_person()?.uuid(),
            requested_at: tx.now(),
            decided_by: None,
            decided_at: None,
            credential_id: None,
            version: 1,
        };
        licence_request::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await?;
        tx.emit(Event::ProviderChanged { provider: self.provider });
        tx.record(&id, None, Some(&row));
        Ok(licence_request_view(&row))
    }
}

/// Confirms a licence, which counts from then on, or refuses it.
#[derive(Debug, Clone)]
pub struct DecideLicence {
    /// The request.
    pub request: LicenceRequestId,
    /// The version that was read.
    pub version: i64,
    /// Whether the paper is true.
    pub confirm: bool,
}

impl Command for DecideLicence {
    type Output = LicenceRequestView;
    const ACTION: Option<Action> = Some(Action::DecideLicence);
    const NAME: &'static str = "decide_licence";

    async fn run(&self, tx: &Tx<'_>) -> Result<LicenceRequestView, StoreError> {
        let seen = licence_request::Entity::find_by_id(self.request.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let provider = lock(tx, ProviderId::from_uuid(seen.provider_id)).await?;
        tx.permit(Action::DecideLicence, &object(&provider)?)?;
        let found = for_update!(tx, licence_request::Entity::find_by_id(self.request.uuid())).one(tx.db).await?;
        let before = found.ok_or_else(StoreError::not_found)?;
        if before.state != "requested" {
            return Err(StoreError::Exists { what: "a decision on this licence" });
        }
        let version = super::profile::next_version(before.version, self.version, "the request")?;
        let officer = tx.actor().other_than(PersonId::from_uuid(before.requested_by), "the one who asked for it")?;
        let id = ProviderId::from_uuid(provider.id);
        let credential_id =
            if self.confirm { Some(insert_credential(tx, Holder::Provider(id), &licence(&before)?, officer).await?.uuid()) } else { None };
        let state = if self.confirm { "confirmed" } else { "refused" };
        let row = licence_request::Model {
            state: state.to_owned(),
            decided_by: Some(officer.uuid()),
            decided_at: Some(tx.now()),
            credential_id,
            version,
            ..before.clone()
        };
        tx.save(row.clone()).await?;
        tx.emit(Event::ProviderChanged { provider: id });
        tx.record(&self.request, Some(&before), Some(&row));
        Ok(licence_request_view(&row))
    }
}

fn licence(row: &licence_request::Model) -> Result<Credential, StoreError> {
    let valid = DateRange::new(convert::date(row.valid_from), row.valid_until.map(convert::date))
        .map_err(|cause| convert::corrupt("licence_request", "valid_until", &cause))?;
    Credential::new(convert::code("licence_request", "kind", &row.kind)?, &row.number, valid)
        .map_err(|cause| convert::corrupt("licence_request", "number", &cause))
}

/// Adds a certificate to a carer: a new one, or a renewal.
#[derive(Debug, Clone)]
pub struct AddCertificate {
    /// The carer.
    pub carer: CarerId,
    /// The certificate.
    pub certificate: Credential,
}

/// An added certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedCertificate {
    /// The certificate.
    pub credential_id: CredentialId,
}

impl Command for AddCertificate {
    type Output = AddedCertificate;
    const ACTION: Option<Action> = Some(Action::EditCarer);
    const NAME: &'static str = "add_certificate";

    async fn run(&self, tx: &Tx<'_>) -> Result<AddedCertificate, StoreError> {
        let (carer, object) = super::profile::lock_carer(tx, self.carer).await?;
        tx.permit(Action::EditCarer, &object)?;
        let credential_id = insert_credential(tx, Holder::Carer(self.carer), &self.certificate, tx.actor().need_person()?).await?;
        tx.emit(Event::CarerChanged { provider: ProviderId::from_uuid(carer.provider_id), carer: self.carer });
        tx.record(&credential_id, None, None);
        Ok(AddedCertificate { credential_id })
    }
}
