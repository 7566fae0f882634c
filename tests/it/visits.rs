//! Clock events in any order, events that do not fit, corrections, incidents: on both databases.
#![cfg(test)]

use domain::{
    order::OrderState,
    time::parse_instant,
    visit::{CorrectionReason, IncidentKind, IncidentState, QuarantineReason, Severity},
};
use store::command::{
    claim::DecideHeldClaim,
    incident::{HandleIncident, ReportIncident, ReviewIncident},
    visit::{ClockKind, ClockOutcome, ClockVisit, CorrectVisit, DiscardQuarantined},
};
use tests::{market::Market, on_each_database};

const START: &str = "2026-11-20T09:00:00+08:00";
const END: &str = "2026-11-20T11:00:00+08:00";

on_each_database!(a_departure_may_come_before_its_arrival_and_twice, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let booked = market.assigned(START).await.unwrap();
    let (_, carer) = market.carer().unwrap();
    market.set_clock("2026-11-20T18:00:00+08:00").unwrap();
    let leave = market.clock(booked.visit_id, ClockKind::ClockOut, END).unwrap();
    let waits = market.try_run(carer, leave.clone()).await.unwrap();
    assert_eq!((waits.outcome, waits.order_state), (ClockOutcome::Waiting, OrderState::Assigned));
    let arrive = market.clock(booked.visit_id, ClockKind::ClockIn, START).unwrap();
    let done = market.try_run(carer, arrive).await.unwrap();
    assert_eq!((done.outcome, done.order_state), (ClockOutcome::Stored, OrderState::Completed), "both take effect");
    let again = market.try_run(carer, leave.clone()).await.unwrap();
    assert_eq!((again.outcome, again.order_state), (ClockOutcome::Duplicate, OrderState::Completed));
    let other = ClockVisit { location: None, ..leave };
    assert_eq!(market.try_run(carer, other).await.unwrap_err().code(), "store.exists", "other content under the same id");
    let view = market.store().visit(&market.people().manager, booked.visit_id).await.unwrap();
    assert_eq!((view.evv.began_at, view.evv.ended_at), (parse_instant(START).ok(), parse_instant(END).ok()));
    assert!(market.store().verify(db.source().now()).await.unwrap().is_clean());
});

on_each_database!(an_event_that_does_not_fit_is_kept_until_a_person_decides, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let booked = market.assigned(START).await.unwrap();
    let (carer_id, carer) = market.carer().unwrap();
    let manager = &market.people().manager;
    market.set_clock("2026-11-20T12:00:00+08:00").unwrap();
    // The phone's clock was an hour and a minute behind when the carer arrived.
    let early = market.clock(booked.visit_id, ClockKind::ClockIn, "2026-11-20T07:59:00+08:00").unwrap();
    let kept = market.try_run(carer, early.clone()).await.unwrap();
    assert_eq!((kept.outcome, kept.quarantine_reason), (ClockOutcome::Quarantined, Some(QuarantineReason::ArrivalOutsidePlan)));
    assert_eq!(market.try_run(carer, early).await.unwrap().outcome, ClockOutcome::Duplicate);
    market.try_run(carer, market.clock(booked.visit_id, ClockKind::ClockOut, END).unwrap()).await.unwrap();
    let [waiting] = market.store().quarantined_events(manager, 10).await.unwrap().try_into().unwrap();
    assert_eq!(waiting.deadline_at, parse_instant("2026-11-22T12:00:00+08:00").ok());
    let correct = CorrectVisit {
        visit: booked.visit_id,
        carer: *carer_id,
        kind: ClockKind::ClockIn,
        occurred_at: parse_instant(START).unwrap(),
        reason: CorrectionReason::DeviceClock,
        note: None,
        quarantined: Some(waiting.event_id),
    };
    assert_eq!(market.try_run(carer, correct.clone()).await.unwrap_err().code(), "access.role", "never the carer");
    let after = CorrectVisit { occurred_at: parse_instant("2026-11-20T11:30:00+08:00").unwrap(), ..correct.clone() };
    assert_eq!(market.try_run(manager, after).await.unwrap_err().code(), "visit.correction_time", "after the departure");
    let vague = CorrectVisit { reason: CorrectionReason::Other, ..correct.clone() };
    assert_eq!(market.try_run(manager, vague).await.unwrap_err().code(), "visit.correction_note");
    let done = market.try_run(manager, correct.clone()).await.unwrap();
    assert_eq!(done.order_state, OrderState::Completed, "the departure waited for it");
    assert!(market.store().quarantined_events(manager, 10).await.unwrap().is_empty());
    let discard = DiscardQuarantined { event: waiting.event_id };
    assert_eq!(market.try_run(manager, discard).await.unwrap_err().code(), "state.not_allowed", "it was decided");
    // Another person approves what rests on a correction.
    market.confirm(booked.order_id).await.unwrap();
    let order = market.store().order(&market.people().clerk, booked.order_id).await.unwrap();
    assert_eq!(order.grade.as_deref(), Some("c"));
    assert!(order.grade_reasons.unwrap().to_string().contains("corrected:device_clock"));
    let [held] = order.claim_lines.try_into().unwrap();
    assert_eq!(held.state.to_string(), "held");
    let decided = market.try_run(&market.people().clerk, DecideHeldClaim { claim: held.claim_line_id, pay: true }).await.unwrap();
    assert_eq!(decided.state.to_string(), "posted");
    assert_eq!(market.try_run(manager, CorrectVisit { quarantined: None, ..correct }).await.unwrap_err().code(), "visit.correction_closed");
    assert!(market.store().verify(db.source().now()).await.unwrap().is_clean());
});

