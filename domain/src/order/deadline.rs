//! Nothing rests for ever: for every state that waits, who must act, until when, and what happens otherwise.

use chrono::TimeDelta;

use super::OrderState;
use crate::{access::Role, time::Instant};

/// How long a provider may think about an offer at most.
pub const OFFER_HOURS: i64 = 24;
/// The shortest time to think about an offer, in minutes.
const OFFER_MINUTES_MIN: i64 = 10;
/// How long before the start carers must be named, in minutes.
pub const ASSIGN_MINUTES: i64 = 120;
/// How long a provider has for naming carers however late it accepted, in minutes; never beyond the start.
const ASSIGN_MINUTES_MIN: i64 = 30;
/// How long after the planned end a clock-out is awaited before a missing one is recorded.
pub const CLOCK_OUT_HOURS: i64 = 24;
/// How long the family has to confirm or dispute before the deadline confirms.
pub const CONFIRM_HOURS: i64 = 48;
/// How long the bureau has to decide a dispute.
pub const DISPUTE_DAYS: i64 = 7;
/// How long each further step has to decide a dispute that is overdue.
pub const ESCALATED_DAYS: i64 = 3;

/// Who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The background work.
    System,
    /// Whoever holds the role for this order.
    Role(Role),
}

impl Owner {
    /// The role; none for the background work.
    #[must_use]
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::System => None,
            Self::Role(role) => Some(role),
        }
    }
}

/// What happens when the deadline of a state passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDeadline {
    /// The next candidate is asked; the order expires when nobody is left.
    AskNext,
    /// The visit counts as missed.
    Miss,
    /// The departure that nobody recorded is recorded as planned.
    CloseVisit,
    /// The service counts as confirmed.
    Confirm,
    /// The next owner receives it, with a deadline of their own.
    Escalate,
}

/// The rule of one waiting state.
#[derive(Debug, Clone, Copy)]
pub struct DeadlineRule {
    /// The state.
    pub state: OrderState,
    /// Who must act.
    pub owner: Owner,
    /// Until when, in words.
    pub until: &'static str,
    /// What happens otherwise.
    pub otherwise: OnDeadline,
    /// What happens otherwise, in words.
    pub consequence: &'static str,
}

const RULES: &[DeadlineRule] = &[
    DeadlineRule {
        state: OrderState::Requested,
        owner: Owner::System,
        until: "the start",
        otherwise: OnDeadline::AskNext,
        consequence: "it expires",
    },
    DeadlineRule {
        state: OrderState::Offered,
        owner: Owner::Role(Role::ProviderManager),
        until: "half of the time that is left to the start, at least 10 minutes and at most 24 hours, never after the start",
        otherwise: OnDeadline::AskNext,
        consequence: "the next candidate is asked; it expires when nobody is left",
    },
    DeadlineRule {
        state: OrderState::Accepted,
        owner: Owner::Role(Role::ProviderManager),
        until: "2 hours before the start, at least 30 minutes, never after the start",
        otherwise: OnDeadline::AskNext,
        consequence: "the next candidate is asked; it expires when nobody is left",
    },
    DeadlineRule {
        state: OrderState::Assigned,
        owner: Owner::Role(Role::Carer),
        until: "24 hours after the planned end: a phone without signal may send an arrival late",
        otherwise: OnDeadline::Miss,
        consequence: "the visit is missed",
    },
    DeadlineRule {
        state: OrderState::InService,
        owner: Owner::Role(Role::Carer),
        until: "24 hours after the planned end",
        otherwise: OnDeadline::CloseVisit,
        consequence: "the departure is recorded as planned and explained as forgotten",
    },
    DeadlineRule {
        state: OrderState::Completed,
        owner: Owner::Role(Role::FamilyMember),
        until: "48 hours",
        otherwise: OnDeadline::Confirm,
        consequence: "it is confirmed and judged by what the evidence proves",
    },
    DeadlineRule {
        state: OrderState::Disputed,
        owner: Owner::Role(Role::CountyClerk),
        until: "7 days, then 3 days for each further step",
        otherwise: OnDeadline::Escalate,
        consequence: "it goes to the approver, who is reminded until it is decided",
    },
];

/// The rules of all waiting states, in the order of the states.
#[must_use]
pub const fn deadlines() -> &'static [DeadlineRule] {
    RULES
}

