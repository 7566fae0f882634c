//! How our own adjustment codes read in the standards of other payers, so that exports can be compared.
//!
//! ASC X12 835: a claim adjustment group code and a claim adjustment reason code (CARC). Only the numbers are
//! used; their texts belong to X12.

use serde::{Deserialize, Serialize};

use super::{AdjustmentCode, ReversalCause};

/// A code of ours in the columns of another standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandardCode {
    /// X12 group: `CO` the provider's loss by agreement, `PR` the family's part, `OA` another payer's, `PI` the
    /// payer's own decision, `CR` a correction.
    pub group: &'static str,
    /// X12 claim adjustment reason code.
    pub reason: &'static str,
}

const fn of(group: &'static str, reason: &'static str) -> StandardCode {
    StandardCode { group, reason }
}

impl AdjustmentCode {
    /// The code in the columns of X12 835.
    #[must_use]
    pub const fn standard(self) -> StandardCode {
        match self {
            // Maximum benefit of the period reached, in amount or in number.
            Self::CapReached
            | Self::WindowExhausted
            | Self::BudgetExhausted
            | Self::SecondMealOfDay
            | Self::SixthMealOfWeek
            | Self::DayLimitReached
            | Self::WeekLimitReached => of("PR", "119"),
            // Not covered by the plan.
            Self::BelowStandardPrice
            | Self::BelowMinimumPrice
            | Self::MealNotCovered
            | Self::NotWorkingDay
            | Self::ItemNotCovered
            | Self::NotOnPurchaseList
            | Self::NoWholeUnit
            | Self::RoundedToNothing => of("PR", "96"),
            // Information is missing.
            Self::FactUnknown | Self::EvidenceMissing => of("CO", "16"),
            // Paid by another payer.
            Self::PriceCovered | Self::Superseded | Self::MutuallyExclusive => of("OA", "23"),
            // Outside coverage.
            Self::NotEligible => of("PR", "27"),
            Self::NoEntitlement => of("PR", "197"),
            // Pending review by the payer.
            Self::AwaitingApproval => of("PI", "133"),
            // Authorisation exceeded.
            Self::OverQuote => of("CO", "198"),
            // Charge exceeds what was delivered.
            Self::DeliveredLess => of("CO", "45"),
        }
    }

    /// What would have to change for the programme to pay more.
    #[must_use]
    pub const fn block(self) -> Block {
        match self {
            Self::CapReached
            | Self::WindowExhausted
            | Self::SecondMealOfDay
            | Self::SixthMealOfWeek
            | Self::DayLimitReached
            | Self::WeekLimitReached => Block::Window,
            Self::BelowStandardPrice | Self::BelowMinimumPrice | Self::PriceCovered | Self::RoundedToNothing => Block::Price,
            Self::MealNotCovered | Self::NotWorkingDay | Self::ItemNotCovered | Self::NotOnPurchaseList | Self::NoWholeUnit => {
                Block::Catalogue
            }
            Self::BudgetExhausted => Block::Budget,
            Self::FactUnknown | Self::NotEligible | Self::NoEntitlement | Self::Superseded | Self::MutuallyExclusive => Block::Eligibility,
            Self::EvidenceMissing | Self::AwaitingApproval | Self::OverQuote | Self::DeliveredLess => Block::Evidence,
        }
    }
}

impl ReversalCause {
    /// The cause in the columns of X12 835: all are corrections.
    #[must_use]
    pub const fn standard(self) -> StandardCode {
        match self {
            Self::DisputeUpheld | Self::NotDelivered => of("CR", "112"),
            Self::ResidentAbsent => of("CR", "13"),
            Self::PaidTwice => of("CR", "18"),
            Self::WronglyJudged => of("CR", "96"),
        }
    }
}

/// What stands in the way of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::Display, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Block {
    /// Who the resident is, or which other benefit they use.
    Eligibility,
    /// What the window has left, or how often it was used.
    Window,
    /// The programme's money of the year.
    Budget,
    /// What the programme buys, and when.
    Catalogue,
    /// What the service costs.
    Price,
    /// What proves the visit.
    Evidence,
    /// The provider's licences, or the yearly review of its qualification.
    Licence,
    /// The provider's agreement with the bureau.
    Agreement,
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn every_code_has_a_group_and_a_number_of_x12() {
        let codes = AdjustmentCode::iter().map(AdjustmentCode::standard).chain(ReversalCause::iter().map(ReversalCause::standard));
        for code in codes {
            assert!(["CO", "PR", "OA", "PI", "CR"].contains(&code.group), "{code:?}");
            assert!(code.reason.parse::<u16>().is_ok(), "{code:?}");
        }
    }

    #[test]
    fn what_is_missing_in_the_evidence_is_never_the_family_s_part() {
        for code in AdjustmentCode::iter().filter(|code| code.block() == Block::Evidence) {
            assert_ne!(code.standard().group, "PR", "{code}");
        }
    }
}
