//! Encryption at rest: one file holds the keys, every ciphertext names the key that made it.
//!
//! An envelope is `version (1) | key id (8) | nonce (12) | AES-256-GCM ciphertext and tag`; the additional data
//! are table, column and row id, so that a cell cannot be moved to another place. Look-up goes over a blind
//! index: HMAC-SHA-256 under a key of its own, cut to 128 bits. The file is made at the first start and must
//! be kept apart from the database and its backups. A new key encrypts while the old ones still decrypt, until
//! no ciphertext names them any more (see `rotation`); the key of the blind index stays.

mod file;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead as _, KeyInit as _, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use file::Stamp;

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
    /// As [`Self::Damaged`], with table, column and row.
    #[error("the ciphertext {0} is damaged or stands in the wrong place")]
    DamagedAt(String),
}

/// The keys of one city.
///
/// A ring that was read from a file follows that file: before it encrypts, and when it meets a key that it does
/// not know, it looks whether the file has changed. So a running service goes on beside `yijia keys rotate`.
/// Clones share what they hold.
#[derive(Clone)]
pub struct KeyRing {
    shared: Arc<Shared>,
}

struct Shared {
    file: Option<PathBuf>,
    held: RwLock<Held>,
}

/// What is held in memory, and the state of the file when it was read.
#[derive(Clone)]
struct Held {
    keys: Arc<Keys>,
    stamp: Option<Stamp>,
}

/// The keys themselves.
#[derive(Clone)]
struct Keys {
    active: String,
    by_id: BTreeMap<String, [u8; 32]>,
    index: [u8; 32],
    /// What authenticates audit seals of keys that were removed; it decrypts nothing.
    seals: BTreeMap<String, [u8; 32]>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("active", &self.held().keys.active).finish_non_exhaustive()
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
        place(self.table, self.column, self.row)
    }
}

/// The place of a cell in words; a ciphertext is bound to it.
pub(crate) fn place(table: &str, column: &str, row: Uuid) -> String {
    format!("{table}|{column}|{}", row.simple())
}

