//! Entitlement (额度): what a resident may use of one benefit in one window, and what became of it.
//!
//! A [`Balance`] counts in the benefit's unit. At every moment available + held + posted + expired = granted.

mod balance;
mod review;

pub use balance::{Balance, BalanceParts};
pub use review::{Ceased, Consequence, EntitlementChange, Present, Standing, review};

use serde::{Deserialize, Serialize};

use crate::{
    eligibility::BenefitGrant,
    error::{Fault, Kind},
    policy::{BenefitCode, Policy},
    time::{TimeError, Window},
};

/// Why a change of an entitlement was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntitlementError {
    /// More was asked for than is available.
    #[error("{wanted} wanted where {available} are available")]
    Exhausted {
        /// What was asked for.
        wanted: i64,
        /// What there is.
        available: i64,
    },
    /// More was to be posted or voided than is held.
    #[error("{wanted} to settle where {held} are held")]
    NotHeld {
        /// What was to be settled.
        wanted: i64,
        /// What is held.
        held: i64,
    },
    /// More was to be taken back than was posted.
    #[error("{wanted} to take back where {posted} were posted")]
    NotPosted {
        /// What was to be taken back.
        wanted: i64,
        /// What was posted.
        posted: i64,
    },
    /// A negative amount.
    #[error("an amount of entitlement cannot be negative")]
    Negative,
    /// Beyond the range of numbers.
    #[error("an amount of entitlement is too large")]
    TooLarge,
    /// A projected window was to be used before it opens.
    #[error("the entitlement of this window is not open yet; nothing of it can be spent")]
    NotOpen,
    /// Stored parts that do not add up.
    #[error("held, posted and expired amounts are more than was granted")]
    Unbalanced,
    /// The version has no such benefit.
    #[error("the policy version has no benefit {0}")]
    UnknownBenefit(BenefitCode),
    /// The grant does not say what the version says.
    #[error("the grant of benefit {0} has another unit or window than the policy version")]
    OtherPolicy(BenefitCode),
    /// The range of days is not a window of the benefit's kind.
    #[error("the days are not a window of this benefit")]
    NotAWindow,
    /// The version is in force on no day of the window.
    #[error("the policy version is in force on no day of the window")]
    NotInForce,
    /// Beyond the calendar.
    #[error(transparent)]
    Time(#[from] TimeError),
}

impl Fault for EntitlementError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exhausted { .. } => "entitlement.exhausted",
            Self::NotHeld { .. } => "entitlement.not_held",
            Self::NotPosted { .. } => "entitlement.not_posted",
            Self::Negative => "entitlement.negative",
            Self::TooLarge => "entitlement.too_large",
            Self::NotOpen => "entitlement.not_open",
            Self::Unbalanced => "entitlement.unbalanced",
            Self::UnknownBenefit(_) => "entitlement.unknown_benefit",
            Self::OtherPolicy(_) => "entitlement.other_policy",
            Self::NotAWindow => "entitlement.not_a_window",
            Self::NotInForce => "entitlement.not_in_force",
            Self::Time(cause) => cause.code(),
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Exhausted { .. } | Self::NotHeld { .. } | Self::NotPosted { .. } | Self::NotOpen | Self::NotInForce => Kind::Conflict,
            Self::Negative | Self::TooLarge | Self::NotAWindow | Self::Time(_) => Kind::Invalid,
            Self::Unbalanced | Self::UnknownBenefit(_) | Self::OtherPolicy(_) => Kind::Broken,
        }
    }
}

/// Whether a window has begun.
///
/// A window row stands from its first day on; a booking ahead makes the row of a later window as a projection,
/// by the rules and facts that are known today. What is reserved of a projection is provisional: when the window
/// opens, it is granted anew, its orders are priced again, and the family is asked where its share grew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum WindowState {
    /// Ahead: may be reserved, not spent.
    Projected,
    /// Begun.
    Open,
}

/// What a grant gives in one window: the full amount to whoever is eligible on any day of it.
///
/// # Errors
/// [`EntitlementError::UnknownBenefit`] and [`EntitlementError::OtherPolicy`] for a grant of another version,
/// [`EntitlementError::NotAWindow`] for days that are not a window of the benefit's kind, and
/// [`EntitlementError::NotInForce`] when the version is in force on no day of it.
pub fn window_amount(policy: &Policy, grant: &BenefitGrant, window: &Window) -> Result<i64, EntitlementError> {
    let benefit = policy.benefit(&grant.benefit).ok_or_else(|| EntitlementError::UnknownBenefit(grant.benefit.clone()))?;
    let is_of_policy = benefit.unit() == grant.unit
        && benefit.window() == grant.window
        && benefit.amounts().iter().any(|row| row.amount() == grant.amount);
    if !is_of_policy {
        return Err(EntitlementError::OtherPolicy(grant.benefit.clone()));
    }
    if Window::holding(grant.window, window.start)? != *window {
        return Err(EntitlementError::NotAWindow);
    }
    let (from, until) = policy.effective();
    let begins_in_time = window.end.is_none_or(|end| from < end);
    let ends_late_enough = until.is_none_or(|until| window.start < until);
    if begins_in_time && ends_late_enough { Ok(grant.amount) } else { Err(EntitlementError::NotInForce) }
}

#[cfg(test)]
mod tests;
