//! Questions to the family about a larger share.

use domain::{
    access::{Action, Actor},
    id::{ConsentRequestId, ResidentId},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::resident::load;
use crate::{
    Store,
    command::consent::{ConsentView, view},
    entity::{consent_request, quote},
    error::StoreError,
    keys::Cell,
    tx::open_json,
};

/// Questions of one resident that are shown at most, the latest first.
const SHOWN_MAX: u64 = 100;

impl Store {
    /// The questions about a resident's orders, the latest first.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn consent_requests(&self, actor: &Actor, resident: ResidentId) -> Result<Vec<ConsentView>, StoreError> {
        let resident = load(self, actor, Action::ReadConsent, resident).await?;
        let rows = consent_request::Entity::find()
            .filter(consent_request::Column::ResidentId.eq(resident.id))
            .order_by_desc(consent_request::Column::Id)
            .limit(SHOWN_MAX)
            .all(self.db())
            .await?;
        let mut views = Vec::new();
        for row in rows {
            views.push(self.consent_view(&row).await?);
        }
        Ok(views)
    }

    /// One question.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn consent_request(&self, actor: &Actor, id: ConsentRequestId) -> Result<ConsentView, StoreError> {
        actor.may(Action::ReadConsent)?;
        let row = consent_request::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        load(self, actor, Action::ReadConsent, ResidentId::from_uuid(row.resident_id)).await?;
        self.consent_view(&row).await
    }

    async fn consent_view(&self, row: &consent_request::Model) -> Result<ConsentView, StoreError> {
        let asked = quote::Entity::find_by_id(row.new_quote_id).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let cell = Cell { table: "quote", column: "body_enc", row: asked.id };
        view(row, open_json(self.keys(), cell, &asked.body_enc)?)
    }
}
