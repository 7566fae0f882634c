use proptest::prelude::*;

use super::*;
use crate::assessment::{RiskEvent, RiskEventKind, count_risk_events};
use crate::error::Fault;

/// The scores of a given total: the highest ones, taken down from the first item on.
fn with_total(total: u8) -> Scores {
    let mut surplus = 90 - total;
    Scores::new(ITEMS.iter().map(|item| {
        let taken = surplus.min(item.max);
        surplus -= taken;
        (item.code, i64::from(item.max - taken))
    }))
    .unwrap()
}

fn with_score(code: &str, score: i64) -> Scores {
    Scores::new(ITEMS.iter().map(|item| (item.code, if item.code == code { score } else { i64::from(item.max) }))).unwrap()
}

const NONE: ChangeFacts = ChangeFacts { coma: false, dementia: false, mental_disorder: false, risk_events_30d: 0 };

fn events(kinds: &[(RiskEventKind, &str)]) -> u32 {
    let events: Vec<RiskEvent> = kinds.iter().map(|(kind, on)| RiskEvent { kind: *kind, on: on.parse().unwrap() }).collect();
    count_risk_events(&events, "2026-11-23".parse().unwrap()).unwrap()
}

/// Answers, total, preliminary level, facts, final level, rules that hold.
type GoldenCase = (Scores, u8, u8, ChangeFacts, u8, &'static [ChangeReason]);

#[test]
fn golden_cases() {
    use ChangeReason::{Coma, Dementia, RiskEvents};
    use RiskEventKind::{Choking, Fall};
    let dementia = ChangeFacts { dementia: true, ..NONE };
    let risks = |risk_events_30d| ChangeFacts { risk_events_30d, ..NONE };
    let fall_and_choking = events(&[(Fall, "2026-11-01"), (Choking, "2026-11-20")]);
    let three_falls = events(&[(Fall, "2026-11-01"), (Fall, "2026-11-02"), (Fall, "2026-11-03")]);
    let one_too_old = events(&[(Fall, "2026-11-01"), (Fall, "2026-10-23")]);
    assert_eq!((fall_and_choking, three_falls, one_too_old), (2, 3, 1));
    let cases: [GoldenCase; 15] = [
        (with_total(90), 90, 0, NONE, 0, &[]),
        (with_score("B.3.8", 0), 89, 1, NONE, 1, &[]),
        (with_total(66), 66, 1, NONE, 1, &[]),
        (with_total(65), 65, 2, NONE, 2, &[]),
        (with_total(46), 46, 2, NONE, 2, &[]),
        (with_total(45), 45, 3, NONE, 3, &[]),
        (with_total(30), 30, 3, NONE, 3, &[]),
        (with_total(29), 29, 4, NONE, 4, &[]),
        (with_total(90), 90, 0, dementia, 1, &[Dementia]),
        (with_total(70), 70, 1, risks(fall_and_choking), 2, &[RiskEvents]),
        (with_total(70), 70, 1, ChangeFacts { risk_events_30d: three_falls, ..dementia }, 2, &[Dementia, RiskEvents]),
        (with_total(50), 50, 2, risks(one_too_old), 2, &[]),
        (with_score("B.3.9", 0), 88, 1, ChangeFacts { coma: true, ..NONE }, 4, &[Coma]),
        (with_total(10), 10, 4, dementia, 4, &[Dementia]),
        (with_total(0), 0, 4, NONE, 4, &[]),
    ];
    for (scores, total, preliminary, facts, level, reasons) in cases {
        let outcome = assess(&scores, &facts);
        assert_eq!((outcome.total, outcome.preliminary.number(), outcome.final_level.number()), (total, preliminary, level));
        assert_eq!(outcome.changes, reasons, "total {total}");
        assert_eq!(outcome.subtotals.iter().sum::<u8>(), total);
    }
}

#[test]
fn another_mental_disorder_worsens_the_level_as_dementia_does() {
    let outcome = assess(&with_total(50), &ChangeFacts { mental_disorder: true, ..NONE });
    assert_eq!((outcome.final_level, outcome.changes), (Level::Severe, vec![ChangeReason::MentalDisorder]));
}

#[test]
fn all_faulty_answers_are_named_at_once() {
    let answers = ITEMS.iter().filter(|item| item.code != "B.2.1").map(|item| (item.code, if item.code == "B.2.4" { 4 } else { 1 }));
    let error = Scores::new(answers.chain([("B.1.1", 1), ("B.9.9", 1), ("a name far longer than any code", 1)])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the scores are not those of the 26 items: B.1.1 is given twice, write one answer; \
         B.9.9 is unknown, remove it; the items are B.1.1 to B.4.5; \
         (unknown field) is unknown, remove it; the items are B.1.1 to B.4.5; \
         B.2.1 is missing, write 0 to 4; B.2.4 is out of range, write 0 to 3"
    );
    let fields = error.fields();
    assert_eq!(fields.len(), 5);
    assert_eq!(fields[4], FieldError::new("items.B.2.4", "assessment.score_range", "write 0 to 3"));
}

#[test]
fn an_unknown_item_that_may_be_an_identity_number_is_not_repeated() {
    let numbers = ["110105194912310021", "110105194912310022"].map(|number| (number, 1));
    let error = Scores::new(ITEMS.iter().map(|item| (item.code, 0)).chain(numbers)).unwrap_err();
    assert_eq!(error, AssessmentError::Scores(vec![ScoreFault::Unknown(None)]));
    let text = format!("{error} {error:?} {:?}", error.fields());
    assert!(!text.contains("110105"), "{text}");
    assert_eq!(error.fields()[0].field, "items.(unknown field)");
}

#[test]
fn more_faults_than_anybody_reads_are_counted() {
    let codes: Vec<_> = (0..10).flat_map(|n| (0..20).map(move |m| format!("X.{n}.{}", m % 10))).collect();
    let answers = ITEMS.iter().map(|item| (item.code.to_owned(), 0)).chain(codes.into_iter().map(|code| (code, 0)));
    assert!(Scores::new(answers).unwrap_err().to_string().ends_with("; and 100 more"));
}

#[test]
fn scores_outside_a_byte_are_out_of_range() {
    for score in [-1, 5, 256, 260, i64::MIN, i64::MAX] {
        let answers = ITEMS.iter().map(|item| (item.code, if item.code == "B.1.1" { score } else { 0 }));
        assert_eq!(Scores::new(answers).unwrap_err(), AssessmentError::Scores(vec![ScoreFault::Range(&ITEMS[0])]));
    }
}

#[test]
fn the_stored_form_is_checked_when_it_is_read() {
    let text = serde_json::to_string(&with_total(70)).unwrap();
    assert!(text.starts_with(r#"{"B.1.1":0,"#), "{text}");
    assert_eq!(serde_json::from_str::<Scores>(&text).unwrap(), with_total(70));
    for wrong in [text.replace("B.1.1", "B.1.2"), text.replace(r#""B.1.1":0"#, r#""B.1.1":5"#), "{}".to_owned()] {
        assert!(serde_json::from_str::<Scores>(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn health_data_do_not_show_in_debug_texts() {
    assert_eq!(format!("{:?} {:?}", with_total(3), NONE), "Scores(***) ChangeFacts(***)");
}

prop_compose! {
    fn any_answers()(shares in prop::array::uniform26(0u8..=4)) -> Vec<i64> {
        ITEMS.iter().zip(shares).map(|(item, share)| i64::from(share.min(item.max))).collect()
    }
}

prop_compose! {
    fn any_facts()(coma in any::<bool>(), dementia in any::<bool>(), mental_disorder in any::<bool>(), risk_events_30d in 0u32..4) -> ChangeFacts {
        ChangeFacts { coma, dementia, mental_disorder, risk_events_30d }
    }
}

fn scores(answers: &[i64]) -> Scores {
    Scores::new(ITEMS.iter().map(|item| item.code).zip(answers.iter().copied())).unwrap()
}

proptest! {
    #[test]
    fn a_worse_answer_never_gives_a_better_level(answers in any_answers(), facts in any_facts(), worse in 0usize..26) {
        let before = assess(&scores(&answers), &facts);
        let mut lower = answers.clone();
        lower[worse] = (lower[worse] - 1).max(0);
        let after = assess(&scores(&lower), &facts);
        prop_assert!(after.final_level >= before.final_level && after.preliminary >= before.preliminary);
    }

    #[test]
    fn a_further_fact_never_gives_a_better_level_and_at_most_one_worse_without_coma(answers in any_answers(), facts in any_facts()) {
        let outcome = assess(&scores(&answers), &facts);
        let plain = assess(&scores(&answers), &ChangeFacts::default());
        prop_assert_eq!(plain.final_level, plain.preliminary);
        prop_assert!(outcome.final_level >= plain.final_level);
        prop_assert!(facts.coma || outcome.final_level <= plain.final_level.worse());
        prop_assert_eq!(outcome.changes.is_empty(), facts.reasons().is_empty());
    }

    #[test]
    fn the_total_is_the_sum_of_the_answers(answers in any_answers()) {
        let scores = scores(&answers);
        prop_assert_eq!(i64::from(scores.total()), answers.iter().sum::<i64>());
        prop_assert!(scores.subtotals().iter().zip(Group::ALL).all(|(subtotal, group)| *subtotal <= group.max()));
        let text = serde_json::to_string(&scores).unwrap();
        prop_assert!(serde_json::from_str::<Scores>(&text).unwrap() == scores);
    }
}
