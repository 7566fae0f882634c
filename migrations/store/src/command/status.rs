//! Where and whether a resident lives. Whoever is near may tell that less is needed; that money and service begin
//! again is the community's to tell; a wrong death is corrected by another person.

use domain::{
    access::Action,
    error::{Fault as _, FieldError},
    event::Event,
    id::{PersonId, ResidentId, ResidentStatusId},
    resident::{LifeStatus, StatusTrigger},
    time::BusinessDate,
};
use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    command::resident,
    entity::{self, resident_status},
    error::StoreError,
    ground::{self, Ground},
    tx::Tx,
    write::Command,
};

/// Longest reason, in characters.
pub(crate) const REASON_LENGTH_MAX: usize = 500;

/// What is wrong with a written reason.
pub(crate) fn reason_faults(field: &str, text: &SecretString) -> Vec<FieldError> {
    let text = text.expose_secret();
    let sound = !text.trim().is_empty() && text.chars().count() <= REASON_LENGTH_MAX && !text.contains('\0');
    let cure = "write the reason in 1 to 500 characters";
    if sound { Vec::new() } else { vec![FieldError::new(field, "reason.form", cure)] }
}

/// Reports a new life status.
#[derive(Debug, Clone)]
pub struct ReportStatus {
    /// Whose.
    pub resident: ResidentId,
    /// The status.
    pub status: LifeStatus,
    /// Its first day.
    pub since: BusinessDate,
}

/// A changed status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusStep {
    /// The resident.
    pub resident_id: ResidentId,
    /// The status now.
    pub status: LifeStatus,
    /// Its first day.
    pub since: BusinessDate,
}

/// The right that a report needs.
const fn right(trigger: StatusTrigger) -> Action {
    match trigger {
        StatusTrigger::EnterHospital | StatusTrigger::EnterInstitution | StatusTrigger::MoveAway => Action::ReportStatus,
        StatusTrigger::ComeHome => Action::ReportReturn,
        StatusTrigger::Die => Action::ReportDeath,
        StatusTrigger::CorrectDeath => Action::CorrectDeath,
    }
}

impl Command for ReportStatus {
    type Output = StatusStep;
    const ACTION: Option<Action> = Some(Action::ReportStatus);
    const NAME: &'static str = "report_status";

    async fn run(&self, tx: &Tx<'_>) -> Result<StatusStep, StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        let object = resident::object(&resident)?;
        tx.permit(Action::ReportStatus, &object)?;
        let ground = Ground::of(tx, &resident).await?;
        let row = ground.statuses.current().status.toward(self.status)?;
        tx.permit(right(row.trigger), &object)?;
        ground.statuses.check(self.since, tx.today()).map_err(|fault| StoreError::fields(since(&fault.fields())))?;
        enter(tx, &resident, self.status, self.since, None).await
    }
}

/// The day of a status is written as `since`.
fn since(faults: &[FieldError]) -> Vec<FieldError> {
    faults.iter().map(|fault| FieldError { field: "since".to_owned(), ..fault.clone() }).collect()
}

/// Corrects a death that was recorded wrongly: the resident has been living at home since.
#[derive(Debug, Clone)]
pub struct CorrectDeath {
    /// Who was recorded as dead.
    pub resident: ResidentId,
    /// Why the record was wrong.
    pub reason: SecretString,
}

impl Command for CorrectDeath {
    type Output = StatusStep;
    const ACTION: Option<Action> = Some(Action::CorrectDeath);
    const NAME: &'static str = "correct_death";

    async fn run(&self, tx: &Tx<'_>) -> Result<StatusStep, StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        tx.permit(Action::CorrectDeath, &resident::object(&resident)?)?;
        let faults = reason_faults("reason", &self.reason);
        if !faults.is_empty() {
            return Err(StoreError::fields(faults));
        }
        let current = Ground::of(tx, &resident).await?.statuses.current();
        let to = domain::state::StateMachine::on(current.status, StatusTrigger::CorrectDeath)?.to;
        let rows = ground::status_rows(tx.db, resident.id).await?;
        let death = rows.iter().rfind(|row| row.status == LifeStatus::Dead.to_string()).ok_or_else(StoreError::not_found)?;
        if let Some(recorded_by) = death.recorded_by {
            tx.actor().other_than(PersonId::from_uuid(recorded_by), "the one who recorded the death")?;
        }
        enter(tx, &resident, to, current.since, Some((death, &self.reason))).await
    }
}

async fn enter(
    tx: &Tx<'_>,
    resident: &entity::resident::Model,
    status: LifeStatus,
    since: BusinessDate,
    correction: Option<(&resident_status::Model, &SecretString)>,
) -> Result<StatusStep, StoreError> {
    let id: ResidentStatusId = tx.id();
    let reason_enc = match correction {
        Some((_, reason)) => Some(tx.seal("resident_status", "reason_enc", id.uuid(), reason.expose_secret().as_bytes())?),
        None => None,
    };
    // The resident is locked: nobody else takes the next number.
    let last = ground::status_rows(tx.db, resident.id).await?.last().map_or(0, |row| row.seq);
    let row = resident_status::Model {
        id: id.uuid(),
        resident_id: resident.id,
        seq: last + 1,
        status: status.to_string(),
        since: since.get(),
        corrects: correction.map(|(death, _)| death.id),
        reason_enc,
        recorded_by: tx.actor().person().map(PersonId::uuid),
        recorded_at: tx.now(),
    };
    resident_status::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
    let next =
        entity::resident::Model { status: status.to_string(), status_on: since.get(), version: resident.version + 1, ..resident.clone() };
    tx.save(next.clone()).await?;
    let resident_id = ResidentId::from_uuid(resident.id);
    tx.emit(Event::ResidentStatusChanged { resident: resident_id });
    tx.record(&resident_id, Some(resident), Some(&next));
    Ok(StatusStep { resident_id, status, since })
}
