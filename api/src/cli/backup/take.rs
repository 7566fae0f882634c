//! `yijia backup create`.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use domain::{access::Actor, time::Instant};
use store::{
    Database, Schema, SystemClock,
    backup::{Holding, RecordBackup},
};

use super::{
    CreateArgs,
    archive::{self, Engine, Manifest},
    postgres,
};
use crate::{
    cli::{failure::Failure, open, output::Output},
    settings::{self, Settings},
};

pub(super) async fn create(args: &CreateArgs, output: &mut Output) -> Result<(), Failure> {
    let settings = args.place.settings()?;
    let folder = folder_of(&args.out)?;
    let refuse = |cause: std::io::Error| Failure::refused(format!("nothing can be written in {}: {cause}", folder.display()));
    // Beside the file, because the copy of the database must find room there in any case.
    let work = tempfile::Builder::new().prefix(".yijia-backup-").tempdir_in(&folder).map_err(refuse)?;
    let database = open::connect(&settings).await?;
    let taken_at = SystemClock::default().unmoved_now();
    let spinner = output.spinner("copying the database");
    let (engine, copy, holding) = copy(&settings, &database, work.path()).await?;
    spinner.finish_and_clear();

    let size = std::fs::metadata(&copy).map_err(refuse)?.len();
    let bar = output.bar(size.saturating_mul(2), "packing");
    let manifest = Manifest::of(engine, taken_at, holding, &copy, &bar).map_err(refuse)?;
    let mut out = tempfile::Builder::new().prefix(".yijia-backup-").tempfile_in(&folder).map_err(refuse)?;
    let sha256 = archive::pack(&manifest, &copy, out.as_file_mut(), &bar).map_err(refuse)?;
    bar.finish_and_clear();
    let bytes = out.as_file().metadata().map_err(refuse)?.len();
    out.persist_noclobber(&args.out).map_err(|cause| match cause.error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(&args.out),
        _ => refuse(cause.error),
    })?;
    // The name is on the disk once the folder is.
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(refuse)?;

    let noted = note(&settings, database, taken_at, &sha256, bytes).await;
    tell(args, &settings, &manifest, &sha256, bytes, output)?;
    // The backup is there; only `doctor` will not know of it.
    noted.unwrap_or_else(|why| output.complain(format!("this backup could not be noted in the database: {why}")));
    Ok(())
}

fn exists(out: &Path) -> Failure {
    Failure::refused(format!("{} exists already and is not replaced; choose another --out", out.display()))
}

/// The folder of the file to make, which must be free.
fn folder_of(out: &Path) -> Result<PathBuf, Failure> {
    if out.symlink_metadata().is_ok() {
        return Err(exists(out));
    }
    let folder = match out.parent() {
        Some(folder) if folder.as_os_str().is_empty() => PathBuf::from("."),
        Some(folder) => folder.to_owned(),
        None => return Err(Failure::refused(format!("{} is no name of a file; choose another --out", out.display()))),
    };
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err(Failure::refused(format!("there is no folder {}; make it or choose another --out", folder.display())))
    }
}

/// Copies the database into a folder, and reads what it holds from the same moment.
async fn copy(settings: &Settings, database: &Database, folder: &Path) -> Result<(Engine, PathBuf, Holding), Failure> {
    match settings.database.engine() {
        settings::Engine::Sqlite { .. } => {
            let copy = folder.join(Engine::Sqlite.entry());
            database.copy_to(&copy).await?;
            let holding = examine(&copy).await?;
            Ok((Engine::Sqlite, copy, holding))
        }
        settings::Engine::Postgres => {
            let server = settings.database.server_parts().map_err(Failure::configuration)?;
            let copy = folder.join(Engine::Postgres.entry());
            let exported = database.export_snapshot().await?;
            tokio::task::block_in_place(|| postgres::dump(&server, &exported.name, &copy))?;
            Ok((Engine::Postgres, copy, exported.holding))
        }
    }
}

/// Checks a copy of a SQLite database and reads what it holds.
pub(super) async fn examine(copy: &Path) -> Result<Holding, Failure> {
    let database = Database::connect(&url_of(copy)?, 1).await?;
    let faults = database.check_integrity().await?;
    if !faults.is_empty() {
        let lines = faults.into_iter().map(|fault| format!("  {fault}"));
        return Err(Failure::Refused(std::iter::once("SQLite finds the copy damaged:".to_owned()).chain(lines).collect()));
    }
    let holding = database.holding().await?;
    database.close().await?;
    Ok(holding)
}

/// The address of a SQLite file.
pub(super) fn url_of(file: &Path) -> Result<String, Failure> {
    let text = file.to_str().ok_or_else(|| Failure::refused(format!("the path {} is not UTF-8", file.display())))?;
    Ok(format!("sqlite:{}", text.replace('%', "%25").replace('?', "%3F")))
}

/// Notes the backup in the database that was copied, if it has this program's schema and its keys are there.
async fn note(settings: &Settings, database: Database, taken_at: Instant, sha256: &str, bytes: u64) -> Result<(), String> {
    let why = |failure: Failure| format!("{failure:?}");
    if database.schema().await.map_err(|cause| cause.to_string())? != Schema::Current {
        return Err("its schema is not that of this program".to_owned());
    }
    let opened = open::open_connected(settings, database).await.map_err(why)?;
    let record = RecordBackup { sha256: sha256.to_owned(), bytes: i64::try_from(bytes).unwrap_or(i64::MAX), taken_at };
    let written = opened.store.write(opened.source.context(Actor::System("backup")), record).await;
    written.map_err(|cause| cause.to_string())?;
    opened.store.close().await.map_err(|cause| cause.to_string())
}

fn tell(args: &CreateArgs, settings: &Settings, manifest: &Manifest, sha256: &str, bytes: u64, output: &mut Output) -> Result<(), Failure> {
    if args.json {
        return output.json(&serde_json::json!({ "file": args.out, "bytes": bytes, "sha256": sha256, "manifest": manifest }));
    }
    let holding = &manifest.holding;
    output.line(format!("{}: {bytes} bytes, SHA-256 {sha256}", args.out.display()))?;
    output.line(format!(
        "city {}, {}, {}, as of {}: {} residents, {} orders, {} events",
        holding.city,
        holding.mode,
        manifest.engine,
        manifest.taken_at.to_rfc3339(),
        holding.counts.residents,
        holding.counts.orders,
        holding.counts.events
    ))?;
    output.line(format!(
        "the key file is not in it: without {} (key {}) nobody can read the personal data; keep a copy of it in another place",
        settings.key_file.display(),
        holding.key_id
    ))?;
    output.line(format!("check it with: yijia backup verify {}", args.out.display()))
}
