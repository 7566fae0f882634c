//! Retry or give up: conflicts and outages pass, refusals by the rules do not.

use chrono::TimeDelta;
use domain::{error::Kind, time::Instant};
use store::delivery::{ATTEMPTS_MAX, Claimed, Outcome};

use crate::{message::Undelivered, port::PortError};

/// Longest pause between two attempts, in seconds.
const PAUSE_MAX_SECONDS: i64 = 3_600;

/// What becomes of a delivery whose work failed.
pub(crate) fn after(cause: &Undelivered, claimed: &Claimed, now: Instant) -> Outcome {
    let error = format!("{}: {cause}", cause.code());
    let hopeless = match cause {
        Undelivered::Store(cause) => match cause.kind() {
            Kind::Invalid | Kind::Forbidden | Kind::Unauthenticated => true,
            // A thing that is not there yet, or not any more, may be a race with the caller.
            Kind::NotFound | Kind::Conflict | Kind::Stale | Kind::Unavailable | Kind::Broken => false,
        },
        Undelivered::Port(PortError::Refused(_) | PortError::Missing(_)) => true,
        Undelivered::Port(PortError::Unavailable(_)) => false,
    };
    if hopeless || claimed.attempts >= ATTEMPTS_MAX {
        return Outcome::Dead { error };
    }
    Outcome::Retry { due_at: now + pause(claimed), error }
}

/// Doubling pauses, with up to half of each added by the delivery's own id so that a herd spreads out.
fn pause(claimed: &Claimed) -> TimeDelta {
    let base = 2_i64.saturating_pow(u32::try_from(claimed.attempts).unwrap_or(u32::MAX)).min(PAUSE_MAX_SECONDS);
    let spread = claimed.id.uuid().as_bytes().last().copied().map_or(0, i64::from);
    TimeDelta::milliseconds(base * 1_000 + base * spread * 2)
}

#[cfg(test)]
mod tests {
    use domain::{
        event::Event,
        id::{DeliveryId, EventId, ProviderId},
    };

    use store::StoreError;

    use super::*;

    fn claimed(attempts: i64) -> Claimed {
        let event = Event::ProviderAdmitted { provider: ProviderId::from_parts(1, [1; 10]) };
        Claimed {
            id: DeliveryId::from_parts(1, [9; 10]),
            epoch: attempts,
            attempts,
            subscriber: "s".to_owned(),
            event_id: EventId::from_parts(1, [1; 10]),
            event,
        }
    }

    #[test]
    fn pauses_grow_and_end_in_the_dead_letters() {
        let now: Instant = "2026-11-23T00:00:00Z".parse().unwrap();
        let mut last = now;
        for attempts in 1..ATTEMPTS_MAX {
            let Outcome::Retry { due_at, .. } = after(&StoreError::TimedOut.into(), &claimed(attempts), now) else {
                panic!("attempt {attempts} is retried")
            };
            assert!(due_at > last);
            last = due_at;
        }
        assert!(matches!(after(&StoreError::TimedOut.into(), &claimed(ATTEMPTS_MAX), now), Outcome::Dead { .. }));
        assert!(matches!(after(&StoreError::KeyReused.into(), &claimed(1), now), Outcome::Dead { .. }));
    }
}
