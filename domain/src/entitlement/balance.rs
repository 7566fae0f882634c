//! The balance of one entitlement in one window.

use serde::{Deserialize, Serialize};

use super::EntitlementError;

/// What was granted in one window and what became of it, in the benefit's unit.
///
/// Built and changed only by checked steps: no part is ever negative, and what is held, posted and expired
/// never exceeds what was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BalanceParts", into = "BalanceParts")]
pub struct Balance(BalanceParts);

/// The stored numbers of a [`Balance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalanceParts {
    /// The whole amount of the window.
    pub granted: i64,
    /// Reserved by orders.
    pub held: i64,
    /// Used.
    pub posted: i64,
    /// Lapsed at the end of the window.
    pub expired: i64,
}

impl TryFrom<BalanceParts> for Balance {
    type Error = EntitlementError;
    fn try_from(parts: BalanceParts) -> Result<Self, Self::Error> {
        if [parts.granted, parts.held, parts.posted, parts.expired].iter().any(|part| *part < 0) {
            return Err(EntitlementError::Negative);
        }
        if sum(&[parts.held, parts.posted, parts.expired])? > parts.granted {
            return Err(EntitlementError::Unbalanced);
        }
        Ok(Self(parts))
    }
}

impl From<Balance> for BalanceParts {
    fn from(balance: Balance) -> Self {
        balance.0
    }
}

fn sum(parts: &[i64]) -> Result<i64, EntitlementError> {
    parts.iter().try_fold(0_i64, |sum, part| sum.checked_add(*part)).ok_or(EntitlementError::TooLarge)
}

fn refuse_negative(amount: i64) -> Result<i64, EntitlementError> {
    if amount < 0 { Err(EntitlementError::Negative) } else { Ok(amount) }
}

impl Balance {
    /// Opens a window with its whole amount available.
    ///
    /// # Errors
    /// [`EntitlementError::Negative`].
    pub fn open(granted: i64) -> Result<Self, EntitlementError> {
        Self::try_from(BalanceParts { granted, ..BalanceParts::default() })
    }

    /// The stored numbers.
    #[must_use]
    pub const fn parts(&self) -> BalanceParts {
        self.0
    }

    /// The whole amount of the window.
    #[must_use]
    pub const fn granted(&self) -> i64 {
        self.0.granted
    }

    /// Reserved by orders.
    #[must_use]
    pub const fn held(&self) -> i64 {
        self.0.held
    }

    /// Used.
    #[must_use]
    pub const fn posted(&self) -> i64 {
        self.0.posted
    }

    /// Lapsed at the end of the window.
    #[must_use]
    pub const fn expired(&self) -> i64 {
        self.0.expired
    }

    /// What can still be reserved.
    #[must_use]
    pub const fn available(&self) -> i64 {
        let BalanceParts { granted, held, posted, expired } = self.0;
        // The parts are never negative and add up to at most what was granted, so nothing can overflow.
        granted.saturating_sub(held).saturating_sub(posted).saturating_sub(expired)
    }

    /// Reserves an amount.
    ///
    /// # Errors
    /// [`EntitlementError::Exhausted`] when less is available, [`EntitlementError::Negative`].
    pub fn hold(self, amount: i64) -> Result<Self, EntitlementError> {
        let available = self.available();
        if refuse_negative(amount)? > available {
            return Err(EntitlementError::Exhausted { wanted: amount, available });
        }
        Self::try_from(BalanceParts { held: sum(&[self.0.held, amount])?, ..self.0 })
    }

    /// Settles a reservation: of `held`, `used` is posted and the rest is available again.
    ///
    /// # Errors
    /// [`EntitlementError::NotHeld`] when less is held, or more would be used than was reserved;
    /// [`EntitlementError::Negative`].
    pub fn post(self, held: i64, used: i64) -> Result<Self, EntitlementError> {
        if refuse_negative(used)? > held {
            return Err(EntitlementError::NotHeld { wanted: used, held });
        }
        let released = self.void(held)?.0;
        Self::try_from(BalanceParts { posted: sum(&[released.posted, used])?, ..released })
    }

    /// Gives a reservation back.
    ///
    /// # Errors
    /// [`EntitlementError::NotHeld`] when less is held, [`EntitlementError::Negative`].
    pub fn void(self, held: i64) -> Result<Self, EntitlementError> {
        if refuse_negative(held)? > self.0.held {
            return Err(EntitlementError::NotHeld { wanted: held, held: self.0.held });
        }
        Self::try_from(BalanceParts { held: self.0.held.saturating_sub(held), ..self.0 })
    }

    /// Takes back what was posted, by a correction; it is available again.
    ///
    /// # Errors
    /// [`EntitlementError::NotPosted`] when less was posted, [`EntitlementError::Negative`].
    pub fn reverse(self, posted: i64) -> Result<Self, EntitlementError> {
        if refuse_negative(posted)? > self.0.posted {
            return Err(EntitlementError::NotPosted { wanted: posted, posted: self.0.posted });
        }
        Self::try_from(BalanceParts { posted: self.0.posted.saturating_sub(posted), ..self.0 })
    }

    /// Lapses what is available at the end of the window. What is held stays held until its visit is
    /// settled; expire again afterwards.
    ///
    /// # Errors
    /// None in practice: the numbers are within range.
    pub fn expire(self) -> Result<Self, EntitlementError> {
        Self::try_from(BalanceParts { expired: sum(&[self.0.expired, self.available()])?, ..self.0 })
    }

    /// Changes what the window grants, as after a new assessment.
    ///
    /// # Errors
    /// [`EntitlementError::Exhausted`] when more than the new amount is already held, posted or expired;
    /// [`EntitlementError::Negative`].
    pub fn regrant(self, granted: i64) -> Result<Self, EntitlementError> {
        let taken = sum(&[self.0.held, self.0.posted, self.0.expired])?;
        if refuse_negative(granted)? < taken {
            return Err(EntitlementError::Exhausted { wanted: taken, available: granted });
        }
        Self::try_from(BalanceParts { granted, ..self.0 })
    }
}
