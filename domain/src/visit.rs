//! The visit (上门服务): one delivery of one order, what proves it, and how far the proof carries.

mod arrival;
mod code;
mod correction;
mod evidence;
mod grade;
mod incident;
mod record;
mod safety;
mod state;
mod task;

pub use arrival::{
    AHEAD_MINUTES_MAX, Arrival, ClockKind, QUARANTINE_HOURS, QuarantineReason, QuarantineState, QuarantineTrigger, VisitTimes, place,
    takes_events,
};
pub use code::{CODE_STEP_MINUTES, ParseCodeError, VisitCode, code_at, verify};
pub use correction::{CORRECTION_DAYS, CORRECTION_NOTE_MAX, CorrectionReason, correction_limit};
pub use evidence::{Circumstances, ClockEvidence, CodeCheck, Explanation, LocationFix, Place, Signal, Strength, VisitEvidence};
pub use grade::{ACCURACY_LIMIT_M, GEOFENCE_M, Grade, GradeReason, TOGETHER_MINUTES_OFF, grade, grade_in, were_together};
pub use incident::{IncidentKind, IncidentState, IncidentTrigger, Severity};
pub use record::{EvvRecord, forgotten_clock_out, minutes_used};
pub use safety::{JudgedSafety, SafetyFinding, SafetyOutcome, SafetyRecord, judge as judge_safety};
pub use state::{VisitStatus, VisitTrigger};
pub use task::{NOTE_MAX, NotDoneReason, TaskReport, faults as task_faults, fits as note_fits, undone as task_undone};

use crate::error::{Fault, FieldError, Kind};

/// Why something about a visit was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VisitError {
    /// The departure lies before the arrival.
    #[error("the clock-out lies before the clock-in")]
    EndBeforeStart,
    /// More minutes than can be counted.
    #[error("the booked time is too long")]
    TooLong,
    /// The service begins only after a passed check.
    #[error("the service may begin only after a check that was passed a short time ago; record it first")]
    SafetyCheckNeeded,
    /// The service of the visit needs no check.
    #[error("this service needs no check for this resident")]
    SafetyCheckNotNeeded,
    /// The visit has begun or will not take place.
    #[error("a check belongs before the service: the visit has begun, or will not take place")]
    SafetyCheckLate,
    /// The times of the visit stand.
    #[error("the times of this visit can no longer be corrected: it is settled, called off, or too long ago")]
    CorrectionClosed,
    /// The corrected time cannot be.
    #[error("the corrected time does not fit the visit")]
    CorrectionTime,
    /// The reason needs words.
    #[error("this reason needs a note")]
    CorrectionNote,
}

impl Fault for VisitError {
    fn code(&self) -> &'static str {
        match self {
            Self::EndBeforeStart => "visit.end_before_start",
            Self::TooLong => "visit.too_long",
            Self::SafetyCheckNeeded => "visit.safety_check_needed",
            Self::SafetyCheckNotNeeded => "visit.safety_check_not_needed",
            Self::SafetyCheckLate => "visit.safety_check_late",
            Self::CorrectionClosed => "visit.correction_closed",
            Self::CorrectionTime => "visit.correction_time",
            Self::CorrectionNote => "visit.correction_note",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::EndBeforeStart | Self::TooLong | Self::CorrectionTime | Self::CorrectionNote => Kind::Invalid,
            Self::SafetyCheckNeeded | Self::SafetyCheckNotNeeded | Self::SafetyCheckLate | Self::CorrectionClosed => Kind::Conflict,
        }
    }
    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::EndBeforeStart => vec![FieldError::new("end", "visit.end_before_start", "write an end on or after the start")],
            Self::TooLong => vec![FieldError::new("quantity", "visit.too_long", "book a shorter time")],
            Self::CorrectionTime => {
                let cure =
                    "write a time around the plan, not in the future, the arrival before the departure, and nowhere else at that time";
                vec![FieldError::new("occurred_at", "visit.correction_time", cure)]
            }
            Self::CorrectionNote => vec![FieldError::new("note", "visit.correction_note", "say in 1 to 500 characters what happened")],
            Self::SafetyCheckNeeded | Self::SafetyCheckNotNeeded | Self::SafetyCheckLate | Self::CorrectionClosed => Vec::new(),
        }
    }
}
