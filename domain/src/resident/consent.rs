use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use super::ResidentError;
use crate::time::BusinessDate;

/// What somebody who acts for a resident is to them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Relation {
    /// 本人
    #[serde(rename = "self")]
    #[strum(serialize = "self")]
    Self_,
    /// 配偶
    Spouse,
    /// 子女
    Child,
    /// 儿媳、女婿
    ChildInLaw,
    /// 孙子女、外孙子女
    Grandchild,
    /// 兄弟姐妹
    Sibling,
    /// 其他
    Other,
    /// 监护人
    Guardian,
    /// 社区工作人员代办
    CommunityAgent,
}

/// For what personal data may be used. Each is asked by itself (PIPL, articles 23, 28 and 29).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ConsentPurpose {
    /// Registering, booking and being served.
    Service,
    /// Use of health data: assessment, care notes.
    Health,
    /// Use of positions at arrival and departure.
    Location,
    /// Comparison of faces.
    Face,
    /// Handing data to the provider who serves.
    ProviderSharing,
}

/// How a consent was given.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ConsentChannel {
    /// On a page of the product.
    Web,
    /// Signed on paper.
    Paper,
    /// By telephone, recorded by the hotline desk.
    Telephone,
    /// In person, recorded by a community worker.
    InPerson,
}

/// A consent to one version of a text, for stated purposes. A withdrawal is kept beside it: what was done
/// before stays lawful (PIPL, article 15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Consent {
    version: String,
    purposes: BTreeSet<ConsentPurpose>,
    given_on: BusinessDate,
    channel: ConsentChannel,
    withdrawn_on: Option<BusinessDate>,
}

impl Consent {
    /// Records a consent.
    ///
    /// # Errors
    /// [`ResidentError::Consent`] without a version of 1 to 64 characters or without a purpose.
    pub fn new(
        version: &str,
        purposes: impl IntoIterator<Item = ConsentPurpose>,
        given_on: BusinessDate,
        channel: ConsentChannel,
    ) -> Result<Self, ResidentError> {
        let purposes: BTreeSet<_> = purposes.into_iter().collect();
        let named = version.trim() == version && (1..=64).contains(&version.chars().count()) && !version.contains(char::is_control);
        if !named || purposes.is_empty() {
            return Err(ResidentError::Consent);
        }
        Ok(Self { version: version.to_owned(), purposes, given_on, channel, withdrawn_on: None })
    }

    /// Withdraws the consent from a day on.
    ///
    /// # Errors
    /// [`ResidentError::Date`] for a day before it was given; [`ResidentError::Consent`] if it was already
    /// withdrawn.
    pub fn withdraw(self, on: BusinessDate) -> Result<Self, ResidentError> {
        if self.withdrawn_on.is_some() {
            return Err(ResidentError::Consent);
        }
        if on < self.given_on { Err(ResidentError::Date) } else { Ok(Self { withdrawn_on: Some(on), ..self }) }
    }

    /// Whether it allows a purpose on a day.
    #[must_use]
    pub fn covers(&self, purpose: ConsentPurpose, on: BusinessDate) -> bool {
        self.purposes.contains(&purpose) && self.given_on <= on && self.withdrawn_on.is_none_or(|end| on < end)
    }

    /// Version of the text.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The purposes.
    #[must_use]
    pub const fn purposes(&self) -> &BTreeSet<ConsentPurpose> {
        &self.purposes
    }

    /// First day.
    #[must_use]
    pub const fn given_on(&self) -> BusinessDate {
        self.given_on
    }

    /// How it was given.
    #[must_use]
    pub const fn channel(&self) -> ConsentChannel {
        self.channel
    }

    /// First day on which it no longer holds, if it was withdrawn.
    #[must_use]
    pub const fn withdrawn_on(&self) -> Option<BusinessDate> {
        self.withdrawn_on
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: String,
    purposes: BTreeSet<ConsentPurpose>,
    given_on: BusinessDate,
    channel: ConsentChannel,
    withdrawn_on: Option<BusinessDate>,
}

impl TryFrom<Stored> for Consent {
    type Error = ResidentError;
    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let consent = Self::new(&stored.version, stored.purposes, stored.given_on, stored.channel)?;
        stored.withdrawn_on.map_or(Ok(consent.clone()), |on| consent.withdraw(on))
    }
}
impl From<Consent> for Stored {
    fn from(consent: Consent) -> Self {
        let Consent { version, purposes, given_on, channel, withdrawn_on } = consent;
        Self { version, purposes, given_on, channel, withdrawn_on }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_consent_covers_its_purposes_until_it_is_withdrawn() {
        let purposes = [ConsentPurpose::Service, ConsentPurpose::Health];
        let consent = Consent::new("2026-01", purposes, date("2026-11-01"), ConsentChannel::Paper).unwrap();
        assert!(consent.covers(ConsentPurpose::Health, date("2026-11-01")));
        assert!(!consent.covers(ConsentPurpose::Health, date("2026-10-31")));
        assert!(!consent.covers(ConsentPurpose::Location, date("2026-11-01")));
        assert_eq!(consent.clone().withdraw(date("2026-10-31")), Err(ResidentError::Date));
        let withdrawn = consent.withdraw(date("2026-11-10")).unwrap();
        assert!(withdrawn.covers(ConsentPurpose::Health, date("2026-11-09")));
        assert!(!withdrawn.covers(ConsentPurpose::Health, date("2026-11-10")));
        let text = serde_json::to_string(&withdrawn).unwrap();
        assert_eq!(serde_json::from_str::<Consent>(&text).unwrap(), withdrawn);
        assert_eq!(withdrawn.withdraw(date("2026-11-11")), Err(ResidentError::Consent));
    }

    #[test]
    fn a_consent_names_its_text_and_a_purpose() {
        for (version, purposes) in [("", vec![ConsentPurpose::Service]), (" 1", vec![ConsentPurpose::Service]), ("1", Vec::new())] {
            assert_eq!(Consent::new(version, purposes, date("2026-11-01"), ConsentChannel::Web), Err(ResidentError::Consent));
        }
    }

    #[test]
    fn the_resident_is_written_as_self() {
        assert_eq!(Relation::Self_.to_string(), "self");
        assert_eq!(serde_json::to_string(&Relation::Self_).unwrap(), r#""self""#);
        assert_eq!("child_in_law".parse(), Ok(Relation::ChildInLaw));
    }
}
