//! I6 and I18 of visits: what waits for a person has a deadline and an owner, and the times of a visit are those
//! that were recorded or corrected.

use std::collections::BTreeMap;

use domain::{
    id::{IncidentId, QuarantinedEventId, VisitId},
    state::StateMachine as _,
    time::Instant,
    visit::{IncidentState, QuarantineState},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use super::{Check, Snapshot, pages::Pages};
use crate::{
    entity::{assignment, incident, quarantined_event, visit, visit_correction, visit_event},
    error::StoreError,
};

/// Events in quarantine and incidents: every state that is not final has an owner and a deadline.
pub(super) async fn check_deadlines(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut pages = Pages::new(quarantined_event::Entity::find(), quarantined_event::Column::Id, |row| row.id);
    while let Some(rows) = pages.next(snapshot.db).await? {
        check.count(rows.len());
        for row in &rows {
            let ends = row.state.parse().ok().map(QuarantineState::is_final);
            check_wait(check, QuarantinedEventId::from_uuid(row.id).to_string(), ends, (&row.owner_role, row.deadline_at));
        }
    }
    let mut pages = Pages::new(incident::Entity::find(), incident::Column::Id, |row| row.id);
    while let Some(rows) = pages.next(snapshot.db).await? {
        check.count(rows.len());
        for row in &rows {
            let ends = row.state.parse().ok().map(IncidentState::is_final);
            check_wait(check, IncidentId::from_uuid(row.id).to_string(), ends, (&row.owner_role, row.deadline_at));
        }
    }
    Ok(())
}

fn check_wait(check: &mut Check, row: String, ends: Option<bool>, wait: (&Option<String>, Option<Instant>)) {
    match ends {
        None => check.fault(row, "its state is unknown"),
        Some(true) => {}
        Some(false) => check.require(wait.0.is_some() && wait.1.is_some(), row, || "it waits without owner or deadline".to_owned()),
    }
}

/// One end of one carer's visit.
type End = (Uuid, Uuid, String);

/// Where a phone recorded one end of a visit, the visit's time is that one, or the latest correction of it.
pub(super) async fn check_times(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut pages = Pages::new(visit::Entity::find(), visit::Column::Id, |row| row.id);
    while let Some(visits) = pages.next_ids(snapshot.db).await? {
        check.count(visits.len());
        let recorded = recorded(snapshot, &visits).await?;
        let team = assignment::Entity::find().filter(assignment::Column::VisitId.is_in(visits)).all(snapshot.db).await?;
        for row in team.iter().filter(|row| row.active) {
            let time = |kind: &str| recorded.get(&(row.visit_id, row.carer_id, kind.to_owned())).copied();
            let arrival = time("clock_in");
            // A departure waits for its arrival.
            let departure = time("clock_out").filter(|_| row.clock_in_at.is_some());
            let differs = |kept: Option<Instant>, wanted: Option<Instant>| wanted.is_some() && kept != wanted;
            let sound = !differs(row.clock_in_at, arrival) && !differs(row.clock_out_at, departure);
            check.require(sound, VisitId::from_uuid(row.visit_id), || "its times are not those that were recorded or corrected".to_owned());
        }
    }
    Ok(())
}

async fn recorded(snapshot: &Snapshot<'_>, visits: &[Uuid]) -> Result<BTreeMap<End, Instant>, StoreError> {
    let events = visit_event::Entity::find().filter(visit_event::Column::VisitId.is_in(visits.iter().copied())).all(snapshot.db).await?;
    let corrections = visit_correction::Entity::find()
        .filter(visit_correction::Column::VisitId.is_in(visits.iter().copied()))
        .order_by_asc(visit_correction::Column::MadeAt)
        .order_by_asc(visit_correction::Column::Id)
        .all(snapshot.db)
        .await?;
    let mut times: BTreeMap<End, Instant> =
        events.into_iter().map(|row| ((row.visit_id, row.carer_id, row.kind), row.occurred_at)).collect();
    times.extend(corrections.into_iter().map(|row| ((row.visit_id, row.carer_id, row.kind), row.occurred_at)));
    Ok(times)
}
