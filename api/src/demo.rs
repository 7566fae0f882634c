//! `yijia demo`: a demonstration city in a folder of its own.
//!
//! The folder is built beside its place and moved there when it is whole, so that a demo city is there
//! complete or not at all.

mod close;
mod fill;
mod folder;
mod roster;
mod seed;

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use domain::{access::Actor, sample::Size, time::BusinessDate};
use store::{CityMode, Clock as _, Database, SystemClock, command::account::authenticator_code, command::city::MoveDemoClock};

use crate::{
    cli::{
        demo::DemoArgs,
        failure::Failure,
        open::{self, Opened, Task},
        output::Output,
        serve::{Listeners, Service},
    },
    settings::Settings,
    telemetry,
};
use folder::Folder;

pub use fill::{Filled, Wanted, fill};
pub(crate) use folder::{write_answers, write_logins};
pub use seed::{Demo, Login, PASSWORD, seed};

/// From which the demo city is drawn.
const SEED: u64 = 1;
/// A demo city is served by one process.
const TASKS: [Task; 2] = [Task::Serve, Task::Work];

/// Makes or opens a demo city and serves it until told to stop.
///
/// # Errors
/// A folder that holds something else, an older demo city, a taken address, a missing key file.
pub async fn run(args: &DemoArgs, output: &mut Output) -> Result<(), Failure> {
    let dir = args.dir.as_path();
    let folder = Folder::of(dir)?;
    if args.codes {
        return tell_codes(&folder.logins()?, output);
    }
    let settings = args.settings()?;
    let log = telemetry::init(&settings.log).map_err(|cause| Failure::refused(format!("the log cannot be begun: {cause}")))?;
    telemetry::log_panics();
    // Taken first: where the service could not start, nothing is thrown away or built.
    let listeners = Listeners::take(&settings, &TASKS).await?;
    make(&folder, args.reset, output).await?;
    let demo = folder.logins()?;
    folder.need_database()?;
    let _locks = open::take_locks(&settings, &TASKS).map_err(|failure| or_reset(failure, dir))?;
    let opened = open_demo(&settings, dir).await?;
    if let Some(today) = args.today {
        move_clock(&opened, today).await?;
    }
    let today = BusinessDate::of(opened.source.now());
    let sends = settings.mail.sends();
    let service = Service::prepare(settings, opened, listeners, &TASKS, &log)?;
    tell(&service, today, output)?;
    tell_codes(&demo, output)?;
    tell_contacts(sends, output)?;
    tell_next(&service, dir, output)?;
    service.run().await
}

/// Reads the logins of a demo city.
///
/// # Errors
/// No demo city in the folder, or a file of another form.
pub fn read_logins(dir: &Path) -> Result<Demo, Failure> {
    Folder::of(dir)?.logins()
}

/// Throws the demo city away if that is asked for, and makes one where there is none.
async fn make(folder: &Folder, reset: bool, output: &Output) -> Result<(), Failure> {
    if folder.is_made() && !reset {
        return Ok(());
    }
    let _reservation = folder.reserve()?;
    if reset {
        folder.throw_away().await?;
    }
    // Another process may have made it before this one held the reservation.
    if folder.is_made() {
        return Ok(());
    }
    let wanted = Wanted { shape: Size::Street.shape(), seed: SEED, now: SystemClock::default().now(), clock_offset_seconds: 0 };
    folder.build(|fresh| make_files(fresh, wanted, output.steps("making the city"))).await
}

/// Makes a made-up city in a folder of its own, which must be free or empty.
///
/// # Errors
/// A folder that holds something, one that cannot be written, failures of the database.
pub async fn make_city(dir: &Path, wanted: &Wanted, output: &Output) -> Result<(), Failure> {
    let folder = Folder::of(dir)?;
    let _reservation = folder.reserve()?;
    folder.build(|fresh| make_files(fresh, *wanted, output.steps("making the city"))).await
}

/// Makes the files of a made-up city in an empty folder.
async fn make_files(dir: PathBuf, wanted: Wanted, progress: impl Fn(u32, u32) + Send) -> Result<Demo, Failure> {
    let keys = open::new_keys();
    keys.create_file(&dir.join("keys.json")).map_err(store::StoreError::Key)?;
    let file = dir.join("yijia.db");
    let path = file.display().to_string().replace('%', "%25").replace('?', "%3F");
    let database = Database::connect_to_build(&format!("sqlite:{path}")).await?;
    database.migrate().await?;
    let store = database.open(keys).await?;
    let filled = fill(&store, &wanted, progress).await?;
    store.close_built().await?;
    folder::sync(&file)?;
    write_answers(&dir, &filled.answers)?;
    Ok(filled.demo)
}

