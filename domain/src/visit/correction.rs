//! Corrections: what the phone recorded stays as it is; somebody else says when it was, with a code.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use crate::time::Instant;

/// How long after the planned end of a visit its times can be corrected, in days. A confirmed visit can no
/// longer be corrected, however early it is: its money rests on what was recorded.
pub const CORRECTION_DAYS: i64 = 7;

/// Longest note of a correction, in characters.
pub const CORRECTION_NOTE_MAX: usize = 500;

/// Why a clock time is corrected. The list is short on purpose: reasons that nobody can tell apart are chosen
/// at random.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CorrectionReason {
    /// The carer did not record the arrival.
    ForgotClockIn,
    /// The carer did not record the departure.
    ForgotClockOut,
    /// The carer recorded it at another time than it was.
    WrongTime,
    /// The phone failed, was lost or had no power.
    DeviceFailed,
    /// No signal until it was too late.
    NoReception,
    /// The clock of the phone was wrong.
    DeviceClock,
    /// The service was given elsewhere with the family's consent.
    OutsideHome,
    /// An emergency came before recording.
    Emergency,
    /// Another reason, which the note must give.
    Other,
}

impl CorrectionReason {
    /// The usual code of the reason in exchanges of electronic visit verification: the visit-edit reason codes
    /// 200 to 222 of aggregators in the United States.
    #[must_use]
    pub const fn evv_code(self) -> u16 {
        match self {
            Self::OutsideHome => 204,
            Self::ForgotClockIn => 208,
            Self::ForgotClockOut => 209,
            Self::WrongTime => 211,
            Self::DeviceFailed => 217,
            Self::NoReception => 218,
            Self::DeviceClock => 219,
            Self::Emergency | Self::Other => 222,
        }
    }

    /// Whether a note must say more.
    #[must_use]
    pub const fn needs_note(self) -> bool {
        match self {
            Self::Emergency | Self::Other => true,
            Self::ForgotClockIn
            | Self::ForgotClockOut
            | Self::WrongTime
            | Self::DeviceFailed
            | Self::NoReception
            | Self::DeviceClock
            | Self::OutsideHome => false,
        }
    }
}

/// Last instant at which a visit that was planned to end at `ends_at` can be corrected.
#[must_use]
pub fn correction_limit(ends_at: Instant) -> Instant {
    ends_at + TimeDelta::days(CORRECTION_DAYS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn every_reason_has_a_usual_code_and_only_vague_ones_share_one() {
        let mut by_code: BTreeMap<u16, Vec<CorrectionReason>> = BTreeMap::new();
        for reason in CorrectionReason::iter() {
            assert!((200..=222).contains(&reason.evv_code()));
            by_code.entry(reason.evv_code()).or_default().push(reason);
        }
        for (code, reasons) in by_code {
            assert!(reasons.len() == 1 || reasons.iter().all(|reason| reason.needs_note()), "{code}: {reasons:?}");
        }
    }
}
