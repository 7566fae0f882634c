//! `yijia doctor`.

use std::{fmt, path::Path};

use clap::Args;
use domain::time::BusinessDate;
use serde::Serialize;
use store::{CityMode, KeyRing, Store, SystemClock};

use super::{failure::Failure, open, output::Output, place::Place};
use crate::{
    health::describe_schema,
    settings::{Engine, Settings},
};

/// Free space under which the database may soon stop, in MiB.
const DISK_WARN_MIB: u64 = 1024;
/// Free space under which it is about to stop, in MiB.
const DISK_FAIL_MIB: u64 = 128;
/// A city is backed up every day; from this age on it is time.
const BACKUP_HOURS_MAX: i64 = 26;

/// Checks settings, key file, database, schema, calendar, clock and disk; each fault comes with its cure.
/// Changes nothing, also beside a running server.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  yijia doctor --dir /var/lib/yijia\n  yijia doctor --json")]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    place: Place,
    /// Write JSON Lines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// One line of the report; `text` names the cure of what is not well.
#[derive(Debug, Serialize)]
struct Finding {
    verdict: Verdict,
    check: &'static str,
    text: String,
}

#[derive(Debug, Default)]
struct Report(Vec<Finding>);

impl Report {
    fn add(&mut self, verdict: Verdict, check: &'static str, text: impl Into<String>) {
        self.0.push(Finding { verdict, check, text: text.into() });
    }

    /// Notes each line of a failure.
    fn fail(&mut self, check: &'static str, failure: Failure) {
        match failure {
            Failure::Refused(lines) | Failure::BadData(lines) | Failure::Configuration(lines) => {
                for line in lines {
                    self.add(Verdict::Fail, check, line);
                }
            }
            Failure::Usage | Failure::Help => {}
        }
    }
}

impl DoctorArgs {
    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let mut report = Report::default();
        match self.place.found().settings {
            Ok(settings) => {
                report.add(Verdict::Ok, "settings", "usable");
                examine(&settings, &mut report).await;
            }
            Err(faults) => report.fail("settings", faults.into()),
        }
        for finding in &report.0 {
            if self.json {
                output.json(finding)?;
            } else {
                output.line(format!("{:<5} {:<9} {}", finding.verdict, finding.check, finding.text))?;
            }
        }
        let failed = report.0.iter().filter(|finding| finding.verdict == Verdict::Fail).count();
        if failed == 0 { Ok(()) } else { Err(Failure::refused(format!("{failed} of {} checks failed", report.0.len()))) }
    }
}

async fn examine(settings: &Settings, report: &mut Report) {
    examine_addresses(settings, report);
    if let Engine::Sqlite { file, .. } = settings.database.engine() {
        examine_disk(file, report);
    }
    match open::load_keys(settings) {
        Ok(keys) => examine_keys(settings, &keys, report),
        Err(cause) => report.add(Verdict::Fail, "keys", cause.to_string()),
    }
    let database = match open::connect(settings).await {
        Ok(database) => database,
        Err(failure) => return report.fail("database", failure),
    };
    report.add(Verdict::Ok, "database", reached(settings));
    match database.schema().await {
        Ok(schema) => match describe_schema(&schema) {
            Ok(()) => report.add(Verdict::Ok, "schema", "that of this program"),
            Err(reason) => return report.add(Verdict::Fail, "schema", reason),
        },
        Err(cause) => return report.fail("schema", cause.into()),
    }
    match open::open_connected(settings, database).await {
        Ok(opened) => examine_city(&opened.store, report).await,
        Err(failure) => report.fail("city", failure),
    }
}

fn examine_keys(settings: &Settings, keys: &KeyRing, report: &mut Report) {
    let (file, active, old) = (settings.key_file.display(), keys.active(), keys.old());
    if old.is_empty() {
        report.add(Verdict::Ok, "keys", format!("{file} holds the key {active}"));
    } else {
        let cure = "go on with: yijia keys rotate, and then: yijia keys rotate --finish";
        report.add(Verdict::Warn, "keys", format!("{file} holds the key {active}, and still {}; {cure}", old.join(", ")));
    }
}

