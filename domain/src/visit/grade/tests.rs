use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::time::{Instant, parse_instant};

fn home() -> Coordinate {
    Coordinate::parse(CoordinateSystem::Wgs84, "39.117220", "117.195980").unwrap()
}

/// So many metres north of the home; one metre of a meridian is 8.993 millionths of a degree.
fn north(metres: i32) -> Coordinate {
    Coordinate::new(CoordinateSystem::Wgs84, home().latitude() + metres * 9 - metres * 7 / 1_000, home().longitude()).unwrap()
}

const fn fix(coordinate: Coordinate, accuracy_m: u32) -> LocationFix {
    LocationFix { coordinate, accuracy_m }
}

fn nine() -> Instant {
    parse_instant("2026-11-23T09:00:00").unwrap()
}

const fn bare(at: Instant) -> ClockEvidence {
    ClockEvidence { at, location: None, code: CodeCheck::Absent, device_bound: false }
}

/// Arrival and departure with the same signals.
fn visit(code: CodeCheck, device_bound: bool, location: Option<LocationFix>, family_confirmed: bool) -> VisitEvidence {
    let event = |at| ClockEvidence { location, code, device_bound, ..bare(at) };
    VisitEvidence {
        clock_in: Some(event(nine())),
        clock_out: Some(event(nine() + TimeDelta::minutes(60))),
        family_confirmed,
        explanation: None,
    }
}

fn graded(evidence: &VisitEvidence) -> (Grade, Vec<String>) {
    let (grade, reasons) = grade(evidence, &Place::at(home()));
    (grade, reasons.iter().map(ToString::to_string).collect())
}

#[test]
fn grades_follow_the_table() {
    use CodeCheck::{Absent, Right, Wrong};
    let here = Some(fix(north(100), 20));
    let cases = [
        (visit(Right, true, None, true), Grade::A),
        (visit(Right, true, here, true), Grade::A),
        (visit(Right, true, here, false), Grade::B),
        (visit(Right, true, None, false), Grade::B),
        (visit(Absent, true, here, false), Grade::B),
        (visit(Right, false, here, false), Grade::B),
        (visit(Absent, false, here, true), Grade::B),
        (visit(Right, false, None, true), Grade::B),
        (visit(Right, false, None, false), Grade::D),
        (visit(Absent, true, None, false), Grade::D),
        (visit(Absent, false, here, false), Grade::D),
        (visit(Wrong, false, here, false), Grade::D),
        (visit(Wrong, true, here, true), Grade::B),
        (visit(Absent, false, None, false), Grade::D),
    ];
    for (evidence, expected) in cases {
        assert_eq!(graded(&evidence).0, expected, "{evidence:?}");
    }
}

#[test]
fn what_is_missing_must_be_explained_and_nothing_cannot_be() {
    let explain = |evidence| graded(&VisitEvidence { explanation: Some(Explanation::NoReception), ..evidence });
    let (grade, reasons) = explain(visit(CodeCheck::Absent, true, None, false));
    assert_eq!(grade, Grade::C);
    assert_eq!(
        reasons,
        ["location_missing", "code_missing", "present:device_key", "family_unconfirmed", "explained:no_reception"],
        "every reason is named"
    );
    assert_eq!(graded(&visit(CodeCheck::Absent, true, None, false)).1.last().unwrap(), "unexplained");
    assert_eq!(explain(visit(CodeCheck::Absent, false, None, false)).0, Grade::D, "an explanation is no evidence");
    assert_eq!(explain(visit(CodeCheck::Right, true, None, true)).0, Grade::A, "an explanation does no harm");
}

#[test]
fn the_code_at_arrival_and_departure_is_one_signal() {
    let both = visit(CodeCheck::Right, false, None, false);
    let (_, reasons) = graded(&both);
    assert_eq!(reasons.iter().filter(|reason| *reason == "present:visit_code").count(), 1);
    let once = VisitEvidence { clock_out: both.clock_out.map(|event| ClockEvidence { code: CodeCheck::Wrong, ..event }), ..both };
    assert_eq!(graded(&once), graded(&both));
}

#[test]
fn the_device_must_sign_both_ends() {
    let both = visit(CodeCheck::Right, true, None, true);
    let once = VisitEvidence { clock_out: both.clock_out.map(|event| ClockEvidence { device_bound: false, ..event }), ..both };
    let (grade, reasons) = graded(&once);
    assert_eq!(grade, Grade::B);
    assert!(reasons.contains(&"device_key_missing".to_owned()));
}

