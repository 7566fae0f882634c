//! `yijia assess`.

use std::path::PathBuf;

use clap::Args;
use domain::assessment::sheet;

use super::{failure::Failure, file, output::Output};

/// Finds the ability level (GB/T 42195-2022) of each row of item scores, with the rules that changed it.
///
/// Reads UTF-8 CSV with the columns `resident_id`, `B.1.1` to `B.4.5`, `coma`, `dementia`, `mental_disorder`
/// (0 or 1) and `risk_events_30d` (a count). Writes CSV `resident_id,total,preliminary_level,final_level,reasons`.
/// A faulty sheet is refused as a whole, with every fault.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  yijia assess scores.csv\n  yijia assess scores.csv --out levels.csv\n  cat scores.csv | yijia assess - --json"
)]
pub(super) struct AssessArgs {
    /// The sheet, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the result to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write JSON Lines instead of CSV
    #[arg(long)]
    json: bool,
}

impl AssessArgs {
    pub(super) fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let rows = sheet::read(&file::read(&self.file)?).map_err(|faults| self.refuse(&faults))?;
        let result = if self.json { json_lines(&rows)? } else { sheet::write(&rows) };
        match &self.out {
            Some(target) => file::write(target, &self.file, &result),
            None => output.text(&result),
        }
    }

    fn refuse(&self, faults: &[sheet::SheetFault]) -> Failure {
        let name = file::name(&self.file);
        let lines = faults.iter().map(|fault| {
            let column = if fault.column.is_empty() { String::new() } else { format!(" column {}:", fault.column) };
            format!("{name}:{}:{column} {}; {}", fault.line, fault.message, fault.cure)
        });
        Failure::BadData(lines.collect())
    }
}

fn json_lines(rows: &[sheet::SheetRow]) -> Result<String, Failure> {
    let mut text = String::new();
    for row in rows {
        let line = serde_json::to_string(&row.result())
            .map_err(|cause| Failure::refused(format!("the result cannot be written as JSON: {cause}")))?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}
