//! `yijia serve` and `yijia work`.

mod connections;
mod service;

use clap::Args;

use super::{
    failure::Failure,
    open::{self, Task},
    output::Output,
    place::Place,
};
use crate::{
    settings::{Key, Settings},
    telemetry,
};

pub use service::{Listeners, Service, listen};

/// Where metrics are served unless something else is set.
pub(super) const METRICS_LISTEN: &str = "127.0.0.1:9600";

/// Serves pages and API, and does the background work in the same process.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  yijia serve --dir /var/lib/yijia\n  DATABASE_URL=postgres://… YIJIA_KEY_FILE=… yijia serve --no-workers --listen 0.0.0.0:8600"
)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    place: Place,
    /// Leave the background work to `yijia work`
    #[arg(long)]
    no_workers: bool,
    /// Address and port of pages and API, before `YIJIA_LISTEN`
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

/// Does the background work, for a city whose pages another process serves.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  yijia work --dir /var/lib/yijia\n  YIJIA_METRICS_LISTEN=127.0.0.1:9601 yijia work --config /etc/yijia.toml"
)]
pub(super) struct WorkArgs {
    #[command(flatten)]
    place: Place,
}

impl ServeArgs {
    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let options = self.listen.iter().map(|address| (Key::Listen, "--listen", address.clone())).collect();
        let settings = Settings::load(&self.place.inputs(options, Some(METRICS_LISTEN)))?;
        let tasks: &[Task] = if self.no_workers { &[Task::Serve] } else { &[Task::Serve, Task::Work] };
        run(settings, tasks, output).await
    }
}

impl WorkArgs {
    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let settings = Settings::load(&self.place.inputs(Vec::new(), Some(METRICS_LISTEN)))?;
        run(settings, &[Task::Work], output).await
    }
}

async fn run(settings: Settings, tasks: &[Task], output: &mut Output) -> Result<(), Failure> {
    let log = telemetry::init(&settings.log).map_err(|cause| Failure::refused(format!("the log cannot be begun: {cause}")))?;
    telemetry::log_panics();
    let _locks = open::take_locks(&settings, tasks)?;
    let opened = open::open(&settings).await?;
    let listeners = Listeners::take(&settings, tasks).await?;
    let service = Service::prepare(settings, opened, listeners, tasks, &log)?;
    for line in service.addresses() {
        output.complain(line);
    }
    service.run().await
}
