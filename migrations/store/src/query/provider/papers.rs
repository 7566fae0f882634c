//! What is kept of a provider on its way: steps with their reasons, bank accounts, licences to be looked at.

use domain::{
    access::Actor,
    id::{PersonId, ProviderId},
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde::Serialize;

use crate::{
    Store,
    command::provider::{BankAccountView, LicenceRequestView, bank_account_view, licence_request_view},
    entity::{bank_account, licence_request, provider_step},
    error::StoreError,
    keys::Cell,
    tx::open_text,
};

/// A step of a provider.
#[derive(Debug, Clone, Serialize)]
pub struct StepView {
    /// What was done.
    pub step: String,
    /// The state after it.
    pub state: String,
    /// Why a service was stopped, as a code.
    pub reason: Option<String>,
    /// Why, for the file.
    pub note: Option<String>,
    /// By whom.
    pub by_person: PersonId,
    /// When.
    pub at: Instant,
}

impl Store {
    /// The bank accounts of a provider and their changes, the latest first, masked.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn bank_accounts(&self, actor: &Actor, id: ProviderId) -> Result<Vec<BankAccountView>, StoreError> {
        let provider = self.provider_row(actor, id).await?;
        let rows = bank_account::Entity::find()
            .filter(bank_account::Column::ProviderId.eq(provider.id))
            .order_by_desc(bank_account::Column::RequestedAt)
            .order_by_desc(bank_account::Column::Id)
            .all(self.db())
            .await?;
        rows.iter().map(|row| bank_account_view(self.keys(), row)).collect()
    }

    /// The licences that a provider has asked to have looked at, the latest first.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn licence_requests(&self, actor: &Actor, id: ProviderId) -> Result<Vec<LicenceRequestView>, StoreError> {
        let provider = self.provider_row(actor, id).await?;
        let rows = licence_request::Entity::find()
            .filter(licence_request::Column::ProviderId.eq(provider.id))
            .order_by_desc(licence_request::Column::RequestedAt)
            .order_by_desc(licence_request::Column::Id)
            .all(self.db())
            .await?;
        Ok(rows.iter().map(licence_request_view).collect())
    }

    /// The steps of a provider, the latest first.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn provider_steps(&self, actor: &Actor, id: ProviderId) -> Result<Vec<StepView>, StoreError> {
        let provider = self.provider_row(actor, id).await?;
        let rows = provider_step::Entity::find()
            .filter(provider_step::Column::ProviderId.eq(provider.id))
            .order_by_desc(provider_step::Column::At)
            .order_by_desc(provider_step::Column::Id)
            .all(self.db())
            .await?;
        let view = |row: provider_step::Model| {
            let cell = Cell { table: "provider_step", column: "note_enc", row: row.id };
            let note = row.note_enc.as_deref().map(|envelope| open_text(self.keys(), cell, envelope)).transpose()?;
            let by_person = PersonId::from_uuid(row.by_person);
            Ok(StepView { step: row.step, state: row.state, reason: row.reason, note, by_person, at: row.at })
        };
        rows.into_iter().map(view).collect()
    }
}
