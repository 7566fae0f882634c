//! `yijia verify`.

use clap::Args;
use store::verify::Report;

use super::{failure::Failure, open, output::Output, place::Place};

/// Checks every invariant of the books on the live database, also beside a running server. Changes nothing;
/// fails when one invariant does not hold.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  yijia verify --dir /var/lib/yijia\n  yijia verify --json")]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    place: Place,
    /// Write JSON Lines
    #[arg(long)]
    json: bool,
}

impl VerifyArgs {
    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let opened = open::open(&self.place.settings()?).await?;
        let spinner = output.spinner("checking every invariant");
        let report = opened.store.verify(opened.source.now()).await?;
        spinner.finish_and_clear();
        tell_report(&report, self.json, output)
    }
}

/// Tells what became of each invariant.
///
/// # Errors
/// An invariant that does not hold.
pub(super) fn tell_report(report: &Report, json: bool, output: &mut Output) -> Result<(), Failure> {
    for check in &report.checks {
        if json {
            output.json(check)?;
            continue;
        }
        let verdict = if check.faults_found == 0 { "ok   " } else { "FAULT" };
        output.line(format!("{verdict} {:<4} {} ({} rows)", check.id, check.title, check.rows_checked))?;
        for fault in &check.faults {
            output.line(format!("           {}: {}", fault.row, fault.detail))?;
        }
    }
    let faults: u64 = report.checks.iter().map(|check| check.faults_found).sum();
    if faults > 0 {
        let cure = "stop the workers and ask whoever maintains this installation";
        return Err(Failure::refused(format!("{faults} rows break an invariant; {cure}")));
    }
    if json { Ok(()) } else { output.line("every invariant holds") }
}
