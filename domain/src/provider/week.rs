//! Hours of a week, as a provider is open and as a carer works.

use std::{fmt, str::FromStr};

use chrono::{Datelike as _, TimeDelta};
use serde::{Deserialize, Serialize};

use super::ProfileError;
use crate::time::{BusinessDate, Instant};

/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// More ranges than anybody works in a week.
const RANGES_MAX: usize = 28;

/// A time of day in China Standard Time, to the minute, from `00:00` to `24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// Minutes since midnight.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

/// Reads `08:30` and `24:00`.
impl FromStr for TimeOfDay {
    type Err = ProfileError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let two =
            |part: &str| (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<u16>().ok()).flatten();
        let (hours, minutes) = text.split_once(':').ok_or(ProfileError::TimeOfDay)?;
        let (hours, minutes) = two(hours).zip(two(minutes)).filter(|(_, minutes)| *minutes < 60).ok_or(ProfileError::TimeOfDay)?;
        let all = hours * 60 + minutes;
        if all <= DAY { Ok(Self(all)) } else { Err(ProfileError::TimeOfDay) }
    }
}
impl TryFrom<String> for TimeOfDay {
    type Error = ProfileError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}
impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// From a time up to, and not including, another on one weekday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeekRange {
    /// 1 Monday to 7 Sunday.
    pub weekday: u8,
    /// First minute inside.
    pub from: TimeOfDay,
    /// First minute outside.
    pub until: TimeOfDay,
}

/// The ranges of a week, in order and apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<WeekRange>", into = "Vec<WeekRange>")]
pub struct WeekHours(Vec<WeekRange>);

impl WeekHours {
    /// Checks ranges and puts them in order.
    ///
    /// # Errors
    /// [`ProfileError::WeekRange`] for a weekday that is none, an empty range or too many;
    /// [`ProfileError::WeekOverlap`] when two share a minute.
    pub fn new(mut ranges: Vec<WeekRange>) -> Result<Self, ProfileError> {
        let sound = |range: &WeekRange| (1..=7).contains(&range.weekday) && range.from < range.until;
        if ranges.len() > RANGES_MAX || !ranges.iter().all(sound) {
            return Err(ProfileError::WeekRange);
        }
        ranges.sort_unstable();
        let overlap = ranges.iter().zip(ranges.iter().skip(1)).any(|(one, next)| one.weekday == next.weekday && next.from < one.until);
        if overlap { Err(ProfileError::WeekOverlap) } else { Ok(Self(ranges)) }
    }

    /// The ranges, from Monday on.
    #[must_use]
    pub fn ranges(&self) -> &[WeekRange] {
        &self.0
    }

    /// Whether every minute from an instant up to another lies inside. A service over midnight needs both days.
    #[must_use]
    pub fn covers(&self, start: Instant, end: Instant) -> bool {
        let mut from = start;
        while from < end {
            let day = BusinessDate::of(from);
            let midnight = day.start();
            let next = midnight + TimeDelta::days(1);
            if !self.covers_piece(day, minutes(from - midnight), minutes(end.min(next) - midnight + TimeDelta::seconds(59))) {
                return false;
            }
            from = next;
        }
        true
    }

    /// Ranges that touch are one: half past eight to noon and noon to five cover a visit at half past eleven.
    fn covers_piece(&self, day: BusinessDate, from: u16, until: u16) -> bool {
        let weekday = day.get().weekday().number_from_monday();
        let mut reached = from;
        for range in self.0.iter().filter(|range| u32::from(range.weekday) == weekday) {
            if range.from.0 <= reached && reached < range.until.0 {
                reached = range.until.0;
            }
        }
        reached >= until
    }
}

fn minutes(delta: TimeDelta) -> u16 {
    u16::try_from(delta.num_minutes()).unwrap_or(DAY).min(DAY)
}

impl TryFrom<Vec<WeekRange>> for WeekHours {
    type Error = ProfileError;
    fn try_from(ranges: Vec<WeekRange>) -> Result<Self, Self::Error> {
        Self::new(ranges)
    }
}
impl From<WeekHours> for Vec<WeekRange> {
    fn from(hours: WeekHours) -> Self {
        hours.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(weekday: u8, from: &str, until: &str) -> WeekRange {
        WeekRange { weekday, from: from.parse().unwrap(), until: until.parse().unwrap() }
    }

    fn at(text: &str) -> Instant {
        crate::time::parse_instant(text).unwrap()
    }

    #[test]
    fn a_time_of_day_is_two_and_two_digits() {
        assert_eq!("24:00".parse::<TimeOfDay>().unwrap().minutes(), 1_440);
        for wrong in ["", "8:00", "24:01", "12:60", "0800", "08:0a", "-1:00", "08:00:00", "２4:00"] {
            assert_eq!(wrong.parse::<TimeOfDay>(), Err(ProfileError::TimeOfDay), "{wrong:?}");
        }
    }

    #[test]
    fn a_visit_lies_inside_with_its_last_minute() {
        // 23 November 2026 is a Monday.
        let hours = WeekHours::new(vec![range(1, "13:00", "17:00"), range(1, "08:30", "13:00")]).unwrap();
        assert!(hours.covers(at("2026-11-23T08:30:00+08:00"), at("2026-11-23T17:00:00+08:00")), "ranges that touch are one");
        assert!(!hours.covers(at("2026-11-23T08:29:00+08:00"), at("2026-11-23T09:00:00+08:00")));
        assert!(!hours.covers(at("2026-11-23T16:30:00+08:00"), at("2026-11-23T17:00:30+08:00")));
        assert!(!hours.covers(at("2026-11-24T09:00:00+08:00"), at("2026-11-24T10:00:00+08:00")), "Tuesday has none");
    }

    #[test]
    fn a_night_needs_both_days() {
        let night = [range(1, "20:00", "24:00"), range(2, "00:00", "06:00")];
        let (start, end) = (at("2026-11-23T22:00:00+08:00"), at("2026-11-24T06:00:00+08:00"));
        assert!(WeekHours::new(night.to_vec()).unwrap().covers(start, end));
        assert!(!WeekHours::new(night[..1].to_vec()).unwrap().covers(start, end));
    }

    #[test]
    fn ranges_are_checked_also_when_read() {
        assert_eq!(WeekHours::new(vec![range(0, "08:00", "09:00")]), Err(ProfileError::WeekRange));
        assert_eq!(WeekHours::new(vec![range(1, "09:00", "09:00")]), Err(ProfileError::WeekRange));
        assert_eq!(WeekHours::new(vec![range(1, "08:00", "10:00"), range(1, "09:59", "11:00")]), Err(ProfileError::WeekOverlap));
        assert!(serde_json::from_str::<WeekHours>(r#"[{"weekday":8,"from":"08:00","until":"09:00"}]"#).is_err());
        let hours = WeekHours::new(vec![range(7, "08:00", "24:00")]).unwrap();
        let text = serde_json::to_string(&hours).unwrap();
        assert_eq!(text, r#"[{"weekday":7,"from":"08:00","until":"24:00"}]"#);
        assert_eq!(serde_json::from_str::<WeekHours>(&text).unwrap(), hours);
    }
}
