//! Whether a clock event fits its visit. Phones lose their signal: events come late, twice and in any order.
//! What fits takes effect; a departure that comes before its arrival waits for it; what does not fit is kept
//! for a person to look at, and never lost.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use crate::{
    access::Role,
    order::{CLOCK_OUT_HOURS, EARLY_MINUTES_MAX, LATE_MINUTES_MAX, OrderState},
    state::{StateMachine, Transition},
    time::Instant,
};

/// How far ahead of the server a phone's clock may be, in minutes.
pub const AHEAD_MINUTES_MAX: i64 = 5;

/// How long the provider has to look at an event in quarantine, in hours.
pub const QUARANTINE_HOURS: i64 = 48;

/// Which end of a visit is clocked.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ClockKind {
    /// Arrival.
    ClockIn,
    /// Departure.
    ClockOut,
}

/// Why an event does not fit its visit.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum QuarantineReason {
    /// The phone's clock is ahead: the time lies in the future.
    ClockAhead,
    /// The arrival is too early or too late for the plan.
    ArrivalOutsidePlan,
    /// The departure is too long after the planned end.
    DepartureOutsidePlan,
    /// The departure lies before the arrival.
    DepartureBeforeArrival,
    /// This end of the visit is already recorded by another event.
    AlreadyRecorded,
    /// The visit takes no more events: it was missed, called off or confirmed.
    VisitClosed,
    /// The carer was clocked in elsewhere at that time.
    CarerElsewhere,
    /// Provider or carer lacked a licence or certificate at that time.
    CredentialMissing,
    /// The checks that the service needs were not recorded before.
    SafetyCheckMissing,
}

/// Where an event in quarantine stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum QuarantineState {
    /// Nobody has decided yet.
    Open,
    /// A correction took its place.
    Corrected,
    /// It says nothing true about the visit.
    Discarded,
}

/// What moves an event in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display)]
#[strum(serialize_all = "snake_case")]
pub enum QuarantineTrigger {
    /// A correction with a time and a code is made from it.
    Correct,
    /// It is set aside.
    Discard,
}

impl StateMachine for QuarantineState {
    type Trigger = QuarantineTrigger;
    const NAME: &'static str = "quarantined event";
    const INITIAL: Self = Self::Open;
    const STATES: &'static [Self] = &[Self::Open, Self::Corrected, Self::Discarded];
    const TABLE: &'static [Transition<Self, QuarantineTrigger>] = &[
        Transition {
            from: Self::Open,
            trigger: QuarantineTrigger::Correct,
            to: Self::Corrected,
            who: &[Role::ProviderManager],
            why: "somebody else than the carer says when it was, with a code",
        },
        Transition {
            from: Self::Open,
            trigger: QuarantineTrigger::Discard,
            to: Self::Discarded,
            who: &[Role::ProviderManager],
            why: "it is doubled or says nothing true; the event itself stays",
        },
    ];
}

/// What is known of a carer's visit when an event arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitTimes {
    /// Planned start.
    pub starts_at: Instant,
    /// Planned end.
    pub ends_at: Instant,
    /// Arrival of this carer, if it is recorded.
    pub clock_in_at: Option<Instant>,
    /// Departure of this carer, if it is recorded, also one that waits for its arrival.
    pub clock_out_at: Option<Instant>,
    /// State of the order.
    pub order: OrderState,
}

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It takes effect.
    Fits,
    /// A departure whose arrival has not come yet: it takes effect with it.
    Waits,
    /// It is kept for a person.
    Quarantined(QuarantineReason),
}

/// Whether an event fits by its times and the state of the order, received at `now`.
#[must_use]
pub fn place(kind: ClockKind, occurred_at: Instant, now: Instant, visit: &VisitTimes) -> Arrival {
    if occurred_at > now + TimeDelta::minutes(AHEAD_MINUTES_MAX) {
        return Arrival::Quarantined(QuarantineReason::ClockAhead);
    }
    if !takes_events(visit.order) {
        return Arrival::Quarantined(QuarantineReason::VisitClosed);
    }
    match kind {
        ClockKind::ClockIn => place_arrival(occurred_at, visit),
        ClockKind::ClockOut => place_departure(occurred_at, visit),
    }
}

fn place_arrival(occurred_at: Instant, visit: &VisitTimes) -> Arrival {
    let earliest = visit.starts_at - TimeDelta::minutes(EARLY_MINUTES_MAX);
    let latest = visit.starts_at + TimeDelta::minutes(LATE_MINUTES_MAX);
    if visit.clock_in_at.is_some() {
        Arrival::Quarantined(QuarantineReason::AlreadyRecorded)
    } else if occurred_at < earliest || occurred_at > latest {
        Arrival::Quarantined(QuarantineReason::ArrivalOutsidePlan)
    } else if visit.clock_out_at.is_some_and(|departure| departure < occurred_at) {
        Arrival::Quarantined(QuarantineReason::DepartureBeforeArrival)
    } else {
        Arrival::Fits
    }
}

