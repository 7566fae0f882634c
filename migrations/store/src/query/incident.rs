//! Incidents, for the provider and the bureau.

use domain::{
    access::{Action, Actor, Reach, Role},
    id::{IncidentId, PersonId, ProviderId, ResidentId, VisitId},
    time::Instant,
    visit::{IncidentKind, IncidentState, Severity},
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::{Store, command::incident::object, convert, entity::incident, error::StoreError, keys::Cell, tx::open_text};

/// An incident, without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentView {
    /// The incident.
    pub incident_id: IncidentId,
    /// The visit.
    pub visit_id: VisitId,
    /// The resident.
    pub resident_id: ResidentId,
    /// The provider.
    pub provider_id: ProviderId,
    /// What kind.
    pub kind: IncidentKind,
    /// How bad.
    pub severity: Severity,
    /// When it happened.
    pub occurred_at: Instant,
    /// When it was reported.
    pub reported_at: Instant,
    /// Who reported it.
    pub reported_by: PersonId,
    /// Its state.
    pub state: IncidentState,
    /// Who must act next.
    pub owner_role: Option<String>,
    /// By when.
    pub deadline_at: Option<Instant>,
}

/// An incident with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentDetail {
    /// The incident.
    pub view: IncidentView,
    /// What happened.
    pub account: String,
    /// What was done.
    pub measures: Option<String>,
}

impl Store {
    /// The incidents within reach that are not closed, the most urgent first; at most `max`.
    ///
    /// # Errors
    /// A role that may not.
    pub async fn incidents(&self, actor: &Actor, max: u64) -> Result<Vec<IncidentView>, StoreError> {
        actor.may(Action::ReadIncidents)?;
        let rows = incident::Entity::find()
            .filter(within(actor))
            .filter(incident::Column::State.ne(IncidentState::Closed.to_string()))
            .order_by_asc(incident::Column::DeadlineAt)
            .order_by_asc(incident::Column::Id)
            .limit(max)
            .all(self.db())
            .await?;
        rows.iter().map(view).collect()
    }

    /// An incident with its words.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn incident(&self, actor: &Actor, id: IncidentId) -> Result<IncidentDetail, StoreError> {
        actor.may(Action::ReadIncidents)?;
        let row = incident::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        actor.permit(Action::ReadIncidents, &object(&row)?)?;
        let cell = |column| Cell { table: "incident", column, row: row.id };
        let account = open_text(self.keys(), cell("account_enc"), &row.account_enc)?;
        let measures = row.measures_enc.as_deref().map(|text| open_text(self.keys(), cell("measures_enc"), text)).transpose()?;
        Ok(IncidentDetail { view: view(&row)?, account, measures })
    }
}

/// What the actor reaches as a manager of providers or as a clerk of divisions.
fn within(actor: &Actor) -> Condition {
    let mut any = Condition::any();
    let Actor::Person(person) = actor else { return any };
    let providers = super::providers_of(actor, Role::ProviderManager).into_iter().map(ProviderId::uuid);
    any = any.add(incident::Column::ProviderId.is_in(providers));
    for grant in person.grants.iter().filter(|grant| grant.role == Role::CountyClerk) {
        if let Reach::Division(scope) = &grant.reach {
            any = any.add(incident::Column::Division.starts_with(scope.to_string()));
        }
    }
    any
}

fn view(row: &incident::Model) -> Result<IncidentView, StoreError> {
    Ok(IncidentView {
        incident_id: IncidentId::from_uuid(row.id),
        visit_id: VisitId::from_uuid(row.visit_id),
        resident_id: ResidentId::from_uuid(row.resident_id),
        provider_id: ProviderId::from_uuid(row.provider_id),
        kind: convert::code("incident", "kind", &row.kind)?,
        severity: convert::code("incident", "severity", &row.severity)?,
        occurred_at: row.occurred_at,
        reported_at: row.reported_at,
        reported_by: PersonId::from_uuid(row.reported_by),
        state: convert::code("incident", "state", &row.state)?,
        owner_role: row.owner_role.clone(),
        deadline_at: row.deadline_at,
    })
}
