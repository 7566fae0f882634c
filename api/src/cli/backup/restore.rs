//! `yijia backup verify` and `yijia backup restore`.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use store::{Database, KeyRing, Schema, Store, StoreError};

use super::{
    RestoreArgs, VerifyArgs,
    archive::{self, Engine, Manifest},
    postgres, take,
};
use crate::{
    cli::{failure::Failure, open, output::Output, verify::tell_report},
    settings::{self, ServerParts, Settings},
};

pub(super) async fn verify(args: &VerifyArgs, output: &mut Output) -> Result<(), Failure> {
    let settings = args.place.settings()?;
    let manifest = archive::read_manifest(&args.file)?;
    let keys = open::load_keys(&settings).map_err(StoreError::Key)?;
    let work = tempfile::tempdir().map_err(|cause| Failure::refused(format!("there is no temporary folder: {cause}; set TMPDIR")))?;
    let copy = work.path().join(manifest.engine.entry());
    let bar = output.bar(manifest.bytes, "unpacking");
    archive::unpack(&args.file, &manifest, &copy, &bar)?;
    bar.finish_and_clear();
    let report = match manifest.engine {
        Engine::Sqlite => check(&take::url_of(&copy)?, &manifest, keys, output).await?,
        Engine::Postgres => verify_dump(&settings, &manifest, &copy, keys, output).await?,
    };
    tell_report(&report, false, output)?;
    let holding = &manifest.holding;
    output.line(format!("the backup of city {} as of {} can be restored", holding.city, manifest.taken_at.to_rfc3339()))
}

/// Restores a dump into a database of its own beside the one of the settings, which is removed afterwards.
async fn verify_dump(
    settings: &Settings,
    manifest: &Manifest,
    copy: &Path,
    keys: KeyRing,
    output: &mut Output,
) -> Result<store::verify::Report, Failure> {
    let server = need_server(settings)?;
    let beside = open::connect(settings).await?;
    let name = format!("yijia_verify_{}_{}", std::process::id(), manifest.taken_at.timestamp());
    let made = server.with_name(&name);
    beside.make_beside(&name).await.map_err(|cause| {
        Failure::refused(format!(
            "no database to verify in can be made on {}: {cause}; let the user CREATEDB",
            settings.database.redacted()
        ))
    })?;
    let spinner = output.spinner("restoring");
    let restored = tokio::task::block_in_place(|| postgres::restore(&made, copy));
    spinner.finish_and_clear();
    let report = match restored {
        Ok(()) => check(&made.url(), manifest, keys, output).await,
        Err(failure) => Err(failure),
    };
    beside.remove_beside(&name).await?;
    beside.close().await?;
    report
}

/// Opens a restored database, compares it with the manifest, and checks every invariant as of the backup.
async fn check(url: &str, manifest: &Manifest, keys: KeyRing, output: &mut Output) -> Result<store::verify::Report, Failure> {
    let database = Database::connect(url, 2).await?;
    compare(&database, manifest).await?;
    if matches!(database.schema().await?, Schema::Behind { .. }) {
        database.migrate().await?;
    }
    let store: Store = database.open(keys).await?;
    let spinner = output.spinner("checking every invariant");
    let now = manifest.taken_at + TimeDelta::seconds(manifest.holding.clock_offset_seconds);
    let report = store.verify(now).await;
    store.close().await?;
    spinner.finish_and_clear();
    Ok(report?)
}

async fn compare(database: &Database, manifest: &Manifest) -> Result<(), Failure> {
    let found = database.holding().await?;
    if found == manifest.holding {
        return Ok(());
    }
    Err(Failure::bad_data("the restored database does not hold what the manifest says; use another backup"))
}

pub(super) async fn restore(args: &RestoreArgs, output: &mut Output) -> Result<(), Failure> {
    let manifest = archive::read_manifest(&args.file)?;
    match (manifest.engine, &args.place.dir) {
        (Engine::Sqlite, Some(dir)) => restore_file(args, &manifest, dir, output).await,
        (Engine::Sqlite, None) => Err(Failure::configuration("this is a backup of an embedded database; name a new folder with --dir NEW")),
        (Engine::Postgres, _) => restore_dump(args, &manifest, output).await,
    }
}

