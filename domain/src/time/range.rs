use serde::{Deserialize, Serialize};

use super::BusinessDate;
use crate::error::{Fault, FieldError, Kind};

/// The range ends on or before the day on which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a range of dates ends after the day on which it begins")]
pub struct DateRangeError;

impl Fault for DateRangeError {
    fn code(&self) -> &'static str {
        "time.empty_range"
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        vec![FieldError::new("until", self.code(), "name the first day on which it no longer holds, after the day on which it begins")]
    }
}

/// A half-open range of civil dates: the first day is inside, the last named day is the first one outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Bounds", into = "Bounds")]
pub struct DateRange {
    from: BusinessDate,
    until: Option<BusinessDate>,
}

/// The stored form, which may be empty or inverted until it is checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds {
    from: BusinessDate,
    until: Option<BusinessDate>,
}

impl DateRange {
    /// From a day up to, and not including, another; without the second for ever.
    ///
    /// # Errors
    /// [`DateRangeError`] when no day is inside.
    pub fn new(from: BusinessDate, until: Option<BusinessDate>) -> Result<Self, DateRangeError> {
        if until.is_some_and(|end| end <= from) { Err(DateRangeError) } else { Ok(Self { from, until }) }
    }

    /// From a day on, for ever.
    #[must_use]
    pub const fn from_day(from: BusinessDate) -> Self {
        Self { from, until: None }
    }

    /// First day inside.
    #[must_use]
    pub const fn from(&self) -> BusinessDate {
        self.from
    }

    /// First day outside, if there is one.
    #[must_use]
    pub const fn until(&self) -> Option<BusinessDate> {
        self.until
    }

    /// Whether a date lies inside.
    #[must_use]
    pub fn contains(&self, date: BusinessDate) -> bool {
        self.from <= date && self.until.is_none_or(|end| date < end)
    }

    /// Whether some day lies inside both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.until.is_none_or(|end| other.from < end) && other.until.is_none_or(|end| self.from < end)
    }
}

impl TryFrom<Bounds> for DateRange {
    type Error = DateRangeError;
    fn try_from(bounds: Bounds) -> Result<Self, Self::Error> {
        Self::new(bounds.from, bounds.until)
    }
}
impl From<DateRange> for Bounds {
    fn from(range: DateRange) -> Self {
        Self { from: range.from, until: range.until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, until: Option<&str>) -> DateRange {
        DateRange::new(from.parse().unwrap(), until.map(|text| text.parse().unwrap())).unwrap()
    }

    #[test]
    fn the_first_day_is_inside_and_the_last_named_day_is_not() {
        let year = range("2026-01-01", Some("2027-01-01"));
        assert!(year.contains("2026-01-01".parse().unwrap()));
        assert!(year.contains("2026-12-31".parse().unwrap()));
        assert!(!year.contains("2027-01-01".parse().unwrap()));
        assert!(range("2026-01-01", None).contains("2099-01-01".parse().unwrap()));
    }

    #[test]
    fn neighbours_do_not_overlap() {
        let year = range("2026-01-01", Some("2027-01-01"));
        assert!(!year.overlaps(&range("2027-01-01", None)));
        assert!(!range("2027-01-01", None).overlaps(&year));
        assert!(year.overlaps(&range("2026-12-31", None)));
    }

    #[test]
    fn an_empty_range_is_refused_also_when_read() {
        let day: BusinessDate = "2026-01-01".parse().unwrap();
        assert_eq!(DateRange::new(day, Some(day)), Err(DateRangeError));
        assert!(serde_json::from_str::<DateRange>(r#"{"from":"2026-01-02","until":"2026-01-01"}"#).is_err());
    }
}
