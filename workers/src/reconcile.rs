//! Reconcilers: cron says when to look, the database says what to do. They take no input, so that a missed
//! or doubled tick does no harm; each run is bounded, and what is left is found by the next one.

use std::str::FromStr as _;

use cron::Schedule;
use domain::{
    access::Actor,
    time::{BusinessDate, Instant, shanghai},
};
use store::{SealAudit, Source, Store, StoreError, command, query};

/// Rows that one run takes at most.
const RUN_MAX: u64 = 500;

/// One periodic job.
#[derive(Debug, Clone, Copy)]
pub struct Reconciler {
    /// What becomes true.
    pub name: &'static str,
    /// When to look: seconds, minutes, hours, day, month, weekday in China Standard Time.
    pub schedule: &'static str,
    job: Job,
}

#[derive(Debug, Clone, Copy)]
enum Job {
    EndNotices,
    ReviewEntitlements,
    OpenWindows,
    ExpireWindows,
    PassOrderDeadlines,
    LapseConsents,
    DraftSettlements,
    SealAudit,
}

/// All reconcilers, in the order in which they look.
pub const ALL: &[Reconciler] = &[
    Reconciler { name: "end_notices", schedule: "0 * * * * *", job: Job::EndNotices },
    Reconciler { name: "review_entitlements", schedule: "0 * * * * *", job: Job::ReviewEntitlements },
    Reconciler { name: "expire_windows", schedule: "0 * * * * *", job: Job::ExpireWindows },
    Reconciler { name: "open_windows", schedule: "0 */10 * * * *", job: Job::OpenWindows },
    Reconciler { name: "pass_order_deadlines", schedule: "*/10 * * * * *", job: Job::PassOrderDeadlines },
    Reconciler { name: "lapse_consents", schedule: "*/10 * * * * *", job: Job::LapseConsents },
    Reconciler { name: "draft_settlements", schedule: "0 30 1 1-10 * *", job: Job::DraftSettlements },
    Reconciler { name: "seal_audit", schedule: "0 */5 * * * *", job: Job::SealAudit },
];

impl Reconciler {
    /// The last instant of the schedule up to now, as the key of a tick; none before the first.
    #[must_use]
    pub fn due(&self, now: Instant) -> Option<String> {
        let schedule = Schedule::from_str(self.schedule).ok()?;
        let local = now.with_timezone(&shanghai());
        let last = schedule.after(&(local + chrono::TimeDelta::seconds(1))).next_back()?;
        Some(last.to_rfc3339())
    }
}

/// Looks once. Each thing found is one command of its own; one that fails does not stop the others.
pub(crate) async fn run(reconciler: &Reconciler, store: &Store, source: &Source) -> Result<usize, StoreError> {
    let today = BusinessDate::of(source.now());
    let each = Each { store, source, name: reconciler.name };
    match reconciler.job {
        Job::EndNotices => {
            let due = query::work::notices_that_ended(store, today, RUN_MAX).await?;
            each.write(due.into_iter().map(|application| command::application::EndNotice { application })).await
        }
        Job::ReviewEntitlements => {
            let due = query::work::reviews_due(store, today, RUN_MAX).await?;
            each.write(due.into_iter().map(|resident| command::review::ReviewEntitlements { resident })).await
        }
        Job::OpenWindows => each.open_windows(today).await,
        Job::ExpireWindows => {
            let due = query::work::windows_that_ended(store, today, RUN_MAX).await?;
            each.write(due.into_iter().map(|window| command::entitlement::ExpireWindow { window })).await
        }
        Job::PassOrderDeadlines => {
            let due = query::work::orders_past_deadline(store, source.now(), RUN_MAX).await?;
            each.write(due.into_iter().map(|order| command::order::PassDeadline { order })).await
        }
        Job::LapseConsents => {
            let due = query::work::consents_past_deadline(store, source.now(), RUN_MAX).await?;
            each.write(due.into_iter().map(|request| command::consent::LapseConsent { request })).await
        }
        Job::DraftSettlements => {
            let month =
                BusinessDate::of(source.now()).month().first_day().minus_days(1).map_err(|cause| StoreError::refused(&cause))?.month();
            let due = query::work::months_to_draft(store, month).await?;
            let draft = |(programme, bureau)| command::settlement::DraftSettlement { programme, bureau, month };
            each.write(due.into_iter().map(draft)).await
        }
        Job::SealAudit => each.write([SealAudit]).await,
    }
}

struct Each<'a> {
    store: &'a Store,
    source: &'a Source,
    name: &'static str,
}

impl Each<'_> {
    /// Goes through all that have no window yet: whoever is not eligible today stays without one and is looked
    /// at again, and must not stand in the way of those behind.
    async fn open_windows(&self, today: BusinessDate) -> Result<usize, StoreError> {
        let mut done = 0;
        for kind in query::work::WINDOW_KINDS {
            let mut after = None;
            loop {
                let due = query::work::windows_to_open(self.store, today, kind, after, RUN_MAX).await?;
                let Some(last) = due.last().copied() else { break };
                after = Some(last);
                done += self.write(due.into_iter().map(|entitlement| command::entitlement::OpenWindow { entitlement })).await?;
            }
        }
        Ok(done)
    }

    async fn write<C: store::Command + std::fmt::Debug>(&self, commands: impl IntoIterator<Item = C>) -> Result<usize, StoreError> {
        let mut done = 0;
        for command in commands {
            // Commands of reconcilers hold one id and nothing else.
            let what = format!("{command:?}");
            match self.store.write(self.source.context(Actor::System(self.name)), command).await {
                Ok(_) => done += 1,
                Err(cause) => {
                    metrics::counter!("reconciler_failures_total", "job" => self.name).increment(1);
                    tracing::error!(job = self.name, what, code = cause.code(), "reconciler failed on one thing: {cause}");
                }
            }
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_the_last_instant_of_the_schedule() {
        let at = |text: &str| ALL[0].due(text.parse().unwrap()).unwrap();
        assert_eq!(at("2026-11-23T04:05:59Z"), "2026-11-23T12:05:00+08:00");
        assert_eq!(at("2026-11-23T04:05:00Z"), "2026-11-23T12:05:00+08:00");
        assert_eq!(at("2026-11-23T04:04:59Z"), "2026-11-23T12:04:00+08:00");
    }

    #[test]
    fn every_schedule_can_be_read() {
        for reconciler in ALL {
            assert!(reconciler.due("2026-11-23T04:05:59Z".parse().unwrap()).is_some(), "{}", reconciler.name);
        }
    }
}