#[test]
fn a_forgotten_departure_or_arrival_is_never_paid_at_once() {
    let full = visit(CodeCheck::Right, true, Some(fix(home(), 10)), true);
    for half in [VisitEvidence { clock_out: None, ..full }, VisitEvidence { clock_in: None, ..full }] {
        assert_eq!(graded(&half).0, Grade::D);
        assert_eq!(graded(&VisitEvidence { explanation: Some(Explanation::Forgotten), ..half }).0, Grade::C);
    }
    let none = VisitEvidence { clock_in: None, clock_out: None, family_confirmed: false, explanation: Some(Explanation::Other) };
    let (grade, reasons) = graded(&none);
    assert_eq!(grade, Grade::D);
    assert_eq!(reasons[..2], ["clock_in_missing", "clock_out_missing"]);
}

#[test]
fn a_departure_before_the_arrival_is_a_contradiction() {
    let full = visit(CodeCheck::Right, true, Some(fix(home(), 10)), true);
    let reversed = VisitEvidence { clock_in: full.clock_out, clock_out: full.clock_in, explanation: Some(Explanation::Other), ..full };
    let (grade, reasons) = graded(&reversed);
    assert_eq!((grade, reasons[0].as_str()), (Grade::D, "clock_out_before_clock_in"));
}

#[test]
fn the_fence_is_three_hundred_metres_and_the_accuracy() {
    let reason = |metres, accuracy| check_fix(fix(north(metres), accuracy), home());
    assert_eq!(reason(299, 0), None);
    assert_eq!(reason(310, 20), None);
    assert_eq!(reason(499, 200), None);
    assert!(matches!(reason(310, 0), Some(GradeReason::LocationElsewhere(309..=310))));
    assert!(matches!(reason(2_000, 200), Some(GradeReason::LocationElsewhere(_))));
    assert_eq!(reason(100, 201), Some(GradeReason::LocationCoarse(201)));
    assert_eq!(reason(2_000, 5_000), Some(GradeReason::LocationCoarse(5_000)), "a coarse position neither proves nor contradicts");
    assert_eq!(reason(2_000, u32::MAX), Some(GradeReason::LocationCoarse(u32::MAX)));
}

#[test]
fn a_position_elsewhere_is_a_contradiction_whatever_else_there_is() {
    let (grade, reasons) = graded(&visit(CodeCheck::Right, true, Some(fix(north(5_000), 30)), true));
    assert_eq!(grade, Grade::D);
    assert!(reasons[0].starts_with("location_elsewhere:"), "{reasons:?}");
    assert_eq!(reasons.iter().filter(|reason| reason.starts_with("location_elsewhere")).count(), 1);
}

#[test]
fn a_mislabelled_system_is_missing_evidence_and_no_contradiction() {
    let mislabelled = home().to(CoordinateSystem::Gcj02).relabelled(CoordinateSystem::Wgs84);
    assert!(mislabelled.distance_m(home()) > GEOFENCE_M);
    let (grade, reasons) = graded(&visit(CodeCheck::Right, true, Some(fix(mislabelled, 10)), false));
    assert_eq!((grade, reasons[0].as_str()), (Grade::B, "location_system"));
    let labelled = home().to(CoordinateSystem::Gcj02);
    assert_eq!(graded(&visit(CodeCheck::Absent, true, Some(fix(labelled, 10)), false)).0, Grade::B, "positions are converted");
}

#[test]
fn positions_prove_nothing_where_no_place_is_known() {
    let evidence = visit(CodeCheck::Absent, false, Some(fix(home(), 10)), true);
    let (unknown, reasons) = grade(&evidence, &Place { clock_in: None, clock_out: None });
    assert_eq!((unknown, reasons[0]), (Grade::D, GradeReason::PlaceUnknown));
    let away = evidence.clock_out.map(|event| ClockEvidence { location: Some(fix(north(9_000), 10)), ..event });
    let escort = VisitEvidence { clock_out: away, ..evidence };
    assert_eq!(grade(&escort, &Place { clock_in: Some(home()), clock_out: None }).0, Grade::B);
}

#[test]
fn only_a_and_b_are_paid_at_once() {
    let payable = [Grade::A, Grade::B, Grade::C, Grade::D].map(Grade::payable);
    assert_eq!(payable, [Payable::Post, Payable::Post, Payable::Hold, Payable::Void]);
}

#[test]
fn stored_evidence_round_trips() {
    let evidence = visit(CodeCheck::Right, true, Some(fix(home(), 10)), true);
    let text = serde_json::to_string(&evidence).unwrap();
    assert_eq!(serde_json::from_str::<VisitEvidence>(&text).unwrap(), evidence);
    let (_, reasons) = grade(&evidence, &Place::at(home()));
    let text = serde_json::to_string(&reasons).unwrap();
    assert_eq!(serde_json::from_str::<Vec<GradeReason>>(&text).unwrap(), reasons);
}

prop_compose! {
    fn any_event()(
        minute in 0i64..3,
        location in prop::option::of((0i32..900, 0u32..400)),
        code in prop::sample::select(vec![CodeCheck::Absent, CodeCheck::Right, CodeCheck::Wrong]),
        device_bound in any::<bool>(),
    ) -> ClockEvidence {
        let location = location.map(|(metres, accuracy)| fix(north(metres), accuracy));
        ClockEvidence { at: nine() + TimeDelta::minutes(minute), location, code, device_bound }
    }
}

