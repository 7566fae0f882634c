//! The commands of the program `yijia`.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 wrong use, 65 bad data, 78 bad configuration. Data goes to
//! standard output, everything else to standard error. A command writes its whole result or nothing; a
//! reader of standard output that has gone changes no exit code.

mod assess;
mod backup;
mod check_policy;
mod config;
pub mod demo;
mod doctor;
pub mod failure;
mod file;
mod import;
mod keys;
pub mod lock;
mod migrate;
pub mod open;
pub mod output;
pub mod place;
mod seed;
pub mod serve;
mod settle;
#[cfg(test)]
mod tests;
mod user;
mod verify;

use std::{ffi::OsString, future::Future, process::ExitCode};

use clap::{Parser, Subcommand};

use failure::Failure;
use output::Output;

/// Home elderly-care services of one city.
#[derive(Debug, Parser)]
#[command(name = "yijia", version, propagate_version = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 refused or failed, 2 wrong use, 65 bad data, 78 bad configuration.\n\
    `yijia COMMAND --help` shows examples.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make or open a demo city and serve everything on one port
    Demo(demo::DemoArgs),
    /// Serve pages and API, and do the background work
    Serve(serve::ServeArgs),
    /// Do the background work alone
    Work(serve::WorkArgs),
    /// Bring the database to the schema of this program
    Migrate(migrate::MigrateArgs),
    /// Make a made-up city with planted frauds, the same for the same seed
    Seed(seed::SeedArgs),
    /// Check every invariant of the books on the live database
    Verify(verify::VerifyArgs),
    /// Backups of the running database
    #[command(subcommand)]
    Backup(backup::BackupCommand),
    /// The encryption keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Work out a month of a programme, as it will be submitted
    Settle(settle::SettleArgs),
    /// Check the installation and say how to cure what is wrong
    Doctor(doctor::DoctorArgs),
    /// Settings
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Accounts
    #[command(subcommand)]
    User(user::UserCommand),
    /// Take over a sheet of what a city has already
    Import(import::ImportArgs),
    /// Find the ability level of each row of a sheet of item scores
    Assess(assess::AssessArgs),
    /// Policy files
    #[command(subcommand)]
    Policy(check_policy::PolicyCommand),
}

/// Runs one command of this process.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    ExitCode::from(run_with(args, &mut Output::of_process()))
}

/// Runs one command, and answers the exit code.
pub fn run_with(args: impl IntoIterator<Item = OsString>, output: &mut Output) -> u8 {
    let outcome = match Cli::try_parse_from(args) {
        Ok(cli) => dispatch(cli.command, output),
        Err(refusal) => Err(Failure::of_usage(&refusal, output)),
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            failure.tell(output);
            failure.exit_code()
        }
    }
}

fn dispatch(command: Command, output: &mut Output) -> Result<(), Failure> {
    match command {
        Command::Demo(args) => block_on(args.run(output)),
        Command::Verify(args) => block_on(args.run(output)),
        Command::Settle(args) => block_on(args.run(output)),
        Command::Serve(args) => block_on(args.run(output)),
        Command::Work(args) => block_on(args.run(output)),
        Command::Seed(args) => block_on(args.run(output)),
        Command::Migrate(args) => block_on(args.run(output)),
        Command::Backup(command) => block_on(command.run(output)),
        Command::Keys(command) => block_on(command.run(output)),
        Command::Doctor(args) => block_on(args.run(output)),
        Command::Config(command) => command.run(output),
        Command::User(command) => block_on(command.run(output)),
        Command::Import(args) => block_on(args.run(output)),
        Command::Assess(args) => args.run(output),
        Command::Policy(command) => command.run(output),
    }
}

/// Runs a command that waits for things.
fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|cause| Failure::refused(format!("the program cannot start its threads: {cause}")))?.block_on(command)
}
