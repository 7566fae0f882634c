//! What a share leaves of its entitlement, and the rule that gave it.

use domain::{
    catalogue::Unit,
    money::{BasisPoints, Fen},
    policy::{BenefitCode, Payment, PolicyBook, ProgrammeCode, ShareBase},
    tariff::Split,
    time::{BusinessDate, Window},
};
use serde::{Deserialize, Serialize};

use super::Found;

/// What one share does to its entitlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outlook {
    /// The programme.
    pub programme: ProgrammeCode,
    /// The benefit.
    pub benefit: BenefitCode,
    /// The window.
    pub window: Window,
    /// In what it is measured.
    pub unit: Unit,
    /// What the window grants.
    pub granted: i64,
    /// What could be used before.
    pub before: i64,
    /// What can be used afterwards.
    pub after: i64,
    /// Whether the window lies ahead, so that all this is a projection.
    pub provisional: bool,
    /// The rule that gave the share.
    pub rule: Rule,
}

/// The rule of a benefit in its own numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "pays", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// A share of a price.
    Share {
        /// The share.
        rate: BasisPoints,
        /// Of what.
        of: ShareOf,
        /// The most for one use.
        use_cap: Option<Fen>,
    },
    /// A fixed sum for each meal or visit.
    PerUnit {
        /// The sum.
        amount: Fen,
        /// The most for one use.
        use_cap: Option<Fen>,
    },
}

/// Of what a share is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ShareOf {
    /// The whole price.
    Price,
    /// What earlier programmes left.
    OwnPaid,
}

impl Rule {
    /// The rule of a benefit.
    pub(crate) fn of(benefit: &domain::policy::Benefit) -> Self {
        let use_cap = benefit.use_cap();
        match benefit.payment() {
            Payment::Share { rate, base } => {
                let of = match base {
                    ShareBase::Price => ShareOf::Price,
                    ShareBase::OwnPaid => ShareOf::OwnPaid,
                };
                Self::Share { rate, of, use_cap }
            }
            Payment::PerUnit(amount) => Self::PerUnit { amount, use_cap },
        }
    }
}

/// What each share of a division leaves, in the order of the shares.
pub(super) fn of(book: &PolicyBook, split: &Split, found: &[Found], day: BusinessDate) -> Vec<Outlook> {
    let one = |share: &domain::tariff::Share| {
        let known = found.iter().find(|one| one.programme == share.programme && one.benefit == share.benefit)?;
        let benefit = book.in_force(&share.programme, day)?.benefit(&share.benefit)?;
        let rule = Rule::of(benefit);
        Some(Outlook {
            programme: share.programme.clone(),
            benefit: share.benefit.clone(),
            window: share.window,
            unit: share.unit,
            granted: known.granted,
            before: known.remaining,
            after: known.remaining.saturating_sub(share.units),
            provisional: known.provisional,
            rule,
        })
    };
    split.shares.iter().filter_map(one).collect()
}
