//! Corrections (冲正): what was posted is taken back by a new entry, never by an edit.
//!
//! One person proposes to take back what an order was paid, another approves. Each posted claim line then gets a
//! correction, which stands in the next open settlement period with a link to the line and its month.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    error::{Fault, Kind},
    money::Fen,
    state::{StateMachine, Transition},
};

/// Where a proposal to take back stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ReversalState {
    /// Waits for another person.
    Proposed,
    /// Taken back.
    Approved,
    /// Stands as it was paid.
    Refused,
}

/// What moves a proposal to take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ReversalTrigger {
    /// Another person agrees.
    Approve,
    /// Another person does not.
    Refuse,
}

impl StateMachine for ReversalState {
    type Trigger = ReversalTrigger;
    const NAME: &'static str = "reversal";
    const INITIAL: Self = Self::Proposed;
    const STATES: &'static [Self] = &[Self::Proposed, Self::Approved, Self::Refused];
    const TABLE: &'static [Transition<Self, ReversalTrigger>] = &[
        Transition {
            from: Self::Proposed,
            trigger: ReversalTrigger::Approve,
            to: Self::Approved,
            who: &[Role::Approver],
            why: "another person agrees; the corrections are posted",
        },
        Transition {
            from: Self::Proposed,
            trigger: ReversalTrigger::Refuse,
            to: Self::Refused,
            who: &[Role::Approver],
            why: "another person does not; what was paid stands",
        },
    ];
}

/// Why something is taken back.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ReversalCause {
    /// A dispute that was raised after the confirmation was decided for the family.
    DisputeUpheld,
    /// The service was not given.
    NotDelivered,
    /// The resident was in hospital, in an institution or dead.
    ResidentAbsent,
    /// The same service was paid twice.
    PaidTwice,
    /// The rules were applied wrongly.
    WronglyJudged,
}

impl ReversalCause {
    /// Whether the family gets back what it paid or owes: not where only the rules of a programme were misapplied.
    #[must_use]
    pub const fn refunds_family(self) -> bool {
        match self {
            Self::DisputeUpheld | Self::NotDelivered | Self::ResidentAbsent | Self::PaidTwice => true,
            Self::WronglyJudged => false,
        }
    }
}

/// How many days the other person has.
pub const REVERSAL_DAYS: i64 = 7;

/// Why a correction was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionError {
    /// The order has no line that was posted.
    #[error("nothing was posted for this order, or it was taken back already")]
    NothingPosted,
}

impl Fault for CorrectionError {
    fn code(&self) -> &'static str {
        match self {
            Self::NothingPosted => "correction.nothing_posted",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::NothingPosted => Kind::Conflict,
        }
    }
}

/// Of the corrections that wait, in their order, those that the lines of a statement cover fund by fund: no
/// statement is ever negative, and what is not covered waits for the next period.
///
/// Returns the places of those that are covered.
#[must_use]
pub fn covered(lines: &BTreeMap<String, Fen>, waiting: &[Vec<(String, Fen)>]) -> Vec<usize> {
    let mut left = lines.clone();
    let mut taken = Vec::new();
    for (place, parts) in waiting.iter().enumerate() {
        let mut after = left.clone();
        let fits = parts.iter().all(|(fund, part)| {
            let of_fund = after.entry(fund.clone()).or_insert(Fen::ZERO);
            of_fund.sub(*part).map(|rest| *of_fund = rest).is_ok()
        });
        if fits {
            left = after;
            taken.push(place);
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fen(amount: i64) -> Fen {
        Fen::new(amount).unwrap()
    }

    fn parts(city: i64, district: i64) -> Vec<(String, Fen)> {
        vec![("city".to_owned(), fen(city)), ("district".to_owned(), fen(district))]
    }

    fn lines(city: i64, district: i64) -> BTreeMap<String, Fen> {
        [("city".to_owned(), fen(city)), ("district".to_owned(), fen(district))].into()
    }

    #[test]
    fn the_table_is_sound() {
        crate::state::tests::check::<ReversalState>();
    }

    #[test]
    fn a_correction_that_is_not_covered_waits_and_a_smaller_one_behind_it_does_not() {
        assert_eq!(covered(&lines(100, 100), &[parts(60, 60), parts(60, 10), parts(40, 40)]), [0, 2]);
        assert_eq!(covered(&BTreeMap::new(), &[parts(1, 0)]), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn no_fund_is_ever_drawn_below_nothing(city in 0_i64..500, district in 0_i64..500, takes in proptest::collection::vec((0_i64..200, 0_i64..200), 0..8)) {
            let waiting: Vec<_> = takes.iter().map(|(city, district)| parts(*city, *district)).collect();
            let taken = covered(&lines(city, district), &waiting);
            let sum = |of: fn(&(i64, i64)) -> i64| taken.iter().map(|place| of(&takes[*place])).sum::<i64>();
            prop_assert!(sum(|take| take.0) <= city && sum(|take| take.1) <= district);
        }
    }
}
