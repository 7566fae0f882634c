//! The check before a service that can harm: recorded values against the rule, and what follows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use crate::{
    catalogue::{Consequence, SafetyRule},
    error::FieldError,
};

/// What was recorded before the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SafetyRecord {
    /// Numbers by the code of the measure, in its unit.
    pub measures: BTreeMap<String, i64>,
    /// Answers by the code of the question.
    pub answers: BTreeMap<String, bool>,
}

/// What a check comes to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SafetyOutcome {
    /// The service may begin.
    Passed,
    /// Something must be put right and measured again.
    MeasureAgain,
    /// The service must not begin today.
    Stopped,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SafetyFinding {
    /// Code of the measure or question.
    pub code: String,
    /// What follows.
    pub consequence: Consequence,
}

/// A record judged against the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedSafety {
    /// What it comes to.
    pub outcome: SafetyOutcome,
    /// Everything that is not as it should be, in the order of the rule.
    pub findings: Vec<SafetyFinding>,
}

/// Judges a record. One reason to stop outweighs everything that could be put right.
///
/// # Errors
/// Every value that is missing, not asked for, or cannot be true: a check that is not whole proves nothing.
pub fn judge(record: &SafetyRecord, rule: &SafetyRule) -> Result<JudgedSafety, Vec<FieldError>> {
    let faults = faults(record, rule);
    if !faults.is_empty() {
        return Err(faults);
    }
    let measured = rule.measures().iter().filter_map(|measure| {
        let number = record.measures.get(&measure.code)?;
        let fits = (measure.ok_min..=measure.ok_max).contains(number);
        (!fits).then(|| SafetyFinding { code: measure.code.clone(), consequence: measure.outside })
    });
    let answered = rule.questions().iter().filter_map(|question| {
        let answer = record.answers.get(&question.code)?;
        (*answer != question.ok).then(|| SafetyFinding { code: question.code.clone(), consequence: question.otherwise })
    });
    let findings: Vec<SafetyFinding> = measured.chain(answered).collect();
    let outcome = match findings.iter().map(|finding| finding.consequence).max() {
        None => SafetyOutcome::Passed,
        Some(Consequence::MeasureAgain) => SafetyOutcome::MeasureAgain,
        Some(Consequence::Stop) => SafetyOutcome::Stopped,
    };
    Ok(JudgedSafety { outcome, findings })
}