on_each_database!(a_visit_without_evidence_is_void, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let booked = market.assigned(START).await.unwrap();
    let (_, carer) = market.carer().unwrap();
    for (kind, at) in [(ClockKind::ClockIn, START), (ClockKind::ClockOut, END)] {
        market.set_clock(at).unwrap();
        let bare = ClockVisit { location: None, ..market.clock(booked.visit_id, kind, at).unwrap() };
        market.try_run(carer, bare).await.unwrap();
    }
    market.confirm(booked.order_id).await.unwrap();
    let order = market.store().order(&market.people().clerk, booked.order_id).await.unwrap();
    assert_eq!((order.grade.as_deref(), order.claim_lines[0].state.to_string().as_str()), (Some("d"), "voided"));
});

on_each_database!(an_incident_goes_from_the_visit_to_the_provider_and_the_bureau, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let booked = market.assigned(START).await.unwrap();
    let (_, carer) = market.carer().unwrap();
    let (manager, clerk) = (&market.people().manager, &market.people().clerk);
    let now = market.set_clock(START).unwrap();
    let report = ReportIncident {
        visit: booked.visit_id,
        client_event_id: "01JINCIDENT".to_owned(),
        kind: IncidentKind::Fall,
        severity: Severity::Critical,
        occurred_at: now,
        account: "在厨房滑倒".to_owned(),
        measures: None,
    };
    let reported = market.try_run(carer, report.clone()).await.unwrap();
    assert_eq!(reported.deadline_at, parse_instant("2026-11-20T11:00:00+08:00").ok(), "two hours for the worst");
    assert_eq!(market.try_run(carer, report).await.unwrap(), reported, "a repeat has one effect");
    let incident = reported.incident_id;
    for reader in [manager, clerk] {
        let [seen] = market.store().incidents(reader, 10).await.unwrap().try_into().unwrap();
        assert_eq!((seen.incident_id, seen.kind), (incident, IncidentKind::Fall));
        assert_eq!(market.store().incident(reader, incident).await.unwrap().account, "在厨房滑倒");
    }
    assert_eq!(market.store().incidents(&market.people().family, 10).await.unwrap_err().code(), "access.role");
    let measures = Some("已送医检查".to_owned());
    let unread = HandleIncident { incident, measures: measures.clone() };
    assert_eq!(market.try_run(manager, unread.clone()).await.unwrap_err().code(), "state.not_allowed", "it is taken up first");
    market.try_run(manager, HandleIncident { incident, measures: None }).await.unwrap();
    market.try_run(manager, unread.clone()).await.unwrap();
    let returned = market.try_run(clerk, ReviewIncident { incident, close: false }).await.unwrap();
    assert_eq!(returned.state, IncidentState::InHandling);
    market.try_run(manager, unread).await.unwrap();
    let closed = market.try_run(clerk, ReviewIncident { incident, close: true }).await.unwrap();
    assert_eq!((closed.state, closed.deadline_at), (IncidentState::Closed, None));
});
