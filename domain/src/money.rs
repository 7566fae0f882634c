//! Money is integer fen (0.01 yuan); there is no floating point and no unchecked operation.
//!
//! Rates are basis points. Every multiplication by a rate states its rounding. A sum that is divided over
//! several payers is [`allocate`]d by largest remainder, so that the parts always add up to the whole.

#![warn(clippy::arithmetic_side_effects)]

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{Fault, Kind};

/// The only currency of the product.
pub const CURRENCY: &str = "CNY";

/// The largest amount that is accepted anywhere: one hundred billion yuan.
pub const FEN_MAX: i64 = 10_000_000_000_000;

/// An amount of money in fen, never negative: a debt is expressed by the account and its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Fen(i64);

/// Why an amount was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Below zero.
    #[error("an amount cannot be negative")]
    Negative,
    /// Above [`FEN_MAX`].
    #[error("an amount cannot exceed {FEN_MAX} fen")]
    TooLarge,
    /// A smaller amount was reduced by a larger one.
    #[error("cannot take more than there is")]
    Short,
    /// A rate outside its range.
    #[error("a rate lies between 0 and 10000 basis points")]
    Rate,
    /// A division over weights that add up to nothing.
    #[error("the weights of a division add up to zero")]
    NoWeights,
    /// The text is not an amount in yuan with at most two decimals.
    #[error("write yuan with at most two decimals, such as 120.00")]
    Text,
}

impl Fault for MoneyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Negative => "money.negative",
            Self::TooLarge => "money.too_large",
            Self::Short => "money.short",
            Self::Rate => "money.rate",
            Self::NoWeights => "money.no_weights",
            Self::Text => "money.text",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Checks an amount in fen.
    ///
    /// # Errors
    /// Negative amounts and amounts above [`FEN_MAX`].
    pub const fn new(fen: i64) -> Result<Self, MoneyError> {
        if fen < 0 {
            Err(MoneyError::Negative)
        } else if fen > FEN_MAX {
            Err(MoneyError::TooLarge)
        } else {
            Ok(Self(fen))
        }
    }

    /// The amount in fen.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub const fn add(self, other: Self) -> Result<Self, MoneyError> {
        match self.0.checked_add(other.0) {
            Some(sum) => Self::new(sum),
            None => Err(MoneyError::TooLarge),
        }
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::Short`] when `other` is larger.
    pub const fn sub(self, other: Self) -> Result<Self, MoneyError> {
        match self.0.checked_sub(other.0) {
            Some(rest) if rest >= 0 => Ok(Self(rest)),
            _ => Err(MoneyError::Short),
        }
    }

    /// The difference, or nothing when `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        match self.sub(other) {
            Ok(rest) => rest,
            Err(_) => Self::ZERO,
        }
    }

    /// Sum of many amounts.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::ZERO, Self::add)
    }

    /// `self × numerator ÷ denominator`, rounded as told.
    ///
    /// # Errors
    /// [`MoneyError::NoWeights`] for a denominator that is not positive, [`MoneyError::Negative`] for a
    /// negative numerator, [`MoneyError::TooLarge`].
    pub fn scale(self, numerator: i64, denominator: i64, rounding: Rounding) -> Result<Self, MoneyError> {
        if denominator <= 0 {
            return Err(MoneyError::NoWeights);
        }
        if numerator < 0 {
            return Err(MoneyError::Negative);
        }
        let product = i128::from(self.0).checked_mul(i128::from(numerator)).ok_or(MoneyError::TooLarge)?;
        let quotient = rounding.divide(product, i128::from(denominator))?;
        i64::try_from(quotient).map_err(|_cause| MoneyError::TooLarge).and_then(Self::new)
    }
}

impl TryFrom<i64> for Fen {
    type Error = MoneyError;
    fn try_from(fen: i64) -> Result<Self, Self::Error> {
        Self::new(fen)
    }
}
impl From<Fen> for i64 {
    fn from(fen: Fen) -> Self {
        fen.0
    }
}

/// Yuan with two decimals, without a currency sign.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0.div_euclid(100), self.0.rem_euclid(100))
    }
}

/// Reads yuan with at most two decimals in ASCII digits: `120`, `120.5`, `120.50`.
impl FromStr for Fen {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (yuan, cents) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, max: usize| !part.is_empty() && part.len() <= max && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(yuan, 12) || !digits(cents, 2) {
            return Err(MoneyError::Text);
        }
        let read = |part: &str| part.parse::<i64>().map_err(|_cause| MoneyError::Text);
        let tenfold = if cents.len() == 1 { 10 } else { 1 };
        let fen = read(yuan)?.checked_mul(100).zip(read(cents)?.checked_mul(tenfold)).and_then(|(a, b)| a.checked_add(b));
        fen.ok_or(MoneyError::TooLarge).and_then(Self::new)
    }
}

/// How a fraction of a fen is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Half a fen and more goes up: the rule unless a policy says otherwise.
    #[default]
    HalfUp,
    /// Half a fen goes to the even neighbour.
    HalfEven,
    /// Fractions are dropped.
    Down,
    /// Any fraction goes up.
    Up,
}

