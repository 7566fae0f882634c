use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use super::{CorrectionReason, NotDoneReason};
use crate::{resident::Coordinate, time::Instant};

/// How much it costs to forge a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Strength {
    /// A free app on the carer's phone.
    Weak,
    /// The help of another person.
    Medium,
    /// A phone that is lent, or a device that is stolen.
    Strong,
}

/// An independent sign that the visit took place. Each counts once for a visit, however often it is given.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Signal {
    /// The phone was at the home at arrival and departure; positions can be faked with a free app.
    Location,
    /// The code of the visit, which the family or the resident showed; forged only with their help, and since
    /// the family may be in it, not strong.
    VisitCode,
    /// The family or the resident confirmed the visit afterwards; goodwill or collusion can do so too.
    FamilyConfirmation,
    /// A key that never leaves the carer's own phone signed arrival and departure: which phone, and when.
    DeviceKey,
}

impl Signal {
    /// How much it costs to forge.
    #[must_use]
    pub const fn strength(self) -> Strength {
        match self {
            Self::Location => Strength::Weak,
            Self::VisitCode | Self::FamilyConfirmation => Strength::Medium,
            Self::DeviceKey => Strength::Strong,
        }
    }
}

/// A position as the phone measured it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocationFix {
    /// Where.
    pub coordinate: Coordinate,
    /// Radius in metres within which the phone believes to be.
    pub accuracy_m: u32,
}

/// What became of the code of the visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeCheck {
    /// None was entered.
    Absent,
    /// The right one was entered.
    Right,
    /// Only wrong ones were entered.
    Wrong,
}

/// What was recorded at one arrival or departure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockEvidence {
    /// When, by the server's time anchor.
    pub at: Instant,
    /// Where the phone was, if it told.
    pub location: Option<LocationFix>,
    /// The code of the visit.
    pub code: CodeCheck,
    /// Whether the key bound to the carer's device signed the event.
    pub device_bound: bool,
}

/// Why evidence is missing, as the provider explains it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Explanation {
    /// The phone had no signal or no position.
    NoReception,
    /// The phone failed, was lost or was replaced.
    DeviceFailed,
    /// Nobody at home could show the code.
    NobodyToShowCode,
    /// The carer forgot to record arrival or departure.
    Forgotten,
    /// An emergency came before recording.
    Emergency,
    /// Another reason, given in words.
    Other,
}

/// All that is known of one carer's visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitEvidence {
    /// The arrival.
    pub clock_in: Option<ClockEvidence>,
    /// The departure.
    pub clock_out: Option<ClockEvidence>,
    /// Whether the family or the resident confirmed the visit afterwards. A deadline that passed is no
    /// confirmation.
    pub family_confirmed: bool,
    /// Why something is missing, if the provider has said so.
    pub explanation: Option<Explanation>,
}

/// What else bears on the grade of a carer's visit, beside the signals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Somebody else said when the visit began or ended: the phone did not, or said otherwise.
    pub corrected: Option<CorrectionReason>,
    /// A required task was not done.
    pub task_undone: Option<NotDoneReason>,
    /// The service needs all its carers at one time, and they were not there together.
    pub apart: bool,
}

impl Circumstances {
    const fn are_plain(self) -> bool {
        self.corrected.is_none() && self.task_undone.is_none() && !self.apart
    }

    /// Whether they say by themselves why something is missing.
    const fn explain(self) -> bool {
        self.corrected.is_some() || self.task_undone.is_some()
    }

    /// For the grading in the module beside this one.
    pub(super) const fn parts(self) -> (bool, bool) {
        (self.are_plain(), self.explain())
    }
}

/// Where the carer should be. Where no place is known, or the service may end anywhere (an escort to the
/// hospital), positions prove nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// At arrival.
    pub clock_in: Option<Coordinate>,
    /// At departure.
    pub clock_out: Option<Coordinate>,
}

impl Place {
    /// One place for arrival and departure.
    #[must_use]
    pub const fn at(coordinate: Coordinate) -> Self {
        Self { clock_in: Some(coordinate), clock_out: Some(coordinate) }
    }
}
