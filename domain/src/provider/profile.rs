//! What a provider and its carers say about themselves, and the bureau's agreement: checked forms.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{ServiceArea, WeekHours};
use crate::{
    catalogue::ItemCode,
    error::{Fault, FieldError, Kind},
    resident::Sex,
    time::{BusinessDate, DateRange, Instant},
};

/// Closing days that a provider can announce.
const CLOSING_DAYS_MAX: usize = 400;
const DIALECTS_MAX: usize = 20;

/// Why a fact about a provider or carer was refused. The refused value itself is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Not a time of day.
    #[error("a time of day is written 08:30, from 00:00 to 24:00")]
    TimeOfDay,
    /// Not a range of a week.
    #[error("a range of a week has a weekday from 1 (Monday) to 7 and ends after it begins; at most 28 of them")]
    WeekRange,
    /// Two ranges share a minute.
    #[error("two ranges of one weekday overlap")]
    WeekOverlap,
    /// Nothing is said.
    #[error("a service area states divisions, a distance or both")]
    AreaEmpty,
    /// Too much is said.
    #[error("a service area has at most 500 divisions and a distance of 1 to 200000 metres")]
    AreaSize,
    /// Too many closing days.
    #[error("at most {CLOSING_DAYS_MAX} closing days can be announced")]
    ClosingDays,
    /// Not the name of a dialect.
    #[error("a dialect is named with 1 to 32 lower-case letters, digits and underscores; at most {DIALECTS_MAX} of them")]
    Dialect,
    /// Not the number of an agreement.
    #[error("an agreement has a number of 1 to 64 visible characters")]
    AgreementNumber,
    /// The agreement was signed after it began.
    #[error("an agreement is signed on or before the day on which it begins")]
    AgreementSigned,
    /// The employment ends before it begins.
    #[error("an employment ends on or after the day on which it begins")]
    Employment,
}

impl Fault for ProfileError {
    fn code(&self) -> &'static str {
        match self {
            Self::TimeOfDay => "profile.time_of_day",
            Self::WeekRange => "profile.week_range",
            Self::WeekOverlap => "profile.week_overlap",
            Self::AreaEmpty => "profile.area_empty",
            Self::AreaSize => "profile.area_size",
            Self::ClosingDays => "profile.closing_days",
            Self::Dialect => "profile.dialect",
            Self::AgreementNumber => "profile.agreement_number",
            Self::AgreementSigned => "profile.agreement_signed",
            Self::Employment => "profile.employment",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        let (field, cure) = match self {
            Self::TimeOfDay => ("from", "write hours and minutes with two digits each, such as 08:30"),
            Self::WeekRange => ("hours", "write a weekday from 1 to 7 and an end after the beginning"),
            Self::WeekOverlap => ("hours", "join the ranges that overlap"),
            Self::AreaEmpty => ("area", "name divisions, a place with a distance, or both"),
            Self::AreaSize => ("area", "name at most 500 divisions and a distance of 1 to 200000 metres"),
            Self::ClosingDays => ("closing_days", "name the closing days of the coming year only"),
            Self::Dialect => ("dialects", "write names such as tianjin or cantonese"),
            Self::AgreementNumber => ("number", "write the number as printed, without spaces around it"),
            Self::AgreementSigned => ("signed_on", "write a day on or before the first day of the agreement"),
            Self::Employment => ("employed_until", "write a day on or after the first day of the employment"),
        };
        vec![FieldError::new(field, self.code(), cure)]
    }
}

/// Where and when a provider serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderProfile {
    /// Where.
    pub area: ServiceArea,
    /// On which hours of a week.
    pub hours: WeekHours,
    /// Days on which it is closed all the same.
    pub closing_days: BTreeSet<BusinessDate>,
}

impl ProviderProfile {
    /// Checks a profile.
    ///
    /// # Errors
    /// [`ProfileError::ClosingDays`].
    pub fn new(area: ServiceArea, hours: WeekHours, closing_days: BTreeSet<BusinessDate>) -> Result<Self, ProfileError> {
        if closing_days.len() > CLOSING_DAYS_MAX { Err(ProfileError::ClosingDays) } else { Ok(Self { area, hours, closing_days }) }
    }

    /// Whether the provider is open from an instant up to another.
    #[must_use]
    pub fn is_open(&self, start: Instant, end: Instant) -> bool {
        let (first, last) = (BusinessDate::of(start), BusinessDate::of(end));
        // A service that ends at midnight does not touch the next day.
        let touches = |day: &BusinessDate| first <= *day && (*day < last || (*day == last && last.start() < end));
        self.hours.covers(start, end) && !self.closing_days.iter().any(touches)
    }
}

/// A dialect or language that a carer speaks, as a short name: `tianjin`, `cantonese`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Dialect(String);