/// Who decides a dispute that was passed on so often, from the first time on: the bureau's next hand.
#[must_use]
pub const fn escalated(_times: u32) -> Role {
    Role::Approver
}

impl OrderState {
    /// The rule of this state; none when nobody waits.
    #[must_use]
    pub fn deadline_rule(self) -> Option<&'static DeadlineRule> {
        RULES.iter().find(|rule| rule.state == self)
    }

    /// Who must act next and until when, for an order planned from `start` to `end` that entered this state
    /// at `since`; none when nobody waits.
    #[must_use]
    pub fn waits_for(self, since: Instant, start: Instant, end: Instant) -> Option<(Option<Role>, Instant)> {
        let owner = self.deadline_rule()?.owner.role();
        let until = match self {
            Self::Requested => start,
            Self::Offered => offer_until(since, start),
            Self::Accepted => {
                let latest = (start - TimeDelta::minutes(ASSIGN_MINUTES)).max(since + TimeDelta::minutes(ASSIGN_MINUTES_MIN));
                start.min(latest)
            }
            // A phone without signal may send arrival and departure a day later.
            Self::Assigned | Self::InService => end + TimeDelta::hours(CLOCK_OUT_HOURS),
            Self::Completed => since + TimeDelta::hours(CONFIRM_HOURS),
            Self::Disputed => since + TimeDelta::days(DISPUTE_DAYS),
            Self::Confirmed | Self::DisputeDecided | Self::Declined | Self::Expired | Self::Cancelled | Self::Missed => return None,
        };
        Some((owner, until))
    }
}

/// Half of the time that is left, so that somebody else can still be asked after a silence.
fn offer_until(since: Instant, start: Instant) -> Instant {
    let half = (start - since) / 2;
    let time = half.clamp(TimeDelta::minutes(OFFER_MINUTES_MIN), TimeDelta::hours(OFFER_HOURS));
    start.min(since + time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{order::OrderTrigger, state::StateMachine as _};

    fn at(hour: i64) -> Instant {
        "2026-12-01T00:00:00Z".parse::<Instant>().unwrap() + TimeDelta::hours(hour)
    }

    #[test]
    fn every_state_that_is_not_final_has_one_owner_one_deadline_and_one_consequence() {
        for state in OrderState::STATES {
            let rules = RULES.iter().filter(|rule| rule.state == *state).count();
            assert_eq!(rules, usize::from(!state.is_final()), "{state}");
            assert_eq!(state.waits_for(at(1), at(5), at(6)).is_none(), state.is_final(), "{state}");
        }
    }

    #[test]
    fn the_consequence_of_every_deadline_is_a_move_of_the_table() {
        for rule in RULES {
            let trigger = match rule.otherwise {
                OnDeadline::AskNext => OrderTrigger::Expire,
                OnDeadline::Miss => OrderTrigger::Miss,
                OnDeadline::CloseVisit => OrderTrigger::Complete,
                OnDeadline::Confirm => OrderTrigger::Confirm,
                OnDeadline::Escalate => OrderTrigger::Decide,
            };
            assert!(rule.state.on(trigger).is_ok(), "{} on {trigger}", rule.state);
            if rule.otherwise == OnDeadline::AskNext {
                assert!(rule.state.on(OrderTrigger::Offer).is_ok(), "{}", rule.state);
            }
        }
    }

    #[test]
    fn an_offer_leaves_time_for_the_next_one() {
        let until = |since, start| OrderState::Offered.waits_for(since, start, start + TimeDelta::hours(1)).unwrap().1;
        assert_eq!(until(at(0), at(100)), at(24));
        assert_eq!(until(at(0), at(10)), at(5));
        assert_eq!(until(at(0), at(0) + TimeDelta::minutes(14)), at(0) + TimeDelta::minutes(10));
        assert_eq!(until(at(0), at(0) + TimeDelta::minutes(5)), at(0) + TimeDelta::minutes(5), "never after the start");
    }

    #[test]
    fn carers_are_named_before_the_start() {
        let until = |since, start| OrderState::Accepted.waits_for(since, start, start + TimeDelta::hours(1)).unwrap().1;
        assert_eq!(until(at(0), at(10)), at(8));
        assert_eq!(until(at(9), at(10)), at(9) + TimeDelta::minutes(30), "who accepts late has half an hour");
        assert_eq!(until(at(10) - TimeDelta::minutes(5), at(10)), at(10), "never after the start");
    }
}
