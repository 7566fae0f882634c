//! `yijia settle`.

use std::collections::BTreeMap;

use clap::Args;
use domain::{
    access::Actor,
    division::Scope,
    policy::ProgrammeCode,
    time::{BusinessDate, Month},
};
use serde::Serialize;
use store::{
    Store,
    command::settlement::DraftSettlement,
    query::settlement::{MonthContent, ProviderContent},
};

use super::{failure::Failure, open, output::Output, place::Place};

/// Works out a month of one programme for each bureau, as the clerk will submit it, and keeps it as a draft.
///
/// Prints the same content and hash as the API. A month that was submitted is printed as it was, and not drafted
/// again. Who submits, approves and releases are persons, through the API.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  yijia settle --programme tianjin-meals --period 2026-10\n  yijia settle --programme tianjin-meals --period 2026-10 --dry-run --json"
)]
pub(super) struct SettleArgs {
    #[command(flatten)]
    place: Place,
    /// Code of the programme
    #[arg(long, value_name = "CODE")]
    programme: ProgrammeCode,
    /// Month, such as 2026-10
    #[arg(long, value_name = "YYYY-MM")]
    period: Month,
    /// Write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write JSON Lines
    #[arg(long)]
    json: bool,
}

/// One bureau's month, with the names of the API.
#[derive(Debug, Serialize)]
struct Line<'a> {
    programme: &'a str,
    bureau: &'a str,
    month: String,
    state: Option<String>,
    content_hash: &'a str,
    #[serde(rename = "line_count")]
    count: i64,
    total_fen: i64,
    statements: Vec<StatementLine<'a>>,
}

#[derive(Debug, Serialize)]
struct StatementLine<'a> {
    provider_id: String,
    line_count: i64,
    total_fen: i64,
    split: BTreeMap<&'a str, i64>,
}

impl SettleArgs {
    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let opened = open::open(&self.place.settings()?).await?;
        let today = BusinessDate::of(opened.source.now());
        let contents = opened.store.month_contents(&self.programme, self.period, today).await?;
        if !self.dry_run {
            self.draft(&opened.store, &opened.source, &contents).await?;
        }
        for content in &contents {
            if self.json {
                output.json(&line(content))?;
            } else {
                print(content, output)?;
            }
        }
        if contents.is_empty() {
            output.complain(format!("nothing was posted for {} up to {}", self.programme, self.period));
        }
        Ok(())
    }

    async fn draft(&self, store: &Store, source: &store::Source, contents: &[MonthContent]) -> Result<(), Failure> {
        for content in contents.iter().filter(|content| content.state.is_none()) {
            let bureau: Scope = content.bureau.parse().map_err(|_cause| Failure::refused("a bureau of the database cannot be read"))?;
            let draft = DraftSettlement { programme: self.programme.clone(), bureau, month: self.period };
            store.write(source.context(Actor::System("settle")), draft).await?;
        }
        Ok(())
    }
}

fn line(content: &MonthContent) -> Line<'_> {
    Line {
        programme: &content.programme,
        bureau: &content.bureau,
        month: content.month.to_string(),
        state: content.state.map(|state| state.to_string()),
        content_hash: &content.content_hash,
        count: content.line_count,
        total_fen: content.total.get(),
        statements: content.statements.iter().map(statement).collect(),
    }
}

fn statement(one: &ProviderContent) -> StatementLine<'_> {
    StatementLine {
        provider_id: one.provider_id.to_string(),
        line_count: one.line_count,
        total_fen: one.total.get(),
        split: one.split.iter().map(|(fund, part)| (fund.as_str(), part.get())).collect(),
    }
}

fn print(content: &MonthContent, output: &mut Output) -> Result<(), Failure> {
    let state = content.state.map_or_else(|| "draft".to_owned(), |state| state.to_string());
    let MonthContent { programme, bureau, month, content_hash, line_count, total, .. } = content;
    output.line(format!("{programme} {bureau} {month} {state}: {line_count} lines, {} fen, {content_hash}", total.get()))?;
    for one in &content.statements {
        let split: Vec<_> = one.split.iter().map(|(fund, part)| format!("{fund}={}", part.get())).collect();
        output.line(format!("  {} {} lines, {} fen ({})", one.provider_id, one.line_count, one.total.get(), split.join(";")))?;
    }
    Ok(())
}
