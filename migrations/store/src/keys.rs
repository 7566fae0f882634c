//! Encryption at rest: one file holds the keys, every ciphertext names the key that made it.
//!
//! An envelope is `version (1) | key id (8) | nonce (12) | AES-256-GCM ciphertext and tag`; the additional data
//! are table, column and row id, so that a cell cannot be moved to another place. Look-up goes over a blind
//! index: HMAC-SHA-256 under a key of its own, cut to 128 bits. The file is made at the first start and must
//! be kept apart from the database and its backups.

use std::{collections::BTreeMap, fmt, io::Write as _, path::Path};

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead as _, KeyInit as _, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const ENVELOPE_VERSION: u8 = 1;
const KEY_ID_LENGTH: usize = 8;
const NONCE_LENGTH: usize = 12;

/// Why keys or ciphertexts could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No file where the settings say.
    #[error("the key file {0} is missing; restore it from where it was kept, personal data cannot be read without it")]
    Missing(String),
    /// A file that is not a key file.
    #[error("the key file {path} cannot be used: {why}")]
    Unusable {
        /// Path.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The file exists already; it is never overwritten.
    #[error("the key file {0} exists already and is not overwritten")]
    Exists(String),
    /// The keys are not those of this database.
    #[error("the key file does not belong to this database")]
    Foreign,
    /// A ciphertext under a key that is not in the file.
    #[error("the key {0} is not in the key file")]
    UnknownKey(String),
    /// A ciphertext that does not belong to its place, or is damaged.
    #[error("a ciphertext of {0} is damaged or stands in the wrong place")]
    Damaged(&'static str),
}

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
}

/// The keys of one city, in memory.
#[derive(Clone)]
pub struct KeyRing {
    active: String,
    keys: BTreeMap<String, [u8; 32]>,
    index: [u8; 32],
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("active", &self.active).finish_non_exhaustive()
    }
}

/// The place of an encrypted value; it is bound to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    /// Table.
    pub table: &'static str,
    /// Column.
    pub column: &'static str,
    /// Row.
    pub row: Uuid,
}

impl Cell {
    fn additional_data(&self) -> String {
        format!("{}|{}|{}", self.table, self.column, self.row.simple())
    }
}

impl KeyRing {
    /// A ring with one key, from 64 random bytes.
    #[must_use]
    pub fn from_random(random: [u8; 64]) -> Self {
        let (mut key, mut index) = ([0_u8; 32], [0_u8; 32]);
        for (place, byte) in random.into_iter().enumerate() {
            let half = if place < 32 { key.get_mut(place) } else { index.get_mut(place - 32) };
            if let Some(to) = half {
                *to = byte;
            }
        }
        let active = key_id(&key);
        Self { keys: BTreeMap::from([(active.clone(), key)]), active, index }
    }