fn faults(record: &SafetyRecord, rule: &SafetyRule) -> Vec<FieldError> {
    let mut faults = Vec::new();
    for measure in rule.measures() {
        let field = format!("measures.{}", measure.code);
        let (min, max) = (measure.value.min, measure.value.max);
        match record.measures.get(&measure.code) {
            None => faults.push(FieldError::new(field, "safety.measure_missing", "measure it and write the number down")),
            Some(number) if !(min..=max).contains(number) => {
                let cure = format!("write a whole number from {min} to {max} in {}", measure.value.unit);
                faults.push(FieldError::new(field, "safety.measure_range", cure));
            }
            Some(_) => {}
        }
    }
    for question in rule.questions() {
        if !record.answers.contains_key(&question.code) {
            let field = format!("answers.{}", question.code);
            faults.push(FieldError::new(field, "safety.answer_missing", "answer it with true or false"));
        }
    }
    let foreign = |known: bool, field: &str| {
        // The name is not repeated: it was made by the caller.
        let fault = || FieldError::new(field, "safety.not_asked", "leave out what the rule does not ask for");
        (!known).then(fault)
    };
    let known_measures = record.measures.keys().all(|code| rule.measures().iter().any(|measure| measure.code == *code));
    let known_answers = record.answers.keys().all(|code| rule.questions().iter().any(|question| question.code == *code));
    faults.extend(foreign(known_measures, "measures"));
    faults.extend(foreign(known_answers, "answers"));
    faults
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalogue::{Checklists, ItemCode};

    fn rule() -> SafetyRule {
        Checklists::shipped().unwrap().safety(ItemCode::Bathing, "2026-12-01".parse().unwrap()).unwrap().clone()
    }

    /// A record that passes, with changes.
    fn record(measures: &[(&str, i64)], answers: &[(&str, bool)]) -> SafetyRecord {
        let sound = [
            ("body_temperature", 366),
            ("systolic", 130),
            ("diastolic", 80),
            ("heart_rate", 72),
            ("oxygen_saturation", 97),
            ("minutes_after_meal", 90),
            ("water_temperature", 400),
            ("room_temperature", 255),
        ];
        let fine = [("open_wound", false), ("acutely_unwell", false), ("agrees_to_bath", true), ("bathroom_safe", true)];
        SafetyRecord {
            measures: sound.iter().chain(measures).map(|(code, number)| ((*code).to_owned(), *number)).collect(),
            answers: fine.iter().chain(answers).map(|(code, answer)| ((*code).to_owned(), *answer)).collect(),
        }
    }

    #[test]
    fn a_bath_begins_only_within_all_limits() {
        use SafetyOutcome::{MeasureAgain, Passed, Stopped};
        let cases = [
            (record(&[], &[]), Passed, vec![]),
            (record(&[("water_temperature", 380)], &[]), Passed, vec![]),
            (record(&[("water_temperature", 379)], &[]), MeasureAgain, vec!["water_temperature"]),
            (record(&[("water_temperature", 421)], &[]), MeasureAgain, vec!["water_temperature"]),
            (record(&[("minutes_after_meal", 59)], &[]), MeasureAgain, vec!["minutes_after_meal"]),
            (record(&[("body_temperature", 373)], &[]), Stopped, vec!["body_temperature"]),
            (record(&[("systolic", 161)], &[]), Stopped, vec!["systolic"]),
            (record(&[("systolic", 89)], &[]), Stopped, vec!["systolic"]),
            (record(&[], &[("open_wound", true)]), Stopped, vec!["open_wound"]),
            (record(&[], &[("agrees_to_bath", false)]), Stopped, vec!["agrees_to_bath"]),
            (record(&[("room_temperature", 200), ("heart_rate", 120)], &[]), Stopped, vec!["heart_rate", "room_temperature"]),
        ];
        for (record, outcome, codes) in cases {
            let judged = judge(&record, &rule()).unwrap();
            assert_eq!(judged.outcome, outcome, "{record:?}");
            assert_eq!(judged.findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(), codes);
        }
    }

    #[test]
    fn a_check_that_is_not_whole_is_refused_by_name() {
        let mut lacking = record(&[("systolic", 1_300), ("mood", 3)], &[]);
        lacking.measures.remove("heart_rate");
        lacking.answers.remove("open_wound");
        let faults = judge(&lacking, &rule()).unwrap_err();
        let named: Vec<_> = faults.iter().map(|fault| (fault.field.as_str(), fault.code.as_str())).collect();
        assert_eq!(
            named,
            [
                ("measures.systolic", "safety.measure_range"),
                ("measures.heart_rate", "safety.measure_missing"),
                ("answers.open_wound", "safety.answer_missing"),
                ("measures", "safety.not_asked"),
            ]
        );
        assert_eq!(faults[0].cure, "write a whole number from 50 to 260 in mmhg");
    }

    proptest! {
        #[test]
        fn a_check_passes_exactly_when_nothing_is_found(systolic in 50i64..=260, water in 0i64..=1_000, wound: bool) {
            let judged = judge(&record(&[("systolic", systolic), ("water_temperature", water)], &[("open_wound", wound)]), &rule()).unwrap();
            let stops = !(90..=160).contains(&systolic) || wound;
            let again = !(380..=420).contains(&water);
            prop_assert_eq!(judged.outcome == SafetyOutcome::Stopped, stops);
            prop_assert_eq!(judged.outcome == SafetyOutcome::Passed, !stops && !again);
            prop_assert_eq!(judged.findings.is_empty(), judged.outcome == SafetyOutcome::Passed);
        }
    }
}
