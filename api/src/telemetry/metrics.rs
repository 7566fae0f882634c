//! Numbers for Prometheus, on a listener of their own.

use std::{fmt, sync::Arc, time::Duration};

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use futures::future::BoxFuture;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use store::SystemClock;

use super::log::{LogGuard, Lost};

/// How often old samples are drained when nobody asks for them.
const UPKEEP: Duration = Duration::from_secs(5);
/// Upper bounds of the durations of requests, in seconds.
const DURATIONS: [f64; 11] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Sets gauges, such as the backlog of deliveries, just before they are read.
pub type Refresh = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// The metrics of this process.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    lost: Lost,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Begins to collect. Call once per process, within a tokio runtime.
    ///
    /// # Errors
    /// Another recorder was installed before.
    pub fn install(log: &LogGuard) -> anyhow::Result<Self> {
        let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full("http_requests_seconds".to_owned()), &DURATIONS)?;
        let handle = builder.install_recorder()?;
        describe();
        let started = SystemClock::default().unmoved_now().timestamp();
        metrics::gauge!("process_start_time_seconds").set(f64::from(u32::try_from(started).unwrap_or(u32::MAX)));
        let upkeep = handle.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(UPKEEP);
            loop {
                ticks.tick().await;
                upkeep.run_upkeep();
            }
        });
        Ok(Self { handle, lost: log.lost() })
    }

    fn render(&self) -> String {
        metrics::counter!("log_lines_lost_total").absolute(self.lost.count());
        self.handle.render()
    }
}

fn describe() {
    metrics::describe_counter!("http_requests_total", "Requests answered, by method, route and status.");
    metrics::describe_histogram!("http_requests_seconds", metrics::Unit::Seconds, "Time from request to the head of its answer.");
    metrics::describe_gauge!("process_start_time_seconds", metrics::Unit::Seconds, "Start of the process, in seconds since 1970.");
    metrics::describe_counter!("log_lines_lost_total", "Log lines that could not be written.");
}

#[derive(Clone)]
struct Scrape {
    metrics: Metrics,
    refresh: Refresh,
}

/// `GET /metrics`, for a listener of its own; `refresh` sets the gauges that are looked up only when asked for.
pub fn metrics_router(metrics: Metrics, refresh: Refresh) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(Scrape { metrics, refresh })
}

async fn scrape(State(scrape): State<Scrape>) -> impl IntoResponse {
    (scrape.refresh)().await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], scrape.metrics.render())
}
