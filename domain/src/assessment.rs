//! Ability assessment of older persons (老年人能力评估), GB/T 42195-2022.
//!
//! Two assessors score [`ITEMS`]; [`assess`] adds the scores, finds the preliminary level and applies the
//! rules that change it. An [`Assessment`] keeps the answers, never only the result, so that the level can be
//! found again at any time.

mod item;
mod level;
mod record;
mod risk;
mod score;
pub mod sheet;

pub use item::{Group, ITEMS, Item};
pub use level::Level;
pub use record::{Assessment, AssessmentForm, VALIDITY_MONTHS};
pub use risk::{RiskEvent, RiskEventKind, count_risk_events};
pub use score::{ChangeFacts, ChangeReason, Outcome, ScoreFault, Scores, assess};

use crate::{
    error::{Fault, FieldError, Kind},
    time::TimeError,
};

/// The standard by which abilities are assessed; stored with each assessment.
pub const STANDARD: &str = "GB/T 42195-2022";

/// Why an assessment was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssessmentError {
    /// Answers that are missing, unknown, given twice or outside their range.
    #[error("the scores are not those of the 26 items: {}", score::describe(.0))]
    Scores(Vec<ScoreFault>),
    /// One person cannot be both assessors.
    #[error("two different persons assess")]
    SameAssessor,
    /// The day of the assessment has not come yet.
    #[error("an assessment is recorded on its day or later")]
    Future,
    /// A stored assessment by another standard.
    #[error("assessments are made by {STANDARD}")]
    Standard,
    /// The validity reaches beyond the calendar.
    #[error(transparent)]
    Time(#[from] TimeError),
}

impl Fault for AssessmentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Scores(_) => "assessment.scores",
            Self::SameAssessor => "assessment.same_assessor",
            Self::Future => "assessment.future",
            Self::Standard => "assessment.standard",
            Self::Time(cause) => cause.code(),
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Standard => Kind::Broken,
            Self::Scores(_) | Self::SameAssessor | Self::Future | Self::Time(_) => Kind::Invalid,
        }
    }
    fn fields(&self) -> Vec<FieldError> {
        let one = |field: &str, cure: &str| vec![FieldError::new(field, self.code(), cure)];
        match self {
            Self::Scores(faults) => faults.iter().map(ScoreFault::field).collect(),
            Self::SameAssessor => one("assessors", "name two different persons"),
            Self::Future | Self::Time(_) => one("assessed_on", "write the day on which the assessment took place"),
            Self::Standard => Vec::new(),
        }
    }
}
