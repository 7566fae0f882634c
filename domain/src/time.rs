//! Instants are UTC; business dates, weeks and months are those of China Standard Time (UTC+8, no daylight
//! saving since 1991, IANA `Asia/Shanghai`). Ranges are half open. `now` is always an argument.

mod range;

use std::{fmt, str::FromStr};

pub use range::{DateRange, DateRangeError};

use chrono::{
    DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc, Weekday,
};
use serde::{Deserialize, Serialize};

use crate::error::{Fault, Kind};

/// Years that can be written: of births, documents and plans. Others are slips of the pen.
const YEARS: std::ops::RangeInclusive<i32> = 1800..=2200;
/// The widest offset from UTC that is in use (Kiribati).
const OFFSET_SECONDS_MAX: i32 = 14 * 3600;

/// A moment, kept to the microsecond so that both databases return what was written.
pub type Instant = DateTime<Utc>;

/// Why a date or month was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not a date of the form `2026-11-23`.
    #[error("write a date as 2026-11-23")]
    Date,
    /// Not a month of the form `2026-11`.
    #[error("write a month as 2026-11")]
    Month,
    /// Not an instant in RFC 3339.
    #[error("write an instant as 2026-11-23T09:30:00+08:00")]
    Instant,
    /// Beyond the calendar.
    #[error("a date beyond the calendar of this product")]
    Range,
}

impl Fault for TimeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Date => "time.date",
            Self::Month => "time.month",
            Self::Instant => "time.instant",
            Self::Range => "time.range",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// China Standard Time.
#[must_use]
pub fn shanghai() -> FixedOffset {
    // Eight hours lie inside the range that the constructor accepts; the fallback is unreachable.
    FixedOffset::east_opt(8 * 3600).unwrap_or_else(|| chrono::Offset::fix(&Utc))
}

/// Cuts an instant to the microsecond.
#[must_use]
pub fn to_microseconds(instant: Instant) -> Instant {
    instant.with_nanosecond(instant.nanosecond() / 1_000 * 1_000).unwrap_or(instant)
}

/// Reads an instant in RFC 3339; without an offset it is China Standard Time. Seconds of 60 and offsets
/// beyond 14 hours are refused.
///
/// # Errors
/// [`TimeError::Instant`] for any other text.
pub fn parse_instant(text: &str) -> Result<Instant, TimeError> {
    let instant = match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => instant,
        Err(_cause) => {
            let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map_err(|_cause| TimeError::Instant)?;
            shanghai().from_local_datetime(&local).single().ok_or(TimeError::Instant)?
        }
    };
    let leap = instant.nanosecond() >= 1_000_000_000;
    if leap || instant.offset().local_minus_utc().abs() > OFFSET_SECONDS_MAX {
        return Err(TimeError::Instant);
    }
    let instant = instant.with_timezone(&Utc);
    if YEARS.contains(&instant.year()) { Ok(to_microseconds(instant)) } else { Err(TimeError::Range) }
}

/// A civil date in China Standard Time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BusinessDate(NaiveDate);

impl BusinessDate {
    /// Wraps a civil date.
    #[must_use]
    pub const fn new(date: NaiveDate) -> Self {
        Self(date)
    }

    /// Checks year, month and day.
    ///
    /// # Errors
    /// [`TimeError::Date`] when there is no such day.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Result<Self, TimeError> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self).ok_or(TimeError::Date)
    }

    /// The date on which an instant falls.
    #[must_use]
    pub fn of(instant: Instant) -> Self {
        Self(instant.with_timezone(&shanghai()).date_naive())
    }

    /// The civil date.
    #[must_use]
    pub const fn get(self) -> NaiveDate {
        self.0
    }

    /// The first instant of the day.
    #[must_use]
    pub fn start(self) -> Instant {
        self.at(NaiveTime::MIN)
    }

    /// A time of this day.
    #[must_use]
    pub fn at(self, time: NaiveTime) -> Instant {
        let local = self.0.and_time(time);
        DateTime::<Utc>::from_naive_utc_and_offset(local, Utc) - TimeDelta::hours(8)
    }

    /// So many days later.
    ///
    /// # Errors
    /// [`TimeError::Range`] beyond the calendar.
    pub fn plus_days(self, days: u64) -> Result<Self, TimeError> {
        self.0.checked_add_days(Days::new(days)).map(Self).ok_or(TimeError::Range)
    }

    /// So many days earlier.
    ///
    /// # Errors
    /// [`TimeError::Range`] beyond the calendar.
    pub fn minus_days(self, days: u64) -> Result<Self, TimeError> {
        self.0.checked_sub_days(Days::new(days)).map(Self).ok_or(TimeError::Range)
    }

    /// The same day so many months later, or the last day of that month.
    ///
    /// # Errors
    /// [`TimeError::Range`] beyond the calendar.
    pub fn plus_months(self, months: u32) -> Result<Self, TimeError> {
        self.0.checked_add_months(Months::new(months)).map(Self).ok_or(TimeError::Range)
    }

    /// The month that holds this date.
    #[must_use]
    pub fn month(self) -> Month {
        Month { year: self.0.year(), month: self.0.month() }
    }

    /// Full years between a birth date and this date; a birthday on 29 February counts from 1 March in
    /// other years.
    #[must_use]
    pub fn full_years_since(self, birth: Self) -> u32 {
        self.0.years_since(birth.0).unwrap_or(0)
    }

    /// Monday of the natural week (Monday to Sunday).
    #[must_use]
    pub fn monday(self) -> Self {
        let back = u64::from(self.0.weekday().num_days_from_monday());
        self.0.checked_sub_days(Days::new(back)).map_or(self, Self)
    }

    /// Whether the day is a Saturday or Sunday.
    #[must_use]
    pub fn is_weekend(self) -> bool {
        matches!(self.0.weekday(), Weekday::Sat | Weekday::Sun)
    }
}

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}
impl fmt::Debug for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for BusinessDate {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shape =
            text.len() == 10 && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        if !shape {
            return Err(TimeError::Date);
        }
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_cause| TimeError::Date)?;
        if YEARS.contains(&date.year()) { Ok(Self(date)) } else { Err(TimeError::Range) }
    }
}
impl TryFrom<String> for BusinessDate {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<BusinessDate> for String {
    fn from(date: BusinessDate) -> Self {
        date.to_string()
    }
}

/// A natural month in China Standard Time, also the settlement month.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// The month that holds an instant.
    #[must_use]
    pub fn of(instant: Instant) -> Self {
        BusinessDate::of(instant).month()
    }

