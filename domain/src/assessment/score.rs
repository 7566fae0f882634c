use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use super::{AssessmentError, Group, ITEMS, Item, Level};
use crate::error::FieldError;

/// What is wrong with one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScoreFault {
    /// No answer.
    Missing(&'static Item),
    /// No item has this code; it is kept only where it has the form of one (`X.n.m`), since any other text
    /// could be personal.
    Unknown(Option<String>),
    /// Answered more than once.
    Doubled(&'static Item),
    /// Not a score of the item.
    Range(&'static Item),
}

impl ScoreFault {
    fn item(&self) -> &str {
        match self {
            Self::Missing(item) | Self::Doubled(item) | Self::Range(item) => item.code,
            Self::Unknown(code) => code.as_deref().unwrap_or("(unknown field)"),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "assessment.score_missing",
            Self::Unknown(_) => "assessment.score_unknown",
            Self::Doubled(_) => "assessment.score_doubled",
            Self::Range(_) => "assessment.score_range",
        }
    }

    fn cure(&self) -> String {
        match self {
            Self::Missing(item) | Self::Range(item) => item.cure(),
            Self::Unknown(_) => "remove it; the items are B.1.1 to B.4.5".to_owned(),
            Self::Doubled(_) => "write one answer".to_owned(),
        }
    }

    /// The fault as a field of the input.
    #[must_use]
    pub fn field(&self) -> FieldError {
        FieldError::new(format!("items.{}", self.item()), self.code(), self.cure())
    }
}

impl fmt::Display for ScoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self {
            Self::Missing(_) => "is missing",
            Self::Unknown(_) => "is unknown",
            Self::Doubled(_) => "is given twice",
            Self::Range(_) => "is out of range",
        };
        write!(f, "{} {fault}, {}", self.item(), self.cure())
    }
}

/// Most faults that one text describes; the rest are counted.
const DESCRIBED_MAX: usize = 100;

pub(super) fn describe(faults: &[ScoreFault]) -> String {
    let rest = faults.len().saturating_sub(DESCRIBED_MAX);
    let rest = (rest > 0).then(|| format!("and {rest} more"));
    faults.iter().take(DESCRIBED_MAX).map(ToString::to_string).chain(rest).collect::<Vec<_>>().join("; ")
}

/// Whether a text has the form of an item's code: a capital letter and two digits, with points between them.
fn has_form_of_code(text: &str) -> bool {
    matches!(text.as_bytes(), [b'A'..=b'Z', b'.', b'0'..=b'9', b'.', b'0'..=b'9'])
}

/// The checked scores of all 26 items, in the order of [`ITEMS`]. As health data they do not show in debug
/// texts.
#[derive(Clone, PartialEq, Eq)]
pub struct Scores([u8; ITEMS.len()]);

impl Scores {
    /// Checks one answer for each item, in any order.
    ///
    /// # Errors
    /// [`AssessmentError::Scores`] with every item that is missing, unknown, doubled or out of range.
    pub fn new<C: AsRef<str>>(answers: impl IntoIterator<Item = (C, i64)>) -> Result<Self, AssessmentError> {
        let mut faults = Vec::new();
        let mut nameless = false;
        let mut given: [Option<i64>; ITEMS.len()] = [None; ITEMS.len()];
        for (code, answer) in answers {
            let place = ITEMS.iter().zip(&mut given).find(|(item, _)| item.code == code.as_ref());
            match place {
                Some((item, Some(_))) => faults.push(ScoreFault::Doubled(item)),
                Some((_, slot)) => *slot = Some(answer),
                None if has_form_of_code(code.as_ref()) => faults.push(ScoreFault::Unknown(Some(code.as_ref().to_owned()))),
                None => nameless = true,
            }
        }
        if nameless {
            faults.push(ScoreFault::Unknown(None));
        }
        let mut scores = [0; ITEMS.len()];
        for ((item, answer), score) in ITEMS.iter().zip(given).zip(&mut scores) {
            match answer.map(|answer| u8::try_from(answer).ok().filter(|answer| *answer <= item.max)) {
                Some(Some(answer)) => *score = answer,
                Some(None) => faults.push(ScoreFault::Range(item)),
                None => faults.push(ScoreFault::Missing(item)),
            }
        }
        if faults.is_empty() { Ok(Self(scores)) } else { Err(AssessmentError::Scores(faults)) }
    }

    /// Wraps scores that were checked against [`ITEMS`] one by one.
    pub(super) const fn from_checked(scores: [u8; ITEMS.len()]) -> Self {
        Self(scores)
    }

