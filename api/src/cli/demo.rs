//! `yijia demo`.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use domain::time::BusinessDate;

use super::{failure::Failure, output::Output};
use crate::settings::{Inputs, Key, Settings, SettingsError};

/// Makes (or opens) a demo city in an embedded database and serves everything on one port; prints the address
/// and one login per role.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  yijia demo\n  yijia demo --dir /tmp/demo --listen 127.0.0.1:8700 --today 2026-12-01\n  yijia demo --reset"
)]
pub struct DemoArgs {
    /// Folder of the demo city
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub dir: PathBuf,
    /// Address and port, before `YIJIA_LISTEN`
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Throw the demo city away first and make a new one
    #[arg(long)]
    pub reset: bool,
    /// Move the demo's clock to this date
    #[arg(long, value_name = "DATE")]
    pub today: Option<BusinessDate>,
    /// Only print the logins of an existing demo city with the codes of this half minute
    #[arg(long)]
    pub codes: bool,
}

impl DemoArgs {
    /// The settings of the demo: those of its folder, without metrics unless an address is set for them.
    ///
    /// # Errors
    /// Every fault of the settings.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        let options = self.listen.iter().map(|address| (Key::Listen, "--listen", address.to_string())).collect();
        Settings::load(&Inputs { dir: Some(self.dir.clone()), options, ..Inputs::of_process() })
    }

    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        crate::demo::run(self, output).await
    }
}
