//! Opening a city.

use std::{path::Path, sync::Arc};

use store::{Database, KeyError, KeyRing, Source, Store, StoreError, SystemClock};

use super::{failure::Failure, lock::Lock};
use crate::settings::{Engine, Settings};

/// A city that can be worked on.
#[derive(Debug)]
pub struct Opened {
    /// The city.
    pub store: Store,
    /// Where contexts come from.
    pub source: Source,
    /// The clock behind `source`; ahead of the machine's in a demo city whose clock was moved.
    pub clock: Arc<SystemClock>,
}

/// Connects to a database that exists.
///
/// # Errors
/// No file, no answer, or pragmas that do not hold.
pub async fn connect(settings: &Settings) -> Result<Database, Failure> {
    need_file(settings)?;
    connect_or_create(settings).await
}

/// Refuses an embedded database that was not made: opening it would leave an empty file behind.
fn need_file(settings: &Settings) -> Result<(), Failure> {
    if let Engine::Sqlite { file, .. } = settings.database.engine()
        && !file.exists()
    {
        let cure = "correct --dir or DATABASE_URL, or make it with: yijia migrate";
        return Err(Failure::configuration(format!("there is no database {}; {cure}", file.display())));
    }
    Ok(())
}

/// Connects, and makes an embedded database that does not exist.
///
/// # Errors
/// No answer, or pragmas that do not hold.
pub(super) async fn connect_or_create(settings: &Settings) -> Result<Database, Failure> {
    let database = Database::connect(settings.database.url(), settings.database.connections_max()).await;
    database.map_err(|cause| match cause {
        // The cause may name parts of the address, which can be a secret that stands in the wrong place.
        StoreError::Database(_) if !settings.database.is_plain() => Failure::configuration(format!(
            "the database {} cannot be reached; write DATABASE_URL as postgres://USER:PASSWORD@HOST:PORT/NAME, with %XX for signs of the \
             password that are not letters or digits",
            settings.database.redacted()
        )),
        // Nothing was asked yet, so that the cause holds addresses at most.
        StoreError::Database(cause) => Failure::configuration(format!(
            "the database {} cannot be reached: {cause}; start it or correct DATABASE_URL",
            settings.database.redacted()
        )),
        other => other.into(),
    })
}

/// Opens the city of a database.
///
/// # Errors
/// A schema that is not this program's, no key file or another city's, failures of the database.
pub async fn open(settings: &Settings) -> Result<Opened, Failure> {
    let database = connect(settings).await?;
    open_connected(settings, database).await
}

/// As [`open`], over a connection that was made before.
///
/// # Errors
/// As [`open`].
pub async fn open_connected(settings: &Settings, database: Database) -> Result<Opened, Failure> {
    open_with(database, load_keys(settings).map_err(StoreError::Key)?).await
}

/// As [`open_connected`], with keys that were read before.
///
/// # Errors
/// As [`open`], but for the key file.
pub(super) async fn open_with(database: Database, keys: KeyRing) -> Result<Opened, Failure> {
    let city = database.city().await?;
    let store = database.open(keys).await?;
    let clock = Arc::new(SystemClock::ahead_by(city.map_or(0, |city| city.clock_offset_seconds)));
    let source = Source::system(Arc::<SystemClock>::clone(&clock));
    Ok(Opened { store, source, clock })
}

/// Reads the key file. Anything else of that name is refused: reading a pipe would wait without an end.
///
/// # Errors
/// No key file, or one that cannot be used.
pub(super) fn load_keys(settings: &Settings) -> Result<KeyRing, KeyError> {
    let path = &settings.key_file;
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let why = "it is no ordinary file; name the file that holds the keys".to_owned();
        return Err(KeyError::Unusable { path: path.display().to_string(), why });
    }
    KeyRing::load(path)
}

/// What a process does with a city; each is done by one process at a time on an embedded database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Pages and API.
    Serve,
    /// Background work.
    Work,
}

/// Takes the locks of an embedded database for these tasks; a server keeps its clients apart by itself.
///
/// # Errors
/// No database, another process that does one of the tasks, or a lock file that cannot be made.
pub fn take_locks(settings: &Settings, tasks: &[Task]) -> Result<Vec<Lock>, Failure> {
    let Engine::Sqlite { lock, .. } = settings.database.engine() else { return Ok(Vec::new()) };
    need_file(settings)?;
    let take = |task: &Task| match task {
        Task::Serve => Lock::take(lock, "serve"),
        Task::Work => Lock::take(&beside(lock), "work"),
    };
    tasks.iter().map(take).collect()
}

fn beside(lock: &Path) -> std::path::PathBuf {
    let mut name = lock.to_owned().into_os_string();
    name.push("-work");
    name.into()
}

/// A new ring of keys from the randomness of the machine.
#[must_use]
pub fn new_keys() -> KeyRing {
    let mut random = [0_u8; 64];
    rand::fill(&mut random);
    KeyRing::from_random(random)
}
