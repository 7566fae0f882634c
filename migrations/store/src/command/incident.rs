//! Incidents: reported from a visit by its carer, taken up and settled by the provider, looked at by the bureau.

use domain::{
    access::{Action, Object},
    error::FieldError,
    event::Event,
    id::{IncidentId, PersonId, ProviderId, ResidentId, VisitId},
    state::StateMachine as _,
    time::Instant,
    visit::{IncidentKind, IncidentState, IncidentTrigger, Severity},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    command::visit,
    convert,
    entity::incident,
    error::{StoreError, exists},
    tx::{Tx, for_update},
    write::Command,
};

/// Longest account of what happened, in characters.
pub const ACCOUNT_MAX: usize = 2_000;

/// Reports what went wrong at a visit.
#[derive(Debug, Clone)]
pub struct ReportIncident {
    /// The visit.
    pub visit: VisitId,
    /// Id that the phone made; repeats carry the same one.
    pub client_event_id: String,
    /// What kind.
    pub kind: IncidentKind,
    /// How bad.
    pub severity: Severity,
    /// When it happened.
    pub occurred_at: Instant,
    /// What happened, in words.
    pub account: String,
    /// What was done on the spot, in words.
    pub measures: Option<String>,
}

/// Where an incident stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentStep {
    /// The incident.
    pub incident_id: IncidentId,
    /// Its state.
    pub state: IncidentState,
    /// Who must act next; none when it is closed.
    pub owner_role: Option<String>,
    /// By when.
    pub deadline_at: Option<Instant>,
}

impl Command for ReportIncident {
    type Output = IncidentStep;
    const ACTION: Option<Action> = Some(Action::ReportIncident);
    const NAME: &'static str = "report_incident";

    async fn run(&self, tx: &Tx<'_>) -> Result<IncidentStep, StoreError> {
        let (locked, _own) = visit::lock_own(tx, self.visit, Action::ReportIncident).await?;
        let reporter = tx.actor().need_person()?;
        let known = incident::Entity::find()
            .filter(incident::Column::ReportedBy.eq(reporter.uuid()))
            .filter(incident::Column::ClientEventId.eq(&self.client_event_id))
            .one(tx.db)
            .await?;
        if let Some(known) = known {
            return if known.digest == self.digest() {
                step(&known)
            } else {
                Err(StoreError::Exists { what: "another incident with this client_event_id" })
            };
        }
        self.check(tx)?;
        let id: IncidentId = tx.id();
        let sealed = |column, text: &str| tx.seal("incident", column, id.uuid(), text.as_bytes());
        let row = incident::Model {
            id: id.uuid(),
            visit_id: self.visit.uuid(),
            resident_id: locked.resident.id,
            provider_id: locked.order.provider_id,
            division: locked.resident.residence_division.clone(),
            client_event_id: self.client_event_id.clone(),
            kind: self.kind.to_string(),
            severity: self.severity.to_string(),
            occurred_at: self.occurred_at,
            reported_at: tx.now(),
            reported_by: reporter.uuid(),
            account_enc: sealed("account_enc", self.account.trim())?,
            measures_enc: self.measures.as_deref().map(|text| sealed("measures_enc", text.trim())).transpose()?,
            digest: self.digest(),
            state: String::new(),
            owner_role: None,
            deadline_at: None,
            resolved_by: None,
            closed_by: None,
            version: 0,
        };
        let row = entered(tx, row, IncidentState::INITIAL)?;
        incident::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(tx.db)
            .await
            .map_err(exists("another incident with this client_event_id"))?;
        tx.emit(Event::IncidentReported { incident: id, visit: self.visit });
        tx.record(&id, None, Some(&row));
        step(&row)
    }
}

impl ReportIncident {
    fn digest(&self) -> String {
        let text = format!(
            "{}|{}|{}|{}|{}|{:?}",
            self.visit,
            self.kind,
            self.severity,
            self.occurred_at.timestamp_micros(),
            self.account,
            self.measures
        );
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }

    fn check(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let mut faults = visit::form_faults(tx, &self.client_event_id, Some(self.occurred_at));
        faults.extend(text_fault("account", &self.account, ACCOUNT_MAX));
        if let Some(measures) = &self.measures {
            faults.extend(text_fault("measures", measures, ACCOUNT_MAX));
        }
        if faults.is_empty() { Ok(()) } else { Err(StoreError::fields(faults)) }
    }
}

fn text_fault(field: &str, text: &str, most: usize) -> Option<FieldError> {
    let length = text.trim().chars().count();
    let fault = || FieldError::new(field, "incident.text", format!("write 1 to {most} characters"));
    (!(1..=most).contains(&length)).then(fault)
}