fn place_departure(occurred_at: Instant, visit: &VisitTimes) -> Arrival {
    let earliest = visit.starts_at - TimeDelta::minutes(EARLY_MINUTES_MAX);
    if visit.clock_out_at.is_some() {
        return Arrival::Quarantined(QuarantineReason::AlreadyRecorded);
    }
    if occurred_at < earliest || occurred_at > visit.ends_at + TimeDelta::hours(CLOCK_OUT_HOURS) {
        return Arrival::Quarantined(QuarantineReason::DepartureOutsidePlan);
    }
    match visit.clock_in_at {
        None => Arrival::Waits,
        Some(arrival) if occurred_at < arrival => Arrival::Quarantined(QuarantineReason::DepartureBeforeArrival),
        Some(_) => Arrival::Fits,
    }
}

/// Whether a visit whose order is in this state still takes events: from the naming of its carers until it is
/// confirmed or disputed. Afterwards money rests on what was recorded.
#[must_use]
pub const fn takes_events(order: OrderState) -> bool {
    match order {
        OrderState::Assigned | OrderState::InService | OrderState::Completed => true,
        OrderState::Requested
        | OrderState::Offered
        | OrderState::Accepted
        | OrderState::Confirmed
        | OrderState::Disputed
        | OrderState::DisputeDecided
        | OrderState::Declined
        | OrderState::Expired
        | OrderState::Cancelled
        | OrderState::Missed => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::parse_instant;

    fn at(text: &str) -> Instant {
        parse_instant(&format!("2026-12-01T{text}+08:00")).unwrap()
    }

    fn planned() -> VisitTimes {
        VisitTimes {
            starts_at: at("09:00:00"),
            ends_at: at("10:00:00"),
            clock_in_at: None,
            clock_out_at: None,
            order: OrderState::Assigned,
        }
    }

    #[test]
    fn the_table_is_sound() {
        crate::state::tests::check::<QuarantineState>();
    }

    #[test]
    fn an_arrival_fits_around_the_planned_start() {
        let arrive = |time: &str| place(ClockKind::ClockIn, at(time), at("23:00:00"), &planned());
        for fits in ["08:00:00", "09:00:00", "11:00:00"] {
            assert_eq!(arrive(fits), Arrival::Fits, "{fits}");
        }
        for off in ["07:59:59", "11:00:01"] {
            assert_eq!(arrive(off), Arrival::Quarantined(QuarantineReason::ArrivalOutsidePlan), "{off}");
        }
    }

    #[test]
    fn the_order_in_which_events_arrive_does_not_matter() {
        let now = at("23:00:00");
        assert_eq!(place(ClockKind::ClockOut, at("10:00:00"), now, &planned()), Arrival::Waits);
        let left = VisitTimes { clock_out_at: Some(at("10:00:00")), ..planned() };
        assert_eq!(place(ClockKind::ClockIn, at("09:00:00"), now, &left), Arrival::Fits);
        assert_eq!(place(ClockKind::ClockIn, at("10:00:01"), now, &left), Arrival::Quarantined(QuarantineReason::DepartureBeforeArrival));
        let come = VisitTimes { clock_in_at: Some(at("09:00:00")), order: OrderState::InService, ..planned() };
        assert_eq!(place(ClockKind::ClockOut, at("10:00:00"), now, &come), Arrival::Fits);
        assert_eq!(place(ClockKind::ClockOut, at("08:59:59"), now, &come), Arrival::Quarantined(QuarantineReason::DepartureBeforeArrival));
        // A departure that was closed as forgotten may still come in until the visit is confirmed.
        let closed = VisitTimes { order: OrderState::Completed, ..come };
        assert_eq!(place(ClockKind::ClockOut, at("10:00:00"), now, &closed), Arrival::Fits);
    }

    #[test]
    fn what_does_not_fit_says_why() {
        use QuarantineReason as R;
        let now = at("10:00:00");
        let come = VisitTimes { clock_in_at: Some(at("09:00:00")), order: OrderState::InService, ..planned() };
        let gone = VisitTimes { clock_out_at: Some(at("10:00:00")), ..come };
        let confirmed = VisitTimes { order: OrderState::Confirmed, ..gone };
        let missed = VisitTimes { order: OrderState::Missed, ..planned() };
        let late = parse_instant("2026-12-02T10:00:01+08:00").unwrap();
        for (kind, occurred, now, visit, reason) in [
            (ClockKind::ClockIn, at("10:05:01"), now, planned(), R::ClockAhead),
            (ClockKind::ClockIn, at("09:00:00"), now, come, R::AlreadyRecorded),
            (ClockKind::ClockOut, at("10:00:00"), now, gone, R::AlreadyRecorded),
            (ClockKind::ClockOut, late, late, come, R::DepartureOutsidePlan),
            (ClockKind::ClockOut, at("07:00:00"), now, planned(), R::DepartureOutsidePlan),
            (ClockKind::ClockOut, at("10:00:00"), now, confirmed, R::VisitClosed),
            (ClockKind::ClockIn, at("09:00:00"), now, missed, R::VisitClosed),
        ] {
            assert_eq!(place(kind, occurred, now, &visit), Arrival::Quarantined(reason), "{kind} {occurred}");
        }
        assert_eq!(place(ClockKind::ClockIn, at("10:05:00"), now, &planned()), Arrival::Fits, "a clock may be a little ahead");
    }
}
