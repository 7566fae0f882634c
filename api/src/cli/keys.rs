//! `yijia keys`.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::{Args, Subcommand};
use domain::access::Actor;
use store::{
    KeyRing, StoreError,
    rotation::{CountCells, ReencryptCells},
};

use super::{
    failure::Failure,
    lock::Lock,
    open::{self, Opened},
    output::Output,
    place::Place,
};

/// How long a write may last that began under the old key: its time limit and some more.
const WRITES_END: Duration = Duration::from_mins(2);

/// The encryption keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Encrypt all personal data anew under a new key
    Rotate(RotateArgs),
}

/// Makes a new key in the key file and encrypts everything anew under it, batch by batch, beside a running
/// service, which notices the changed file by itself. Start it again after an interruption: it goes on where it
/// stopped. The old key stays in the file, so that both can be read, until `--finish` removes it.
///
/// Servers on several machines need the changed file at once: until they have it they cannot read what is under
/// the new key. Backups made before stay under the old key: keep a copy of the old file as long as you keep them.
/// The key of the blind index, by which identity numbers are found, is another one and is not changed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  yijia keys rotate --dir /var/lib/yijia\n  yijia keys rotate --dir /var/lib/yijia --finish")]
pub(super) struct RotateArgs {
    #[command(flatten)]
    place: Place,
    /// Remove old keys that no ciphertext names any more
    #[arg(long)]
    finish: bool,
}

impl KeysCommand {
    pub(super) async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Rotate(args) => args.run(output).await,
        }
    }
}

impl RotateArgs {
    async fn run(&self, output: &mut Output) -> Result<(), Failure> {
        let settings = self.place.settings()?;
        let keys = open::load_keys(&settings).map_err(StoreError::Key)?;
        let mut lock = settings.key_file.clone().into_os_string();
        lock.push(".lock");
        let _lock = Lock::take(&PathBuf::from(lock), "keys rotate")?;
        let database = open::connect(&settings).await?;
        let opened = open::open_with(database, keys.clone()).await?;
        let outcome =
            if self.finish { finish(&opened, &keys, &settings.key_file, output).await } else { rotate(&opened, &keys, output).await };
        opened.store.close().await?;
        outcome
    }
}

async fn rotate(opened: &Opened, keys: &KeyRing, output: &mut Output) -> Result<(), Failure> {
    let columns = opened.store.sealed_columns().await?;
    if keys.old().is_empty() {
        let mut random = [0_u8; 32];
        rand::fill(&mut random);
        let id = keys.add(random).map_err(StoreError::Key)?;
        output.line(format!("the key {id} was made; keep a copy of the key file apart from the database and its backups"))?;
    } else {
        output.line(format!("going on with the key {}; the file still holds {}", keys.active(), keys.old().join(", ")))?;
    }
    let waiting: u64 = count(opened).await?.into_iter().filter(|(id, _)| *id != keys.active()).map(|(_, cells)| cells).sum();
    let bar = output.bar(waiting, "encrypting anew");
    let mut done = 0_u64;
    for column in columns {
        let mut after = None;
        loop {
            let batch = ReencryptCells { column: column.clone(), after: after.take() };
            let batch = opened.store.write(opened.source.context(Actor::System("keys")), batch).await?;
            done = done.saturating_add(batch.cells);
            bar.inc(batch.cells);
            let Some(last) = batch.last else { break };
            after = Some(last);
        }
    }
    bar.finish_and_clear();
    output.line(format!("{done} values are encrypted anew under the key {}", keys.active()))?;
    output.line("in two minutes, remove the old key with: yijia keys rotate --finish")
}

async fn finish(opened: &Opened, keys: &KeyRing, file: &std::path::Path, output: &mut Output) -> Result<(), Failure> {
    let old = keys.old();
    if old.is_empty() {
        return output.line(format!("the file holds the key {} alone; nothing is to be removed", keys.active()));
    }
    need_quiet(file)?;
    let counts = count(opened).await?;
    let mut left: Vec<String> = Vec::new();
    for id in &old {
        if let Some(cells) = counts.get(id) {
            left.push(format!("{cells} values are still under the key {id}; first run: yijia keys rotate"));
        }
    }
    if !left.is_empty() {
        return Err(Failure::Refused(left));
    }
    for id in old {
        keys.remove(&id).map_err(StoreError::Key)?;
        output.line(format!("the key {id} was removed; backups made under it need the key file of that time"))?;
    }
    Ok(())
}

/// Refuses while a write may still be under way that began before the new key was there.
fn need_quiet(file: &std::path::Path) -> Result<(), Failure> {
    let unusable = |cause: std::io::Error| Failure::configuration(format!("the key file {} cannot be used: {cause}", file.display()));
    let modified = std::fs::metadata(file).and_then(|found| found.modified()).map_err(unusable)?;
    // A file of the future has an age that nobody knows.
    let age = now().duration_since(modified).unwrap_or(Duration::ZERO);
    match WRITES_END.checked_sub(age) {
        Some(wait) if !wait.is_zero() => Err(Failure::refused(format!(
            "the key file was changed {} seconds ago, and a write that began before may still use the old key; try again in {} seconds",
            age.as_secs(),
            wait.as_secs().saturating_add(1)
        ))),
        Some(_) | None => Ok(()),
    }
}

fn now() -> SystemTime {
    SystemTime::from(store::SystemClock::default().unmoved_now())
}

async fn count(opened: &Opened) -> Result<std::collections::BTreeMap<String, u64>, Failure> {
    Ok(opened.store.write(opened.source.context(Actor::System("keys")), CountCells).await?)
}
