//! Events that do not fit: kept, shown to the provider, decided by a person.

use chrono::TimeDelta;
use domain::{
    access::{Action, Role},
    event::Event,
    id::{PersonId, QuarantinedEventId, VisitId},
    state::StateMachine as _,
    visit::{CodeCheck, QUARANTINE_HOURS, QuarantineReason, QuarantineState, QuarantineTrigger},
};
use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use uuid::Uuid;

use super::{ClockVisit, lock};
use crate::{
    command::order,
    convert,
    entity::{assignment, carer, quarantined_event},
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// An event on its way into quarantine.
pub(super) struct Kept<'a> {
    pub(super) event: &'a ClockVisit,
    pub(super) code: CodeCheck,
    pub(super) digest: String,
    pub(super) reason: QuarantineReason,
}

/// Keeps an event that does not fit, with its evidence.
pub(super) async fn keep(
    tx: &Tx<'_>,
    locked: &order::Locked,
    row: &assignment::Model,
    id: Uuid,
    kept: &Kept<'_>,
) -> Result<(), StoreError> {
    let model = quarantined_event::Model {
        id,
        visit_id: row.visit_id,
        carer_id: row.carer_id,
        provider_id: locked.order.provider_id,
        client_event_id: kept.event.client_event_id.clone(),
        kind: kept.event.kind.to_string(),
        occurred_at: kept.event.occurred_at,
        received_at: tx.now(),
        evidence_enc: tx.seal_json("quarantined_event", "evidence_enc", id, &kept.event.stored(kept.code))?,
        digest: kept.digest.clone(),
        reason: kept.reason.to_string(),
        state: QuarantineState::INITIAL.to_string(),
        owner_role: Some(Role::ProviderManager.to_string()),
        deadline_at: Some(tx.now() + TimeDelta::hours(QUARANTINE_HOURS)),
        resolved_by: None,
        resolved_at: None,
        version: 1,
    };
    quarantined_event::Entity::insert(model.into_active_model()).exec_without_returning(tx.db).await?;
    tx.emit(Event::ClockQuarantined { visit: locked.visit_id(), event: QuarantinedEventId::from_uuid(id) });
    Ok(())
}

/// Sets an event aside that says nothing true about its visit. The event itself stays.
#[derive(Debug, Clone)]
pub struct DiscardQuarantined {
    /// The event.
    pub event: QuarantinedEventId,
}

impl Command for DiscardQuarantined {
    type Output = ();
    const ACTION: Option<Action> = Some(Action::CorrectVisit);
    const NAME: &'static str = "discard_quarantined_event";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let seen = quarantined_event::Entity::find_by_id(self.event.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let locked = lock(tx, VisitId::from_uuid(seen.visit_id)).await?;
        tx.permit(Action::CorrectVisit, &locked.object)?;
        let served = carer::Entity::find_by_id(seen.carer_id).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        tx.actor().other_than(PersonId::from_uuid(served.person_id), "the carer of the visit")?;
        resolve(tx, self.event, QuarantineTrigger::Discard).await
    }
}

/// Moves an event out of quarantine.
pub(super) async fn resolve(tx: &Tx<'_>, event: QuarantinedEventId, trigger: QuarantineTrigger) -> Result<(), StoreError> {
    let row = for_update!(tx, quarantined_event::Entity::find_by_id(event.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let from: QuarantineState = convert::code("quarantined_event", "state", &row.state)?;
    let to = from.on(trigger)?.to;
    let next = quarantined_event::Model {
        state: to.to_string(),
        owner_role: None,
        deadline_at: None,
        resolved_by: Some(tx.actor().need_person()?.uuid()),
        resolved_at: Some(tx.now()),
        version: row.version + 1,
        ..row.clone()
    };
    tx.save(next.clone()).await?;
    tx.emit(Event::QuarantineResolved { visit: VisitId::from_uuid(row.visit_id), event, to });
    tx.record(&event, Some(&row), Some(&next));
    Ok(())
}
