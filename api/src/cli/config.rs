//! `yijia config`.

use clap::{Args, Subcommand};

use super::{failure::Failure, output::Output, place::Place};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the settings in force and where each came from, without secrets
    Show(ShowArgs),
}

/// Prints the settings that `yijia serve` would use, each with its source, and what is wrong with them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  yijia config show\n  yijia config show --config /etc/yijia.toml --json")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    place: Place,
    /// Write JSON Lines
    #[arg(long)]
    json: bool,
}

impl ConfigCommand {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Show(args) => args.run(output),
        }
    }
}

impl ShowArgs {
    fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let found = self.place.found();
        for shown in &found.shown {
            if self.json {
                output.json(shown)?;
            } else {
                let value = shown.value.as_deref().unwrap_or("-");
                output.line(format!("{:<21} {value}  ({})", shown.variable, shown.source))?;
            }
        }
        found.settings.map(|_settings| ()).map_err(Failure::from)
    }
}
