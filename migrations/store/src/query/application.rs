//! An application with its decision.

use domain::{
    access::{Action, Actor, Role},
    application::ApplicationState,
    eligibility::Decision,
    id::{ApplicationId, ResidentId},
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use serde::Serialize;

use crate::{
    Store, convert,
    entity::{application, decision},
    error::StoreError,
    keys::Cell,
    query::resident,
    tx::open_json,
};

/// An application with its last decision.
#[derive(Debug, Clone, Serialize)]
pub struct ApplicationView {
    /// The application.
    pub application_id: ApplicationId,
    /// For whom.
    pub resident_id: ResidentId,
    /// For which programme.
    pub programme: String,
    /// Its state.
    pub state: ApplicationState,
    /// When it was filed.
    pub applied_on: BusinessDate,
    /// Who must act next.
    pub owner_role: Option<Role>,
    /// By when.
    pub deadline_on: Option<BusinessDate>,
    /// Last day of the public notice.
    pub notice_ends_on: Option<BusinessDate>,
    /// The last decision, with every rule that was tried.
    pub decision: Option<Decision>,
}

impl Store {
    /// An application with its last decision.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn application(&self, actor: &Actor, id: ApplicationId) -> Result<ApplicationView, StoreError> {
        actor.may(Action::ReadApplication)?;
        let row = application::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let resident_id = ResidentId::from_uuid(row.resident_id);
        resident::load(self, actor, Action::ReadApplication, resident_id).await?;
        let kept = decision::Entity::find()
            .filter(decision::Column::ApplicationId.eq(row.id))
            .order_by_desc(decision::Column::Id)
            .one(self.db())
            .await?;
        let decision = kept
            .map(|kept| open_json(self.keys(), Cell { table: "decision", column: "explanation_enc", row: kept.id }, &kept.explanation_enc))
            .transpose()?;
        Ok(ApplicationView {
            application_id: id,
            resident_id,
            state: convert::code("application", "state", &row.state)?,
            owner_role: row.owner_role.as_deref().map(|role| convert::code("application", "owner_role", role)).transpose()?,
            programme: row.programme,
            applied_on: convert::date(row.applied_on),
            deadline_on: row.deadline_on.map(convert::date),
            notice_ends_on: row.notice_ends_on.map(convert::date),
            decision,
        })
    }
}
