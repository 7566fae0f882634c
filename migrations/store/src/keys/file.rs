//! The key file: read whole, made once, replaced in one step.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    time::SystemTime,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{KeyError, Keys, key_id};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    /// What the file is, for whoever finds it.
    purpose: String,
    /// Id of the key that encrypts.
    active: String,
    /// All keys that still decrypt, base64.
    keys: BTreeMap<String, String>,
    /// Key of the blind index, base64.
    index: String,
    /// What authenticates the audit seals of keys that were removed, base64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    seals: BTreeMap<String, String>,
}

/// By what a changed file is told from the one that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    /// Each replacement is another file.
    node: u64,
}

impl Stamp {
    pub(super) fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self { modified: found.modified().ok(), length: found.len(), node: node(&found) })
    }
}

#[cfg(unix)]
fn node(found: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

#[cfg(not(unix))]
fn node(_found: &std::fs::Metadata) -> u64 {
    0
}

fn unusable(path: &Path, why: impl Into<String>) -> KeyError {
    KeyError::Unusable { path: path.display().to_string(), why: why.into() }
}

/// Reads a key file.
pub(super) fn read(path: &Path) -> Result<Keys, KeyError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Err(KeyError::Missing(path.display().to_string())),
        Err(cause) => return Err(unusable(path, cause.to_string())),
    };
    check_private(path).map_err(|why| unusable(path, why))?;
    let file: KeyFile = serde_json::from_str(&text)
        .map_err(|cause| unusable(path, format!("line {} is not of the form that was written", cause.line())))?;
    let decode = |name: &str, text: &str| -> Result<[u8; 32], KeyError> {
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or_else(|| unusable(path, format!("{name} is not 32 bytes in base64")))
    };
    let mut keys = BTreeMap::new();
    for (id, text) in &file.keys {
        let key = decode(id, text)?;
        if key_id(&key) != *id {
            return Err(unusable(path, format!("key {id} does not match its id")));
        }
        keys.insert(id.clone(), key);
    }
    if !keys.contains_key(&file.active) {
        return Err(unusable(path, "the active key is not among the keys"));
    }
    let seals = file.seals.iter().map(|(id, text)| Ok((id.clone(), decode(id, text)?))).collect::<Result<_, KeyError>>()?;
    Ok(Keys { active: file.active, by_id: keys, index: decode("index", &file.index)?, seals })
}

fn text_of(keys: &Keys) -> io::Result<String> {
    let encode = |keys: &BTreeMap<String, [u8; 32]>| keys.iter().map(|(id, key)| (id.clone(), STANDARD.encode(key))).collect();
    let file = KeyFile {
        purpose: "Encryption keys of a Yijia city. Keep a copy apart from the database and its backups.".to_owned(),
        active: keys.active.clone(),
        keys: encode(&keys.by_id),
        index: STANDARD.encode(keys.index),
        seals: encode(&keys.seals),
    };
    serde_json::to_string_pretty(&file).map_err(io::Error::other)
}

fn write_private(path: &Path, text: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(path)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    Ok(out)
}

/// Writes a new key file.
pub(super) fn create(path: &Path, keys: &Keys) -> Result<(), KeyError> {
    match text_of(keys).and_then(|text| write_private(path, &text)) {
        Ok(_file) => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Err(KeyError::Exists(path.display().to_string())),
        Err(cause) => Err(unusable(path, cause.to_string())),
    }
}

/// Puts another key file in the place of this one: whoever reads finds the old or the new one, whole, also after
/// a loss of power. It keeps its owner, so that a service under another user can still read it.
pub(super) fn replace(path: &Path, keys: &Keys) -> Result<(), KeyError> {
    swap(path, keys).map_err(|cause| unusable(path, format!("it cannot be replaced: {cause}")))
}

fn swap(path: &Path, keys: &Keys) -> io::Result<()> {
    // What a link leads to is replaced, not the link.
    let path = path.canonicalize()?;
    let folder = path.parent().ok_or_else(|| io::Error::other("it has no folder"))?;
    let mut name = path.file_name().ok_or_else(|| io::Error::other("it has no name"))?.to_owned();
    name.push(".new");
    let fresh = folder.join(name);
    // What an interrupted change left behind was never in use.
    match std::fs::remove_file(&fresh) {
        Ok(()) => {}
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(cause),
    }
    let file = write_private(&fresh, &text_of(keys)?)?;
    keep_owner(&path, &file)?;
    std::fs::rename(&fresh, &path)?;
    File::open(folder)?.sync_all()
}

#[cfg(unix)]
fn keep_owner(path: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let (was, is) = (std::fs::metadata(path)?, file.metadata()?);
    if (was.uid(), was.gid()) == (is.uid(), is.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(was.uid()), Some(was.gid()))
}

#[cfg(not(unix))]
fn keep_owner(_path: &Path, _file: &File) -> io::Result<()> {
    Ok(())
}

/// Refuses a key file that others can read.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_err(|cause| cause.to_string())?.permissions().mode();
    let others = mode & 0o077;
    if others == 0 { Ok(()) } else { Err(format!("others can read it; run: chmod 600 {}", path.display())) }
}

#[cfg(not(unix))]
fn check_private(_path: &Path) -> Result<(), String> {
    Ok(())
}