    /// Each item with its score.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Item, u8)> {
        ITEMS.iter().zip(self.0)
    }

    /// The score of the item with this code.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<u8> {
        self.iter().find(|(item, _)| item.code == code).map(|(_, score)| score)
    }

    /// The four sub-totals, in the order of [`Group::ALL`].
    #[must_use]
    pub fn subtotals(&self) -> [u8; 4] {
        Group::ALL.map(|group| self.iter().filter(|(item, _)| item.group == group).map(|(_, score)| score).sum())
    }

    /// The total, 0 to 90.
    #[must_use]
    pub fn total(&self) -> u8 {
        self.0.iter().sum()
    }
}

impl fmt::Debug for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scores(***)")
    }
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(item, score)| (item.code, score)))
    }
}

impl<'de> Deserialize<'de> for Scores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Answers;
        impl<'de> Visitor<'de> for Answers {
            type Value = Scores;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from the codes of the 26 items to their scores")
            }
            // Entries are read one by one, since a map type would silently keep the last of two answers.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scores, A::Error> {
                let mut answers: Vec<(String, i64)> = Vec::with_capacity(ITEMS.len());
                while let Some(answer) = map.next_entry()? {
                    answers.push(answer);
                }
                Scores::new(answers).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_map(Answers)
    }
}

/// The facts of annex A that change the level. As health data they do not show in debug texts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeFacts {
    /// In a coma (A.5.11).
    pub coma: bool,
    /// Dementia was diagnosed (A.4.1, ICD-10 F00 to F03).
    pub dementia: bool,
    /// Another mental or behavioural disorder was diagnosed by a psychiatrist (A.4.1, ICD-10 F04 to F99).
    pub mental_disorder: bool,
    /// Care-risk events of all kinds within the last 30 days (A.2.14).
    pub risk_events_30d: u32,
}

impl fmt::Debug for ChangeFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChangeFacts(***)")
    }
}

/// A rule of the standard that bears on the level (变更依据).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ChangeReason {
    /// A coma: wholly dependent at once.
    Coma,
    /// Diagnosed dementia: one level worse.
    Dementia,
    /// Another diagnosed mental or behavioural disorder: one level worse.
    MentalDisorder,
    /// Two or more care-risk events in 30 days: one level worse.
    RiskEvents,
}

/// How many care-risk events make a level worse.
const RISK_EVENTS: u32 = 2;

impl ChangeFacts {
    /// Every rule whose condition holds, whether or not it still moves the level.
    fn reasons(self) -> Vec<ChangeReason> {
        let rules = [
            (self.coma, ChangeReason::Coma),
            (self.dementia, ChangeReason::Dementia),
            (self.mental_disorder, ChangeReason::MentalDisorder),
            (self.risk_events_30d >= RISK_EVENTS, ChangeReason::RiskEvents),
        ];
        rules.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect()
    }
}

/// The result of an assessment, as the report of annex C states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// C.1: the sums of the four groups, in the order of [`Group::ALL`].
    pub subtotals: [u8; 4],
    /// C.2: the total, 0 to 90.
    pub total: u8,
    /// C.3: the level by the total alone.
    pub preliminary: Level,
    /// C.5: the level after the change rules.
    pub final_level: Level,
    /// C.4: every change rule whose condition holds.
    pub changes: Vec<ChangeReason>,
}

/// The level of a total, before any change rule.
const fn preliminary(total: u8) -> Level {
    match total {
        0..=29 => Level::Total,
        30..=45 => Level::Severe,
        46..=65 => Level::Moderate,
        66..=89 => Level::Mild,
        90..=u8::MAX => Level::Able,
    }
}

/// Finds the level.
///
/// The standard says "one level" for a diagnosis and "one level" for risk events, and not that they add up.
/// We worsen the level once, however many of these rules hold; all of them are named in the outcome. A coma
/// goes before them.
#[must_use]
pub fn assess(scores: &Scores, facts: &ChangeFacts) -> Outcome {
    let total = scores.total();
    let preliminary = preliminary(total);
    let changes = facts.reasons();
    let final_level = if changes.contains(&ChangeReason::Coma) {
        Level::Total
    } else if changes.is_empty() {
        preliminary
    } else {
        preliminary.worse()
    };
    Outcome { subtotals: scores.subtotals(), total, preliminary, final_level, changes }
}

#[cfg(test)]
mod tests;
