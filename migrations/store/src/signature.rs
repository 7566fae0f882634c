//! Signatures of devices.

use domain::device::{KeyAlgorithm, PublicKey};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};

/// Whether a signature is that of the key over the message.
pub(crate) fn is_of(key: &PublicKey, message: &str, signature: &[u8]) -> bool {
    let algorithm: &'static dyn VerificationAlgorithm = match key.algorithm() {
        KeyAlgorithm::Ed25519 => &ED25519,
        KeyAlgorithm::P256 => &ECDSA_P256_SHA256_FIXED,
    };
    UnparsedPublicKey::new(algorithm, key.bytes()).verify(message.as_bytes(), signature).is_ok()
}

#[cfg(test)]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
    };

    use super::*;

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let digits: Vec<char> = hexadecimal.chars().collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
    }

    #[test]
    fn the_test_vector_of_the_standard_verifies() {
        // RFC 8032, section 7.1, test 2: the message is the one byte 0x72, the letter r.
        let key = PublicKey::new(KeyAlgorithm::Ed25519, bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")).unwrap();
        let signature = bytes(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        assert!(is_of(&key, "r", &signature));
        assert!(!is_of(&key, "s", &signature));
        assert!(!is_of(&key, "r", &signature[..63]));
    }

    #[test]
    fn a_signature_of_either_kind_is_of_its_key_and_its_message_alone() {
        let random = SystemRandom::new();
        let one = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let other =
            PublicKey::new(KeyAlgorithm::Ed25519, Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap().public_key().as_ref().to_vec());
        let ed25519 = PublicKey::new(KeyAlgorithm::Ed25519, one.public_key().as_ref().to_vec()).unwrap();
        assert!(is_of(&ed25519, "text", one.sign(b"text").as_ref()));
        assert!(!is_of(&other.unwrap(), "text", one.sign(b"text").as_ref()));
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        let p256 = PublicKey::new(KeyAlgorithm::P256, pair.public_key().as_ref().to_vec()).unwrap();
        let signed = pair.sign(&random, b"text").unwrap();
        assert!(is_of(&p256, "text", signed.as_ref()));
        assert!(!is_of(&p256, "texts", signed.as_ref()));
        assert!(!is_of(&ed25519, "text", signed.as_ref()), "of another kind");
    }
}
