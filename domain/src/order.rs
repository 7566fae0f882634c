//! A care order: one booked service, from the family's request to its end.
//!
//! An order ends confirmed, cancelled, declined, expired, missed or dispute-decided. Paying the subsidy is
//! not a state of the order but of its claim lines.

mod cancel;
mod deadline;
mod dispute;
mod offer;

pub use cancel::{CancelError, CancelFacts, CancelReason, CancelRule, CancelTerms, Consequence, FeeReason};
pub use deadline::{
    ASSIGN_MINUTES, CLOCK_OUT_HOURS, CONFIRM_HOURS, DISPUTE_DAYS, DeadlineRule, ESCALATED_DAYS, OFFER_HOURS, OnDeadline, Owner, deadlines,
    escalated,
};
pub use dispute::{DisputeError, DisputeOutcome, DisputeReason, DisputeSide, STATEMENT_LENGTH_MAX, STATEMENTS_MAX, check_statement};
pub use offer::{DeclineReason, OFFERS_AT_ONCE, OFFERS_MAX, OfferError, OfferMode, OfferState, OfferTrigger, UnmetReason};

use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    error::{Fault, FieldError, Kind},
    state::{StateMachine, Transition},
};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OrderState {
    /// Booked; the holds are placed.
    Requested,
    /// Put before one provider, or before several at once.
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
    /// Every provider that could be asked said no.
    Declined,
    /// Nobody answered in time, or nobody could be asked any more.
    Expired,
    /// Called off before service.
    Cancelled,
    /// Nobody came.
    Missed,
}

/// What moves an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OrderTrigger {
    /// The order is put before a provider: the first one, or the next after a refusal, a silence or a return.
    Offer,
    /// A provider accepts.
    Accept,
    /// The last provider that could be asked declines or gives the order back.
    Decline,
    /// A deadline passed and nobody is left to be asked.
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
const PROVIDER: &[Role] = &[Role::ProviderManager];
const CANCELLERS: &[Role] = &[Role::FamilyMember, Role::Resident, Role::CommunityWorker, Role::HotlineDesk];
const DECIDERS: &[Role] = &[Role::CountyClerk, Role::Approver];
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
            Transition { from: Requested, trigger: T::Offer, to: Offered, who: &[], why: "the booking reaches a provider" },
            Transition { from: Requested, trigger: T::Expire, to: Expired, who: &[], why: "no provider could be asked in time" },
            Transition { from: Offered, trigger: T::Accept, to: Accepted, who: PROVIDER, why: "the first provider to accept has it" },
            Transition { from: Offered, trigger: T::Offer, to: Offered, who: &[], why: "after a refusal or a silence the next is asked" },
            Transition {
                from: Offered,
                trigger: T::Decline,
                to: Declined,
                who: PROVIDER,
                why: "nobody is left to be asked; the holds are voided",
            },
            Transition {
                from: Offered,
                trigger: T::Expire,
                to: Expired,
                who: &[],
                why: "nobody answered and nobody is left to be asked; the holds are voided",
            },
            Transition { from: Accepted, trigger: T::Assign, to: Assigned, who: PROVIDER, why: "qualified carers are named" },
            Transition {
                from: Accepted,
                trigger: T::Offer,
                to: Offered,
                who: &[],
                why: "it was given back, or no carer was named in time; the next provider is asked",
            },
            Transition {
                from: Accepted,
                trigger: T::Decline,
                to: Declined,
                who: PROVIDER,
                why: "it was given back and nobody is left to be asked; the holds are voided",
            },
            Transition {
                from: Accepted,
                trigger: T::Expire,
                to: Expired,
                who: &[],
                why: "no carer was named in time and nobody is left to be asked; the holds are voided",
            },
            Transition { from: Assigned, trigger: T::Assign, to: Assigned, who: PROVIDER, why: "other carers are named" },
            Transition { from: Assigned, trigger: T::Offer, to: Offered, who: &[], why: "it was given back; the next provider is asked" },
            Transition {
                from: Assigned,
                trigger: T::Decline,
                to: Declined,
                who: PROVIDER,
                why: "it was given back and nobody is left to be asked; the holds are voided",
            },
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
            Transition { from: Disputed, trigger: T::Decide, to: DisputeDecided, who: DECIDERS, why: "the bureau decides what is paid" },
            Transition { from: Requested, trigger: T::Cancel, to: Cancelled, who: CANCELLERS, why: "called off; the holds are voided" },
            Transition { from: Offered, trigger: T::Cancel, to: Cancelled, who: CANCELLERS, why: "called off; the holds are voided" },
            Transition { from: Accepted, trigger: T::Cancel, to: Cancelled, who: CANCELLERS, why: "called off; the holds are voided" },
            Transition {
                from: Assigned,
                trigger: T::Cancel,
                to: Cancelled,
                who: CANCELLERS,
                why: "called off before anybody came; the holds are voided",
            },
        ]
    };
}

/// How late after the planned start a carer may still clock in.
pub const LATE_MINUTES_MAX: i64 = 120;
/// How early before the planned start a carer may clock in.
pub const EARLY_MINUTES_MAX: i64 = 60;
/// How long a quote holds.
pub const QUOTE_MINUTES: i64 = 30;
/// How many orders of one resident may be open at a time: a hundred days of two meals a day.
pub const OPEN_ORDERS_MAX: u64 = 200;

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
    /// Too many orders of the resident are open.
    #[error("{OPEN_ORDERS_MAX} orders of this resident are open; wait until some have ended, or cancel some")]
    TooManyOpen,
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
            Self::TooManyOpen => "order.too_many_open",
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
            | Self::TooManyOpen
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
            | Self::TooManyOpen
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
}