/// Looks when the last backup was made. A demo needs none.
async fn examine_backups(store: &Store, mode: CityMode, report: &mut Report) {
    let cure = "make one with: yijia backup create --out FILE";
    let lacking = if mode == CityMode::Live { Verdict::Warn } else { Verdict::Ok };
    match store.last_backup().await {
        Ok(None) => report.add(lacking, "backup", format!("no backup was made yet; {cure}")),
        Ok(Some(taken_at)) => {
            let hours = (SystemClock::default().unmoved_now() - taken_at).num_hours();
            if hours < BACKUP_HOURS_MAX {
                report.add(Verdict::Ok, "backup", format!("the last one was made {hours} hours ago"));
            } else {
                report.add(lacking, "backup", format!("the last one was made {hours} hours ago; {cure}"));
            }
        }
        Err(cause) => report.fail("backup", cause.into()),
    }
}

fn reached(settings: &Settings) -> String {
    let address = settings.database.redacted();
    match settings.database.engine() {
        // Connecting reads the pragmas back and fails where they do not hold.
        Engine::Sqlite { .. } => format!("{address} answers, with WAL, synchronous=FULL and foreign keys"),
        Engine::Postgres => format!("{address} answers"),
    }
}

fn examine_addresses(settings: &Settings, report: &mut Report) {
    let open = !settings.listen.ip().is_loopback();
    if open && !settings.public_url.is_https() {
        let text = format!(
            "pages are served to others on {} without TLS; put a proxy with TLS before it and set YIJIA_PUBLIC_URL to https://…",
            settings.listen
        );
        report.add(Verdict::Warn, "addresses", text);
    } else {
        report.add(Verdict::Ok, "addresses", format!("{} for {}", settings.listen, settings.public_url.as_str()));
    }
}

fn examine_disk(file: &Path, report: &mut Report) {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize) / (1024 * 1024);
            let verdict = if free < DISK_FAIL_MIB {
                Verdict::Fail
            } else if free < DISK_WARN_MIB {
                Verdict::Warn
            } else {
                Verdict::Ok
            };
            let cure = if verdict == Verdict::Ok { "" } else { "; make room or move the database" };
            report.add(verdict, "disk", format!("{free} MiB free in {}{cure}", folder.display()));
        }
        Err(cause) => report.add(Verdict::Fail, "disk", format!("{} cannot be examined: {cause}; correct the path", folder.display())),
    }
}

async fn examine_city(store: &Store, report: &mut Report) {
    let city = match store.city().await {
        Ok(city) => city,
        Err(cause) => return report.fail("city", cause.into()),
    };
    report.add(Verdict::Ok, "city", format!("{}, {}; the key file belongs to it", city.scope, city.mode));
    let ahead = city.clock_offset_seconds;
    match (city.mode, ahead) {
        (_, 0) => report.add(Verdict::Ok, "clock", "that of the machine"),
        (CityMode::Demo, _) => {
            report.add(Verdict::Warn, "clock", format!("{ahead} seconds ahead of the machine's; a demo may, --today moves it"));
        }
        (CityMode::Live, _) => {
            report.add(Verdict::Fail, "clock", format!("{ahead} seconds ahead in a live city; restore the city's row from a backup"));
        }
    }
    examine_backups(store, city.mode, report).await;
    let today = BusinessDate::of(SystemClock::default().unmoved_now() + chrono::TimeDelta::seconds(ahead));
    let calendar = &store.reference().calendar;
    let last = calendar.last_year().map_or_else(String::new, |year| year.to_string());
    if calendar.is_provisional(today) {
        let text =
            format!("working days are known to the end of {last} only, results are provisional; install a version with the new holidays");
        report.add(Verdict::Warn, "calendar", text);
    } else {
        report.add(Verdict::Ok, "calendar", format!("working days are known to the end of {last}"));
    }
}