    /// Reads the key file.
    ///
    /// # Errors
    /// [`KeyError::Missing`], [`KeyError::Unusable`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let unusable = |why: String| KeyError::Unusable { path: path.display().to_string(), why };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Err(KeyError::Missing(path.display().to_string())),
            Err(cause) => return Err(unusable(cause.to_string())),
        };
        check_private(path).map_err(unusable)?;
        let file: KeyFile =
            serde_json::from_str(&text).map_err(|cause| unusable(format!("line {} is not of the form that was written", cause.line())))?;
        let decode = |name: &str, text: &str| -> Result<[u8; 32], KeyError> {
            let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.ok_or_else(|| unusable(format!("{name} is not 32 bytes in base64")))
        };
        let mut keys = BTreeMap::new();
        for (id, text) in &file.keys {
            let key = decode(id, text)?;
            if key_id(&key) != *id {
                return Err(unusable(format!("key {id} does not match its id")));
            }
            keys.insert(id.clone(), key);
        }
        if !keys.contains_key(&file.active) {
            return Err(unusable("the active key is not among the keys".to_owned()));
        }
        Ok(Self { active: file.active, keys, index: decode("index", &file.index)? })
    }

    /// Writes a new key file that only its owner can read.
    ///
    /// # Errors
    /// [`KeyError::Exists`], [`KeyError::Unusable`].
    pub fn create_file(&self, path: &Path) -> Result<(), KeyError> {
        let unusable = |cause: std::io::Error| KeyError::Unusable { path: path.display().to_string(), why: cause.to_string() };
        let keys = self.keys.iter().map(|(id, key)| (id.clone(), STANDARD.encode(key))).collect();
        let file = KeyFile {
            purpose: "Encryption keys of a Yijia city. Keep a copy apart from the database and its backups.".to_owned(),
            active: self.active.clone(),
            keys,
            index: STANDARD.encode(self.index),
        };
        let text = serde_json::to_string_pretty(&file).map_err(|cause| unusable(std::io::Error::other(cause)))?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut out = match options.open(path) {
            Ok(out) => out,
            Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => return Err(KeyError::Exists(path.display().to_string())),
            Err(cause) => return Err(unusable(cause)),
        };
        out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(unusable)
    }

    /// Id of the key that encrypts now.
    #[must_use]
    pub fn active(&self) -> &str {
        &self.active
    }

    /// Encrypts a value for its place. The nonce must not have been used before under this key.
    pub(crate) fn seal(&self, cell: Cell, nonce: [u8; NONCE_LENGTH], plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let key = self.keys.get(&self.active).ok_or_else(|| KeyError::UnknownKey(self.active.clone()))?;
        let aad = cell.additional_data();
        let payload = Payload { msg: plain, aad: aad.as_bytes() };
        let cipher = Aes256Gcm::new(&(*key).into()).encrypt(&nonce.into(), payload).map_err(|_cause| KeyError::Damaged(cell.table))?;
        let mut envelope = Vec::with_capacity(1 + KEY_ID_LENGTH + NONCE_LENGTH + cipher.len());
        envelope.push(ENVELOPE_VERSION);
        envelope.extend_from_slice(self.active.as_bytes());
        envelope.extend_from_slice(&nonce);
        envelope.extend_from_slice(&cipher);
        Ok(envelope)
    }

    /// Decrypts a value in its place.
    pub(crate) fn open(&self, cell: Cell, envelope: &[u8]) -> Result<Vec<u8>, KeyError> {
        let damaged = KeyError::Damaged(cell.table);
        let Some((&ENVELOPE_VERSION, rest)) = envelope.split_first() else { return Err(damaged) };
        let (Some(id), Some(nonce), Some(cipher)) =
            (rest.get(..KEY_ID_LENGTH), rest.get(KEY_ID_LENGTH..KEY_ID_LENGTH + NONCE_LENGTH), rest.get(KEY_ID_LENGTH + NONCE_LENGTH..))
        else {
            return Err(damaged);
        };
        let id = String::from_utf8_lossy(id).into_owned();
        let key = self.keys.get(&id).ok_or(KeyError::UnknownKey(id))?;
        let Ok(nonce) = <[u8; NONCE_LENGTH]>::try_from(nonce) else { return Err(damaged) };
        let aad = cell.additional_data();
        let payload = Payload { msg: cipher, aad: aad.as_bytes() };
        Aes256Gcm::new(&(*key).into()).decrypt(&nonce.into(), payload).map_err(|_cause| damaged)
    }

    /// The blind index of a normalised value of a column.
    #[must_use]
    pub(crate) fn blind_index(&self, column: &str, value: &str) -> Vec<u8> {
        mac(&self.index, &[b"index", column.as_bytes(), value.as_bytes()]).into_iter().take(16).collect()
    }

    /// What a database keeps, encrypted, to recognise its keys: it follows from the index key.
    pub(crate) fn check_value(&self) -> Vec<u8> {
        self.blind_index("city.key_check", "yijia")
    }

    /// Authenticates bytes of the product's own, such as audit seals, under a named key; none if the key is
    /// not in the file.
    pub(crate) fn authenticate_under(&self, key_id: &str, purpose: &str, parts: &[&[u8]]) -> Option<[u8; 32]> {
        let key = self.keys.get(key_id)?;
        let derived = mac(key, &[b"authenticate", purpose.as_bytes()]);
        Some(mac(&derived, parts))
    }

    /// Whether bytes begin what [`KeyRing::authenticate_under`] gives; the comparison takes the same time for all.
    pub(crate) fn verifies_under(&self, key_id: &str, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        let Some(key) = self.keys.get(key_id) else { return false };
        let derived = mac(key, &[b"authenticate", purpose.as_bytes()]);
        feed(&derived, parts).is_some_and(|mac| mac.verify_truncated_left(tag).is_ok())
    }
}

/// HMAC-SHA-256 over length-prefixed parts.
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    feed(key, parts).map_or([0; 32], |mac| mac.finalize().into_bytes().into())
}

/// HMAC accepts keys of any length, so that there always is one.
fn feed(key: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    Some(mac)
}

/// The id of a key: the first four bytes of its hash.
fn key_id(key: &[u8; 32]) -> String {
    Sha256::digest(key).iter().take(KEY_ID_LENGTH / 2).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(row: u128) -> Cell {
        Cell { table: "resident", column: "document_enc", row: Uuid::from_u128(row) }
    }

    #[test]
    fn a_ciphertext_names_its_key_and_is_bound_to_its_row() {
        let ring = KeyRing::from_random([7; 64]);
        let envelope = ring.seal(cell(1), [9; 12], b"secret").unwrap();
        assert_eq!(&envelope[1..9], ring.active().as_bytes());
        assert_eq!(ring.open(cell(1), &envelope).unwrap(), b"secret");
        assert!(matches!(ring.open(cell(2), &envelope), Err(KeyError::Damaged("resident"))));
        let other = KeyRing::from_random([8; 64]);
        assert!(matches!(other.open(cell(1), &envelope), Err(KeyError::UnknownKey(_))));
        for length in 0..envelope.len() {
            assert!(ring.open(cell(1), &envelope[..length]).is_err());
        }
    }

    #[test]
    fn the_blind_index_depends_on_value_column_and_key() {
        let ring = KeyRing::from_random([7; 64]);
        let index = ring.blind_index("document", "11010519491231002X");
        assert_eq!(index.len(), 16);
        assert_eq!(index, ring.blind_index("document", "11010519491231002X"));
        assert_ne!(index, ring.blind_index("phone", "11010519491231002X"));
        assert_ne!(index, KeyRing::from_random([8; 64]).blind_index("document", "11010519491231002X"));
    }

    #[test]
    fn a_key_file_is_written_once_privately_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        assert!(matches!(KeyRing::load(&path), Err(KeyError::Missing(_))));
        let ring = KeyRing::from_random([7; 64]);
        ring.create_file(&path).unwrap();
        assert!(matches!(ring.create_file(&path), Err(KeyError::Exists(_))));
        assert_eq!(KeyRing::load(&path).unwrap().active(), ring.active());
        std::fs::write(&path, "{}").unwrap();
        assert!(matches!(KeyRing::load(&path), Err(KeyError::Unusable { .. })));
    }
}