impl KeyRing {
    /// A ring with one key and without a file, from 64 random bytes.
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
        let keys = Keys { by_id: BTreeMap::from([(active.clone(), key)]), active, index, seals: BTreeMap::new() };
        Self::holding(None, Held { keys: Arc::new(keys), stamp: None })
    }

    /// Reads the key file.
    ///
    /// # Errors
    /// [`KeyError::Missing`], [`KeyError::Unusable`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        // The stamp first: a file that is replaced in between is read again.
        let stamp = Stamp::of(path);
        let keys = Arc::new(file::read(path)?);
        Ok(Self::holding(Some(path.to_owned()), Held { keys, stamp }))
    }

    fn holding(file: Option<PathBuf>, held: Held) -> Self {
        Self { shared: Arc::new(Shared { file, held: RwLock::new(held) }) }
    }

    /// Writes a new key file that only its owner can read.
    ///
    /// # Errors
    /// [`KeyError::Exists`], [`KeyError::Unusable`].
    pub fn create_file(&self, path: &Path) -> Result<(), KeyError> {
        file::create(path, &self.held().keys)
    }

    /// Id of the key that encrypts now.
    #[must_use]
    pub fn active(&self) -> String {
        self.fresh().active.clone()
    }

    /// Ids of the keys that still decrypt, but do not encrypt any more.
    #[must_use]
    pub fn old(&self) -> Vec<String> {
        let keys = self.fresh();
        keys.by_id.keys().filter(|id| **id != keys.active).cloned().collect()
    }

    /// Makes a key of 32 random bytes the active one, in the file too; answers its id. The others still decrypt.
    ///
    /// # Errors
    /// A ring without a file, or a file that cannot be replaced.
    pub fn add(&self, random: [u8; 32]) -> Result<String, KeyError> {
        let mut keys = Keys::clone(&self.fresh());
        let id = key_id(&random);
        keys.by_id.insert(id.clone(), random);
        keys.active.clone_from(&id);
        self.replace(keys)?;
        Ok(id)
    }

    /// Forgets a key that no ciphertext names any more, in the file too. What authenticates the audit seals made
    /// under it is kept.
    ///
    /// # Errors
    /// The active key, a key that is not there, or a file that cannot be replaced.
    pub fn remove(&self, id: &str) -> Result<(), KeyError> {
        let mut keys = Keys::clone(&self.fresh());
        let removed = if id == keys.active { None } else { keys.by_id.remove(id) };
        let key = removed.ok_or_else(|| KeyError::UnknownKey(id.to_owned()))?;
        keys.seals.insert(id.to_owned(), authentication_key(&key, AUDIT_SEAL));
        self.replace(keys)
    }

    fn replace(&self, keys: Keys) -> Result<(), KeyError> {
        let path = self.shared.file.as_deref().ok_or_else(|| KeyError::Missing("of this ring".to_owned()))?;
        file::replace(path, &keys)?;
        *self.shared.held.write().unwrap_or_else(PoisonError::into_inner) = Held { keys: Arc::new(keys), stamp: Stamp::of(path) };
        Ok(())
    }

    fn held(&self) -> Held {
        self.shared.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keys of the file as it is now. What cannot be read does not stop a running service, which goes on with
    /// the keys that it has.
    fn fresh(&self) -> Arc<Keys> {
        let held = self.held();
        let Some(path) = self.shared.file.as_deref() else { return held.keys };
        let stamp = Stamp::of(path);
        if stamp == held.stamp {
            return held.keys;
        }
        match file::read(path) {
            Ok(keys) => {
                let keys = Arc::new(keys);
                *self.shared.held.write().unwrap_or_else(PoisonError::into_inner) = Held { keys: Arc::clone(&keys), stamp };
                keys
            }
            Err(cause) => {
                tracing::error!(%cause, "the key file has changed and cannot be read; going on with the keys read before");
                held.keys
            }
        }
    }

    /// The key of that id, also one that came into the file since it was read.
    fn key(&self, id: &str) -> Result<[u8; 32], KeyError> {
        let known = self.held().keys.by_id.get(id).copied();
        known.or_else(|| self.fresh().by_id.get(id).copied()).ok_or_else(|| KeyError::UnknownKey(id.to_owned()))
    }

    /// Encrypts a value for its place. The nonce must not have been used before under this key.
    pub(crate) fn seal(&self, cell: Cell, nonce: [u8; NONCE_LENGTH], plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let keys = self.fresh();
        let key = keys.by_id.get(&keys.active).ok_or_else(|| KeyError::UnknownKey(keys.active.clone()))?;
        encrypt(&keys.active, key, &cell.additional_data(), nonce, plain).ok_or(KeyError::Damaged(cell.table))
    }

    /// Decrypts a value in its place.
    pub(crate) fn open(&self, cell: Cell, envelope: &[u8]) -> Result<Vec<u8>, KeyError> {
        let id = key_of(envelope).ok_or(KeyError::Damaged(cell.table))?;
        decrypt(&self.key(&id)?, &cell.additional_data(), envelope).ok_or(KeyError::Damaged(cell.table))
    }

    /// Encrypts a ciphertext anew under the active key, in the same place.
    pub(crate) fn seal_anew(&self, place: &str, nonce: [u8; NONCE_LENGTH], envelope: &[u8]) -> Result<Vec<u8>, KeyError> {
        let damaged = || KeyError::DamagedAt(place.to_owned());
        let plain = decrypt(&self.key(&key_of(envelope).ok_or_else(damaged)?)?, place, envelope).ok_or_else(damaged)?;
        let keys = self.fresh();
        let key = keys.by_id.get(&keys.active).ok_or_else(|| KeyError::UnknownKey(keys.active.clone()))?;
        encrypt(&keys.active, key, place, nonce, &plain).ok_or_else(damaged)
    }

    /// The blind index of a normalised value of a column.
    #[must_use]
    pub(crate) fn blind_index(&self, column: &str, value: &str) -> Vec<u8> {
        mac(&self.held().keys.index, &[b"index", column.as_bytes(), value.as_bytes()]).into_iter().take(16).collect()
    }

    /// What a database keeps, encrypted, to recognise its keys: it follows from the index key.
    pub(crate) fn check_value(&self) -> Vec<u8> {
        self.blind_index("city.key_check", "yijia")
    }

    /// Authenticates bytes of the product's own, such as audit seals, under a named key; none if the key is
    /// not in the file.
    pub(crate) fn authenticate_under(&self, key_id: &str, purpose: &str, parts: &[&[u8]]) -> Option<[u8; 32]> {
        Some(mac(&self.authentication_key(key_id, purpose)?, parts))
    }

    /// Whether bytes begin what [`KeyRing::authenticate_under`] gives; the comparison takes the same time for all.
    pub(crate) fn verifies_under(&self, key_id: &str, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        let Some(derived) = self.authentication_key(key_id, purpose) else { return false };
        feed(&derived, parts).is_some_and(|mac| mac.verify_truncated_left(tag).is_ok())
    }

    /// What authenticates under a key for a purpose. For audit seals it outlives the key.
    fn authentication_key(&self, key_id: &str, purpose: &str) -> Option<[u8; 32]> {
        let find = |keys: &Keys| {
            let derived = keys.by_id.get(key_id).map(|key| authentication_key(key, purpose));
            derived.or_else(|| keys.seals.get(key_id).filter(|_| purpose == AUDIT_SEAL).copied())
        };
        find(&self.held().keys).or_else(|| find(&self.fresh()))
    }
}

