//! What a device signs: lines of text that both sides can write down without doubt.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{PROOF_MINUTES, PublicKey};
use crate::{
    id::{DeviceId, VisitId},
    time::Instant,
    visit::{Explanation, LocationFix, VisitCode},
};

/// What a clock event says, signed or not.
#[derive(Debug, Clone, Copy)]
pub struct ClockStatement<'a> {
    /// The visit.
    pub visit: VisitId,
    /// `clock_in` or `clock_out`.
    pub kind: &'a str,
    /// Id that the phone made.
    pub client_event_id: &'a str,
    /// When it happened, by the phone.
    pub occurred_at: Instant,
    /// Where the phone was.
    pub location: Option<LocationFix>,
    /// The code that was shown.
    pub code: Option<VisitCode>,
    /// Why something is missing.
    pub explanation: Option<Explanation>,
}

/// What the device adds when it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedClock {
    /// The device.
    pub device: DeviceId,
    /// Number of the event in the sequence of the device, from 1 on.
    pub sequence: u64,
    /// Digest of the device's statement before this one; of its binding for the first.
    pub previous: String,
    /// The last time that the server told, as it was sent.
    pub anchor: Option<String>,
    /// Milliseconds that the phone's monotonic clock counted since.
    pub elapsed_ms: Option<u64>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl ClockStatement<'_> {
    /// The lines of the event itself. Times are microseconds since 1970, positions millionths of a degree in
    /// the system in which they were measured, and `-` stands for what is absent.
    #[must_use]
    pub fn text(&self) -> String {
        let location = self.location.map_or_else(absent, |fix| {
            let at = fix.coordinate;
            format!("{} {} {} {}", at.system(), at.latitude(), at.longitude(), fix.accuracy_m)
        });
        let code = self.code.map_or_else(absent, |code| code.to_string());
        let explanation = self.explanation.map_or_else(absent, |why| why.to_string());
        format!(
            "yijia clock 1\nvisit:{}\nkind:{}\nclient_event_id:{}\noccurred_at:{}\nlocation:{location}\ncode:{code}\nexplanation:{explanation}\n",
            self.visit,
            self.kind,
            self.client_event_id,
            self.occurred_at.timestamp_micros(),
        )
    }

    /// The bytes that a device signs: the event, then its place in the sequence and what proves its time.
    #[must_use]
    pub fn signed_text(&self, by: &SignedClock) -> String {
        let mut text = self.text();
        let anchor = by.anchor.as_deref().unwrap_or("-");
        let elapsed = by.elapsed_ms.map_or_else(absent, |elapsed| elapsed.to_string());
        // Writing to a String cannot fail.
        let _written = write!(
            text,
            "device:{}\nsequence:{}\nprevious:{}\nanchor:{anchor}\nelapsed_ms:{elapsed}\n",
            by.device, by.sequence, by.previous
        );
        text
    }
}

fn absent() -> String {
    "-".to_owned()
}

/// The bytes that a device signs to show that it holds the private key. Their digest begins its sequence.
#[must_use]
pub fn binding_statement(key: &PublicKey, anchor: &str) -> String {
    format!("yijia device binding 1\nalgorithm:{}\npublic_key:{}\nanchor:{anchor}\n", key.algorithm(), hexadecimal(key.bytes()))
}

/// The bytes that a device signs when its carer signs in with a code of the provider.
///
/// The code is used once, so that nobody can show the signature a second time. Their digest begins the sequence of a device that is new.
#[must_use]
pub fn sign_in_statement(key: &PublicKey, login: &str, code: &str) -> String {
    format!("yijia device sign-in 1\nalgorithm:{}\npublic_key:{}\nlogin:{login}\ncode:{code}\n", key.algorithm(), hexadecimal(key.bytes()))
}

/// What a device shows with a request of a session that is bound to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestProof {
    /// Method of the request, in capitals.
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// When the device signed, by its own clock.
    pub signed_at: Instant,
    /// The signature.
    pub signature: Vec<u8>,
}

impl RequestProof {
    /// The bytes that the device signs. `token` is the token of the session, of which the text holds the digest alone.
    #[must_use]
    pub fn text(&self, token: &str) -> String {
        let at = self.signed_at.timestamp_micros();
        format!("yijia device request 1\nmethod:{}\ntarget:{}\nsigned_at:{at}\ntoken:{}\n", self.method, self.target, digest(token))
    }