impl Rounding {
    /// Divides a non-negative number by a positive one.
    fn divide(self, numerator: i128, denominator: i128) -> Result<i128, MoneyError> {
        let quotient = numerator.checked_div(denominator).ok_or(MoneyError::NoWeights)?;
        let rest = numerator.checked_rem(denominator).ok_or(MoneyError::NoWeights)?;
        let twice = rest.checked_mul(2).ok_or(MoneyError::TooLarge)?;
        let up = match self {
            Self::HalfUp => twice >= denominator,
            Self::HalfEven => twice > denominator || (twice == denominator && quotient.checked_rem(2) == Some(1)),
            Self::Down => false,
            Self::Up => rest > 0,
        };
        if up { quotient.checked_add(1).ok_or(MoneyError::TooLarge) } else { Ok(quotient) }
    }
}

/// A rate in hundredths of a percent, 0 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct BasisPoints(i64);

impl BasisPoints {
    /// The whole.
    pub const WHOLE: Self = Self(10_000);
    /// Nothing of it.
    pub const NOTHING: Self = Self(0);

    /// Checks a rate.
    ///
    /// # Errors
    /// [`MoneyError::Rate`] outside 0 to 10,000.
    pub const fn new(points: i64) -> Result<Self, MoneyError> {
        if points < 0 || points > 10_000 { Err(MoneyError::Rate) } else { Ok(Self(points)) }
    }

    /// The rate in basis points.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// This share of an amount.
    ///
    /// # Errors
    /// None in practice: a share is never larger than the amount.
    pub fn of(self, amount: Fen, rounding: Rounding) -> Result<Fen, MoneyError> {
        amount.scale(self.0, 10_000, rounding)
    }
}

impl TryFrom<i64> for BasisPoints {
    type Error = MoneyError;
    fn try_from(points: i64) -> Result<Self, Self::Error> {
        Self::new(points)
    }
}
impl From<BasisPoints> for i64 {
    fn from(rate: BasisPoints) -> Self {
        rate.0
    }
}

/// Divides `total` in proportion to `weights` by largest remainder; ties go to the earlier weight. The
/// parts always add up to `total`.
///
/// # Errors
/// [`MoneyError::NoWeights`] when all weights are zero, [`MoneyError::Negative`] when one is negative.
pub fn allocate(total: Fen, weights: &[i64]) -> Result<Vec<Fen>, MoneyError> {
    if weights.iter().any(|weight| *weight < 0) {
        return Err(MoneyError::Negative);
    }
    let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if whole == 0 {
        return Err(MoneyError::NoWeights);
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    for (place, weight) in weights.iter().enumerate() {
        let product = i128::from(total.0).checked_mul(i128::from(*weight)).ok_or(MoneyError::TooLarge)?;
        let part = product.checked_div(whole).ok_or(MoneyError::NoWeights)?;
        remainders.push((product.checked_rem(whole).ok_or(MoneyError::NoWeights)?, place));
        parts.push(i64::try_from(part).map_err(|_cause| MoneyError::TooLarge).and_then(Fen::new)?);
    }
    let mut rest = total.sub(Fen::sum(parts.iter().copied())?)?;
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, place) in remainders {
        if rest.is_zero() {
            break;
        }
        if let Some(part) = parts.get_mut(place) {
            *part = part.add(Fen(1))?;
            rest = rest.sub(Fen(1))?;
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_fen_goes_up_unless_told_otherwise() {
        let amount = Fen(3_333);
        let half = BasisPoints(5_000);
        assert_eq!(half.of(amount, Rounding::HalfUp), Ok(Fen(1_667)));
        assert_eq!(half.of(amount, Rounding::HalfEven), Ok(Fen(1_666)));
        assert_eq!(half.of(amount, Rounding::Down), Ok(Fen(1_666)));
        assert_eq!(half.of(amount, Rounding::Up), Ok(Fen(1_667)));
    }

    #[test]
    fn text_is_strict() {
        assert_eq!("120".parse(), Ok(Fen(12_000)));
        assert_eq!("120.5".parse(), Ok(Fen(12_050)));
        assert_eq!("0.01".parse(), Ok(Fen(1)));
        for wrong in ["", ".5", "1.", "-1", "1e3", "1,000", "１２", "0.001", " 1", "+1"] {
            assert_eq!(wrong.parse::<Fen>(), Err(MoneyError::Text), "{wrong:?}");
        }
        assert_eq!(Fen(5).to_string(), "0.05");
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(total in 0..FEN_MAX, weights in prop::collection::vec(0i64..10_000, 1..8)) {
            prop_assume!(weights.iter().any(|w| *w > 0));
            let parts = allocate(Fen(total), &weights).unwrap();
            prop_assert_eq!(parts.iter().map(|p| p.get()).sum::<i64>(), total);
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(*weight > 0 || part.is_zero());
            }
        }

        #[test]
        fn a_share_never_exceeds_the_amount(amount in 0..FEN_MAX, points in 0i64..=10_000) {
            for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down, Rounding::Up] {
                prop_assert!(BasisPoints(points).of(Fen(amount), rounding).unwrap() <= Fen(amount));
            }
        }
    }
}
