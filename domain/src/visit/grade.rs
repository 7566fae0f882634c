//! How far the evidence of a visit carries.
//!
//! | Grade | Evidence | Payment |
//! |---|---|---|
//! | A | two strong signals, or one strong and two medium | posts |
//! | B | two signals, at least one of them medium or strong | posts |
//! | C | some evidence, something missing, and an explanation | held until another person approves |
//! | D | no evidence, a contradiction, or something missing without explanation | void |
//!
//! Strengths are those of [`Signal::strength`]. A signal counts only when it is there: what is missing, too
//! coarse or wrong never counts. A and B need a recorded arrival and departure, every required task done that was
//! reported on, and, where a service needs all its carers at one time, that they were there together. A time that
//! somebody corrected afterwards is no recorded one: such a visit is C at best, and its code says why.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use super::{
    Circumstances, ClockEvidence, CodeCheck, CorrectionReason, Explanation, LocationFix, NotDoneReason, Place, Signal, Strength,
    VisitEvidence,
};
use crate::{
    claim::Payable,
    resident::{Coordinate, CoordinateSystem},
    time::Instant,
};

/// Radius in metres around the home within which a position counts, to which the stated accuracy is added.
pub const GEOFENCE_M: u32 = 300;

/// A position whose stated accuracy is worse than this, in metres, is too coarse to count.
pub const ACCURACY_LIMIT_M: u32 = 200;

/// How far arrivals and departures may lie apart of carers who must serve together, in minutes.
pub const TOGETHER_MINUTES_OFF: i64 = 15;

/// How well a visit is proven.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
pub enum Grade {
    /// Proven; paid, with sampling.
    A,
    /// Well supported; paid, with more sampling.
    B,
    /// Something is missing and explained; another person decides.
    C,
    /// Not proven or contradicted.
    D,
}

impl Grade {
    /// A and B post, C is held for approval, D is void.
    #[must_use]
    pub const fn payable(self) -> Payable {
        match self {
            Self::A | Self::B => Payable::Post,
            Self::C => Payable::Hold,
            Self::D => Payable::Void,
        }
    }
}

/// What the grade rests on: each signal that counts, and each thing that is missing or contradicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GradeReason {
    /// This signal counts.
    Present(Signal),
    /// A position is missing.
    LocationMissing,
    /// A position is too coarse to count; its stated accuracy in metres.
    LocationCoarse(u32),
    /// The numbers fit the home when read as GCJ-02 or BD-09: a fault of conversion, not a false place. It
    /// does not count.
    LocationSystem,
    /// A position lies elsewhere, so many metres from the home: a contradiction.
    LocationElsewhere(u32),
    /// The position of the home is not known.
    PlaceUnknown,
    /// No code was entered.
    CodeMissing,
    /// Only wrong codes were entered.
    CodeWrong,
    /// The key of the carer's device did not sign both events.
    DeviceKeyMissing,
    /// Nobody of the family confirmed.
    FamilyUnconfirmed,
    /// No arrival was recorded.
    ClockInMissing,
    /// No departure was recorded.
    ClockOutMissing,
    /// The departure lies before the arrival: a contradiction.
    ClockOutBeforeClockIn,
    /// Somebody else corrected a time.
    Corrected(CorrectionReason),
    /// A required task was not done.
    TaskUndone(NotDoneReason),
    /// The carers were not there together, although the service needs them at one time.
    CarersApart,
    /// The provider explained what is missing.
    Explained(Explanation),
    /// The provider has not explained what is missing.
    Unexplained,
}

impl GradeReason {
    const fn is_contradiction(self) -> bool {
        match self {
            Self::LocationElsewhere(_) | Self::ClockOutBeforeClockIn => true,
            Self::Present(_)
            | Self::LocationMissing
            | Self::LocationCoarse(_)
            | Self::LocationSystem
            | Self::PlaceUnknown
            | Self::CodeMissing
            | Self::CodeWrong
            | Self::DeviceKeyMissing
            | Self::FamilyUnconfirmed
            | Self::ClockInMissing
            | Self::ClockOutMissing
            | Self::Corrected(_)
            | Self::TaskUndone(_)
            | Self::CarersApart
            | Self::Explained(_)
            | Self::Unexplained => false,
        }
    }
}

