//! PostgreSQL's own programs for dumps: `pg_dump` and `pg_restore`.

use std::{
    io::ErrorKind,
    path::Path,
    process::{Command, Stdio},
};

use crate::{cli::failure::Failure, settings::ServerParts};

/// Where Debian's packages put the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Dumps the database as it is in an exported snapshot.
pub(super) fn dump(server: &ServerParts, snapshot: &str, to: &Path) -> Result<(), Failure> {
    let mut command = program("pg_dump", server);
    command.args(["--format=custom", "--no-owner", "--no-privileges", "--no-password"]).arg(format!("--snapshot={snapshot}"));
    command.arg("--file").arg(to);
    run("pg_dump", command)
}

/// Restores a dump into an empty database, whole or not at all.
pub(super) fn restore(server: &ServerParts, from: &Path) -> Result<(), Failure> {
    let mut command = program("pg_restore", server);
    command.args(["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password"]);
    // A name alone; the rest, the password among it, goes by the environment, which other users cannot read.
    command.arg("--dbname").arg(&server.name).arg(from);
    run("pg_restore", command)
}

/// The program of the newest version that is installed, or the one on PATH.
fn program(name: &str, server: &ServerParts) -> Command {
    let mut command = Command::new(newest(name).unwrap_or_else(|| name.into()));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    for (variable, _value) in std::env::vars_os() {
        if variable.to_str().is_some_and(|variable| variable.starts_with("PG")) {
            command.env_remove(variable);
        }
    }
    command.envs(server.environment());
    command
}

fn newest(name: &str) -> Option<std::path::PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).ok()?.flatten();
    let numbered =
        versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin").join(name))));
    numbered.filter(|(_, path)| path.is_file()).max().map(|(_, path)| path)
}

fn run(name: &str, mut command: Command) -> Result<(), Failure> {
    let ran = match command.stderr(Stdio::piped()).output() {
        Ok(ran) => ran,
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            let cure = "install PostgreSQL's client programs, on Debian with: apt-get install postgresql-client";
            return Err(Failure::configuration(format!("the program {name} is missing; {cure}")));
        }
        Err(cause) => return Err(Failure::refused(format!("the program {name} does not start: {cause}"))),
    };
    if ran.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    let lines = std::iter::once(format!("the program {name} failed; it said:")).chain(said.lines().map(|line| format!("  {line}")));
    Err(Failure::Refused(lines.collect()))
}
