//! A demo city on a test's own database, served on a real port, with workers that the test drives.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use api::{demo::Demo, router, state::AppState};
use domain::time::parse_instant;
use store::{Clock as _, Source, Store, SystemClock};
use tokio::{net::TcpListener, task::JoinHandle};
use workers::Runner;

use crate::{
    db::TestDb,
    walk::{CatchUp, Walk},
};

/// When a served city begins: a Tuesday morning, so that a public notice of five working days ends in the month.
pub const BEGIN: &str = "2026-12-01T09:00:00+08:00";

/// A served city.
#[derive(Debug)]
pub struct Served {
    /// Address of pages and API.
    pub base: String,
    /// The city.
    pub store: Store,
    /// Its logins.
    pub demo: Demo,
    clock: Arc<SystemClock>,
    source: Source,
    runner: Runner,
    server: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Served {
    /// Makes the demo city on an empty database and serves it.
    ///
    /// # Errors
    /// Failures of the database or of the network.
    pub async fn start(db: &TestDb) -> anyhow::Result<Self> {
        let clock = Arc::new(SystemClock::standing_at(parse_instant(BEGIN)?));
        let source = Source::fixed(Arc::<SystemClock>::clone(&clock), 1);
        let database = db.database().await?;
        database.migrate().await?;
        let store = database.open(TestDb::keys()).await?;
        let demo = api::demo::seed(&store, &source).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let public_url = Arc::new(base.parse().map_err(|cause| anyhow::anyhow!("{cause}"))?);
        let state = AppState {
            store: store.clone(),
            source: source.clone(),
            clock: Arc::clone(&clock),
            public_url,
            trusted_proxies: Arc::default(),
        };
        let router = router::build(state)?;
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { drop(axum::serve(listener, service).await) });
        let runner = Runner::new(store.clone(), source.clone());
        Ok(Self { base, store, demo, clock, source, runner, server })
    }

    /// Begins a walk; `print` receives what it says.
    pub fn walk<'a>(&'a self, serial: u32, print: Box<dyn FnMut(&str) + Send + 'a>) -> Walk<'a> {
        let drain = || -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>> {
            Box::pin(async {
                self.runner.drain().await?;
                Ok(())
            })
        };
        let catch_up: CatchUp<'a> = Box::new(drain);
        Walk::new(&self.base, self.demo.clone(), &self.clock, serial, catch_up, print)
    }

    /// The clock of the city.
    #[must_use]
    pub fn clock(&self) -> &SystemClock {
        &self.clock
    }

    /// The present instant of the city.
    #[must_use]
    pub fn now(&self) -> domain::time::Instant {
        self.clock.now()
    }

    /// Lets the workers send messages through these ports from now on.
    #[must_use]
    pub fn with_ports(mut self, ports: workers::port::Ports) -> Self {
        self.runner = Runner::new(self.store.clone(), self.source.clone()).with_ports(ports);
        self
    }

    /// Lets the workers do all that is to be done now.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn drain(&self) -> anyhow::Result<()> {
        self.runner.drain().await?;
        Ok(())
    }
}
