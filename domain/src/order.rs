//! A care order: one booked service, from the family's request to its end.
//!
//! An order ends confirmed, cancelled, declined, expired, missed or dispute-decided. Paying the subsidy is
//! not a state of the order but of its claim lines.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    error::{Fault, FieldError, Kind},
    state::{StateMachine, Transition},
    time::Instant,
};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OrderState {
    /// Booked; the holds are placed.
    Requested,
    /// Put before the provider.
    Offered,
    /// The provider will serve.
    Accepted,
    /// Carers are named.
    Assigned,
    /// A carer has clocked in.
    InService,
    /// All carers have clocked out.
    Completed,
    /// The family, or the deadline, confirmed: the claim is adjudicated.
    Confirmed,
    /// The family says that something was wrong.
    Disputed,
    /// The dispute was decided.
    DisputeDecided,
    /// The provider said no.
    Declined,
    /// Nobody answered in time.
    Expired,
    /// Called off before service.
    Cancelled,
    /// Nobody came.
    Missed,
}

/// What moves an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OrderTrigger {
    /// The order is put before the provider.
    Offer,
    /// The provider accepts.
    Accept,
    /// The provider declines.
    Decline,
    /// A deadline passed without an answer.
    Expire,
    /// Carers are named.
    Assign,
    /// The first carer clocks in.
    ClockIn,
    /// The last carer clocks out.
    Complete,
    /// The service is confirmed.
    Confirm,
    /// The service is disputed.
    Dispute,
    /// The dispute is decided.
    Decide,
    /// The order is called off.
    Cancel,
    /// The time passed and nobody came.
    Miss,
    /// The check before the service says that it must not begin.
    Stop,
}

const FAMILY: &[Role] = &[Role::FamilyMember, Role::Resident];
const BOOKERS: &[Role] = &[Role::FamilyMember, Role::Resident, Role::CommunityWorker];
const PROVIDER: &[Role] = &[Role::ProviderManager];
/// The carer's phone, or a correction by the provider.
const CLOCK: &[Role] = &[Role::Carer, Role::ProviderManager];

impl StateMachine for OrderState {
    type Trigger = OrderTrigger;
    const NAME: &'static str = "order";
    const INITIAL: Self = Self::Requested;
    const STATES: &'static [Self] = &[
        Self::Requested,
        Self::Offered,
        Self::Accepted,
        Self::Assigned,
        Self::InService,
        Self::Completed,
        Self::Confirmed,
        Self::Disputed,
        Self::DisputeDecided,
        Self::Declined,
        Self::Expired,
        Self::Cancelled,
        Self::Missed,
    ];
    const TABLE: &'static [Transition<Self, OrderTrigger>] = {
        use OrderState::{
            Accepted, Assigned, Cancelled, Completed, Confirmed, Declined, DisputeDecided, Disputed, Expired, InService, Missed, Offered,
            Requested,
        };
        use OrderTrigger as T;
        &[
            Transition { from: Requested, trigger: T::Offer, to: Offered, who: &[], why: "the booking reaches the provider" },
            Transition { from: Requested, trigger: T::Expire, to: Expired, who: &[], why: "no provider could be asked in time" },
            Transition { from: Offered, trigger: T::Accept, to: Accepted, who: PROVIDER, why: "the provider commits itself" },
            Transition {
                from: Offered,
                trigger: T::Decline,
                to: Declined,
                who: PROVIDER,
                why: "the provider cannot serve; the holds are voided",
            },
            Transition {
                from: Offered,
                trigger: T::Expire,
                to: Expired,
                who: &[],
                why: "the provider did not answer; the holds are voided",
            },
            Transition { from: Accepted, trigger: T::Assign, to: Assigned, who: PROVIDER, why: "qualified carers are named" },
            Transition { from: Accepted, trigger: T::Expire, to: Expired, who: &[], why: "no carer was named by the start" },
            Transition { from: Assigned, trigger: T::Assign, to: Assigned, who: PROVIDER, why: "other carers are named" },
            Transition { from: Assigned, trigger: T::ClockIn, to: InService, who: CLOCK, why: "a carer is there" },
            Transition {
                from: Assigned,
                trigger: T::Stop,
                to: Cancelled,
                who: &[Role::Carer],
                why: "the check before the service forbids it; nobody pays, the holds are voided",
            },
            Transition { from: Assigned, trigger: T::Miss, to: Missed, who: &[], why: "nobody came; the holds are voided" },
            Transition { from: InService, trigger: T::Complete, to: Completed, who: CLOCK, why: "the last carer has left" },
            Transition {
                from: Completed,
                trigger: T::Confirm,
                to: Confirmed,
                who: FAMILY,
                why: "the service is accepted, by the family or by the deadline",
            },
            Transition { from: Completed, trigger: T::Dispute, to: Disputed, who: FAMILY, why: "the family says that something was wrong" },
            Transition {
                from: Disputed,
                trigger: T::Decide,
                to: DisputeDecided,
                who: &[Role::CountyClerk],
                why: "the bureau decides what is paid",
            },
            Transition { from: Requested, trigger: T::Cancel, to: Cancelled, who: BOOKERS, why: "called off; the holds are voided" },
            Transition { from: Offered, trigger: T::Cancel, to: Cancelled, who: BOOKERS, why: "called off; the holds are voided" },
            Transition { from: Accepted, trigger: T::Cancel, to: Cancelled, who: BOOKERS, why: "called off; the holds are voided" },
            Transition {
                from: Assigned,
                trigger: T::Cancel,
                to: Cancelled,
                who: BOOKERS,
                why: "called off before anybody came; the holds are voided",
            },
        ]
    };
}

