use chrono::TimeDelta;

use crate::time::Instant;

/// An event that arrives within so many minutes of its time is live: the server saw it happen.
pub const LIVE_MINUTES: i64 = 10;

/// How long a time that the server told carries an event recorded without signal, in hours.
pub const ANCHOR_HOURS: i64 = 72;

/// How far the time of an event may differ from the server's time plus what has passed since, in seconds.
pub const ANCHOR_SECONDS_OFF: i64 = 120;

/// What says when an event was recorded, beside the clock of the phone, which anybody can move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeProof {
    /// When it happened, by the phone.
    pub occurred_at: Instant,
    /// When it reached the server.
    pub received_at: Instant,
    /// The last time that the server told the phone, and the milliseconds that the phone's monotonic clock
    /// counted since; none when the phone was started anew in between.
    pub anchor: Option<(Instant, u64)>,
}

impl TimeProof {
    /// Whether the event arrived as it happened.
    #[must_use]
    pub fn is_live(&self) -> bool {
        (self.received_at - self.occurred_at).abs() <= TimeDelta::minutes(LIVE_MINUTES)
    }

    /// Whether the time is proven: the event is live, or a server's time that is not too old leads to it.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        let Some((told_at, elapsed_ms)) = self.anchor else { return self.is_live() };
        let elapsed = i64::try_from(elapsed_ms).ok().and_then(TimeDelta::try_milliseconds);
        let leads_to_it = elapsed.filter(|elapsed| *elapsed <= TimeDelta::hours(ANCHOR_HOURS)).is_some_and(|elapsed| {
            let reckoned = told_at + elapsed;
            (reckoned - self.occurred_at).abs() <= TimeDelta::seconds(ANCHOR_SECONDS_OFF)
                && reckoned <= self.received_at + TimeDelta::seconds(ANCHOR_SECONDS_OFF)
        });
        leads_to_it || self.is_live()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::parse_instant;

    fn at(text: &str) -> Instant {
        parse_instant(&format!("2026-12-01T{text}+08:00")).unwrap()
    }

    #[test]
    fn a_late_event_needs_a_time_of_the_server_that_leads_to_it() {
        let proof = |occurred: &str, received: &str, anchor| TimeProof { occurred_at: at(occurred), received_at: at(received), anchor };
        let minute = 60_000;
        assert!(proof("09:00:00", "09:10:00", None).is_proven());
        assert!(!proof("09:00:00", "09:10:01", None).is_proven());
        assert!(!proof("09:10:01", "09:00:00", None).is_proven(), "nor one from the future");
        assert!(proof("09:00:00", "18:00:00", Some((at("08:00:00"), 60 * minute))).is_proven());
        assert!(proof("09:00:00", "18:00:00", Some((at("08:00:00"), 58 * minute))).is_proven());
        assert!(!proof("09:00:00", "18:00:00", Some((at("08:00:00"), 57 * minute))).is_proven(), "the phone's clock was moved");
        assert!(!proof("09:00:00", "18:00:00", Some((at("08:00:00"), u64::MAX))).is_proven());
        let three_days = at("09:00:00") - TimeDelta::hours(ANCHOR_HOURS);
        assert!(proof("09:00:00", "18:00:00", Some((three_days, 72 * 60 * minute))).is_proven());
        let older = three_days - TimeDelta::minutes(1);
        assert!(!proof("09:00:00", "18:00:00", Some((older, (72 * 60 + 1) * minute))).is_proven(), "too long ago");
    }
}
