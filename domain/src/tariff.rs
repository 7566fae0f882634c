//! Tariff (报价): how one price is divided between programmes and the family.
//!
//! The same [`split`] makes the quote, the payability preview and the settlement line. In words:
//!
//! 1. Programmes are tried in their order of use; equal orders in the order given.
//! 2. A programme pays nothing, with a code, when the resident is not eligible, when the bureau does not buy the service, when a benefit that excludes
//!    it was used in the window, or when the use is outside its limits (meal of the day, working days, price).
//! 3. The covered part is found: so many meals, visits or minutes as the limits and the remaining
//!    entitlement allow. A partly covered use pays price × covered ÷ used.
//! 4. The subsidy is the share of the covered part of the whole price, or of what earlier programmes left, or
//!    a fixed sum for each covered meal or visit; it is rounded once, by the policy's rule.
//! 5. It never exceeds the cap of one use, the remaining entitlement in fen, the covered price and what is
//!    left to pay.
//! 6. It is divided over the funding layers by largest remainder. What all programmes leave is the family's.
//!
//! Example: bathing at 120.00, a share of 50 % capped at 800.00 a month, city and district 1 : 1. The subsidy is
//! 60.00 = 30.00 + 30.00, the family pays 60.00.

mod pay;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::{ItemCode, Purchase, Quantity, ServiceClass, Unit},
    claim::AdjustmentCode,
    eligibility::Reason,
    error::{Fault, Kind},
    money::{Fen, MoneyError},
    policy::{Benefit, BenefitCode, FactValue, FundCode, Policy, ProgrammeCode},
    time::{BusinessDate, Instant, TimeError, Window},
};

/// One use of a service with its price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricedUse {
    /// Which service.
    pub item: ItemCode,
    /// Where it is given.
    pub class: ServiceClass,
    /// When it starts; the window and the policy version are those of this moment.
    pub start: Instant,
    /// Minutes that count: see [`crate::catalogue::CatalogueItem::minutes_used`].
    pub minutes: u32,
    /// How many catalogue units.
    pub quantity: Quantity,
    /// The whole price of the line.
    pub gross: Fen,
    /// Whether people work on the day of the start, by the official calendar.
    pub working_day: bool,
    /// Facts of the visit that policies declare, such as `meal` and `standard_price_fen`.
    pub facts: BTreeMap<String, FactValue>,
}

/// A benefit that may pay for the use, with the resident's state in it.
#[derive(Debug, Clone)]
pub struct Entitled<'a> {
    /// The version in force at the start of the use.
    pub policy: &'a Policy,
    /// The benefit.
    pub benefit: BenefitCode,
    /// The window that holds the start of the use.
    pub window: Window,
    /// The amount of the window, in the benefit's unit.
    pub granted: i64,
    /// What of it can be used: available, plus what this same use already holds.
    pub remaining: i64,
    /// Earlier uses that this benefit paid for in the same day and natural week, whatever their window.
    pub uses: Vec<PriorUse>,
    /// Benefits of any programme that the resident has used or holds in this window.
    pub benefits_used: BTreeSet<BenefitKey>,
    /// Whether the resident is eligible at the start of the use.
    pub eligible: Result<(), Reason>,
    /// What the bureau's purchase catalogue says of the use.
    pub purchase: Purchase,
}

/// An earlier use that a benefit paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriorUse {
    /// The day of its start.
    pub on: BusinessDate,
    /// Meals or visits that were covered: [`Share::count`].
    pub count: i64,
}

/// One benefit of one programme.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenefitKey {
    /// The programme.
    pub programme: ProgrammeCode,
    /// Its benefit.
    pub benefit: BenefitCode,
}

/// What one benefit pays for a use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The programme.
    pub programme: ProgrammeCode,
    /// The version of its rules.
    pub version: String,
    /// The benefit.
    pub benefit: BenefitCode,
    /// The window whose entitlement is used.
    pub window: Window,
    /// In what the entitlement is measured.
    pub unit: Unit,
    /// How much of the entitlement is used.
    pub units: i64,
    /// Meals or visits that are covered, for the limits per day and week.
    pub count: i64,
    /// What is paid.
    pub subsidy: Fen,
    /// Who pays which part; the parts add up to the subsidy.
    pub split: Vec<(FundCode, Fen)>,
    /// Why it is less than the rule alone would give.
    pub codes: Vec<AdjustmentCode>,
}

/// Why a programme pays less, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// The programme.
    pub programme: ProgrammeCode,
    /// The version of its rules.
    pub version: String,
    /// The benefit.
    pub benefit: BenefitCode,
    /// What happened.
    pub code: AdjustmentCode,
    /// The reason behind it, where a rule on a fact gave one.
    pub reason: Option<Reason>,
}

/// One price divided between programmes and the family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The whole price.
    pub gross: Fen,
    /// What programmes pay, in the order of use.
    pub shares: Vec<Share>,
    /// What is left to the family.
    pub family: Fen,
    /// Why programmes pay less or nothing, in the order of use.
    pub codes: Vec<Adjustment>,
}