async fn restore_file(args: &RestoreArgs, manifest: &Manifest, dir: &Path, output: &mut Output) -> Result<(), Failure> {
    let dir = std::path::absolute(dir).map_err(|cause| Failure::refused(format!("{} is no folder: {cause}", dir.display())))?;
    need_free(&dir)?;
    let refuse = |cause: std::io::Error| Failure::refused(format!("the folder {} cannot be made: {cause}", dir.display()));
    let parent = dir.parent().ok_or_else(|| Failure::refused("--dir names no new folder"))?;
    let work = tempfile::Builder::new().prefix(".yijia-restore-").tempdir_in(parent).map_err(refuse)?;
    let file = work.path().join("yijia.db");
    let bar = output.bar(manifest.bytes, "unpacking");
    archive::unpack(&args.file, manifest, &file, &bar)?;
    bar.finish_and_clear();
    let found = take::examine(&file).await?;
    if found != manifest.holding {
        return Err(Failure::bad_data("the restored database does not hold what the manifest says; use another backup"));
    }
    let work: PathBuf = work.keep();
    // Replaces an empty folder, and nothing else.
    std::fs::rename(&work, &dir).map_err(|cause| {
        drop(std::fs::remove_dir_all(&work));
        refuse(cause)
    })?;
    std::fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(refuse)?;
    output.line(format!("{} holds city {} as of {}", dir.display(), manifest.holding.city, manifest.taken_at.to_rfc3339()))?;
    let key = &manifest.holding.key_id;
    output.line(format!("put the key file with the key {key} there as {}", dir.join("keys.json").display()))?;
    output.line(format!("then check it with: yijia doctor --dir {0} and yijia verify --dir {0}", dir.display()))
}

/// Refuses a folder in which anything is.
fn need_free(dir: &Path) -> Result<(), Failure> {
    match std::fs::read_dir(dir).map(Iterator::count) {
        Ok(0) => Ok(()),
        Ok(_) => Err(Failure::refused(format!("the folder {} is not empty; name a new one", dir.display()))),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(Failure::refused(format!("the folder {} cannot be used: {cause}", dir.display()))),
    }
}

async fn restore_dump(args: &RestoreArgs, manifest: &Manifest, output: &mut Output) -> Result<(), Failure> {
    let settings = args.place.settings()?;
    let server = need_server(&settings)?;
    let database = open::connect(&settings).await?;
    if !database.is_bare().await? {
        let cure = "make an empty one and name it in DATABASE_URL";
        return Err(Failure::refused(format!("the database {} is not empty; {cure}", settings.database.redacted())));
    }
    let work = tempfile::tempdir().map_err(|cause| Failure::refused(format!("there is no temporary folder: {cause}; set TMPDIR")))?;
    let copy = work.path().join(manifest.engine.entry());
    let bar = output.bar(manifest.bytes, "unpacking");
    archive::unpack(&args.file, manifest, &copy, &bar)?;
    bar.finish_and_clear();
    let spinner = output.spinner("restoring");
    tokio::task::block_in_place(|| postgres::restore(&server, &copy))?;
    spinner.finish_and_clear();
    compare(&database, manifest).await?;
    database.close().await?;
    output.line(format!(
        "{} holds city {} as of {}",
        settings.database.redacted(),
        manifest.holding.city,
        manifest.taken_at.to_rfc3339()
    ))?;
    output.line(format!("put the key file with the key {} at {}", manifest.holding.key_id, settings.key_file.display()))?;
    output.line("then check it with: yijia doctor and yijia verify")
}

fn need_server(settings: &Settings) -> Result<ServerParts, Failure> {
    if let settings::Engine::Sqlite { .. } = settings.database.engine() {
        let cure = "set DATABASE_URL to postgres://… on the server to restore on, without --dir";
        return Err(Failure::configuration(format!("this is a backup of a PostgreSQL database; {cure}")));
    }
    settings.database.server_parts().map_err(Failure::configuration)
}
