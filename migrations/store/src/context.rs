//! What a use case is given besides its command: who asks, when, and the seed of everything random.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use chrono::TimeDelta;
use domain::{
    access::Actor,
    id::RequestId,
    time::{Instant, to_microseconds},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Tells the time. Read once per request or step; everything below takes `now` as an argument.
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// The present instant.
    fn now(&self) -> Instant;
}

/// The clock of a city: the machine's, or one that stands still until it is moved, plus an offset that is
/// zero in every live city.
#[derive(Debug, Default)]
pub struct SystemClock {
    /// Where a clock that does not run stands; tests use it.
    fixed: Option<Instant>,
    offset_seconds: AtomicI64,
}

impl SystemClock {
    /// A clock that is so many seconds ahead of the machine's.
    #[must_use]
    pub const fn ahead_by(offset_seconds: i64) -> Self {
        Self { fixed: None, offset_seconds: AtomicI64::new(offset_seconds) }
    }

    /// A clock that stands at an instant until it is moved.
    #[must_use]
    pub const fn standing_at(instant: Instant) -> Self {
        Self { fixed: Some(instant), offset_seconds: AtomicI64::new(0) }
    }

    /// Moves the clock.
    pub fn move_to_offset(&self, offset_seconds: i64) {
        self.offset_seconds.store(offset_seconds, Ordering::SeqCst);
    }

    /// How far the clock was moved.
    #[must_use]
    pub fn offset_seconds(&self) -> i64 {
        self.offset_seconds.load(Ordering::SeqCst)
    }

    /// The time without the offset, as authenticator apps know it.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the machine's clock")]
    pub fn unmoved_now(&self) -> Instant {
        to_microseconds(self.fixed.unwrap_or_else(chrono::Utc::now))
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        self.unmoved_now() + TimeDelta::seconds(self.offset_seconds())
    }
}

/// Where the seeds of use cases come from.
#[derive(Debug)]
enum Seeds {
    /// The operating system.
    System,
    /// A count mixed with a fixed seed: the same run gives the same bytes.
    Fixed { seed: [u8; 32], count: AtomicU64 },
}

/// Makes contexts. The one place where a shell mixes time and randomness into the core.
#[derive(Debug, Clone)]
pub struct Source {
    clock: Arc<dyn Clock>,
    seeds: Arc<Seeds>,
}

impl Source {
    /// Real randomness under the given clock.
    #[must_use]
    pub fn system(clock: Arc<dyn Clock>) -> Self {
        Self { clock, seeds: Arc::new(Seeds::System) }
    }

    /// Reproducible ids and secrets, for seeds and tests.
    #[must_use]
    pub fn fixed(clock: Arc<dyn Clock>, seed: u64) -> Self {
        let mut bytes = [0_u8; 32];
        for (to, from) in bytes.iter_mut().zip(seed.to_be_bytes()) {
            *to = from;
        }
        Self { clock, seeds: Arc::new(Seeds::Fixed { seed: bytes, count: AtomicU64::new(0) }) }
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A fresh context for one request or step.
    #[must_use]
    pub fn context(&self, actor: Actor) -> Ctx {
        let seed = match &*self.seeds {
            Seeds::System => {
                let mut bytes = [0_u8; 32];
                rand::fill(&mut bytes);
                bytes
            }
            Seeds::Fixed { seed, count } => expand(seed, "context", count.fetch_add(1, Ordering::SeqCst)),
        };
        let now = self.clock.now();
        let request = RequestId::from_parts(milliseconds(now), cut(expand(&seed, "request", 0)));
        Ctx { actor, now, request, seed }
    }
}

/// Who asks, when, under which request id, and with which randomness. Ids are fixed by it before the
/// transaction begins, so that a retry makes the same ids.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Who asks.
    pub actor: Actor,
    /// When; read once.
    pub now: Instant,
    /// The request, as logs and events name it.
    pub request: RequestId,
    pub(crate) seed: [u8; 32],
}

impl Ctx {
    /// The same context under the request id that the caller's logs already use.
    #[must_use]
    pub fn with_request(mut self, request: RequestId) -> Self {
        self.request = request;
        self
    }
}

/// Derives 32 bytes from a seed, a purpose and a number.
pub(crate) fn expand(seed: &[u8; 32], purpose: &str, number: u64) -> [u8; 32] {
    // HMAC accepts keys of any length; the fallback cannot be reached.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(seed) else { return *seed };
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(&number.to_be_bytes());
    mac.finalize().into_bytes().into()
}

/// The first bytes of a derived value.
pub(crate) fn cut<const N: usize>(bytes: [u8; 32]) -> [u8; N] {
    let mut out = [0_u8; N];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = from;
    }
    out
}

/// Milliseconds since 1970, as ids carry them.
pub(crate) fn milliseconds(instant: Instant) -> u64 {
    u64::try_from(instant.timestamp_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_databases_can_keep_what_the_clock_says() {
        let between: Instant = "2026-11-23T09:00:00.1234567Z".parse().unwrap();
        let clock = SystemClock::standing_at(between);
        assert_eq!(clock.unmoved_now(), to_microseconds(between));
        clock.move_to_offset(60);
        assert_eq!(clock.now(), to_microseconds(between) + TimeDelta::seconds(60));
    }
}