/// How long a provider may think about an offer.
pub const OFFER_HOURS: i64 = 24;
/// How long after the planned start a carer may still clock in.
pub const LATE_MINUTES_MAX: i64 = 120;
/// How early before the planned start a carer may clock in.
pub const EARLY_MINUTES_MAX: i64 = 60;
/// How long after the planned end a clock-out is awaited before a missing one is recorded.
pub const CLOCK_OUT_HOURS: i64 = 24;
/// How long the family has to confirm or dispute before the deadline confirms.
pub const CONFIRM_HOURS: i64 = 48;
/// How long the bureau has to decide a dispute.
pub const DISPUTE_DAYS: i64 = 7;
/// How long a quote holds.
pub const QUOTE_MINUTES: i64 = 30;

impl OrderState {
    /// Who must act next and until when, for an order planned from `start` to `end` that entered this state
    /// at `since`; none when nobody waits.
    #[must_use]
    pub fn waits_for(self, since: Instant, start: Instant, end: Instant) -> Option<(Option<Role>, Instant)> {
        match self {
            Self::Requested => Some((None, start)),
            Self::Offered => Some((Some(Role::ProviderManager), start.min(since + TimeDelta::hours(OFFER_HOURS)))),
            Self::Accepted => Some((Some(Role::ProviderManager), start)),
            // A phone without signal may send arrival and departure a day later.
            Self::Assigned | Self::InService => Some((Some(Role::Carer), end + TimeDelta::hours(CLOCK_OUT_HOURS))),
            Self::Completed => Some((Some(Role::FamilyMember), since + TimeDelta::hours(CONFIRM_HOURS))),
            Self::Disputed => Some((Some(Role::CountyClerk), since + TimeDelta::days(DISPUTE_DAYS))),
            Self::Confirmed | Self::DisputeDecided | Self::Declined | Self::Expired | Self::Cancelled | Self::Missed => None,
        }
    }
}

/// Why a booking was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The quote's time has run out.
    #[error("the quote has expired; ask for a new one")]
    QuoteExpired,
    /// The quote was already booked.
    #[error("the quote has already been booked")]
    QuoteUsed,
    /// The quote would now come out differently.
    #[error("price or subsidy changed since the quote; ask for a new one")]
    QuoteChanged,
    /// The service would begin in the past.
    #[error("the service must begin in the future")]
    StartPassed,
    /// The service lies too far ahead.
    #[error("a service can be booked at most {0} days ahead")]
    TooFarAhead(i64),
    /// Another visit of the same kind is at that time.
    #[error("the resident already has a visit of this kind at that time")]
    ResidentBusy,
    /// The entitlement of the window is not open yet.
    #[error("the entitlement of that day is not open yet; book from its first day on, or name the programmes to use without it")]
    NotOpenYet,
    /// The carer acts for the resident.
    #[error("this carer acts for the resident and cannot serve them for a subsidy")]
    CarerRelated,
    /// The carer is elsewhere at that time.
    #[error("the carer already has a visit at that time")]
    CarerBusy,
    /// The item needs so many carers.
    #[error("this service needs {needed} carers, {given} were named")]
    CarerCount {
        /// Needed.
        needed: u32,
        /// Given.
        given: u32,
    },
    /// The provider does not offer the service, or is not admitted.
    #[error("the provider does not offer this service at that time")]
    NotOffered,
    /// The resident cannot be served at home now.
    #[error("the resident cannot be served while {0}")]
    ResidentStatus(String),
}