/// Stable codes with values: `present:device_key`, `location_elsewhere:812`.
impl fmt::Display for GradeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Present(signal) => write!(f, "present:{signal}"),
            Self::LocationMissing => f.write_str("location_missing"),
            Self::LocationCoarse(accuracy) => write!(f, "location_coarse:{accuracy}"),
            Self::LocationSystem => f.write_str("location_system"),
            Self::LocationElsewhere(distance) => write!(f, "location_elsewhere:{distance}"),
            Self::PlaceUnknown => f.write_str("place_unknown"),
            Self::CodeMissing => f.write_str("code_missing"),
            Self::CodeWrong => f.write_str("code_wrong"),
            Self::DeviceKeyMissing => f.write_str("device_key_missing"),
            Self::FamilyUnconfirmed => f.write_str("family_unconfirmed"),
            Self::ClockInMissing => f.write_str("clock_in_missing"),
            Self::ClockOutMissing => f.write_str("clock_out_missing"),
            Self::ClockOutBeforeClockIn => f.write_str("clock_out_before_clock_in"),
            Self::Corrected(reason) => write!(f, "corrected:{reason}"),
            Self::TaskUndone(reason) => write!(f, "task_undone:{reason}"),
            Self::CarersApart => f.write_str("carers_apart"),
            Self::Explained(explanation) => write!(f, "explained:{explanation}"),
            Self::Unexplained => f.write_str("unexplained"),
        }
    }
}

/// Grades one carer's visit, with every reason. A visit of two carers has the worse of their grades.
#[must_use]
pub fn grade(evidence: &VisitEvidence, place: &Place) -> (Grade, Vec<GradeReason>) {
    grade_in(evidence, &Circumstances::default(), place)
}

/// Grades one carer's visit under circumstances beyond its signals.
#[must_use]
pub fn grade_in(evidence: &VisitEvidence, circumstances: &Circumstances, place: &Place) -> (Grade, Vec<GradeReason>) {
    let mut reasons = check_events(evidence, *circumstances);
    reasons.extend(check_location(evidence, place));
    reasons.push(check_code(evidence));
    reasons.push(check_device(evidence));
    reasons.push(if evidence.family_confirmed { GradeReason::Present(Signal::FamilyConfirmation) } else { GradeReason::FamilyUnconfirmed });
    let (plain, explained_by_them) = circumstances.parts();
    let complete = evidence.clock_in.is_some() && evidence.clock_out.is_some() && plain;
    let strengths =
        || reasons.iter().filter_map(|reason| if let GradeReason::Present(signal) = reason { Some(signal.strength()) } else { None });
    let reach = |least| strengths().filter(|strength| *strength >= least).count();
    let (strong, medium, all) = (reach(Strength::Strong), reach(Strength::Medium), reach(Strength::Weak));
    // `medium` counts the strong ones too: one strong and two medium are three that are at least medium.
    if all == 0 || reasons.iter().any(|reason| reason.is_contradiction()) {
        (Grade::D, reasons)
    } else if complete && (strong >= 2 || (strong == 1 && medium >= 3)) {
        (Grade::A, reasons)
    } else if complete && medium >= 1 && all >= 2 {
        (Grade::B, reasons)
    } else {
        reasons.extend(evidence.explanation.map(GradeReason::Explained));
        let explained = evidence.explanation.is_some() || explained_by_them;
        if !explained {
            reasons.push(GradeReason::Unexplained);
        }
        (if explained { Grade::C } else { Grade::D }, reasons)
    }
}

/// Whether all carers came and left within a quarter of an hour of each other, as a service for several hands
/// needs it. Whoever has no times was not there.
#[must_use]
pub fn were_together(presences: &[Option<(Instant, Instant)>]) -> bool {
    let near = |times: Vec<Instant>| {
        let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
        first.zip(last).is_none_or(|(first, last)| last - first <= chrono::TimeDelta::minutes(TOGETHER_MINUTES_OFF))
    };
    let known: Vec<(Instant, Instant)> = presences.iter().copied().flatten().collect();
    known.len() == presences.len()
        && near(known.iter().map(|(arrival, _)| *arrival).collect())
        && near(known.iter().map(|(_, departure)| *departure).collect())
}

