//! Devices: the carer's own phone, known by a key that never leaves it.
//!
//! The phone keeps the private key where scripts and people cannot read it; the server keeps the public one.
//! A signed clock event says which phone recorded it, in which place of the phone's own sequence, and, when
//! the phone was without signal, how long after the last time that the server told it. A signature says
//! nothing about who holds the phone: it is one strong signal among others, never the whole proof.

mod anchor;
mod statement;

pub use anchor::{ANCHOR_HOURS, ANCHOR_SECONDS_OFF, LIVE_MINUTES, TimeProof};
pub use statement::{ClockStatement, RequestProof, SignedClock, binding_statement, digest, sign_in_statement};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use crate::error::{Fault, FieldError, Kind};

/// Active devices that one person may have: the phone in use and the one that replaces it.
pub const DEVICES_MAX: usize = 2;

/// How long a time that the server told may be used to bind a device, in minutes.
pub const BINDING_MINUTES: i64 = 10;

/// How far the clock of a device may be off when it signs a request, in minutes. Every answer of the server carries
/// the time in its header `Date`, by which a device can set itself right.
pub const PROOF_MINUTES: i64 = 5;

/// With which kind of key a device signs. Both are offered by browsers without a copy of the private key.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum KeyAlgorithm {
    /// Ed25519 (RFC 8032): a public key of 32 bytes.
    Ed25519,
    /// ECDSA on P-256 with SHA-256 (FIPS 186-5): a public key of 65 bytes, not compressed; a signature is the
    /// two numbers of 32 bytes one after the other.
    P256,
}

/// Length of a signature in bytes, of either kind.
pub const SIGNATURE_BYTES: usize = 64;

/// The public key of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    bytes: Vec<u8>,
}

impl PublicKey {
    /// Checks the form of a key. Whether it is a point of its curve shows when it verifies.
    ///
    /// # Errors
    /// [`DeviceError::KeyForm`].
    pub fn new(algorithm: KeyAlgorithm, bytes: Vec<u8>) -> Result<Self, DeviceError> {
        let fits = match algorithm {
            KeyAlgorithm::Ed25519 => bytes.len() == 32,
            // The first byte says that both coordinates follow (SEC 1, section 2.3.3).
            KeyAlgorithm::P256 => bytes.len() == 65 && bytes.first() == Some(&4),
        };
        if fits { Ok(Self { algorithm, bytes }) } else { Err(DeviceError::KeyForm) }
    }

    /// Its kind.
    #[must_use]
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// What the server found of a signature that is right.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SignatureFinding {
    /// The device says when and where in its own sequence the event was recorded.
    Sound,
    /// The event came late, and nothing but the phone's own clock says when it was recorded.
    TimeUnproven,
    /// The device was revoked before the event came.
    DeviceRevoked,
    /// Another event of the device already has this number: its sequence was forked.
    SequenceUsed,
}

/// Why something about a device was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Not a public key of its kind.
    #[error("that is not a public key of this kind")]
    KeyForm,
    /// Not a signature of these bytes under the key.
    #[error("the signature is not that of the device over this statement")]
    Signature,
    /// The device is not one of the person who asks.
    #[error("this device is not one of yours")]
    NotOwn,
    /// The time that the server told is not its own, was told to somebody else, or is too old.
    #[error("the server did not tell this time to you, or too long ago")]
    Anchor,
    /// The person has as many devices as allowed.
    #[error("a person has at most {DEVICES_MAX} devices; revoke one first")]
    TooMany,
    /// The key belongs to a device already, of this person or another.
    #[error("this key belongs to a device already; make a new one")]
    KeyUsed,
}

impl Fault for DeviceError {
    fn code(&self) -> &'static str {
        match self {
            Self::KeyForm => "device.key_form",
            Self::Signature => "device.signature",
            Self::NotOwn => "device.not_own",
            Self::Anchor => "device.anchor",
            Self::TooMany => "device.too_many",
            Self::KeyUsed => "device.key_used",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::KeyForm | Self::Signature | Self::NotOwn | Self::Anchor => Kind::Invalid,
            Self::TooMany | Self::KeyUsed => Kind::Conflict,
        }
    }
    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::KeyForm => {
                let cure = "write the public key in base64url: 32 bytes for ed25519, 65 bytes beginning with 4 for p256";
                vec![FieldError::new("public_key", "device.key_form", cure)]
            }
            Self::Signature => {
                let cure = "sign the statement as it is described, or leave the signature out";
                vec![FieldError::new("signature", "device.signature", cure)]
            }
            Self::NotOwn => {
                vec![FieldError::new("device_id", "device.not_own", "bind this phone first, or leave the signature out")]
            }
            Self::Anchor => vec![FieldError::new("anchor", "device.anchor", "ask for the server's time again and use it soon")],
            Self::TooMany | Self::KeyUsed => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_length_of_its_kind() {
        assert!(PublicKey::new(KeyAlgorithm::Ed25519, vec![1; 32]).is_ok());
        assert!(PublicKey::new(KeyAlgorithm::P256, [vec![4], vec![1; 64]].concat()).is_ok());
        for (algorithm, bytes) in [
            (KeyAlgorithm::Ed25519, vec![1; 31]),
            (KeyAlgorithm::Ed25519, vec![4; 65]),
            (KeyAlgorithm::P256, vec![1; 32]),
            (KeyAlgorithm::P256, vec![2; 65]),
        ] {
            assert_eq!(PublicKey::new(algorithm, bytes), Err(DeviceError::KeyForm));
        }
    }
}