async fn open_demo(settings: &Settings, dir: &Path) -> Result<Opened, Failure> {
    let opened = open::open(settings).await.map_err(|failure| or_reset(failure, dir))?;
    check_mode(&opened).await?;
    Ok(opened)
}

/// An old or damaged demo city has one more cure than a live one.
fn or_reset(failure: Failure, dir: &Path) -> Failure {
    let cure = format!("or throw this demo city away and make a new one: yijia demo --dir {} --reset", dir.display());
    match failure {
        Failure::Configuration(lines) => Failure::Configuration(lines.into_iter().chain([cure]).collect()),
        other => other,
    }
}

async fn check_mode(opened: &Opened) -> Result<(), Failure> {
    if opened.store.city().await?.mode == CityMode::Demo {
        return Ok(());
    }
    Err(Failure::configuration("the folder holds a live city; use: yijia serve --dir"))
}

async fn move_clock(opened: &Opened, today: BusinessDate) -> Result<(), Failure> {
    let now = BusinessDate::of(opened.source.now());
    let days = (today.get() - now.get()).num_days();
    if days == 0 {
        return Ok(());
    }
    let offset_seconds = opened.clock.offset_seconds() + TimeDelta::days(days).num_seconds();
    opened.store.write(opened.source.context(Actor::System("demo")), MoveDemoClock { offset_seconds }).await?;
    opened.clock.move_to_offset(offset_seconds);
    Ok(())
}

fn site(service: &Service) -> String {
    service.site_address().map(|address| format!("http://{address}")).unwrap_or_default()
}

fn tell(service: &Service, today: BusinessDate, output: &mut Output) -> Result<(), Failure> {
    let address = site(service);
    output.line("Yijia 颐家: a demo city (Tianjin)")?;
    output.line(format!("  address     {address}/"))?;
    output.line(format!("  description {address}/api/v1/openapi.json"))?;
    output.line(format!("  today       {today} (move it with --today DATE)"))?;
    output.line("")
}

/// What a visitor can do with the city.
fn tell_next(service: &Service, dir: &Path, output: &mut Output) -> Result<(), Failure> {
    let (address, dir) = (site(service), dir.display());
    output.line("")?;
    output.line("Walk one order from assessment to released subsidy, in another terminal:")?;
    let walk = std::env::current_exe().map_or_else(|_cause| PathBuf::from("yijia-walk"), |own| own.with_file_name("yijia-walk"));
    output.line(format!("  {} --dir {dir} --url {address}", walk.display()))?;
    output.line(format!("New codes:            yijia demo --dir {dir} --codes"))?;
    output.line(format!("Check the books:      yijia verify --dir {dir}"))?;
    output.line("Stop with Ctrl-C.")
}

/// One line per login: role, login, password, and the code of this half minute for staff.
fn tell_codes(demo: &Demo, output: &mut Output) -> Result<(), Failure> {
    let now = SystemClock::default().unmoved_now();
    let left = 30 - now.timestamp().rem_euclid(30);
    output.line(format!("Logins (password {}; each code works once and for {left} seconds more):", demo.password))?;
    for login in &demo.logins {
        let code = login.totp_secret.as_deref().map(|secret| authenticator_code(secret, now)).transpose()?;
        let (code, secret) = (code.unwrap_or_else(|| "-".to_owned()), login.totp_secret.as_deref().unwrap_or("-"));
        output.line(format!("  {:<27} {:<18} {code:<7} authenticator secret {secret}", login.role.to_string(), login.login))?;
    }
    Ok(())
}

/// Who signs in by a code that is sent, and where the code is to be seen.
fn tell_contacts(sends: bool, output: &mut Output) -> Result<(), Failure> {
    for (login, contact) in seed::CONTACTS {
        output.line(format!("  {login} also signs in with a one-time code sent to {contact}"))?;
    }
    output.line(if sends {
        "  (codes go to YIJIA_MAIL_URL; make demo shows them on http://127.0.0.1:8680/)"
    } else {
        "  (no message leaves: YIJIA_MAIL_URL is off; make demo sets it and shows the codes on a page)"
    })?;
    output.line("  carers also sign in with a code of their provider, bound to their phone; the walk shows both")
}
