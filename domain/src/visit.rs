//! The visit (上门服务): one delivery of one order, what proves it, and how far the proof carries.

mod code;
mod evidence;
mod grade;
mod record;
mod state;

pub use code::{CODE_STEP_MINUTES, ParseCodeError, VisitCode, code_at, verify};
pub use evidence::{ClockEvidence, CodeCheck, Explanation, LocationFix, Place, Signal, Strength, VisitEvidence};
pub use grade::{ACCURACY_LIMIT_M, GEOFENCE_M, Grade, GradeReason, grade};
pub use record::{EvvRecord, forgotten_clock_out, minutes_used};
pub use state::{VisitStatus, VisitTrigger};

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
}

impl Fault for VisitError {
    fn code(&self) -> &'static str {
        match self {
            Self::EndBeforeStart => "visit.end_before_start",
            Self::TooLong => "visit.too_long",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::EndBeforeStart | Self::TooLong => Kind::Invalid,
        }
    }
    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::EndBeforeStart => vec![FieldError::new("end", self.code(), "write an end on or after the start")],
            Self::TooLong => vec![FieldError::new("quantity", self.code(), "book a shorter time")],
        }
    }
}
