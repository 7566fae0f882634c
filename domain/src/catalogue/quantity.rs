//! Quantities in catalogue units, with two decimals.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{Fault, Kind};

/// The largest quantity of one line, in hundredths.
const HUNDREDTHS_MAX: i64 = 1_000_000;

/// How many catalogue units were booked or given: more than nothing, at most 10,000, with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Quantity(i64);

/// Why a catalogue value was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Not a quantity.
    #[error("write a quantity above 0 and at most 10000 with at most two decimals, such as 1.5")]
    Quantity,
}

impl Fault for CatalogueError {
    fn code(&self) -> &'static str {
        match self {
            Self::Quantity => "catalogue.quantity",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

impl Quantity {
    /// One unit.
    pub const ONE: Self = Self(100);

    /// Checks a quantity in hundredths of a unit.
    ///
    /// # Errors
    /// [`CatalogueError::Quantity`] for nothing, less than nothing and more than 10,000 units.
    pub const fn from_hundredths(hundredths: i64) -> Result<Self, CatalogueError> {
        if hundredths > 0 && hundredths <= HUNDREDTHS_MAX { Ok(Self(hundredths)) } else { Err(CatalogueError::Quantity) }
    }

    /// The quantity in hundredths of a unit.
    #[must_use]
    pub const fn hundredths(self) -> i64 {
        self.0
    }

    /// The whole units in it.
    #[must_use]
    pub const fn whole_units(self) -> i64 {
        self.0.div_euclid(100)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0.div_euclid(100), self.0.rem_euclid(100))
    }
}

/// Reads `2`, `1.5` and `0.25`; ASCII digits only.
impl FromStr for Quantity {
    type Err = CatalogueError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (units, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, max: usize| !part.is_empty() && part.len() <= max && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(units, 5) || !digits(decimals, 2) {
            return Err(CatalogueError::Quantity);
        }
        let read = |part: &str| part.parse::<i64>().map_err(|_cause| CatalogueError::Quantity);
        let tenfold = if decimals.len() == 1 { 10 } else { 1 };
        let hundredths = read(units)?.checked_mul(100).zip(read(decimals)?.checked_mul(tenfold)).and_then(|(a, b)| a.checked_add(b));
        hundredths.ok_or(CatalogueError::Quantity).and_then(Self::from_hundredths)
    }
}
impl TryFrom<String> for Quantity {
    type Error = CatalogueError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_strict_and_nothing_is_no_quantity() {
        assert_eq!("2".parse(), Quantity::from_hundredths(200));
        assert_eq!("1.5".parse(), Quantity::from_hundredths(150));
        assert_eq!("0.25".parse(), Quantity::from_hundredths(25));
        assert_eq!("10000".parse::<Quantity>().map(|quantity| quantity.to_string()), Ok("10000.00".to_owned()));
        for wrong in ["", "0", "0.00", "-1", "1.005", "1.", ".5", "1e2", "２", "10000.01", "+1"] {
            assert_eq!(wrong.parse::<Quantity>(), Err(CatalogueError::Quantity), "{wrong:?}");
        }
    }
}
