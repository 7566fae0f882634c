//! A process that serves one city until it is told to stop.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use futures::{FutureExt as _, future::BoxFuture};
use store::{Source, Store};
use tokio::{net::TcpListener, sync::watch};
use workers::port::Ports;

use super::connections;
use crate::{
    cli::{
        failure::Failure,
        open::{Opened, Task},
    },
    router,
    settings::Settings,
    state::AppState,
    telemetry::{LogGuard, Metrics, Refresh, metrics_router},
};

/// How long requests and steps in progress may take after the signal to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// A prepared process: everything is checked, and its addresses are taken.
#[derive(Debug)]
pub struct Service {
    store: Store,
    source: Source,
    /// The service and its listener.
    site: Option<(TcpListener, Router)>,
    metrics: Option<(TcpListener, Router)>,
    /// How messages leave, if this process does background work.
    works: Option<Ports>,
}

/// Takes an address.
///
/// # Errors
/// [`Failure::Configuration`] when it is in use or not ours; `choose` says how to choose another.
pub async fn listen(address: SocketAddr, choose: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|cause| {
        let reason = if cause.kind() == std::io::ErrorKind::AddrInUse {
            format!("the address {address} is in use; stop the other program or choose another with {choose}")
        } else {
            format!("the address {address} cannot be used: {cause}; choose another with {choose}")
        };
        Failure::configuration(reason)
    })
}

/// The addresses of a process, taken before anything is changed for its sake.
#[derive(Debug)]
pub struct Listeners {
    site: Option<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Listeners {
    /// Takes the addresses that the tasks need.
    ///
    /// # Errors
    /// Addresses in use or not ours.
    pub async fn take(settings: &Settings, tasks: &[Task]) -> Result<Self, Failure> {
        let site = if tasks.contains(&Task::Serve) { Some(listen(settings.listen, "--listen").await?) } else { None };
        let metrics = match settings.metrics_listen {
            Some(address) => Some(listen(address, "YIJIA_METRICS_LISTEN").await?),
            None => None,
        };
        Ok(Self { site, metrics })
    }
}

impl Service {
    /// Builds the routers of the addresses that were taken.
    ///
    /// # Errors
    /// Routes without rules.
    pub fn prepare(settings: Settings, opened: Opened, listeners: Listeners, tasks: &[Task], log: &LogGuard) -> Result<Self, Failure> {
        let Opened { store, source, clock } = opened;
        let site = match listeners.site {
            Some(listener) => {
                let state = AppState {
                    store: store.clone(),
                    source: source.clone(),
                    clock,
                    public_url: Arc::new(settings.public_url),
                    trusted_proxies: Arc::new(settings.trusted_proxies),
                };
                Some((listener, router::build(state).map_err(|cause| Failure::configuration(cause.to_string()))?))
            }
            None => None,
        };
        let metrics = match listeners.metrics {
            Some(listener) => {
                let metrics = Metrics::install(log).map_err(|cause| Failure::refused(format!("the metrics cannot be begun: {cause}")))?;
                Some((listener, metrics_router(metrics, backlog_of(store.clone()))))
            }
            None => None,
        };
        let works = if tasks.contains(&Task::Work) { Some(settings.mail.ports().map_err(Failure::configuration)?) } else { None };
        Ok(Self { store, source, site, metrics, works })
    }

    /// What listens where, one line each.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let line = |what: &str, listener: &TcpListener| listener.local_addr().map(|address| format!("{what} http://{address}")).ok();
        let site = self.site.as_ref().and_then(|(listener, _)| line("pages and API:", listener));
        let metrics = self.metrics.as_ref().and_then(|(listener, _)| line("metrics:      ", listener));
        site.into_iter().chain(metrics).collect()
    }

    /// The address of pages and API, with the port that the system chose if none was asked for.
    #[must_use]
    pub fn site_address(&self) -> Option<SocketAddr> {
        self.site.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    /// Serves until the process is told to stop (SIGTERM, SIGINT), then lets what is in progress end.
    ///
    /// # Errors
    /// A part ended by itself.
    pub async fn run(self) -> Result<(), Failure> {
        self.run_until(stop_signal()).await
    }

    /// As [`Self::run`], until `stop` is ready.
    ///
    /// # Errors
    /// A part ended by itself.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        let (stopping, stopped) = watch::channel(false);
        let site = serve("site", self.site, stopped.clone());
        let metrics = serve("metrics", self.metrics, stopped.clone());
        let work = work(self.works, self.store.clone(), self.source, stopped);
        let parts = async { tokio::try_join!(site, metrics, work).map(|_ended| ()) };
        let deadline = async {
            stop.await;
            tracing::info!("stopping");
            // The receivers may have gone already, when a part ended by itself.
            stopping.send_replace(true);
            tokio::time::sleep(DRAIN).await;
        };
        tokio::pin!(deadline);
        let outcome = tokio::select! {
            outcome = parts => outcome,
            () = &mut deadline => {
                tracing::warn!(seconds = DRAIN.as_secs(), "work in progress did not end in time and was left");
                Ok(())
            }
        };
        if let Err(cause) = self.store.close().await {
            tracing::warn!(code = cause.code(), "the database was not closed in order");
        }
        tracing::info!("stopped");
        outcome
    }
}

async fn serve(name: &'static str, part: Option<(TcpListener, Router)>, stopped: watch::Receiver<bool>) -> Result<(), Failure> {
    let Some((listener, router)) = part else { return Ok(()) };
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, part = name, "listening");
    }
    connections::serve(listener, router, told(stopped)).await;
    Ok(())
}

/// Background work in a task of its own; if it dies the process ends, so that whoever watches it starts it anew.
async fn work(wanted: Option<Ports>, store: Store, source: Source, stopped: watch::Receiver<bool>) -> Result<(), Failure> {
    let Some(ports) = wanted else { return Ok(()) };
    let ended = tokio::spawn(workers::run(store, source, ports, told(stopped))).await;
    ended.map_err(|_panic| Failure::refused("the background work died; the log says where"))
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender has gone, which is an end as well.
    drop(stopped.wait_for(|stopped| *stopped).await);
}

/// Ready when the process is told to stop.
#[cfg(unix)]
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => signals.recv().await,
            Err(_unsupported) => std::future::pending().await,
        }
    };
    tokio::select! {
        _signal = terminated => {}
        _signal = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    drop(tokio::signal::ctrl_c().await);
}

/// Looks up what waits, for a process whose own workers do not.
fn backlog_of(store: Store) -> Refresh {
    Arc::new(move || -> BoxFuture<'static, ()> {
        let store = store.clone();
        async move {
            if let Ok(backlog) = store.backlog().await {
                let gauges = [
                    ("deliveries_pending", backlog.pending),
                    ("deliveries_dead", backlog.dead),
                    ("events_undispatched", backlog.undispatched),
                ];
                for (name, count) in gauges {
                    metrics::gauge!(name).set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
                }
            }
        }
        .boxed()
    })
}
