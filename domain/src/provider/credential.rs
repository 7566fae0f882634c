use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ProviderError;
use crate::time::{BusinessDate, DateRange};

/// A kind of licence or certificate, as the catalogue names it: `home_service`, `health_proof`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CredentialKind(String);

impl CredentialKind {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CredentialKind {
    type Err = ProviderError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        let sound = letters && text.len() <= 64 && text.starts_with(|first: char| first.is_ascii_lowercase());
        if sound { Ok(Self(text.to_owned())) } else { Err(ProviderError::CredentialKind) }
    }
}
impl TryFrom<String> for CredentialKind {
    type Error = ProviderError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<CredentialKind> for String {
    fn from(kind: CredentialKind) -> Self {
        kind.0
    }
}
impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A licence of a provider or a certificate of a carer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Credential {
    kind: CredentialKind,
    number: String,
    valid: DateRange,
}

/// A credential of a provider.
pub type Licence = Credential;
/// A credential of a carer.
pub type Certificate = Credential;

impl Credential {
    /// Checks a credential; `valid` ends on the first day on which it no longer holds.
    ///
    /// # Errors
    /// [`ProviderError::CredentialNumber`] without a number of 1 to 64 visible characters.
    pub fn new(kind: CredentialKind, number: &str, valid: DateRange) -> Result<Self, ProviderError> {
        let sound = number.trim() == number && (1..=64).contains(&number.chars().count()) && !number.contains(char::is_control);
        if sound { Ok(Self { kind, number: number.to_owned(), valid }) } else { Err(ProviderError::CredentialNumber) }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> &CredentialKind {
        &self.kind
    }

    /// Its number as printed.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// When it holds.
    #[must_use]
    pub const fn valid(&self) -> DateRange {
        self.valid
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    kind: CredentialKind,
    number: String,
    valid: DateRange,
}

impl TryFrom<Stored> for Credential {
    type Error = ProviderError;
    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        Self::new(stored.kind, &stored.number, stored.valid)
    }
}
impl From<Credential> for Stored {
    fn from(credential: Credential) -> Self {
        Self { kind: credential.kind, number: credential.number, valid: credential.valid }
    }
}

/// A required credential that does not hold, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// What is required.
    pub kind: CredentialKind,
    /// Why it does not hold.
    pub reason: MissingReason,
}

/// Why a required credential does not hold on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingReason {
    /// None of this kind is recorded.
    Absent,
    /// The last one ended; the date is the first day without it.
    Expired(BusinessDate),
    /// The first one begins later, on this date.
    NotYet(BusinessDate),
}

/// `home_service:absent`, `home_service:expired:2026-10-01`, `home_service:not_yet:2026-12-01`.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            MissingReason::Absent => write!(f, "{}:absent", self.kind),
            MissingReason::Expired(end) => write!(f, "{}:expired:{end}", self.kind),
            MissingReason::NotYet(start) => write!(f, "{}:not_yet:{start}", self.kind),
        }
    }
}

/// Whether all required credentials hold on a day. The one answer for providers and carers when an order is
/// accepted, when it is assigned, and when the carer clocks in.
///
/// # Errors
/// Every requirement that does not hold, once, with its reason.
pub fn licence_truth(required: &[CredentialKind], held: &[Credential], at: BusinessDate) -> Result<(), Vec<Missing>> {
    let required: BTreeSet<&CredentialKind> = required.iter().collect();
    let missing: Vec<Missing> = required
        .into_iter()
        .filter_map(|kind| missing_reason(kind, held, at).map(|reason| Missing { kind: kind.clone(), reason }))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(missing) }
}

fn missing_reason(kind: &CredentialKind, held: &[Credential], at: BusinessDate) -> Option<MissingReason> {
    let ranges = || held.iter().filter(|credential| credential.kind == *kind).map(|credential| credential.valid);
    if ranges().any(|valid| valid.contains(at)) {
        return None;
    }
    let ended = ranges().filter_map(|valid| valid.until()).filter(|end| *end <= at).max();
    let begins = ranges().map(|valid| valid.from()).filter(|start| *start > at).min();
    Some(ended.map(MissingReason::Expired).or(begins.map(MissingReason::NotYet)).unwrap_or(MissingReason::Absent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    fn kind(text: &str) -> CredentialKind {
        text.parse().unwrap()
    }

    fn held(name: &str, from: &str, until: Option<&str>) -> Credential {
        Credential::new(kind(name), "JY-1", DateRange::new(date(from), until.map(date)).unwrap()).unwrap()
    }

    fn truth(required: &[&str], credentials: &[Credential], at: &str) -> Vec<String> {
        let required: Vec<_> = required.iter().map(|name| kind(name)).collect();
        licence_truth(&required, credentials, date(at)).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_credential_holds_to_the_day_before_its_end() {
        let licences = [held("home_service", "2025-10-01", Some("2026-10-01"))];
        assert!(truth(&["home_service"], &licences, "2026-09-30").is_empty());
        assert_eq!(truth(&["home_service"], &licences, "2026-10-01"), ["home_service:expired:2026-10-01"]);
        assert_eq!(truth(&["home_service"], &licences, "2025-09-30"), ["home_service:not_yet:2025-10-01"]);
    }

    #[test]
    fn all_missing_credentials_are_named_once_with_their_reasons() {
        let held = [held("health_proof", "2024-01-01", Some("2025-01-01")), held("health_proof", "2025-01-01", Some("2026-01-01"))];
        assert_eq!(truth(&["nurse", "health_proof", "nurse"], &held, "2026-11-23"), ["health_proof:expired:2026-01-01", "nurse:absent"]);
        assert!(truth(&[], &[], "2026-11-23").is_empty());
    }

    #[test]
    fn a_renewal_closes_the_gap() {
        let held = [held("nurse", "2024-01-01", Some("2026-01-01")), held("nurse", "2026-02-01", None)];
        assert_eq!(truth(&["nurse"], &held, "2026-01-15"), ["nurse:expired:2026-01-01"]);
        assert!(truth(&["nurse"], &held, "2026-02-01").is_empty());
    }

    #[test]
    fn kinds_and_numbers_are_checked() {
        for wrong in ["", "Nurse", "1nurse", "nurse ", "nurse-aide", "护士"] {
            assert_eq!(wrong.parse::<CredentialKind>(), Err(ProviderError::CredentialKind), "{wrong:?}");
        }
        let valid = DateRange::new(date("2026-01-01"), None).unwrap();
        for wrong in ["", " 1", "1\n2"] {
            assert_eq!(Credential::new(kind("nurse"), wrong, valid), Err(ProviderError::CredentialNumber), "{wrong:?}");
        }
        let text = serde_json::to_string(&held("nurse", "2026-01-01", None)).unwrap();
        assert_eq!(serde_json::from_str::<Credential>(&text).unwrap(), held("nurse", "2026-01-01", None));
        assert!(serde_json::from_str::<Credential>(&text.replace("JY-1", "")).is_err());
    }
}