    /// Whether it was signed within [`PROOF_MINUTES`] of an instant.
    #[must_use]
    pub fn is_fresh(&self, at: Instant) -> bool {
        (self.signed_at - at).abs() <= chrono::TimeDelta::minutes(PROOF_MINUTES)
    }
}

/// SHA-256 of a statement in hexadecimal digits: what the next one of the device names as `previous`.
#[must_use]
pub fn digest(statement: &str) -> String {
    hexadecimal(&Sha256::digest(statement))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        device::KeyAlgorithm,
        resident::{Coordinate, CoordinateSystem},
        time::parse_instant,
    };

    fn statement() -> ClockStatement<'static> {
        ClockStatement {
            visit: VisitId::from_parts(1_700_000_000_000, [7; 10]),
            kind: "clock_in",
            client_event_id: "01JD",
            occurred_at: parse_instant("2026-12-01T09:00:00.5+08:00").unwrap(),
            location: Some(LocationFix {
                coordinate: Coordinate::parse(CoordinateSystem::Gcj02, "39.117300", "117.196100").unwrap(),
                accuracy_m: 20,
            }),
            code: Some("000042".parse().unwrap()),
            explanation: None,
        }
    }

    #[test]
    fn the_statement_is_the_published_text() {
        let by = SignedClock {
            device: DeviceId::from_parts(1_700_000_000_000, [8; 10]),
            sequence: 3,
            previous: "ab".repeat(32),
            anchor: None,
            elapsed_ms: Some(5),
            signature: Vec::new(),
        };
        let text = statement().signed_text(&by);
        assert_eq!(
            text,
            "yijia clock 1\nvisit:vis_018bcfe5680077078707070707070707\nkind:clock_in\nclient_event_id:01JD\noccurred_at:1796086800500000\n\
             location:gcj02 39117300 117196100 20\ncode:000042\nexplanation:-\ndevice:dev_018bcfe5680078088808080808080808\nsequence:3\n\
             previous:abababababababababababababababababababababababababababababababab\nanchor:-\nelapsed_ms:5\n"
        );
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "FIPS 180-2, appendix B.1");
    }

    #[test]
    fn every_part_of_a_statement_changes_it() {
        let one = statement();
        let others = [
            ClockStatement { kind: "clock_out", ..one },
            ClockStatement { client_event_id: "01JE", ..one },
            ClockStatement { occurred_at: one.occurred_at + chrono::TimeDelta::microseconds(1), ..one },
            ClockStatement { location: None, ..one },
            ClockStatement { code: None, ..one },
            ClockStatement { explanation: Some(Explanation::Other), ..one },
            ClockStatement { visit: VisitId::from_parts(1, [7; 10]), ..one },
        ];
        for other in others {
            assert_ne!(other.text(), one.text());
        }
        let key = PublicKey::new(KeyAlgorithm::Ed25519, vec![10; 32]).unwrap();
        assert_eq!(
            binding_statement(&key, "t"),
            format!("yijia device binding 1\nalgorithm:ed25519\npublic_key:{}\nanchor:t\n", "0a".repeat(32))
        );
        assert_eq!(
            sign_in_statement(&key, "carer", "00001234"),
            format!("yijia device sign-in 1\nalgorithm:ed25519\npublic_key:{}\nlogin:carer\ncode:00001234\n", "0a".repeat(32))
        );
    }

    #[test]
    fn a_proof_is_of_one_request_and_soon_too_old() {
        let signed_at = parse_instant("2026-12-01T09:00:00+08:00").unwrap();
        let proof = RequestProof { method: "GET".to_owned(), target: "/api/v1/me?x=1".to_owned(), signed_at, signature: Vec::new() };
        assert_eq!(
            proof.text("abc"),
            "yijia device request 1\nmethod:GET\ntarget:/api/v1/me?x=1\nsigned_at:1796086800000000\n\
             token:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"
        );
        let off = |seconds| proof.is_fresh(signed_at + chrono::TimeDelta::seconds(seconds));
        assert_eq!([-301, -300, 0, 300, 301].map(off), [false, true, true, true, false]);
    }
}
