//! `yijia policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::policy::Policy;
use serde::Serialize;

use super::{failure::Failure, file, output::Output};

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Check policy files completely, without a database
    Check(CheckArgs),
}

/// Checks policy files: every fault with its file, line and rule.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  yijia policy check my-city.toml\n  yijia policy check policies/*.toml --json")]
pub(super) struct CheckArgs {
    /// Policy files, or - for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Write JSON Lines
    #[arg(long)]
    json: bool,
}

/// A file without faults.
#[derive(Debug, Serialize)]
struct Checked {
    file: String,
    programme: String,
    version: String,
}

impl PolicyCommand {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Check(args) => args.run(output),
        }
    }
}

impl CheckArgs {
    fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let (mut sound, mut faults) = (Vec::new(), Vec::new());
        for path in &self.files {
            match check(path) {
                Ok(checked) => sound.push(checked),
                Err(found) => faults.extend(found),
            }
        }
        for checked in &sound {
            if self.json {
                output.json(checked)?;
            } else {
                output.line(format!("{}: sound: {} {}", checked.file, checked.programme, checked.version))?;
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Failure::BadData(faults)) }
    }
}

fn check(path: &std::path::Path) -> Result<Checked, Vec<String>> {
    let file = file::name(path);
    let bytes = file::read(path).map_err(|failure| match failure {
        Failure::BadData(lines) | Failure::Refused(lines) | Failure::Configuration(lines) => lines,
        Failure::Usage | Failure::Help => Vec::new(),
    })?;
    let text = String::from_utf8(bytes).map_err(|cause| {
        let sound = cause.as_bytes().get(..cause.utf8_error().valid_up_to()).unwrap_or_default();
        let line = sound.split(|byte| *byte == b'\n').count();
        vec![format!("{file}:{line}: the file is not written in UTF-8; save it in UTF-8")]
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let policy = Policy::parse(&file, text).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(Checked { file, programme: policy.programme().to_string(), version: policy.version().to_owned() })
}
