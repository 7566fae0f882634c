//! Day care (日间照料): centres with rooms and seats, open in sessions of half a day.
//!
//! A seat is counted per room, day and half. Who stays the whole day takes a seat of one room in both halves.
//! The count never exceeds the seats; who comes first has the seat.

use chrono::{Datelike as _, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Fault, FieldError, Kind},
    time::{BusinessDate, Instant},
};

/// Most seats of one room.
pub const SEATS_MAX: u32 = 500;
/// Most rooms of one centre.
pub const ROOMS_MAX: usize = 50;

/// Half of a day, as seats are counted.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Half {
    /// 上午
    Morning,
    /// 下午
    Afternoon,
}

/// When a centre is open on one weekday in one half, in China Standard Time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// 1 Monday to 7 Sunday.
    pub weekday: u32,
    /// Which half.
    pub half: Half,
    /// When it begins.
    pub from: NaiveTime,
    /// When it ends.
    pub until: NaiveTime,
}

/// The sessions of a week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Session>", into = "Vec<Session>")]
pub struct Timetable(Vec<Session>);

impl Timetable {
    /// Checks sessions and puts them in order.
    ///
    /// # Errors
    /// [`DayCareError::Timetable`] without sessions, for a weekday that is none, a session that is empty or doubled, and
    /// an afternoon that begins before the morning has ended.
    pub fn new(mut sessions: Vec<Session>) -> Result<Self, DayCareError> {
        sessions.sort_unstable();
        let sound = |session: &Session| (1..=7).contains(&session.weekday) && session.from < session.until;
        let apart = sessions
            .iter()
            .zip(sessions.iter().skip(1))
            .all(|(one, next)| one.weekday != next.weekday || (one.half != next.half && one.until <= next.from));
        if !sessions.is_empty() && sessions.iter().all(sound) && apart { Ok(Self(sessions)) } else { Err(DayCareError::Timetable) }
    }

    /// The sessions, from Monday on.
    #[must_use]
    pub fn sessions(&self) -> &[Session] {
        &self.0
    }

    /// The halves in which somebody who stays from `start` to `end` needs a seat.
    ///
    /// # Errors
    /// [`DayCareError::Closed`] when the centre is not open from the beginning to the end; the pause at noon counts as open
    /// for whoever stays the whole day.
    pub fn halves(&self, start: Instant, end: Instant) -> Result<Vec<Half>, DayCareError> {
        let day = BusinessDate::of(start);
        let weekday = day.get().weekday().number_from_monday();
        let stays = |session: &&Session| session.weekday == weekday && day.at(session.from) < end && start < day.at(session.until);
        let met: Vec<_> = self.0.iter().filter(stays).collect();
        let covered = match (met.first(), met.last()) {
            (Some(first), Some(last)) => day.at(first.from) <= start && end <= day.at(last.until),
            (Some(_) | None, _) => false,
        };
        let one_day = end <= day.start() + TimeDelta::days(1);
        if covered && one_day { Ok(met.into_iter().map(|session| session.half).collect()) } else { Err(DayCareError::Closed) }
    }
}

impl TryFrom<Vec<Session>> for Timetable {
    type Error = DayCareError;
    fn try_from(sessions: Vec<Session>) -> Result<Self, Self::Error> {
        Self::new(sessions)
    }
}
impl From<Timetable> for Vec<Session> {
    fn from(timetable: Timetable) -> Self {
        timetable.0
    }
}

/// Seats of one room in one half of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatCount {
    seats: u32,
    taken: u32,
}

impl SeatCount {
    /// Checks a count.
    ///
    /// # Errors
    /// [`DayCareError::Full`] when more are taken than there are.
    pub const fn new(seats: u32, taken: u32) -> Result<Self, DayCareError> {
        if taken > seats { Err(DayCareError::Full) } else { Ok(Self { seats, taken }) }
    }

    /// Seats taken.
    #[must_use]
    pub const fn taken(self) -> u32 {
        self.taken
    }

    /// Seats left.
    #[must_use]
    pub const fn free(self) -> u32 {
        self.seats.saturating_sub(self.taken)
    }

    /// One more seat taken.
    ///
    /// # Errors
    /// [`DayCareError::Full`].
    pub const fn take(self) -> Result<Self, DayCareError> {
        Self::new(self.seats, self.taken.saturating_add(1))
    }

    /// One seat given back.
    #[must_use]
    pub const fn give_back(self) -> Self {
        Self { seats: self.seats, taken: self.taken.saturating_sub(1) }
    }
}

