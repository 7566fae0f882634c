//! A clock that stands still until a test moves it.

use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use domain::time::Instant;
use store::Clock;

/// Tells the time that was set.
#[derive(Debug)]
pub struct ManualClock(Mutex<Instant>);

impl ManualClock {
    /// A clock that shows an instant.
    #[must_use]
    pub const fn new(instant: Instant) -> Self {
        Self(Mutex::new(instant))
    }

    /// Shows another instant from now on.
    pub fn set(&self, instant: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = instant;
    }

    /// Goes forward, or back when the difference is negative.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
