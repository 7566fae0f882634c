//! Consent (重新确认): the family is asked again when its share would grow after it has booked.
//!
//! The family never pays more than it was shown without saying yes to it. When an entitlement is lost or
//! shrinks before the visit, the programmes' part is reserved anew at once, and a request puts the old and the
//! new share before the family. Until it answers the old share stands; without an answer by the deadline, the
//! order is called off free of charge, like one that the family declines.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    error::{Fault, Kind},
    state::{StateMachine, Transition},
    time::Instant,
};

/// How long the family may think.
pub const ANSWER_HOURS: i64 = 48;
/// How long before the start the carer must know, where there is still so much time.
pub const NOTICE_HOURS: i64 = 2;

/// Where a request for consent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ConsentState {
    /// The family is asked.
    Open,
    /// The family pays the new share.
    Accepted,
    /// The family said no; the order is called off free of charge.
    Declined,
    /// Nobody answered in time; the order is called off free of charge.
    Lapsed,
    /// The question no longer stands: the order ended, or the share changed again.
    Superseded,
}

/// What moves a request for consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ConsentTrigger {
    /// The family says yes.
    Accept,
    /// The family says no.
    Decline,
    /// The deadline passed.
    Lapse,
    /// The question has become moot.
    Supersede,
}

impl StateMachine for ConsentState {
    type Trigger = ConsentTrigger;
    const NAME: &'static str = "consent request";
    const INITIAL: Self = Self::Open;
    const STATES: &'static [Self] = &[Self::Open, Self::Accepted, Self::Declined, Self::Lapsed, Self::Superseded];
    const TABLE: &'static [Transition<Self, ConsentTrigger>] = {
        const FAMILY: &[Role] = &[Role::FamilyMember, Role::Resident];
        &[
            Transition {
                from: Self::Open,
                trigger: ConsentTrigger::Accept,
                to: Self::Accepted,
                who: FAMILY,
                why: "the family pays the larger share",
            },
            Transition {
                from: Self::Open,
                trigger: ConsentTrigger::Decline,
                to: Self::Declined,
                who: FAMILY,
                why: "the order is called off free of charge",
            },
            Transition {
                from: Self::Open,
                trigger: ConsentTrigger::Lapse,
                to: Self::Lapsed,
                who: &[],
                why: "nobody answered; nobody pays more without saying so",
            },
            Transition {
                from: Self::Open,
                trigger: ConsentTrigger::Supersede,
                to: Self::Superseded,
                who: &[],
                why: "the order ended, or the share changed again",
            },
        ]
    };
}

/// Why the family is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ConsentCause {
    /// The window opened with less than was foreseen.
    WindowOpened,
    /// The resident's facts or entitlement changed.
    EntitlementChanged,
    /// Another version of the programme's rules came into force.
    PolicyChanged,
}

/// By when the family must answer: in two days, and early enough for the carer to know, but never in the past.
#[must_use]
pub fn answer_by(asked: Instant, start: Instant) -> Instant {
    let early_enough = start - TimeDelta::hours(NOTICE_HOURS);
    let latest = if early_enough > asked { early_enough } else { start };
    latest.min(asked + TimeDelta::hours(ANSWER_HOURS))
}

/// Why an answer was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// The time to answer is over.
    #[error("the time to answer is over; the order is called off free of charge")]
    Late,
    /// The order cannot be changed any more.
    #[error("the order has ended or is being served; its share stands as it was shown")]
    OrderMoved,
}

impl Fault for ConsentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Late => "consent.late",
            Self::OrderMoved => "consent.order_moved",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Late | Self::OrderMoved => Kind::Conflict,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn the_table_is_sound() {
        crate::state::tests::check::<ConsentState>();
    }

    #[test]
    fn the_answer_is_due_in_two_days_or_early_enough_before_the_start() {
        let asked = at("2026-12-01T00:00:00Z");
        assert_eq!(answer_by(asked, at("2026-12-20T00:00:00Z")), at("2026-12-03T00:00:00Z"));
        assert_eq!(answer_by(asked, at("2026-12-01T10:00:00Z")), at("2026-12-01T08:00:00Z"));
        assert_eq!(answer_by(asked, at("2026-12-01T01:00:00Z")), at("2026-12-01T01:00:00Z"), "too late for a notice: until the start");
    }
}
