//! Made-up cities: who lives there, who serves, and what happens, drawn from a seed.
//!
//! A plan says who, what and when, and nothing that a rule decides: levels, eligibility, windows, prices, grades
//! and claims follow from the plans by the same functions as in a live city. The same seed and the same day give
//! the same plans. Nobody in them exists: identity numbers carry county codes that no real number has, and
//! nobody has a telephone, because any mobile number could be somebody's.
//!
//! A city is planned in neighbourhoods that share no resident, provider or carer, so that a large one never has
//! to be in memory as a whole.

mod draw;
mod fraud;
mod name;
mod neighbourhood;
mod number;
mod resident;
mod visit;

use chrono::TimeDelta;

pub use draw::Draw;
pub use fraud::{Fraud, Planted};
pub use neighbourhood::{CarerPlan, Neighbourhood, ProviderKind, ProviderPlan};
pub use number::{credit_code, identity_number, is_synthetic};
pub use resident::{FamilyPlan, Habit, ResidentPlan};
pub use visit::{Closing, Ending, Position, Proof, VisitPlan};

use crate::{
    error::{Fault, Kind},
    resident::ResidentError,
    time::{BusinessDate, Instant, TimeError},
};

/// Why a plan could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// The days lie beyond the calendar.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A made-up person or place breaks a rule for real ones.
    #[error("a made-up person breaks a rule for real ones: {0}")]
    Resident(#[from] ResidentError),
    /// No division to live in.
    #[error("the division table has no community in the county {0}")]
    NoCommunity(String),
    /// A number for which there is no check character.
    #[error("no check character fits a made-up number")]
    Number,
}

impl Fault for SampleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Time(cause) => cause.code(),
            Self::Resident(_) => "sample.resident",
            Self::NoCommunity(_) => "sample.no_community",
            Self::Number => "sample.number",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::NoCommunity(_) => Kind::Conflict,
            Self::Time(_) | Self::Resident(_) | Self::Number => Kind::Broken,
        }
    }
}

/// How large a made-up city is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Size {
    /// 2,000 residents of one district, most of them with services.
    Street,
    /// 20,000 residents of one district, a quarter of them with services.
    District,
    /// 1,000,000 residents of all districts, one in twenty with services.
    City,
}

/// The numbers of a made-up city.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Residents in all.
    pub residents: u32,
    /// Residents of one neighbourhood.
    pub neighbourhood: u32,
    /// Providers of one neighbourhood.
    pub providers: u32,
    /// Carers of one provider.
    pub carers: u32,
    /// Of a thousand residents, how many have services.
    pub served_permille: u32,
    /// Whether they live in all districts, or in the first one.
    pub all_districts: bool,
}

impl Size {
    /// The numbers of this size.
    #[must_use]
    pub const fn shape(self) -> Shape {
        match self {
            Self::Street => {
                Shape { residents: 2_000, neighbourhood: 250, providers: 8, carers: 7, served_permille: 690, all_districts: false }
            }
            Self::District => {
                Shape { residents: 20_000, neighbourhood: 250, providers: 3, carers: 6, served_permille: 250, all_districts: false }
            }
            Self::City => {
                Shape { residents: 1_000_000, neighbourhood: 1_000, providers: 2, carers: 8, served_permille: 50, all_districts: true }
            }
        }
    }
}

impl Shape {
    /// How many neighbourhoods there are.
    #[must_use]
    pub const fn neighbourhoods(&self) -> u32 {
        self.residents.div_ceil(self.neighbourhood)
    }
}

/// The days of a made-up city: three whole months that are over, and the present one up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The city's present instant; what would come later has not happened.
    pub now: Instant,
    /// The day on which the city was founded, two months before its first visits.
    pub founded: BusinessDate,
    /// First day with visits: the first of the third month before this one.
    pub first: BusinessDate,
    /// First day of the present month.
    pub current: BusinessDate,
    /// First day without visits: bookings reach nine days ahead.
    pub until: BusinessDate,
}

/// How far ahead visits are booked, in days.
const AHEAD_DAYS: u64 = 9;
/// Days between the founding of a city and its first visits.
const FOUNDED_DAYS: u64 = 60;

impl Period {
    /// The days as seen from an instant.
    ///
    /// # Errors
    /// [`SampleError::Time`] beyond the calendar.
    pub fn before(now: Instant) -> Result<Self, SampleError> {
        let today = BusinessDate::of(now);
        let current = today.month().first_day();
        let months_back = |day: BusinessDate| -> Result<BusinessDate, TimeError> { Ok(day.minus_days(1)?.month().first_day()) };
        let first = months_back(months_back(months_back(current)?)?)?;
        Ok(Self { now, founded: first.minus_days(FOUNDED_DAYS)?, first, current, until: today.plus_days(AHEAD_DAYS + 1)? })
    }

    /// First day of the last month that is over.
    ///
    /// # Errors
    /// [`SampleError::Time`] beyond the calendar.
    pub fn last_past(&self) -> Result<BusinessDate, SampleError> {
        Ok(self.current.minus_days(1)?.month().first_day())
    }

    /// The past months and the present one, by their first days.
    ///
    /// # Errors
    /// [`SampleError::Time`] beyond the calendar.
    pub fn months(&self) -> Result<Vec<BusinessDate>, SampleError> {
        let mut months = vec![self.first];
        while let Some(last) = months.last().copied().filter(|last| *last < self.current) {
            months.push(last.month().next()?.first_day());
        }
        Ok(months)
    }
}

/// An instant so many minutes after midnight of a business day.
#[must_use]
pub fn at_minute(day: BusinessDate, minute: i64) -> Instant {
    day.start() + TimeDelta::minutes(minute)
}

#[cfg(test)]
mod tests;