impl Fault for OrderError {
    fn code(&self) -> &'static str {
        match self {
            Self::QuoteExpired => "order.quote_expired",
            Self::QuoteUsed => "order.quote_used",
            Self::QuoteChanged => "order.quote_changed",
            Self::StartPassed => "order.start_passed",
            Self::TooFarAhead(_) => "order.too_far_ahead",
            Self::ResidentBusy => "order.resident_busy",
            Self::NotOpenYet => "order.not_open_yet",
            Self::CarerRelated => "order.carer_related",
            Self::CarerBusy => "order.carer_busy",
            Self::CarerCount { .. } => "order.carer_count",
            Self::NotOffered => "order.not_offered",
            Self::ResidentStatus(_) => "order.resident_status",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::NotOpenYet
            | Self::QuoteExpired
            | Self::QuoteUsed
            | Self::QuoteChanged
            | Self::ResidentBusy
            | Self::CarerBusy
            | Self::ResidentStatus(_) => Kind::Conflict,
            Self::StartPassed | Self::TooFarAhead(_) | Self::CarerRelated | Self::CarerCount { .. } | Self::NotOffered => Kind::Invalid,
        }
    }
    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::StartPassed => vec![FieldError::new("starts_at", "order.start_passed", "write a time in the future")],
            Self::TooFarAhead(days) => {
                vec![FieldError::new("starts_at", "order.too_far_ahead", format!("write a time within the next {days} days"))]
            }
            Self::CarerCount { needed, .. } => vec![FieldError::new("carer_ids", "order.carer_count", format!("name {needed} carers"))],
            Self::NotOffered => {
                let cure = "choose a service that the provider offers at that time, or another provider";
                vec![FieldError::new("item", "order.not_offered", cure)]
            }
            Self::QuoteExpired
            | Self::QuoteUsed
            | Self::QuoteChanged
            | Self::ResidentBusy
            | Self::NotOpenYet
            | Self::CarerRelated
            | Self::CarerBusy
            | Self::ResidentStatus(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        crate::state::tests::check::<OrderState>();
    }

    #[test]
    fn every_state_that_is_not_final_has_a_deadline() {
        let at = |hour| format!("2026-12-01T{hour:02}:00:00Z").parse().unwrap();
        for state in OrderState::STATES {
            assert_eq!(state.waits_for(at(1), at(5), at(6)).is_none(), state.is_final(), "{state}");
        }
    }

    #[test]
    fn a_fault_of_a_field_names_the_field_of_the_request_and_its_own_code() {
        let cases = [
            (OrderError::StartPassed, "starts_at"),
            (OrderError::TooFarAhead(30), "starts_at"),
            (OrderError::CarerCount { needed: 2, given: 1 }, "carer_ids"),
            (OrderError::NotOffered, "item"),
        ];
        for (error, field) in cases {
            let [fault] = error.fields().try_into().unwrap();
            assert_eq!((fault.field.as_str(), fault.code.as_str()), (field, error.code()));
            assert!(!fault.cure.is_empty(), "{error}");
        }
        assert_eq!(OrderError::CarerCount { needed: 2, given: 1 }.fields()[0].cure, "name 2 carers");
    }

    #[test]
    fn an_offer_never_outlives_the_start() {
        let at = |hour| format!("2026-12-01T{hour:02}:00:00Z").parse::<Instant>().unwrap();
        assert_eq!(OrderState::Offered.waits_for(at(1), at(5), at(6)).unwrap().1, at(5));
    }
}
