use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AssessmentError, ChangeFacts, Outcome, STANDARD, Scores, assess};
use crate::{
    id::{AssessmentId, PersonId, ResidentId},
    time::BusinessDate,
};

/// How long an assessment holds, in months.
pub const VALIDITY_MONTHS: u32 = 12;

/// What two assessors hand in.
#[derive(Clone, PartialEq, Eq)]
pub struct AssessmentForm {
    /// The new assessment's id.
    pub id: AssessmentId,
    /// Who was assessed.
    pub resident: ResidentId,
    /// Who assessed; two different persons.
    pub assessors: [PersonId; 2],
    /// The day of the assessment.
    pub assessed_on: BusinessDate,
    /// The answers to the 26 items.
    pub scores: Scores,
    /// The facts that change the level.
    pub facts: ChangeFacts,
}

/// One assessment of one resident. Its stored form holds health data: it is for encrypted storage only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Assessment {
    form: AssessmentForm,
    valid_until: BusinessDate,
    outcome: Outcome,
}

impl Assessment {
    /// Records an assessment.
    ///
    /// # Errors
    /// [`AssessmentError::SameAssessor`], [`AssessmentError::Future`], and a validity beyond the calendar.
    pub fn record(form: AssessmentForm, today: BusinessDate) -> Result<Self, AssessmentError> {
        if form.assessed_on > today {
            return Err(AssessmentError::Future);
        }
        Self::complete(form)
    }

    fn complete(form: AssessmentForm) -> Result<Self, AssessmentError> {
        let [first, second] = form.assessors;
        if first == second {
            return Err(AssessmentError::SameAssessor);
        }
        let valid_until = form.assessed_on.plus_months(VALIDITY_MONTHS)?;
        let outcome = assess(&form.scores, &form.facts);
        Ok(Self { form, valid_until, outcome })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> AssessmentId {
        self.form.id
    }

    /// Who was assessed.
    #[must_use]
    pub const fn resident(&self) -> ResidentId {
        self.form.resident
    }

    /// Who assessed.
    #[must_use]
    pub const fn assessors(&self) -> [PersonId; 2] {
        self.form.assessors
    }

    /// The day of the assessment, the first on which it holds.
    #[must_use]
    pub const fn assessed_on(&self) -> BusinessDate {
        self.form.assessed_on
    }

    /// The first day on which it no longer holds.
    #[must_use]
    pub const fn valid_until(&self) -> BusinessDate {
        self.valid_until
    }

    /// Whether it holds on a day.
    #[must_use]
    pub fn is_valid_on(&self, date: BusinessDate) -> bool {
        self.form.assessed_on <= date && date < self.valid_until
    }

    /// The answers.
    #[must_use]
    pub const fn scores(&self) -> &Scores {
        &self.form.scores
    }

    /// The facts that change the level.
    #[must_use]
    pub const fn facts(&self) -> &ChangeFacts {
        &self.form.facts
    }

    /// The result.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

impl fmt::Debug for AssessmentForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssessmentForm").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Assessment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assessment").field("id", &self.form.id).finish_non_exhaustive()
    }
}

/// The stored form: answers without results, which are found anew, and the standard that they answer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    standard: String,
    id: AssessmentId,
    resident: ResidentId,
    assessors: [PersonId; 2],
    assessed_on: BusinessDate,
    scores: Scores,
    facts: ChangeFacts,
}

impl From<Assessment> for Stored {
    fn from(assessment: Assessment) -> Self {
        let AssessmentForm { id, resident, assessors, assessed_on, scores, facts } = assessment.form;
        Self { standard: STANDARD.to_owned(), id, resident, assessors, assessed_on, scores, facts }
    }
}

impl TryFrom<Stored> for Assessment {
    type Error = AssessmentError;
    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { standard, id, resident, assessors, assessed_on, scores, facts } = stored;
        if standard != STANDARD {
            return Err(AssessmentError::Standard);
        }
        Self::complete(AssessmentForm { id, resident, assessors, assessed_on, scores, facts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assessment::{ITEMS, Level};

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    fn form(first: u8, second: u8) -> AssessmentForm {
        AssessmentForm {
            id: AssessmentId::from_parts(1, [1; 10]),
            resident: ResidentId::from_parts(1, [1; 10]),
            assessors: [PersonId::from_parts(1, [first; 10]), PersonId::from_parts(1, [second; 10])],
            assessed_on: date("2026-11-23"),
            scores: Scores::new(ITEMS.iter().map(|item| (item.code, 2.min(i64::from(item.max))))).unwrap(),
            facts: ChangeFacts::default(),
        }
    }

    #[test]
    fn an_assessment_holds_for_twelve_months() {
        let assessment = Assessment::record(form(1, 2), date("2026-11-23")).unwrap();
        assert_eq!(assessment.outcome().final_level, Level::Moderate);
        assert!(!assessment.is_valid_on(date("2026-11-22")));
        assert!(assessment.is_valid_on(date("2026-11-23")) && assessment.is_valid_on(date("2027-11-22")));
        assert!(!assessment.is_valid_on(date("2027-11-23")));
    }

    #[test]
    fn one_person_is_not_two_assessors() {
        assert_eq!(Assessment::record(form(1, 1), date("2026-11-23")), Err(AssessmentError::SameAssessor));
    }

    #[test]
    fn an_assessment_of_tomorrow_is_refused() {
        assert_eq!(Assessment::record(form(1, 2), date("2026-11-22")), Err(AssessmentError::Future));
    }

    #[test]
    fn the_stored_form_round_trips_and_is_checked() {
        let assessment = Assessment::record(form(1, 2), date("2026-11-23")).unwrap();
        let text = serde_json::to_string(&assessment).unwrap();
        assert_eq!(serde_json::from_str::<Assessment>(&text).unwrap(), assessment);
        assert!(serde_json::from_str::<Assessment>(&text.replace("42195-2022", "42195-2030")).is_err());
        assert!(serde_json::from_str::<Assessment>(&text.replacen('{', r#"{"level":0,"#, 1)).is_err());
        assert!(!format!("{assessment:?}").contains("B.1.1"));
    }
}
