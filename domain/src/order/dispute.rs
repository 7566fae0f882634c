//! Disputes: the family says what was wrong, both sides state their case, and a clerk who is no party decides
//! which part of the service is recognised.

use serde::{Deserialize, Serialize};

use crate::{
    error::{Fault, FieldError, Kind},
    money::{BasisPoints, Fen, MoneyError, Rounding},
};

/// Longest statement of one side, in characters.
pub const STATEMENT_LENGTH_MAX: usize = 2_000;
/// Most statements of one side.
pub const STATEMENTS_MAX: u64 = 10;

/// What was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DisputeReason {
    /// Nobody came, although it is recorded.
    NotDelivered,
    /// The carer left early.
    TooShort,
    /// What was agreed was not done.
    NotAsAgreed,
    /// Somebody else came than was named.
    OtherPerson,
    /// Somebody was hurt or something was damaged.
    Harm,
    /// The carer behaved badly.
    Conduct,
}

/// Who states something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DisputeSide {
    /// The resident or the family.
    Family,
    /// The provider.
    Provider,
    /// The bureau, with its decision.
    Bureau,
}

/// Which part of the service is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisputeOutcome {
    /// All of it, as far as it is proven.
    Full,
    /// A part of it, as far as it is proven.
    Part(BasisPoints),
    /// Nothing: nobody pays.
    Nothing,
}

impl DisputeOutcome {
    /// Reads the name of an outcome with the percentage that a part needs.
    ///
    /// # Errors
    /// [`DisputeError::Outcome`] for another name, [`DisputeError::Percent`] when the percentage does not belong to it.
    pub fn parse(name: &str, percent: Option<i64>) -> Result<Self, DisputeError> {
        match (name, percent) {
            ("full", None) => Ok(Self::Full),
            ("none", None) => Ok(Self::Nothing),
            ("part", Some(percent @ 1..=99)) => BasisPoints::new(percent * 100).map(Self::Part).map_err(|_range| DisputeError::Percent),
            ("full" | "none" | "part", _) => Err(DisputeError::Percent),
            _ => Err(DisputeError::Outcome),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Part(_) => "part",
            Self::Nothing => "none",
        }
    }

    /// The recognised part.
    #[must_use]
    pub fn share(self) -> BasisPoints {
        match self {
            Self::Full => BasisPoints::WHOLE,
            Self::Part(share) => share,
            Self::Nothing => BasisPoints::NOTHING,
        }
    }

    /// What is recognised of a price.
    ///
    /// # Errors
    /// Beyond the range of amounts.
    pub fn of_price(self, gross: Fen) -> Result<Fen, MoneyError> {
        self.share().of(gross, Rounding::HalfUp)
    }

    /// What is recognised of the minutes that were served, cut to whole minutes.
    #[must_use]
    pub fn of_minutes(self, minutes: u32) -> u32 {
        let points = u32::try_from(self.share().get()).unwrap_or(0);
        minutes.saturating_mul(points) / 10_000
    }
}

/// Why a step of a dispute was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DisputeError {
    /// Not an outcome.
    #[error("a dispute ends full, part or none")]
    Outcome,
    /// A percentage that does not belong to the outcome.
    #[error("a part needs a percentage of 1 to 99, the other outcomes none")]
    Percent,
    /// A statement that is empty or too long.
    #[error("a statement has 1 to {STATEMENT_LENGTH_MAX} characters")]
    Statement,
    /// Enough was said.
    #[error("each side makes at most {STATEMENTS_MAX} statements")]
    TooMany,
    /// The one who decides took part.
    #[error("whoever booked, belongs to the family or works for the provider cannot decide")]
    Party,
}

impl Fault for DisputeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Outcome => "dispute.outcome",
            Self::Percent => "dispute.percent",
            Self::Statement => "dispute.statement",
            Self::TooMany => "dispute.too_many",
            Self::Party => "dispute.party",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Outcome | Self::Percent | Self::Statement => Kind::Invalid,
            Self::TooMany => Kind::Conflict,
            Self::Party => Kind::Forbidden,
        }
    }
    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Outcome => vec![FieldError::new("outcome", "dispute.outcome", "write full, part or none")],
            Self::Percent => {
                let cure = "for part write 1 to 99; for full and none leave it out";
                vec![FieldError::new("percent", "dispute.percent", cure)]
            }
            Self::Statement => {
                let cure = format!("write 1 to {STATEMENT_LENGTH_MAX} characters of plain text");
                vec![FieldError::new("statement", "dispute.statement", cure)]
            }
            Self::TooMany | Self::Party => Vec::new(),
        }
    }
}

/// Checks what one side says. Lines are kept; other control characters are refused.
///
/// # Errors
/// [`DisputeError::Statement`].
pub fn check_statement(text: &str) -> Result<(), DisputeError> {
    let plain = text.chars().all(|c| c == '\n' || !c.is_control());
    let sound = !text.trim().is_empty() && text.chars().count() <= STATEMENT_LENGTH_MAX && plain;
    if sound { Ok(()) } else { Err(DisputeError::Statement) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_belongs_to_a_part_and_to_nothing_else() {
        assert_eq!(DisputeOutcome::parse("full", None), Ok(DisputeOutcome::Full));
        assert_eq!(DisputeOutcome::parse("part", Some(40)).map(DisputeOutcome::share).map(BasisPoints::get), Ok(4_000));
        for (name, percent) in [("part", None), ("part", Some(0)), ("part", Some(100)), ("full", Some(50)), ("none", Some(0))] {
            assert_eq!(DisputeOutcome::parse(name, percent), Err(DisputeError::Percent), "{name} {percent:?}");
        }
        assert_eq!(DisputeOutcome::parse("half", None), Err(DisputeError::Outcome));
    }

    #[test]
    fn the_recognised_part_is_never_more_than_the_whole() {
        let price = Fen::new(12_345).unwrap();
        for percent in 1..=99 {
            let part = DisputeOutcome::parse("part", Some(percent)).unwrap();
            assert!(part.of_price(price).unwrap() < price, "{percent}");
            assert!(part.of_minutes(61) < 61, "{percent}");
        }
        assert_eq!(DisputeOutcome::Full.of_price(price), Ok(price));
        assert_eq!(DisputeOutcome::Nothing.of_price(price), Ok(Fen::ZERO));
        assert_eq!(DisputeOutcome::parse("part", Some(40)).unwrap().of_minutes(60), 24);
    }

    #[test]
    fn a_statement_is_plain_text_of_bounded_length() {
        assert_eq!(check_statement("没有按约定助浴。\n只来了二十分钟。"), Ok(()));
        for wrong in ["", " \n", "a\0b", "\u{7}", &"长".repeat(STATEMENT_LENGTH_MAX + 1)] {
            assert_eq!(check_statement(wrong), Err(DisputeError::Statement));
        }
    }
}
