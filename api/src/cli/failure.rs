//! How a command ends when it does not succeed.

use store::StoreError;

use super::output::Output;
use crate::settings::SettingsError;

/// Why a command did not succeed, with the lines that say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The rules or the circumstances refuse.
    Refused(Vec<String>),
    /// The command line was wrong; it was told already.
    Usage,
    /// Only help or version was asked for.
    Help,
    /// A file or input is faulty.
    BadData(Vec<String>),
    /// Settings, key file or database do not fit.
    Configuration(Vec<String>),
}

impl Failure {
    /// A refusal with one reason.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused(vec![reason.into()])
    }

    /// A faulty input with one fault.
    pub fn bad_data(fault: impl Into<String>) -> Self {
        Self::BadData(vec![fault.into()])
    }

    /// A faulty configuration with one fault.
    pub fn configuration(fault: impl Into<String>) -> Self {
        Self::Configuration(vec![fault.into()])
    }

    /// What the reader of the command line answers: help on standard output, faults on standard error.
    pub(super) fn of_usage(answer: &clap::Error, output: &mut Output) -> Self {
        let text = answer.render().to_string();
        if answer.use_stderr() {
            output.complain(text.trim_end());
            return Self::Usage;
        }
        match output.text(&text) {
            Ok(()) => Self::Help,
            Err(failure) => failure,
        }
    }

    /// The exit code.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Help => 0,
            Self::Refused(_) => 1,
            Self::Usage => 2,
            Self::BadData(_) => 65,
            Self::Configuration(_) => 78,
        }
    }

    pub(super) fn tell(&self, output: &mut Output) {
        match self {
            Self::Refused(lines) | Self::BadData(lines) | Self::Configuration(lines) => {
                for line in lines {
                    output.complain(line);
                }
            }
            Self::Usage | Self::Help => {}
        }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::Configuration(error.0.iter().map(ToString::to_string).collect())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            // Whoever runs a command can look into the database anyhow, and needs to know what to cure.
            StoreError::Database(cause) => Self::refused(format!("{text}: {cause}")),
            StoreError::Configuration(_) | StoreError::Key(_) => Self::configuration(text),
            StoreError::Refused(refusal) => {
                let fields = refusal.fields.iter().map(|fault| format!("{}: {}", fault.field, fault.cure));
                Self::Refused([text].into_iter().chain(fields).collect())
            }
            StoreError::Stale(_)
            | StoreError::Exists { .. }
            | StoreError::KeyReused
            | StoreError::Corrupt { .. }
            | StoreError::Unknown(_)
            | StoreError::TimedOut
            | StoreError::Panicked => Self::refused(text),
        }
    }
}
