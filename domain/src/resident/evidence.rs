use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use super::ResidentError;

/// Longest number of a paper, in characters.
const NUMBER_LENGTH_MAX: usize = 64;

/// On what a stated fact rests.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EvidenceKind {
    /// 证件: a card or certificate with a number, such as 低保证 or 残疾人证.
    Certificate,
    /// 部门数据核验: looked up in the register of the authority that recognises the fact.
    Register,
    /// 书面证明: a letter or another paper.
    Document,
    /// 入户核查: seen by a worker at the resident's home.
    HomeVisit,
    /// 本人承诺: the resident's own signed word.
    Declaration,
}

impl EvidenceKind {
    /// Whether the paper has a number that must be kept.
    #[must_use]
    pub const fn needs_number(self) -> bool {
        match self {
            Self::Certificate | Self::Register => true,
            Self::Document | Self::HomeVisit | Self::Declaration => false,
        }
    }
}

/// The evidence of one fact. The number is personal: debug texts show the kind alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Evidence {
    kind: EvidenceKind,
    number: Option<String>,
}

impl Evidence {
    /// Checks evidence.
    ///
    /// # Errors
    /// [`ResidentError::EvidenceNumber`] without the number that the kind needs, or with one that is not 1 to
    /// 64 visible characters.
    pub fn new(kind: EvidenceKind, number: Option<&str>) -> Result<Self, ResidentError> {
        let sound = |number: &str| {
            number.trim() == number && (1..=NUMBER_LENGTH_MAX).contains(&number.chars().count()) && !number.contains(char::is_control)
        };
        let fits = number.map_or(!kind.needs_number(), sound);
        if fits { Ok(Self { kind, number: number.map(str::to_owned) }) } else { Err(ResidentError::EvidenceNumber) }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> EvidenceKind {
        self.kind
    }

    /// The number of the paper.
    #[must_use]
    pub fn number(&self) -> Option<&str> {
        self.number.as_deref()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    kind: EvidenceKind,
    number: Option<String>,
}

impl TryFrom<Stored> for Evidence {
    type Error = ResidentError;
    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        Self::new(stored.kind, stored.number.as_deref())
    }
}
impl From<Evidence> for Stored {
    fn from(evidence: Evidence) -> Self {
        Self { kind: evidence.kind, number: evidence.number }
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence").field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_has_a_number_and_a_home_visit_needs_none() {
        assert_eq!(Evidence::new(EvidenceKind::Certificate, None), Err(ResidentError::EvidenceNumber));
        assert_eq!(Evidence::new(EvidenceKind::HomeVisit, None).unwrap().number(), None);
        for wrong in ["", " 1", "1\u{0}", &"1".repeat(65)] {
            assert_eq!(Evidence::new(EvidenceKind::Register, Some(wrong)), Err(ResidentError::EvidenceNumber), "{wrong:?}");
        }
    }

    #[test]
    fn the_number_is_stored_and_not_shown() {
        let evidence = Evidence::new(EvidenceKind::Certificate, Some("津低保0012345")).unwrap();
        let text = serde_json::to_string(&evidence).unwrap();
        assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence);
        assert!(!format!("{evidence:?}").contains("0012345"));
        assert!(serde_json::from_str::<Evidence>(r#"{"kind":"certificate","number":null}"#).is_err());
    }
}