    /// First day.
    #[must_use]
    pub fn first_day(self) -> BusinessDate {
        BusinessDate(NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or(NaiveDate::MIN))
    }

    /// The next month.
    ///
    /// # Errors
    /// [`TimeError::Range`] beyond the calendar.
    pub fn next(self) -> Result<Self, TimeError> {
        self.first_day().plus_months(1).map(BusinessDate::month)
    }

    /// Year.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.year
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}
impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Month {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let first: BusinessDate =
            format!("{text}-01").parse().map_err(|cause| if cause == TimeError::Date { TimeError::Month } else { cause })?;
        Ok(first.month())
    }
}
impl TryFrom<String> for Month {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

/// The length of time over which an entitlement may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowKind {
    /// One civil day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A natural month.
    Month,
    /// A quarter of the year.
    Quarter,
    /// A calendar year.
    Year,
    /// No end: the balance stays.
    Never,
}

/// One window: from its first day up to, and not including, the day on which it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Window {
    /// First day.
    pub start: BusinessDate,
    /// First day after; absent for a window without end.
    pub end: Option<BusinessDate>,
}

impl Window {
    /// The window of `kind` that holds `date`. A window without end starts on 1 January 2000, so that all
    /// dates share one row.
    ///
    /// # Errors
    /// [`TimeError::Range`] beyond the calendar.
    pub fn holding(kind: WindowKind, date: BusinessDate) -> Result<Self, TimeError> {
        let day = date.get();
        let (start, end) = match kind {
            WindowKind::Day => (date, Some(date.plus_days(1)?)),
            WindowKind::Week => (date.monday(), Some(date.monday().plus_days(7)?)),
            WindowKind::Month => (date.month().first_day(), Some(date.month().next()?.first_day())),
            WindowKind::Quarter => {
                let start = BusinessDate::from_ymd(day.year(), day.month0() / 3 * 3 + 1, 1)?;
                (start, Some(start.plus_months(3)?))
            }
            WindowKind::Year => {
                let start = BusinessDate::from_ymd(day.year(), 1, 1)?;
                (start, Some(start.plus_months(12)?))
            }
            WindowKind::Never => (BusinessDate::from_ymd(2000, 1, 1)?, None),
        };
        Ok(Self { start, end })
    }

    /// Whether a date lies inside.
    #[must_use]
    pub fn contains(&self, date: BusinessDate) -> bool {
        self.start <= date && self.end.is_none_or(|end| date < end)
    }
}

/// Working days of China: Monday to Friday, less official rest days, plus make-up working days.
#[derive(Debug, Clone, Default)]
pub struct WorkingCalendar {
    exceptions: std::collections::BTreeMap<BusinessDate, bool>,
}

impl WorkingCalendar {
    /// Reads the official table: `date,kind,name` with kind `rest` or `work`.
    ///
    /// # Errors
    /// [`TimeError::Date`] for a row that is not of that form.
    pub fn parse(csv: &str) -> Result<Self, TimeError> {
        let mut exceptions = std::collections::BTreeMap::new();
        for line in csv.lines().skip(1).filter(|line| !line.trim().is_empty()) {
            let mut cells = line.split(',');
            let (Some(date), Some(kind)) = (cells.next(), cells.next()) else { return Err(TimeError::Date) };
            let works = match kind {
                "work" => true,
                "rest" => false,
                _ => return Err(TimeError::Date),
            };
            exceptions.insert(date.parse()?, works);
        }
        Ok(Self { exceptions })
    }