/// Why no seat was booked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DayCareError {
    /// Sessions that are none.
    #[error("a timetable has for each weekday at most one morning and one afternoon, the morning first")]
    Timetable,
    /// The centre is not open then.
    #[error("the centre is not open from the beginning to the end of that time")]
    Closed,
    /// All seats are taken.
    #[error("all seats of the centre are taken at that time")]
    Full,
    /// A day-care order without a centre, or another order with one, or a centre of somebody else.
    #[error("day care, and nothing else, is booked with a centre of the quoted provider")]
    Centre,
}

impl Fault for DayCareError {
    fn code(&self) -> &'static str {
        match self {
            Self::Timetable => "day_care.timetable",
            Self::Closed => "day_care.closed",
            Self::Full => "day_care.full",
            Self::Centre => "day_care.centre",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Timetable | Self::Centre => Kind::Invalid,
            Self::Closed | Self::Full => Kind::Conflict,
        }
    }
    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Timetable => {
                let cure = "write one morning and one afternoon per weekday at most, each ending after it begins";
                vec![FieldError::new("sessions", "day_care.timetable", cure)]
            }
            Self::Centre => {
                let cure = "for day care name an open centre of the quoted provider; for other services leave it out";
                vec![FieldError::new("centre_id", "day_care.centre", cure)]
            }
            Self::Closed | Self::Full => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn session(weekday: u32, half: Half, from: (u32, u32), until: (u32, u32)) -> Session {
        let time = |(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
        Session { weekday, half, from: time(from), until: time(until) }
    }

    fn monday() -> Timetable {
        let afternoon = session(1, Half::Afternoon, (13, 30), (17, 0));
        Timetable::new(vec![afternoon, session(1, Half::Morning, (8, 30), (12, 0))]).unwrap()
    }

    /// 23 November 2026 is a Monday.
    fn at(time: &str) -> Instant {
        crate::time::parse_instant(&format!("2026-11-{time}:00+08:00")).unwrap()
    }

    #[test]
    fn who_stays_needs_a_seat_in_each_half_that_is_met() {
        let halves = |from, until| monday().halves(at(from), at(until));
        assert_eq!(halves("23T08:30", "23T17:00"), Ok(vec![Half::Morning, Half::Afternoon]));
        assert_eq!(halves("23T09:00", "23T12:00"), Ok(vec![Half::Morning]));
        assert_eq!(halves("23T14:00", "23T16:00"), Ok(vec![Half::Afternoon]));
        for closed in [
            ("23T08:29", "23T12:00"),
            ("23T08:30", "23T12:01"),
            ("23T12:00", "23T13:30"),
            ("23T09:00", "23T17:01"),
            ("24T09:00", "24T11:00"),
        ] {
            assert_eq!(halves(closed.0, closed.1), Err(DayCareError::Closed), "{closed:?}");
        }
    }

    #[test]
    fn a_timetable_is_checked_also_when_read() {
        let morning = session(1, Half::Morning, (8, 30), (12, 0));
        for wrong in [
            vec![],
            vec![morning, morning],
            vec![session(0, Half::Morning, (8, 0), (9, 0))],
            vec![session(1, Half::Morning, (9, 0), (9, 0))],
            vec![morning, session(1, Half::Afternoon, (11, 59), (17, 0))],
        ] {
            assert_eq!(Timetable::new(wrong.clone()), Err(DayCareError::Timetable), "{wrong:?}");
        }
        assert!(serde_json::from_str::<Timetable>("[]").is_err());
        let text = serde_json::to_string(&monday()).unwrap();
        assert_eq!(serde_json::from_str::<Timetable>(&text).unwrap(), monday());
    }

    proptest! {
        #[test]
        fn whatever_is_taken_and_given_back_the_count_stays_within_the_seats(seats in 0_u32..6, moves in prop::collection::vec(any::<bool>(), 0..40)) {
            let mut count = SeatCount::new(seats, 0).unwrap();
            for take in moves {
                match (take, count.take()) {
                    (true, Ok(next)) => count = next,
                    (true, Err(full)) => {
                        prop_assert_eq!(full, DayCareError::Full);
                        prop_assert_eq!(count.free(), 0);
                    }
                    (false, _) => count = count.give_back(),
                }
                prop_assert!(count.taken() <= seats);
                prop_assert_eq!(count.taken() + count.free(), seats);
            }
        }
    }
}