impl FromStr for Dialect {
    type Err = ProfileError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if letters && (1..=32).contains(&text.len()) { Ok(Self(text.to_owned())) } else { Err(ProfileError::Dialect) }
    }
}
impl TryFrom<String> for Dialect {
    type Error = ProfileError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<Dialect> for String {
    fn from(dialect: Dialect) -> Self {
        dialect.0
    }
}
impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a carer can do and when they work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarerProfile {
    /// Residents may ask for a carer of their own sex.
    pub sex: Sex,
    /// The services that the carer gives.
    pub skills: BTreeSet<ItemCode>,
    /// What they speak.
    pub dialects: BTreeSet<Dialect>,
    /// On which hours of a week they work.
    pub working_times: WeekHours,
    /// First day of the employment.
    pub employed_from: BusinessDate,
    /// First day after the employment; none while it goes on. The same day as the first when it never began.
    pub employed_until: Option<BusinessDate>,
}

impl CarerProfile {
    /// Checks a profile.
    ///
    /// # Errors
    /// [`ProfileError::Dialect`] with too many dialects, [`ProfileError::Employment`].
    pub fn check(self) -> Result<Self, ProfileError> {
        if self.dialects.len() > DIALECTS_MAX {
            return Err(ProfileError::Dialect);
        }
        let ends_early = self.employed_until.is_some_and(|until| until < self.employed_from);
        if ends_early { Err(ProfileError::Employment) } else { Ok(self) }
    }

    /// Whether the carer is employed on a day.
    #[must_use]
    pub fn is_employed(&self, day: BusinessDate) -> bool {
        self.employed_from <= day && self.employed_until.is_none_or(|until| day < until)
    }
}

/// An agreement by which the bureau buys service from a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    number: String,
    signed_on: BusinessDate,
    valid: DateRange,
}

impl Agreement {
    /// Checks an agreement.
    ///
    /// # Errors
    /// [`ProfileError::AgreementNumber`], [`ProfileError::AgreementSigned`].
    pub fn new(number: &str, signed_on: BusinessDate, valid: DateRange) -> Result<Self, ProfileError> {
        let sound = number.trim() == number && (1..=64).contains(&number.chars().count()) && !number.contains(char::is_control);
        if !sound {
            return Err(ProfileError::AgreementNumber);
        }
        if signed_on > valid.from() {
            return Err(ProfileError::AgreementSigned);
        }
        Ok(Self { number: number.to_owned(), signed_on, valid })
    }

    /// Its number as printed.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// When it was signed.
    #[must_use]
    pub const fn signed_on(&self) -> BusinessDate {
        self.signed_on
    }

    /// When it holds.
    #[must_use]
    pub const fn valid(&self) -> DateRange {
        self.valid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Instant {
        crate::time::parse_instant(text).unwrap()
    }

    #[test]
    fn a_closing_day_closes_every_service_that_touches_it() {
        let all_day: Vec<_> = (1..=7)
            .map(|weekday| super::super::WeekRange { weekday, from: "00:00".parse().unwrap(), until: "24:00".parse().unwrap() })
            .collect();
        let area = ServiceArea::new([("120101").parse().unwrap()].into(), None).unwrap();
        let profile = ProviderProfile::new(area, WeekHours::new(all_day).unwrap(), [date("2026-11-24")].into()).unwrap();
        assert!(profile.is_open(at("2026-11-23T20:00:00+08:00"), at("2026-11-24T00:00:00+08:00")));
        assert!(!profile.is_open(at("2026-11-23T20:00:00+08:00"), at("2026-11-24T00:01:00+08:00")));
        assert!(!profile.is_open(at("2026-11-24T09:00:00+08:00"), at("2026-11-24T10:00:00+08:00")));
        assert!(profile.is_open(at("2026-11-25T00:00:00+08:00"), at("2026-11-25T10:00:00+08:00")));
    }

    #[test]
    fn an_agreement_is_signed_before_it_begins() {
        let valid = DateRange::new(date("2026-01-01"), Some(date("2027-01-01"))).unwrap();
        assert!(Agreement::new("津和民购2026-7", date("2026-01-01"), valid).is_ok());
        assert_eq!(Agreement::new("7", date("2026-01-02"), valid), Err(ProfileError::AgreementSigned));
        assert_eq!(Agreement::new(" 7", date("2025-12-01"), valid), Err(ProfileError::AgreementNumber));
    }

    #[test]
    fn an_employment_holds_to_the_day_before_its_end() {
        let profile = CarerProfile {
            sex: Sex::Female,
            skills: [ItemCode::Bathing].into(),
            dialects: ["tianjin".parse().unwrap()].into(),
            working_times: WeekHours::default(),
            employed_from: date("2026-01-01"),
            employed_until: Some(date("2026-12-01")),
        };
        let profile = profile.check().unwrap();
        assert!(
            !profile.is_employed(date("2025-12-31")) && profile.is_employed(date("2026-11-30")) && !profile.is_employed(date("2026-12-01"))
        );
        assert_eq!(CarerProfile { employed_until: Some(date("2025-12-31")), ..profile }.check(), Err(ProfileError::Employment));
        assert_eq!("Tianjin".parse::<Dialect>(), Err(ProfileError::Dialect));
    }
}