/// Why a price could not be divided: the caller's question contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TariffError {
    /// The version has no such benefit.
    #[error("version {version} of {programme} has no benefit {benefit}")]
    UnknownBenefit {
        /// The programme.
        programme: ProgrammeCode,
        /// Its version.
        version: String,
        /// The benefit that it lacks.
        benefit: BenefitCode,
    },
    /// The same benefit was offered twice.
    #[error("benefit {benefit} of {programme} is given twice")]
    Twice {
        /// The programme.
        programme: ProgrammeCode,
        /// The benefit.
        benefit: BenefitCode,
    },
    /// The version is not in force at the start of the use.
    #[error("version {version} of {programme} is not in force on {on}")]
    NotInForce {
        /// The programme.
        programme: ProgrammeCode,
        /// Its version.
        version: String,
        /// The day of the start.
        on: BusinessDate,
    },
    /// The window is not the one that holds the start of the use.
    #[error("the window of benefit {benefit} does not hold {on}")]
    OtherWindow {
        /// The benefit.
        benefit: BenefitCode,
        /// The day of the start.
        on: BusinessDate,
    },
    /// The remaining entitlement is negative or more than was granted.
    #[error("the remaining entitlement of benefit {benefit} is not between nothing and what was granted")]
    Remaining {
        /// The benefit.
        benefit: BenefitCode,
    },
    /// Beyond the range of amounts.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Beyond the calendar.
    #[error(transparent)]
    Time(#[from] TimeError),
}

impl Fault for TariffError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownBenefit { .. } => "tariff.unknown_benefit",
            Self::Twice { .. } => "tariff.twice",
            Self::NotInForce { .. } => "tariff.not_in_force",
            Self::OtherWindow { .. } => "tariff.other_window",
            Self::Remaining { .. } => "tariff.remaining",
            Self::Money(cause) => cause.code(),
            Self::Time(cause) => cause.code(),
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Money(_) | Self::Time(_) => Kind::Invalid,
            Self::UnknownBenefit { .. }
            | Self::Twice { .. }
            | Self::NotInForce { .. }
            | Self::OtherWindow { .. }
            | Self::Remaining { .. } => Kind::Broken,
        }
    }
}

impl Entitled<'_> {
    /// Programme and benefit.
    #[must_use]
    pub fn key(&self) -> BenefitKey {
        BenefitKey { programme: self.policy.programme().clone(), benefit: self.benefit.clone() }
    }

    fn rules(&self) -> Result<&Benefit, TariffError> {
        self.policy.benefit(&self.benefit).ok_or_else(|| TariffError::UnknownBenefit {
            programme: self.policy.programme().clone(),
            version: self.policy.version().to_owned(),
            benefit: self.benefit.clone(),
        })
    }

    fn check(&self, on: BusinessDate) -> Result<(), TariffError> {
        let rules = self.rules()?;
        if !self.policy.is_in_force(on) {
            let (programme, version) = (self.policy.programme().clone(), self.policy.version().to_owned());
            return Err(TariffError::NotInForce { programme, version, on });
        }
        if Window::holding(rules.window(), on)? != self.window {
            return Err(TariffError::OtherWindow { benefit: self.benefit.clone(), on });
        }
        if self.remaining < 0 || self.remaining > self.granted {
            return Err(TariffError::Remaining { benefit: self.benefit.clone() });
        }
        Ok(())
    }

    fn adjustment(&self, code: AdjustmentCode, reason: Option<Reason>) -> Adjustment {
        let (programme, version) = (self.policy.programme().clone(), self.policy.version().to_owned());
        Adjustment { programme, version, benefit: self.benefit.clone(), code, reason }
    }
}

/// Divides one price between the programmes that may pay and the family; see the module for the steps.
///
/// # Errors
/// [`TariffError`] when an offered benefit does not exist, stands twice, is not in force at the start, or comes
/// with another window or an impossible remainder; [`MoneyError`] beyond the range of amounts.
pub fn split(priced_use: &PricedUse, entitled: &[Entitled<'_>]) -> Result<Split, TariffError> {
    let on = BusinessDate::of(priced_use.start);
    let mut keys = BTreeSet::new();
    for offer in entitled {
        offer.check(on)?;
        if !keys.insert(offer.key()) {
            return Err(TariffError::Twice { programme: offer.policy.programme().clone(), benefit: offer.benefit.clone() });
        }
    }
    let mut in_order: Vec<&Entitled<'_>> = entitled.iter().collect();
    in_order.sort_by_key(|offer| offer.policy.order_of_use());
    let mut split = Split { gross: priced_use.gross, shares: Vec::new(), family: priced_use.gross, codes: Vec::new() };
    let mut uncovered: BTreeMap<&ProgrammeCode, &Entitled<'_>> = BTreeMap::new();
    let mut covering = BTreeSet::new();
    for offer in &in_order {
        let rules = offer.rules()?;
        if !rules.covers(priced_use.item, priced_use.class) {
            uncovered.entry(offer.policy.programme()).or_insert(offer);
            continue;
        }
        covering.insert(offer.policy.programme());
        match pay::pay(priced_use, offer, rules, &split)? {
            pay::Paid::Share(share) => {
                split.codes.extend(share.codes.iter().map(|code| offer.adjustment(*code, None)));
                split.family = split.family.sub(share.subsidy)?;
                split.shares.push(share);
            }
            pay::Paid::Nothing(code, reason) => split.codes.push(offer.adjustment(code, reason)),
        }
    }
    let silent = in_order.iter().filter(|offer| !covering.contains(offer.policy.programme()));
    let silent = silent.filter(|offer| uncovered.get(offer.policy.programme()).is_some_and(|first| first.benefit == offer.benefit));
    split.codes.extend(silent.map(|offer| offer.adjustment(AdjustmentCode::ItemNotCovered, None)));
    Ok(split)
}

#[cfg(test)]
mod tests;