/// The row in a state, with its owner and deadline.
fn entered(tx: &Tx<'_>, row: incident::Model, state: IncidentState) -> Result<incident::Model, StoreError> {
    let severity: Severity = convert::code("incident", "severity", &row.severity)?;
    let waits = state.waits_for(severity, tx.now());
    Ok(incident::Model {
        state: state.to_string(),
        owner_role: waits.map(|(role, _)| role.to_string()),
        deadline_at: waits.map(|(_, at)| at),
        version: row.version + 1,
        ..row
    })
}

fn step(row: &incident::Model) -> Result<IncidentStep, StoreError> {
    Ok(IncidentStep {
        incident_id: IncidentId::from_uuid(row.id),
        state: convert::code("incident", "state", &row.state)?,
        owner_role: row.owner_role.clone(),
        deadline_at: row.deadline_at,
    })
}

/// Moves an incident along its table.
#[derive(Debug, Clone)]
pub struct HandleIncident {
    /// The incident.
    pub incident: IncidentId,
    /// The measures taken, in words: with them it is resolved, without them taken up.
    pub measures: Option<String>,
}

impl Command for HandleIncident {
    type Output = IncidentStep;
    const ACTION: Option<Action> = Some(Action::HandleIncident);
    const NAME: &'static str = "handle_incident";

    async fn run(&self, tx: &Tx<'_>) -> Result<IncidentStep, StoreError> {
        let row = lock(tx, self.incident, Action::HandleIncident).await?;
        let handler = tx.actor().need_person()?;
        let Some(measures) = &self.measures else {
            return advance(tx, &row, IncidentTrigger::TakeUp, |row| row).await;
        };
        if let Some(fault) = text_fault("measures", measures, ACCOUNT_MAX) {
            return Err(StoreError::fields(vec![fault]));
        }
        let measures_enc = tx.seal("incident", "measures_enc", row.id, measures.trim().as_bytes())?;
        let settled = |row| incident::Model { measures_enc: Some(measures_enc), resolved_by: Some(handler.uuid()), ..row };
        advance(tx, &row, IncidentTrigger::Resolve, settled).await
    }
}

/// Looks at a resolved incident for the bureau.
#[derive(Debug, Clone)]
pub struct ReviewIncident {
    /// The incident.
    pub incident: IncidentId,
    /// Whether it is closed; else it goes back to the provider.
    pub close: bool,
}

impl Command for ReviewIncident {
    type Output = IncidentStep;
    const ACTION: Option<Action> = Some(Action::ReviewIncident);
    const NAME: &'static str = "review_incident";

    async fn run(&self, tx: &Tx<'_>) -> Result<IncidentStep, StoreError> {
        let row = lock(tx, self.incident, Action::ReviewIncident).await?;
        let reviewer = match row.resolved_by {
            Some(resolver) => tx.actor().other_than(PersonId::from_uuid(resolver), "the one who stated the measures")?,
            None => tx.actor().need_person()?,
        };
        if self.close {
            advance(tx, &row, IncidentTrigger::Close, |row| incident::Model { closed_by: Some(reviewer.uuid()), ..row }).await
        } else {
            advance(tx, &row, IncidentTrigger::Return, |row| row).await
        }
    }
}

/// What an incident is reached by.
pub(crate) fn object(row: &incident::Model) -> Result<Object, StoreError> {
    Ok(Object {
        division: Some(convert::code("incident", "division", &row.division)?),
        provider: Some(ProviderId::from_uuid(row.provider_id)),
        resident: Some(ResidentId::from_uuid(row.resident_id)),
    })
}

async fn lock(tx: &Tx<'_>, id: IncidentId, action: Action) -> Result<incident::Model, StoreError> {
    let row = for_update!(tx, incident::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    tx.permit(action, &object(&row)?)?;
    Ok(row)
}

async fn advance(
    tx: &Tx<'_>,
    row: &incident::Model,
    trigger: IncidentTrigger,
    change: impl FnOnce(incident::Model) -> incident::Model,
) -> Result<IncidentStep, StoreError> {
    let from: IncidentState = convert::code("incident", "state", &row.state)?;
    let to = from.on(trigger)?.to;
    let next = entered(tx, change(row.clone()), to)?;
    tx.save(next.clone()).await?;
    let id = IncidentId::from_uuid(row.id);
    tx.emit(Event::IncidentMoved { incident: id, from, to });
    tx.record(&id, Some(row), Some(&next));
    step(&next)
}
