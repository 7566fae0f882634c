//! Which city a command works on, as every such command is told.

use std::path::PathBuf;

use clap::Args;

use crate::settings::{Found, Inputs, Key, Settings, SettingsError};

/// Where the settings come from.
#[derive(Debug, Clone, Default, Args)]
pub struct Place {
    /// TOML file with settings; the environment goes before it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of an embedded database (`yijia.db`, `keys.json`, `lock`), instead of `DATABASE_URL`
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl Place {
    /// The sources of settings: this place, the environment of the process, and options of the command line.
    #[must_use]
    pub fn inputs(&self, options: Vec<(Key, &'static str, String)>, metrics_listen_default: Option<&'static str>) -> Inputs {
        Inputs { file: self.config.clone(), dir: self.dir.clone(), options, metrics_listen_default, ..Inputs::of_process() }
    }

    /// The settings of a command that serves nothing.
    ///
    /// # Errors
    /// Every fault of the settings.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        Settings::load(&self.inputs(Vec::new(), None))
    }

    /// As the service would find them.
    #[must_use]
    pub fn found(&self) -> Found {
        Settings::find(&self.inputs(Vec::new(), Some(super::serve::METRICS_LISTEN)))
    }
}
