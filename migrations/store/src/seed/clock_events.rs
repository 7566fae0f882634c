//! What the carers' phones send of a visit.

use domain::{
    access::Role,
    event::Event,
    id::{Event as EventKind, PersonId},
    order::OrderTrigger,
    resident::Coordinate,
    sample::{Position, Proof},
    time::Instant,
    visit::{ClockEvidence, CodeCheck, Explanation, LocationFix, VisitEvidence, VisitTrigger, code_at},
};

use super::{
    home::Home,
    maker::{Maker, Who},
    order::Course,
};
use crate::{
    command::visit::{ClockKind, ClockVisit, StoredClock},
    entity::visit_event,
    error::StoreError,
    write::Command as _,
};

/// What was recorded of a whole visit.
pub(super) struct Recorded {
    /// Of each carer; whether the family confirmed is not known yet.
    pub(super) evidence: Vec<VisitEvidence>,
    /// When the last event arrived.
    pub(super) received: Instant,
}

/// Farther than any home is from itself, in millionths of a degree: about two kilometres.
const ELSEWHERE: i32 = 19_000;

/// Records arrival and departure of each carer as they reach the server; nothing when a part has not yet.
pub(super) fn record(
    maker: &mut Maker<'_>,
    course: &mut Course<'_>,
    home: &Home<'_>,
    proof: Proof,
) -> Result<Option<Recorded>, StoreError> {
    let plan = course.booking.plan;
    let arrived = plan.start + plan.arrives_after;
    let left = (plan.end + plan.leaves_after).max(arrived);
    // Kept offline, both events come together once there is a signal.
    let late = plan.received_after.num_minutes() > 0;
    let (first, last) = (if late { left } else { arrived } + plan.received_after, left + plan.received_after);
    let mut evidence = Vec::new();
    for (kind, at, received) in [(ClockKind::ClockIn, arrived, first), (ClockKind::ClockOut, left, last)] {
        if !maker.is_past(received) {
            return Ok(None);
        }
        let members = course.booking.plan.carers.len();
        for place in 0..members {
            let stored = one(maker, course, home, (place, kind), (at, received), proof)?;
            match kind {
                ClockKind::ClockIn => evidence.push(VisitEvidence {
                    clock_in: Some(stored.evidence),
                    clock_out: None,
                    family_confirmed: false,
                    explanation: stored.explanation,
                }),
                ClockKind::ClockOut => {
                    if let Some(member) = evidence.get_mut(place) {
                        member.clock_out = Some(stored.evidence);
                        member.explanation = stored.explanation.or(member.explanation);
                    }
                }
            }
        }
        match kind {
            ClockKind::ClockIn => course.visit.actual_start = Some(at),
            ClockKind::ClockOut => course.visit.actual_end = Some(at),
        }
    }
    Ok(Some(Recorded { evidence, received: last }))
}

/// One event of one carer.
fn one(
    maker: &mut Maker<'_>,
    course: &mut Course<'_>,
    home: &Home<'_>,
    what: (usize, ClockKind),
    when: (Instant, Instant),
    proof: Proof,
) -> Result<StoredClock, StoreError> {
    let ((place, kind), (at, received)) = (what, when);
    let seat = course.booking.plan.carers.get(place).and_then(|seat| course.booking.seat.carers.get(*seat));
    let (carer, person): (_, PersonId) = seat.copied().ok_or_else(StoreError::not_found)?;
    let shows_code = matches!(proof, Proof::Full | Proof::Fair);
    let explanation = (proof == Proof::Thin && kind == ClockKind::ClockOut).then_some(Explanation::NobodyToShowCode);
    let command = ClockVisit {
        visit: course.visit_id,
        kind,
        client_event_id: maker.id::<EventKind>(at).uuid().simple().to_string(),
        occurred_at: at,
        location: location(maker, course, home, proof)?,
        code: shows_code.then(|| code_at(&home.secret, course.visit_id, at)),
        explanation,
        signed: None,
    };
    let code = if shows_code { CodeCheck::Right } else { CodeCheck::Absent };
    let evidence = ClockEvidence { at, location: command.location, code, device_bound: proof == Proof::Full };
    let stored = StoredClock { evidence, explanation };
    let id = maker.id::<EventKind>(received).uuid();
    maker.push(visit_event::Model {
        id,
        visit_id: course.visit.id,
        carer_id: carer.uuid(),
        client_event_id: command.client_event_id.clone(),
        kind: kind.to_string(),
        occurred_at: at,
        received_at: received,
        evidence_enc: maker.seal_json("visit_event", "evidence_enc", id, &stored)?,
        digest: command.digest(),
    })?;
    let step = maker.step(received, Who::Person(person, Role::Carer), ClockVisit::NAME);
    let member = course.team.get_mut(place).ok_or_else(StoreError::not_found)?;
    let (is_first, is_last) = (place == 0, place + 1 == course.booking.plan.carers.len());
    match kind {
        ClockKind::ClockIn => {
            member.clock_in_at = Some(at);
            maker.event(&step, &Event::CarerClockedIn { visit: course.visit_id, carer })?;
            if is_first {
                course.advance(maker, &step, OrderTrigger::ClockIn)?;
                course.move_visit(VisitTrigger::ClockIn)?;
            }
        }
        ClockKind::ClockOut => {
            member.clock_out_at = Some(at);
            maker.event(&step, &Event::CarerClockedOut { visit: course.visit_id, carer })?;
            if is_last {
                course.move_visit(VisitTrigger::ClockOut)?;
                course.advance(maker, &step, OrderTrigger::Complete)?;
            }
        }
    }
    maker.audit(&step, &course.visit_id, (None, None))?;
    Ok(stored)
}

/// The position that the phone states.
fn location(maker: &mut Maker<'_>, course: &Course<'_>, home: &Home<'_>, proof: Proof) -> Result<Option<LocationFix>, StoreError> {
    let place = home.plan.home;
    let mut moved = |around: i32, reach: i64, accuracy_m: u32| -> Result<Option<LocationFix>, StoreError> {
        let mut near =
            |middle: i32| middle.saturating_add(around).saturating_add(i32::try_from(maker.draw.between(-reach, reach)).unwrap_or(0));
        let coordinate = Coordinate::new(place.system(), near(place.latitude()), near(place.longitude()));
        Ok(Some(LocationFix { coordinate: coordinate.map_err(domain::sample::SampleError::from)?, accuracy_m }))
    };
    match (proof, course.booking.plan.position) {
        (Proof::Silent, _) | (_, Position::Off) => Ok(None),
        (Proof::Elsewhere, _) => moved(ELSEWHERE, 2_000, 20),
        (_, Position::Exact) => moved(0, 0, 5),
        (Proof::Full | Proof::Fair | Proof::Thin, Position::Measured) => moved(0, 450, 18),
    }
}