prop_compose! {
    fn any_evidence()(
        clock_in in prop::option::of(any_event()),
        clock_out in prop::option::of(any_event()),
        family_confirmed in any::<bool>(),
        explained in any::<bool>(),
    ) -> VisitEvidence {
        VisitEvidence { clock_in, clock_out, family_confirmed, explanation: explained.then_some(Explanation::Other) }
    }
}

proptest! {
    #[test]
    fn taking_a_right_signal_away_never_gives_a_better_grade(evidence in any_evidence()) {
        let (before, _) = grade(&evidence, &Place::at(home()));
        let without_code = |event: ClockEvidence| ClockEvidence { code: CodeCheck::Absent, ..event };
        let without_key = |event: ClockEvidence| ClockEvidence { device_bound: false, ..event };
        for poorer in [
            VisitEvidence { family_confirmed: false, ..evidence },
            VisitEvidence { explanation: None, ..evidence },
            VisitEvidence { clock_in: evidence.clock_in.map(without_code), clock_out: evidence.clock_out.map(without_code), ..evidence },
            VisitEvidence { clock_in: evidence.clock_in.map(without_key), ..evidence },
        ] {
            prop_assert!(grade(&poorer, &Place::at(home())).0 >= before, "{:?}", poorer);
        }
    }

    #[test]
    fn nothing_is_paid_without_arrival_departure_and_two_signals(evidence in any_evidence()) {
        let (grade, reasons) = grade(&evidence, &Place::at(home()));
        let present = reasons.iter().filter(|reason| matches!(reason, GradeReason::Present(_))).count();
        if grade.payable() == Payable::Post {
            prop_assert!(evidence.clock_in.is_some() && evidence.clock_out.is_some() && present >= 2);
            prop_assert!(!reasons.iter().any(|reason| reason.is_contradiction()));
        }
        prop_assert!(grade != Grade::C || evidence.explanation.is_some());
    }
}

#[test]
fn a_corrected_time_or_an_undone_task_is_never_paid_at_once() {
    let full = visit(CodeCheck::Right, true, Some(fix(home(), 10)), true);
    let under = |evidence: &VisitEvidence, circumstances| {
        let (grade, reasons) = grade_in(evidence, &circumstances, &Place::at(home()));
        (grade, reasons.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let corrected = Circumstances { corrected: Some(CorrectionReason::ForgotClockOut), ..Circumstances::default() };
    let (grade, reasons) = under(&full, corrected);
    assert_eq!((grade, reasons[0].as_str()), (Grade::C, "corrected:forgot_clock_out"));
    let (grade, reasons) = under(&VisitEvidence { clock_out: None, ..full }, corrected);
    assert_eq!((grade, &reasons[..2]), (Grade::C, &["clock_out_missing".to_owned(), "corrected:forgot_clock_out".to_owned()][..]));
    let nothing = visit(CodeCheck::Absent, false, None, false);
    assert_eq!(under(&nothing, corrected).0, Grade::D, "a correction is no evidence");
    let reversed = VisitEvidence { clock_in: full.clock_out, clock_out: full.clock_in, ..full };
    assert_eq!(under(&reversed, corrected).0, Grade::C, "the wrong time was set aside");
    let undone = Circumstances { task_undone: Some(NotDoneReason::Refused), ..Circumstances::default() };
    let (grade, reasons) = under(&full, undone);
    assert_eq!((grade, reasons[0].as_str()), (Grade::C, "task_undone:refused"));
    let apart = Circumstances { apart: true, ..Circumstances::default() };
    let (grade, reasons) = under(&full, apart);
    assert_eq!((grade, reasons[0].as_str(), reasons.last().unwrap().as_str()), (Grade::D, "carers_apart", "unexplained"));
    let explained = VisitEvidence { explanation: Some(Explanation::Emergency), ..full };
    assert_eq!(under(&explained, apart).0, Grade::C);
    assert_eq!(under(&full, Circumstances::default()).0, Grade::A);
}

#[test]
fn carers_are_together_when_they_come_and_leave_within_a_quarter_of_an_hour() {
    let at = |minute| nine() + TimeDelta::minutes(minute);
    assert!(were_together(&[Some((at(0), at(60))), Some((at(15), at(45)))]));
    assert!(!were_together(&[Some((at(0), at(60))), Some((at(16), at(60)))]), "one came late");
    assert!(!were_together(&[Some((at(0), at(60))), Some((at(0), at(44)))]), "one left early");
    assert!(!were_together(&[Some((at(0), at(60))), None]), "one never came");
    assert!(were_together(&[Some((at(0), at(60)))]));
}
