//! The file of a backup: a tar archive of the manifest and, after it, the database.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use domain::time::Instant;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::backup::Holding;

use crate::cli::failure::Failure;

const MANIFEST: &str = "manifest.json";
/// Form of the archive; another one is refused.
const FORMAT: u32 = 1;
/// A manifest is a few kilobytes.
const MANIFEST_MAX: u64 = 1024 * 1024;
const BLOCK: usize = 256 * 1024;

/// Which program wrote the database, and so which one reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// Name of the database in the archive.
    pub(super) const fn entry(self) -> &'static str {
        match self {
            Self::Sqlite => "database.sqlite",
            Self::Postgres => "database.dump",
        }
    }
}

/// What a backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// Form of the archive.
    pub(super) format: u32,
    /// Version of the program that made it.
    pub(super) program: String,
    pub(super) engine: Engine,
    /// The moment that it shows, by the machine's clock.
    pub(super) taken_at: Instant,
    pub(super) holding: Holding,
    /// Size of the database in it.
    pub(super) bytes: u64,
    /// SHA-256 of the database in it, in hexadecimal digits.
    pub(super) sha256: String,
}

impl Manifest {
    /// Describes a copy of a database, which is read once for it.
    pub(super) fn of(engine: Engine, taken_at: Instant, holding: Holding, copy: &Path, bar: &ProgressBar) -> io::Result<Self> {
        let mut hash = Hashing::new(io::sink(), bar);
        let bytes = copy_all(&mut File::open(copy)?, &mut hash)?;
        Ok(Self {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            engine,
            taken_at,
            holding,
            bytes,
            sha256: hash.finish().1,
        })
    }
}

/// Writes an archive; answers the SHA-256 of the whole.
pub(super) fn pack(manifest: &Manifest, copy: &Path, out: &mut File, bar: &ProgressBar) -> io::Result<String> {
    let mut archive = tar::Builder::new(Hashing::new(out, bar));
    let text = serde_json::to_vec_pretty(manifest)?;
    let when = u64::try_from(manifest.taken_at.timestamp()).unwrap_or(0);
    let header = |size: u64| {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(when);
        header
    };
    archive.append_data(&mut header(u64::try_from(text.len()).unwrap_or(u64::MAX)), MANIFEST, text.as_slice())?;
    archive.append_data(&mut header(manifest.bytes), manifest.engine.entry(), File::open(copy)?)?;
    let (out, sha256) = archive.into_inner()?.finish();
    out.sync_all()?;
    Ok(sha256)
}

/// Reads the manifest of a backup.
pub(super) fn read_manifest(file: &Path) -> Result<Manifest, Failure> {
    let mut archive = open(file)?;
    let mut entries = archive.entries().map_err(|cause| no_backup(file, &cause))?;
    next_manifest(file, &mut entries)
}

/// Unpacks the database of a backup into a new file, and compares it with the manifest.
pub(super) fn unpack(file: &Path, manifest: &Manifest, to: &Path, bar: &ProgressBar) -> Result<(), Failure> {
    let damaged = |what: &str| Failure::bad_data(format!("the backup {} is damaged: {what}; use another one", file.display()));
    let mut archive = open(file)?;
    let mut entries = archive.entries().map_err(|cause| no_backup(file, &cause))?;
    let again = next_manifest(file, &mut entries)?;
    if again != *manifest {
        return Err(damaged("it was changed while it was read"));
    }
    let mut database = match entries.next() {
        Some(Ok(entry)) if entry.path_bytes().as_ref() == manifest.engine.entry().as_bytes() => entry,
        Some(_) | None => return Err(damaged("the database is not in it")),
    };
    let write = |cause: io::Error| Failure::refused(format!("{} cannot be written: {cause}", to.display()));
    let mut out = Hashing::new(File::create_new(to).map_err(write)?, bar);
    let mut block = vec![0; BLOCK];
    let mut bytes = 0_u64;
    loop {
        let count = database.read(&mut block).map_err(|cause| damaged(&cause.to_string()))?;
        if count == 0 {
            break;
        }
        out.write_all(block.get(..count).unwrap_or_default()).map_err(write)?;
        bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    let (out, sha256) = out.finish();
    out.sync_all().map_err(write)?;
    if bytes != manifest.bytes {
        return Err(damaged(&format!("the database in it has {bytes} bytes instead of {}", manifest.bytes)));
    }
    if sha256 != manifest.sha256 {
        return Err(damaged("the database in it has another SHA-256 than the manifest says"));
    }
    Ok(())
}

fn open(file: &Path) -> Result<tar::Archive<File>, Failure> {
    let opened = File::open(file).map_err(|cause| Failure::bad_data(format!("{} cannot be read: {cause}", file.display())))?;
    Ok(tar::Archive::new(opened))
}

fn no_backup(file: &Path, cause: &dyn std::fmt::Display) -> Failure {
    Failure::bad_data(format!("{} is no backup of this program: {cause}", file.display()))
}

/// What is read first of a manifest, because a later form may have other fields.
#[derive(Deserialize)]
struct Form {
    format: u32,
}

fn next_manifest(file: &Path, entries: &mut tar::Entries<'_, File>) -> Result<Manifest, Failure> {
    let entry = match entries.next() {
        Some(Ok(entry)) if entry.path_bytes().as_ref() == MANIFEST.as_bytes() => entry,
        Some(Ok(_)) | None => return Err(no_backup(file, &"it does not begin with a manifest")),
        Some(Err(cause)) => return Err(no_backup(file, &cause)),
    };
    let mut text = Vec::new();
    entry.take(MANIFEST_MAX).read_to_end(&mut text).map_err(|cause| no_backup(file, &cause))?;
    let form: Form = serde_json::from_slice(&text).map_err(|cause| no_backup(file, &format!("its manifest: {cause}")))?;
    if form.format != FORMAT {
        let cure = "use the version of the program that made it, or a newer one";
        return Err(Failure::bad_data(format!("{} is a backup of the form {}; {cure}", file.display(), form.format)));
    }
    serde_json::from_slice(&text).map_err(|cause| no_backup(file, &format!("its manifest: {cause}")))
}

/// Passes bytes on, hashes them and moves the bar.
struct Hashing<'a, W> {
    to: W,
    digest: Sha256,
    bar: &'a ProgressBar,
}

impl<'a, W> Hashing<'a, W> {
    fn new(to: W, bar: &'a ProgressBar) -> Self {
        Self { to, digest: Sha256::new(), bar }
    }

    fn finish(self) -> (W, String) {
        (self.to, self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat())
    }
}

impl<W: Write> Write for Hashing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.digest.update(bytes.get(..count).unwrap_or_default());
        self.bar.inc(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn copy_all(from: &mut impl Read, to: &mut impl Write) -> io::Result<u64> {
    io::copy(&mut io::BufReader::with_capacity(BLOCK, from), to)
}
