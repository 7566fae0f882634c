//! Corrections of clock times: new rows by somebody else than the carer, never edits.

use domain::{
    access::Action,
    error::FieldError,
    event::Event,
    id::{CarerId, PersonId, QuarantinedEventId, VisitCorrectionId, VisitId},
    order::OrderState,
    time::Instant,
    visit::{
        Arrival, CORRECTION_NOTE_MAX, ClockKind, CorrectionReason, QuarantineTrigger, VisitError, VisitStatus, VisitTimes,
        correction_limit, place, takes_events,
    },
};
use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use serde::{Deserialize, Serialize};

use super::{check_credentials, lock, quarantine, safety, times};
use crate::{
    command::order,
    entity::{assignment, carer, quarantined_event, visit_correction},
    error::StoreError,
    tx::Tx,
    visit_record::VisitRecord,
    write::Command,
};

/// Says when a carer arrived or left, because the phone did not or said otherwise.
#[derive(Debug, Clone)]
pub struct CorrectVisit {
    /// The visit.
    pub visit: VisitId,
    /// The carer.
    pub carer: CarerId,
    /// Arrival or departure.
    pub kind: ClockKind,
    /// When it was.
    pub occurred_at: Instant,
    /// Why it is corrected.
    pub reason: CorrectionReason,
    /// What happened, in words.
    pub note: Option<String>,
    /// The event in quarantine that it decides.
    pub quarantined: Option<QuarantinedEventId>,
}

/// A visit after a correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectedVisit {
    /// The correction.
    pub correction_id: VisitCorrectionId,
    /// The visit's state.
    pub visit_state: VisitStatus,
    /// State of its order.
    pub order_state: OrderState,
}

impl Command for CorrectVisit {
    type Output = CorrectedVisit;
    const ACTION: Option<Action> = Some(Action::CorrectVisit);
    const NAME: &'static str = "correct_visit";

    async fn run(&self, tx: &Tx<'_>) -> Result<CorrectedVisit, StoreError> {
        let locked = lock(tx, self.visit).await?;
        tx.permit(Action::CorrectVisit, &locked.object)?;
        let row = assignment::Entity::find_by_id((self.visit.uuid(), self.carer.uuid())).one(tx.db).await?;
        let row = row.ok_or_else(StoreError::not_found)?;
        let served = carer::Entity::find_by_id(row.carer_id).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let maker = tx.actor().other_than(PersonId::from_uuid(served.person_id), "the carer of the visit")?;
        self.check_note()?;
        self.check_time(tx, &locked, &row).await?;
        if let Some(event) = self.quarantined {
            self.check_quarantined(tx, event).await?;
            quarantine::resolve(tx, event, QuarantineTrigger::Correct).await?;
        }
        let id: VisitCorrectionId = tx.id();
        let note_enc = match self.note.as_deref().map(str::trim).filter(|note| !note.is_empty()) {
            Some(note) => Some(tx.seal("visit_correction", "note_enc", id.uuid(), note.as_bytes())?),
            None => None,
        };
        let correction = visit_correction::Model {
            id: id.uuid(),
            visit_id: row.visit_id,
            carer_id: row.carer_id,
            kind: self.kind.to_string(),
            occurred_at: self.occurred_at,
            reason: self.reason.to_string(),
            note_enc,
            quarantined_event_id: self.quarantined.map(domain::id::Id::uuid),
            made_by: maker.uuid(),
            made_at: tx.now(),
        };
        visit_correction::Entity::insert(correction.clone().into_active_model()).exec_without_returning(tx.db).await?;
        tx.emit(Event::VisitCorrected { visit: self.visit, carer: self.carer, correction: id });
        tx.record(&id, None, Some(&correction));
        let (visit_state, order_state) = times::settle(tx, locked.id()).await?;
        Ok(CorrectedVisit { correction_id: id, visit_state, order_state })
    }
}

impl CorrectVisit {
    fn check_note(&self) -> Result<(), VisitError> {
        let length = self.note.as_deref().map_or(0, |note| note.trim().chars().count());
        let fits = length <= CORRECTION_NOTE_MAX && (length > 0 || !self.reason.needs_note());
        if fits { Ok(()) } else { Err(VisitError::CorrectionNote) }
    }

    /// A corrected time obeys the rules of a recorded one, and opens no door that a phone would find closed.
    async fn check_time(&self, tx: &Tx<'_>, locked: &order::Locked, row: &assignment::Model) -> Result<(), StoreError> {
        let order = locked.state()?;
        if !takes_events(order) || tx.now() > correction_limit(locked.order.ends_at) {
            return Err(VisitError::CorrectionClosed.into());
        }
        let record = VisitRecord::load(tx.db, tx.keys, locked.visit.id).await?;
        let (starts_at, ends_at) = (locked.order.starts_at, locked.order.ends_at);
        // The end that is corrected is as if it were not recorded yet.
        let other = |kind| if kind == self.kind { None } else { record.time(self.carer, kind) };
        let (clock_in_at, clock_out_at) = (other(ClockKind::ClockIn), other(ClockKind::ClockOut));
        let known = VisitTimes { starts_at, ends_at, clock_in_at, clock_out_at, order };
        if self.occurred_at > tx.now() {
            return Err(VisitError::CorrectionTime.into());
        }
        match place(self.kind, self.occurred_at, tx.now(), &known) {
            Arrival::Fits | Arrival::Waits => {}
            Arrival::Quarantined(_) => return Err(VisitError::CorrectionTime.into()),
        }
        let (from, until) = match self.kind {
            ClockKind::ClockIn => (self.occurred_at, clock_out_at.unwrap_or(self.occurred_at)),
            ClockKind::ClockOut => (clock_in_at.unwrap_or(self.occurred_at), self.occurred_at),
        };
        if times::is_elsewhere(tx, row, (from, until)).await? {
            return Err(VisitError::CorrectionTime.into());
        }
        if self.kind == ClockKind::ClockIn {
            check_credentials(tx, locked, self.carer, self.occurred_at).await?;
            if !safety::is_cleared(tx, locked, &record, self.occurred_at).await? {
                return Err(VisitError::SafetyCheckNeeded.into());
            }
        }
        Ok(())
    }

    /// The event must be of the same end of the same carer's visit.
    async fn check_quarantined(&self, tx: &Tx<'_>, event: QuarantinedEventId) -> Result<(), StoreError> {
        let row = quarantined_event::Entity::find_by_id(event.uuid()).one(tx.db).await?;
        let same = row
            .is_some_and(|row| (row.visit_id, row.carer_id) == (self.visit.uuid(), self.carer.uuid()) && row.kind == self.kind.to_string());
        let cure = "name an event of the same carer and the same end of this visit, or leave it out";
        let fault = || StoreError::fields(vec![FieldError::new("quarantined_event_id", "correction.event", cure)]);
        if same { Ok(()) } else { Err(fault()) }
    }
}
