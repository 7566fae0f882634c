//! Background work: subscribers react to events, reconcilers look at the database and make true what should
//! be true.
//!
//! Nobody calls a worker. A subscriber is given an event that was committed; a reconciler is given nothing
//! but the time. Both act through the commands of package `store`, so that a repeat has one effect. Start
//! reading at [`Runner::step`]; who reacts to what is in [`subscriber`], what is looked at when in
//! [`reconcile`].

mod message;
pub mod port;
pub mod reconcile;
mod retry;
pub mod subscriber;

use std::{
    collections::BTreeMap,
    future::Future,
    sync::Mutex,
    time::{Duration, Instant},
};

use domain::{access::Actor, event::Event};
use store::{
    Source, Store, StoreError,
    delivery::{Claim, Claimed, Complete, Dispatch, Outcome, TakeTick},
};

use port::Ports;

/// How long a runner without work rests.
const REST: Duration = Duration::from_millis(300);
/// How often it is counted what waits.
const GAUGES_EVERY: Duration = Duration::from_secs(15);

/// Does the background work of one city.
#[derive(Debug)]
pub struct Runner {
    store: Store,
    source: Source,
    ports: Ports,
    /// The last tick of each reconciler that this process knows of, so that the database is asked only when
    /// a new one is due.
    ticks: Mutex<BTreeMap<&'static str, String>>,
    /// When the gauges were last set.
    published: tokio::sync::Mutex<Option<Instant>>,
}

/// Works until told to stop; the step in progress is finished first.
pub async fn run(store: Store, source: Source, ports: Ports, shutdown: impl Future<Output = ()> + Send) {
    let runner = Runner::new(store, source).with_ports(ports);
    tokio::pin!(shutdown);
    loop {
        let worked = match runner.step().await {
            Ok(worked) => worked,
            Err(cause) => {
                tracing::error!(code = cause.code(), "background step failed: {cause}");
                0
            }
        };
        runner.publish_gauges().await;
        let rest = if worked > 0 { Duration::ZERO } else { REST };
        tokio::select! {
            () = &mut shutdown => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

impl Runner {
    /// A runner over one city.
    #[must_use]
    pub fn new(store: Store, source: Source) -> Self {
        Self { store, source, ports: Ports::default(), ticks: Mutex::default(), published: tokio::sync::Mutex::default() }
    }

    /// The same runner with ports to the outside; without them nothing leaves.
    #[must_use]
    pub fn with_ports(self, ports: Ports) -> Self {
        Self { ports, ..self }
    }

    /// One round: reconcilers whose time has come, then events, then deliveries. Answers how much was done.
    ///
    /// # Errors
    /// Failures of the database; what failed is done again in the next round.
    pub async fn step(&self) -> Result<usize, StoreError> {
        let mut worked = self.reconcile().await?;
        if self.store.has_work(self.source.now()).await? {
            worked += self.store.write(self.context("dispatch"), Dispatch { subscribers: subscriber::of }).await?;
            for claimed in self.store.write(self.context("claim"), Claim).await? {
                self.deliver(claimed).await?;
                worked += 1;
            }
        }
        Ok(worked)
    }

    /// Rounds until nothing is left to do now.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn drain(&self) -> Result<usize, StoreError> {
        let mut total = 0;
        loop {
            match self.step().await? {
                0 => return Ok(total),
                worked => total += worked,
            }
        }
    }

    async fn deliver(&self, claimed: Claimed) -> Result<(), StoreError> {
        let result = match (claimed.subscriber.as_str(), &claimed.event) {
            (subscriber::SEND_SIGN_IN_CODE, Event::SignInCodeAsked { code }) => {
                message::send_sign_in_code(&self.store, &self.ports, self.context("subscriber"), *code).await
            }
            _ => subscriber::handle(&self.store, &self.source, &claimed).await.map_err(message::Undelivered::Store),
        };
        let outcome = match result {
            Ok(()) => Outcome::Done,
            Err(cause) => {
                tracing::warn!(code = cause.code(), subscriber = claimed.subscriber, delivery.id = %claimed.id, attempts = claimed.attempts, "delivery failed: {cause}");
                retry::after(&cause, &claimed, self.source.now())
            }
        };
        let complete = Complete { id: claimed.id, epoch: claimed.epoch, outcome };
        if !self.store.write(self.context("complete"), complete).await? {
            tracing::warn!(delivery.id = %claimed.id, "the lease was lost before the work was done");
        }
        Ok(())
    }

    async fn reconcile(&self) -> Result<usize, StoreError> {
        let mut worked = 0;
        for reconciler in reconcile::ALL {
            let Some(period) = reconciler.due(self.source.now()) else { continue };
            let known = self.ticks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(reconciler.name) == Some(&period);
            if known {
                continue;
            }
            let taken = self.store.write(self.context("tick"), TakeTick { job: reconciler.name, period: period.clone() }).await?;
            if taken {
                worked += reconcile::run(reconciler, &self.store, &self.source).await?;
            }
            self.ticks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(reconciler.name, period);
        }
        Ok(worked)
    }

    /// Counts what waits, at most once in [`GAUGES_EVERY`].
    async fn publish_gauges(&self) {
        let mut published = self.published.lock().await;
        if published.is_some_and(|at| at.elapsed() < GAUGES_EVERY) {
            return;
        }
        *published = Some(Instant::now());
        if let Ok(backlog) = self.store.backlog().await {
            gauge("deliveries_pending", backlog.pending);
            gauge("deliveries_dead", backlog.dead);
            gauge("events_undispatched", backlog.undispatched);
        }
    }

    fn context(&self, name: &'static str) -> store::Ctx {
        self.source.context(Actor::System(name))
    }
}

fn gauge(name: &'static str, value: u64) {
    metrics::gauge!(name).set(f64::from(u32::try_from(value).unwrap_or(u32::MAX)));
}