/// The purpose of what authenticates audit seals.
pub(crate) const AUDIT_SEAL: &str = "audit_seal";

fn authentication_key(key: &[u8; 32], purpose: &str) -> [u8; 32] {
    mac(key, &[b"authenticate", purpose.as_bytes()])
}

/// The id of the key under which a ciphertext was made.
pub(crate) fn key_of(envelope: &[u8]) -> Option<String> {
    let (&version, rest) = envelope.split_first()?;
    let id = rest.get(..KEY_ID_LENGTH)?;
    (version == ENVELOPE_VERSION && id.iter().all(u8::is_ascii_hexdigit)).then(|| String::from_utf8_lossy(id).into_owned())
}

fn encrypt(id: &str, key: &[u8; 32], place: &str, nonce: [u8; NONCE_LENGTH], plain: &[u8]) -> Option<Vec<u8>> {
    let payload = Payload { msg: plain, aad: place.as_bytes() };
    let cipher = Aes256Gcm::new(&(*key).into()).encrypt(&nonce.into(), payload).ok()?;
    let mut envelope = Vec::with_capacity(1 + KEY_ID_LENGTH + NONCE_LENGTH + cipher.len());
    envelope.push(ENVELOPE_VERSION);
    envelope.extend_from_slice(id.as_bytes());
    envelope.extend_from_slice(&nonce);
    envelope.extend_from_slice(&cipher);
    Some(envelope)
}

fn decrypt(key: &[u8; 32], place: &str, envelope: &[u8]) -> Option<Vec<u8>> {
    let rest = envelope.get(1 + KEY_ID_LENGTH..)?;
    let nonce = <[u8; NONCE_LENGTH]>::try_from(rest.get(..NONCE_LENGTH)?).ok()?;
    let payload = Payload { msg: rest.get(NONCE_LENGTH..)?, aad: place.as_bytes() };
    Aes256Gcm::new(&(*key).into()).decrypt(&nonce.into(), payload).ok()
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

    #[test]
    fn a_ring_follows_its_file_through_a_change_of_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        KeyRing::from_random([7; 64]).create_file(&path).unwrap();
        let (server, command) = (KeyRing::load(&path).unwrap(), KeyRing::load(&path).unwrap());
        let old = server.active();
        let before = server.seal(cell(1), [1; 12], b"secret").unwrap();
        let seal = server.authenticate_under(&old, AUDIT_SEAL, &[b"root"]).unwrap();
        let new = command.add([8; 32]).unwrap();
        assert_eq!((command.active(), command.old()), (new.clone(), vec![old.clone()]));
        let after = command.seal_anew(&place("resident", "document_enc", Uuid::from_u128(1)), [2; 12], &before).unwrap();
        assert_eq!(key_of(&after), Some(new.clone()));
        // The server has read the file before; it reads what either key wrote, and writes under the new one.
        assert_eq!(server.open(cell(1), &after).unwrap(), b"secret");
        assert_eq!(server.open(cell(1), &before).unwrap(), b"secret");
        assert_eq!(key_of(&server.seal(cell(2), [3; 12], b"secret").unwrap()), Some(new.clone()));
        assert!(matches!(command.remove(&new), Err(KeyError::UnknownKey(_))), "the active key stays");
        command.remove(&old).unwrap();
        assert_eq!(server.old(), Vec::<String>::new());
        assert!(matches!(server.open(cell(1), &before), Err(KeyError::UnknownKey(id)) if id == old));
        assert_eq!(server.open(cell(1), &after).unwrap(), b"secret");
        assert_eq!(
            KeyRing::load(&path).unwrap().authenticate_under(&old, AUDIT_SEAL, &[b"root"]),
            Some(seal),
            "old audit seals can still be checked"
        );
    }

    #[test]
    fn a_running_service_goes_on_when_its_key_file_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        KeyRing::from_random([7; 64]).create_file(&path).unwrap();
        let server = KeyRing::load(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let envelope = server.seal(cell(1), [1; 12], b"secret").unwrap();
        assert_eq!(server.open(cell(1), &envelope).unwrap(), b"secret");
    }
}
