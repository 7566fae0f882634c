//! Offers: one provider asked to serve one order until a deadline.

use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    error::{Fault, Kind},
    state::{StateMachine, Transition},
};

/// How many providers are asked at once in the mode that asks several.
pub const OFFERS_AT_ONCE: usize = 3;
/// How many providers are asked for one order at most.
pub const OFFERS_MAX: usize = 12;

/// In which order providers are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OfferMode {
    /// The quoted provider and nobody else.
    NamedOnly,
    /// The quoted provider first, then the best candidates one after another.
    #[default]
    NamedFirst,
    /// The best candidates one after another.
    OneByOne,
    /// The best candidates, several at once: who accepts first has it.
    Several,
}

impl OfferMode {
    /// How many providers one round asks.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::NamedOnly | Self::NamedFirst | Self::OneByOne => 1,
            Self::Several => OFFERS_AT_ONCE,
        }
    }

    /// Whether the first round asks the quoted provider.
    #[must_use]
    pub const fn begins_with_named(self) -> bool {
        match self {
            Self::NamedOnly | Self::NamedFirst => true,
            Self::OneByOne | Self::Several => false,
        }
    }
}

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OfferState {
    /// The provider may still answer.
    Open,
    /// The provider has the order.
    Accepted,
    /// The provider said no.
    Declined,
    /// The provider did not answer in time.
    Expired,
    /// Somebody else accepted, or the order was called off.
    Withdrawn,
    /// The provider had the order and gave it back, or named nobody in time.
    Returned,
}

/// What moves an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum OfferTrigger {
    /// The provider accepts.
    Accept,
    /// The provider declines.
    Decline,
    /// The deadline passes.
    Expire,
    /// The order no longer needs it.
    Withdraw,
    /// The order leaves the provider again.
    Return,
}

impl StateMachine for OfferState {
    type Trigger = OfferTrigger;
    const NAME: &'static str = "offer";
    const INITIAL: Self = Self::Open;
    const STATES: &'static [Self] = &[Self::Open, Self::Accepted, Self::Declined, Self::Expired, Self::Withdrawn, Self::Returned];
    const TABLE: &'static [Transition<Self, OfferTrigger>] = {
        use OfferState::{Accepted, Declined, Expired, Open, Returned, Withdrawn};
        use OfferTrigger as T;
        const PROVIDER: &[Role] = &[Role::ProviderManager];
        &[
            Transition { from: Open, trigger: T::Accept, to: Accepted, who: PROVIDER, why: "the provider commits itself" },
            Transition { from: Open, trigger: T::Decline, to: Declined, who: PROVIDER, why: "the provider cannot serve" },
            Transition { from: Open, trigger: T::Expire, to: Expired, who: &[], why: "the provider did not answer in time" },
            Transition { from: Open, trigger: T::Withdraw, to: Withdrawn, who: &[], why: "another provider accepted, or the order ended" },
            Transition {
                from: Accepted,
                trigger: T::Return,
                to: Returned,
                who: PROVIDER,
                why: "the provider gives the order back, or named no carer in time",
            },
        ]
    };
}

/// Why a provider declines an offer or gives an accepted order back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DeclineReason {
    /// No qualified carer is free.
    NoCarer,
    /// The home lies too far away.
    TooFar,
    /// The time cannot be kept.
    TimeNotPossible,
    /// The resident needs more than the provider can give.
    NeedsTooHigh,
    /// The provider is closed.
    Closed,
    /// The system's own: carers were not named in time.
    NotAssigned,
    /// The system's own: the provider may not serve any more.
    MayNotServe,
}

impl DeclineReason {
    /// Whether a provider may give it; the others are set by the system.
    #[must_use]
    pub const fn is_of_provider(self) -> bool {
        match self {
            Self::NoCarer | Self::TooFar | Self::TimeNotPossible | Self::NeedsTooHigh | Self::Closed => true,
            Self::NotAssigned | Self::MayNotServe => false,
        }
    }
}

/// Why an order ended without service although it was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum UnmetReason {
    /// No provider could be asked.
    NobodyToAsk,
    /// Everybody who was asked said no or gave it back.
    Declined,
    /// Nobody who was asked answered in time.
    Unanswered,
    /// A provider had it and nobody came.
    Missed,
}

/// Why an offer cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// It is not open any more.
    #[error("this offer is {0}; it can no longer be answered")]
    Closed(OfferState),
    /// Nobody has the order, or the visit has begun.
    #[error("an order that is {0} cannot be given back")]
    NotHeld(super::OrderState),
    /// A reason that only the system sets.
    #[error("this reason is set by the system; name one of the provider's own")]
    Reason,
}

impl Fault for OfferError {
    fn code(&self) -> &'static str {
        match self {
            Self::Closed(_) => "offer.closed",
            Self::NotHeld(_) => "offer.not_held",
            Self::Reason => "offer.reason",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Closed(_) | Self::NotHeld(_) => Kind::Conflict,
            Self::Reason => Kind::Invalid,
        }
    }
    fn fields(&self) -> Vec<crate::error::FieldError> {
        match self {
            Self::Closed(_) | Self::NotHeld(_) => Vec::new(),
            Self::Reason => {
                let cure = "name no_carer, too_far, time_not_possible, needs_too_high or closed";
                vec![crate::error::FieldError::new("reason", "offer.reason", cure)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        crate::state::tests::check::<OfferState>();
    }

    #[test]
    fn an_answer_is_given_once() {
        for answered in [OfferState::Accepted, OfferState::Declined, OfferState::Expired, OfferState::Withdrawn, OfferState::Returned] {
            for trigger in [OfferTrigger::Accept, OfferTrigger::Decline, OfferTrigger::Expire, OfferTrigger::Withdraw] {
                assert!(answered.on(trigger).is_err(), "{answered} on {trigger}");
            }
        }
    }
}