    /// The official table that is shipped (years 2019 to 2026).
    ///
    /// # Errors
    /// [`TimeError::Date`] when the shipped file is damaged; a test keeps it whole.
    pub fn shipped() -> Result<Self, TimeError> {
        Self::parse(include_str!("../data/holidays.csv"))
    }

    /// Whether people work on this day.
    #[must_use]
    pub fn is_working_day(&self, date: BusinessDate) -> bool {
        self.exceptions.get(&date).copied().unwrap_or(!date.is_weekend())
    }

    /// Whether the table has no entries for this year, so that answers about it are provisional.
    #[must_use]
    pub fn is_provisional(&self, date: BusinessDate) -> bool {
        self.last_year().is_none_or(|year| date.get().year() > year)
    }

    /// Last year that the table covers.
    #[must_use]
    pub fn last_year(&self) -> Option<i32> {
        self.exceptions.keys().next_back().map(|date| date.get().year())
    }

    /// The n-th working day after a date (n = 0: the date itself).
    ///
    /// # Errors
    /// [`TimeError::Range`] beyond the calendar.
    pub fn add_working_days(&self, from: BusinessDate, working_days: u32) -> Result<BusinessDate, TimeError> {
        let mut date = from;
        let mut left = working_days;
        while left > 0 {
            date = date.plus_days(1)?;
            if self.is_working_day(date) {
                left -= 1;
            }
        }
        Ok(date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_business_date_begins_at_four_in_the_afternoon_utc() {
        let before: Instant = "2026-10-31T15:59:59.999999Z".parse().unwrap();
        let after: Instant = "2026-10-31T16:00:00Z".parse().unwrap();
        assert_eq!(BusinessDate::of(before), date("2026-10-31"));
        assert_eq!(BusinessDate::of(after), date("2026-11-01"));
        assert_eq!(date("2026-11-01").start(), after);
    }

    #[test]
    fn years_and_offsets_that_nobody_means_are_refused() {
        for wrong in ["0001-01-01", "1799-12-31", "2201-01-01", "9999-12-31"] {
            assert_eq!(wrong.parse::<BusinessDate>(), Err(TimeError::Range), "{wrong}");
            assert_eq!(parse_instant(&format!("{wrong}T09:00:00Z")), Err(TimeError::Range), "{wrong}");
        }
        assert_eq!("9999-12".parse::<Month>(), Err(TimeError::Range));
        assert_eq!("2026-13".parse::<Month>(), Err(TimeError::Month));
        assert!(parse_instant("2026-11-01T00:00:00+14:00").is_ok());
        assert_eq!(parse_instant("2026-11-01T00:00:00+14:01"), Err(TimeError::Instant));
        assert_eq!(parse_instant("2026-11-01T00:00:00-23:59"), Err(TimeError::Instant));
    }

    #[test]
    fn instants_without_offset_are_chinese_and_leap_seconds_are_refused() {
        assert_eq!(parse_instant("2026-11-01T00:00:00"), Ok(date("2026-11-01").start()));
        assert_eq!(parse_instant("2026-11-01T00:00:00+08:00"), Ok(date("2026-11-01").start()));
        for wrong in ["2026-11-01", "2027-02-30T00:00:00Z", "2026-11-01T24:00:00Z", "2026-12-31T23:59:60Z", "now"] {
            assert_eq!(parse_instant(wrong), Err(TimeError::Instant), "{wrong}");
        }
    }

    #[test]
    fn windows_are_half_open() {
        let window = |kind, text: &str| Window::holding(kind, date(text)).unwrap();
        assert_eq!(window(WindowKind::Week, "2026-11-22").start, date("2026-11-16"));
        assert_eq!(window(WindowKind::Month, "2026-12-31").end, Some(date("2027-01-01")));
        assert_eq!(window(WindowKind::Quarter, "2026-11-22").start, date("2026-10-01"));
        assert!(!window(WindowKind::Month, "2026-11-22").contains(date("2026-12-01")));
        assert!(window(WindowKind::Never, "2026-11-22").contains(date("2099-01-01")));
    }

    #[test]
    fn the_shipped_calendar_knows_make_up_days_and_its_own_end() {
        let calendar = WorkingCalendar::shipped().unwrap();
        assert!(!calendar.is_working_day(date("2026-10-01")));
        assert!(calendar.is_working_day(date("2026-10-10")), "a Saturday made up for the National Day");
        assert!(!calendar.is_working_day(date("2026-11-22")));
        assert_eq!(calendar.add_working_days(date("2026-09-30"), 1), Ok(date("2026-10-08")));
        assert!(!calendar.is_provisional(date("2026-12-31")));
        assert!(calendar.is_provisional(date("2027-01-01")));
    }

    #[test]
    fn age_is_reckoned_in_full_years() {
        let birth = date("1944-02-29");
        assert_eq!(date("2026-02-28").full_years_since(birth), 81);
        assert_eq!(date("2026-03-01").full_years_since(birth), 82);
    }
}
