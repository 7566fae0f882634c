//! `yijia backup`: copies of a running city, checked by restoring them.

mod archive;
mod postgres;
mod restore;
mod take;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{failure::Failure, output::Output, place::Place};

/// Backups of the running database. The key file is never in them.
#[derive(Debug, Subcommand)]
pub(super) enum BackupCommand {
    /// Copy the running database into one file
    Create(CreateArgs),
    /// Restore a backup into a temporary database and check every invariant of the books there
    Verify(VerifyArgs),
    /// Make a new database of a backup
    Restore(RestoreArgs),
}

/// Copies the database as it is at one moment, while the service goes on, into one tar file with a manifest:
/// schema, city, time, key id, end of the audit trail, SHA-256. The file appears whole or not at all, and an
/// existing one is never replaced. PostgreSQL is copied by its own program `pg_dump`, which must be installed.
///
/// The encryption keys are not in the backup: keep a copy of the key file in another place.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  yijia backup create --dir /var/lib/yijia --out /backup/2026-11-23.tar\n  yijia backup create --out yijia.tar --json"
)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    place: Place,
    /// The file to make; it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write the manifest as one line of JSON
    #[arg(long)]
    json: bool,
}

/// Unpacks a backup into a temporary database, compares it with its manifest, and runs the checks of
/// `yijia verify` there. Needs the key file of the city, and for PostgreSQL a server (`DATABASE_URL`) on which the
/// user may make a database. Changes nothing that exists.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  yijia backup verify /backup/2026-11-23.tar --dir /var/lib/yijia")]
pub(super) struct VerifyArgs {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Makes a new database of a backup: in the folder `--dir NEW`, or in the empty PostgreSQL database that
/// `DATABASE_URL` names. All or nothing; an existing database is never touched. Put the city's key file beside it
/// before the service is started.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  yijia backup restore /backup/2026-11-23.tar --dir /var/lib/yijia-new\n  DATABASE_URL=postgres://yijia:…@db/yijia_new yijia backup restore /backup/2026-11-23.tar"
)]
pub(super) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

impl BackupCommand {
    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Create(args) => take::create(args, output).await,
            Self::Verify(args) => restore::verify(args, output).await,
            Self::Restore(args) => restore::restore(args, output).await,
        }
    }
}
