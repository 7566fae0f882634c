//! `yijia import`.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use domain::{access::Actor, onboarding::SheetKind, sheet::SheetFault};
use serde::Serialize;
use store::command::import::{ImportSheet, ImportState, SheetImport};

use super::{failure::Failure, file, open, output::Output, place::Place};
use crate::spreadsheet;

/// Takes over a sheet (CSV or XLSX) of what a city has already, whole or not at all; also beside a running server.
///
/// Handed in again it makes nothing twice: rows that are there with the same values are passed over. A sheet of
/// entitlements waits for the approval of another person. The columns are described in `domain/README.md`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  yijia import residents old-register.xlsx --dir demo --dry-run\n  yijia import residents old-register.xlsx --dir demo --clerk chen.li\n  yijia import prices prices.csv --dir demo --faults prices-with-faults.csv"
)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    place: Place,
    /// What the sheet holds: residents, entitlements, providers, carers or prices
    #[arg(value_name = "KIND")]
    kind: SheetKind,
    /// The sheet, or - for CSV on standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Look at the sheet and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Login of the county clerk who answers for the sheet; not needed where there is only one
    #[arg(long, value_name = "LOGIN")]
    clerk: Option<String>,
    /// Write the sheet with the faults of each row beside it to this file, if there are any
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    state: ImportState,
    sheet_import_id: Option<String>,
    rows: u64,
    new: u64,
    same: u64,
    faults: &'a [SheetFault],
}

impl ImportArgs {
    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let settings = self.place.settings()?;
        let grid = spreadsheet::read(&file::read(&self.file)?).map_err(|faults| self.refuse(&faults))?;
        let grid = Arc::new(grid);
        let opened = open::open(&settings).await?;
        let command = ImportSheet { kind: self.kind, grid: Arc::clone(&grid), rehearse: self.dry_run, clerk: self.clerk.clone() };
        let seen = opened.store.write(opened.source.context(Actor::System("import")), command).await?;
        if !seen.faults.is_empty() {
            if let Some(target) = &self.faults {
                file::write(target, &self.file, &grid.with_faults(&seen.faults))?;
            }
            return Err(self.refuse(&seen.faults));
        }
        self.tell(&seen, output)
    }

    fn refuse(&self, faults: &[SheetFault]) -> Failure {
        let name = file::name(&self.file);
        let lines = faults.iter().map(|fault| {
            let column = if fault.column.is_empty() { String::new() } else { format!(" column {}:", fault.column) };
            format!("{name}:{}:{column} {}; {}", fault.line, fault.message, fault.cure)
        });
        Failure::BadData(lines.collect())
    }

    fn tell(&self, seen: &SheetImport, output: &mut Output) -> Result<(), Failure> {
        let SheetImport { import_id, state, rows, new, same, faults, .. } = seen;
        let sheet_import_id = import_id.map(|id| id.to_string());
        if self.json {
            return output.json(&Told { state: *state, sheet_import_id, rows: *rows, new: *new, same: *same, faults });
        }
        let counts = format!("{rows} rows: {new} new, {same} there already");
        output.line(match (state, sheet_import_id) {
            (ImportState::Submitted, Some(id)) => {
                format!("{counts}; they wait as {id} for another person: POST /api/v1/sheet_imports/{id}/approval")
            }
            (ImportState::Applied, Some(id)) => format!("{counts}; taken over as {id}"),
            (ImportState::Rehearsed | ImportState::Refused | ImportState::Submitted | ImportState::Applied, _) => {
                format!("{counts}; nothing was written")
            }
        })
    }
}