/// The recorded arrival and departure.
fn events(evidence: &VisitEvidence) -> impl Iterator<Item = ClockEvidence> {
    evidence.clock_in.into_iter().chain(evidence.clock_out)
}

fn check_events(evidence: &VisitEvidence, circumstances: Circumstances) -> Vec<GradeReason> {
    let mut reasons = match (evidence.clock_in, evidence.clock_out) {
        // A correction has set one of the two times aside and was checked against the other.
        (Some(clock_in), Some(clock_out)) if clock_out.at < clock_in.at && circumstances.corrected.is_none() => {
            vec![GradeReason::ClockOutBeforeClockIn]
        }
        (Some(_), Some(_)) => Vec::new(),
        (Some(_), None) => vec![GradeReason::ClockOutMissing],
        (None, Some(_)) => vec![GradeReason::ClockInMissing],
        (None, None) => vec![GradeReason::ClockInMissing, GradeReason::ClockOutMissing],
    };
    reasons.extend(circumstances.corrected.map(GradeReason::Corrected));
    reasons.extend(circumstances.task_undone.map(GradeReason::TaskUndone));
    reasons.extend(circumstances.apart.then_some(GradeReason::CarersApart));
    reasons
}

/// One signal when every recorded event whose place is known was there; else every reason why not, once.
fn check_location(evidence: &VisitEvidence, place: &Place) -> Vec<GradeReason> {
    let pairs = [(evidence.clock_in, place.clock_in), (evidence.clock_out, place.clock_out)];
    let known: Vec<_> = pairs.into_iter().filter_map(|(event, place)| event.zip(place)).collect();
    if known.is_empty() {
        return vec![if place.clock_in.or(place.clock_out).is_some() { GradeReason::LocationMissing } else { GradeReason::PlaceUnknown }];
    }
    let mut faults: Vec<GradeReason> = known
        .into_iter()
        .filter_map(|(event, home)| event.location.map_or(Some(GradeReason::LocationMissing), |fix| check_fix(fix, home)))
        .collect();
    faults.dedup();
    if faults.is_empty() { vec![GradeReason::Present(Signal::Location)] } else { faults }
}

/// Why a position does not count; none if it does.
fn check_fix(fix: LocationFix, home: Coordinate) -> Option<GradeReason> {
    let reach = GEOFENCE_M.saturating_add(fix.accuracy_m);
    let distance = fix.coordinate.distance_m(home);
    if distance > reach {
        let shifted = [CoordinateSystem::Wgs84, CoordinateSystem::Gcj02, CoordinateSystem::Bd09]
            .into_iter()
            .any(|system| fix.coordinate.relabelled(system).distance_m(home) <= GEOFENCE_M);
        return Some(if shifted { GradeReason::LocationSystem } else { GradeReason::LocationElsewhere(distance) });
    }
    (fix.accuracy_m > ACCURACY_LIMIT_M).then_some(GradeReason::LocationCoarse(fix.accuracy_m))
}

/// The right code at arrival and at departure is one signal.
fn check_code(evidence: &VisitEvidence) -> GradeReason {
    let any = |check| events(evidence).any(|event| event.code == check);
    if any(CodeCheck::Right) {
        GradeReason::Present(Signal::VisitCode)
    } else if any(CodeCheck::Wrong) {
        GradeReason::CodeWrong
    } else {
        GradeReason::CodeMissing
    }
}

/// The key must have signed every recorded event: one signature does not prove the other end of the visit.
fn check_device(evidence: &VisitEvidence) -> GradeReason {
    let mut recorded = events(evidence).peekable();
    let signed = recorded.peek().is_some() && recorded.all(|event| event.device_bound);
    if signed { GradeReason::Present(Signal::DeviceKey) } else { GradeReason::DeviceKeyMissing }
}

#[cfg(test)]
mod tests;
