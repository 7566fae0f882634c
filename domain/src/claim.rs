//! Claims (结算明细): one delivered visit judged against what was quoted for it.
//!
//! The quote and the delivered visit are divided by the same [`crate::tariff::split`]; [`adjudicate`] compares the
//! two. No programme pays more than was quoted and held, the family never pays more than it was quoted, and what
//! is denied is the provider's loss, with a code.

mod code;
mod correction;
mod standard;

pub use code::AdjustmentCode;
pub use correction::{CorrectionError, REVERSAL_DAYS, ReversalCause, ReversalState, ReversalTrigger, covered};
use serde::{Deserialize, Serialize};
pub use standard::{Block, StandardCode};

use crate::{
    catalogue::Unit,
    error::{Fault, Kind},
    money::{Fen, MoneyError},
    policy::{BenefitCode, FundCode, ProgrammeCode},
    tariff::{Share, Split},
    time::Window,
};

/// What the evidence of a visit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Payable {
    /// Good enough to pay (grade A or B).
    Post,
    /// To be approved by another person first (grade C).
    Hold,
    /// Nothing to pay on (grade D).
    Void,
}

/// State of a claim line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ClaimLineState {
    /// To be paid at the next release.
    Posted,
    /// Waits for approval; the entitlement stays reserved.
    Held,
    /// Not paid; the entitlement is available again.
    Voided,
}

/// One visit judged against one benefit, before it has an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimLineDraft {
    /// The programme.
    pub programme: ProgrammeCode,
    /// The version that was applied.
    pub version: String,
    /// The benefit.
    pub benefit: BenefitCode,
    /// The window whose entitlement is used.
    pub window: Window,
    /// In what the entitlement is measured.
    pub unit: Unit,
    /// Entitlement that the quote reserved.
    pub units_held: i64,
    /// Entitlement used: nothing while the line is held or voided, never more than was reserved.
    pub units_posted: i64,
    /// Entitlement that will be used if a held line is approved; else the same as posted.
    pub units_due: i64,
    /// Meals or visits that the subsidy due covers: what counts for limits per day and week.
    pub count: i64,
    /// Subsidy of the quote.
    pub subsidy_quoted: Fen,
    /// Subsidy due: paid when posted, to be approved when held, nothing when voided.
    pub subsidy: Fen,
    /// Who pays which part of the subsidy due.
    pub split: Vec<(FundCode, Fen)>,
    /// Why it differs from the quote, or from what the rule alone would give.
    pub codes: Vec<AdjustmentCode>,
    /// Its state.
    pub state: ClaimLineState,
}

/// A delivered visit judged. `provider_payable + pending + denied` is the price of what was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjudication {
    /// One line for each benefit that was quoted or would have paid.
    pub lines: Vec<ClaimLineDraft>,
    /// What the family pays; never more than it was quoted.
    pub family: Fen,
    /// What the provider gets: posted subsidies and the family's part.
    pub provider_payable: Fen,
    /// Subsidies that wait for approval.
    pub pending: Fen,
    /// What nobody pays: the provider's loss.
    pub denied: Fen,
}

/// Why a visit could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// A benefit stands twice in one split.
    #[error("benefit {benefit} of {programme} stands twice in one split")]
    Twice {
        /// The programme.
        programme: ProgrammeCode,
        /// The benefit.
        benefit: BenefitCode,
    },
    /// The parts of a split do not add up to its price.
    #[error("the parts of a split do not add up to its price")]
    Unbalanced,
    /// Beyond the range of amounts.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Fault for ClaimError {
    fn code(&self) -> &'static str {
        match self {
            Self::Twice { .. } => "claim.twice",
            Self::Unbalanced => "claim.unbalanced",
            Self::Money(cause) => cause.code(),
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Twice { .. } | Self::Unbalanced => Kind::Broken,
            Self::Money(_) => Kind::Invalid,
        }
    }
}

/// Judges a delivered visit: `quoted` is the stored quote, `actual` the split of what was delivered, `payable`
/// what the evidence allows.
///
/// The family pays what the delivered price leaves after the subsidies that are due, and never more than its
/// quote. Those subsidies are due to the family's reckoning even where the evidence voids them: missing evidence
/// is the provider's loss.
///
/// # Errors
/// [`ClaimError::Twice`] and [`ClaimError::Unbalanced`] for damaged splits, [`ClaimError::Money`] beyond the range
/// of amounts.
pub fn adjudicate(quoted: &Split, actual: &Split, payable: Payable) -> Result<Adjudication, ClaimError> {
    check(quoted)?;
    check(actual)?;
    let mut lines = Vec::new();
    for share in &quoted.shares {
        let delivered = actual.shares.iter().find(|other| is_same_entitlement(share, other));
        lines.push(Pair { quoted: Some(share), actual: delivered, splits: (quoted, actual) }.line()?);
    }
    for share in actual.shares.iter().filter(|share| !quoted.shares.iter().any(|other| is_same_entitlement(share, other))) {
        lines.push(Pair { quoted: None, actual: Some(share), splits: (quoted, actual) }.line()?);
    }
    let due = Fen::sum(lines.iter().map(|line| line.subsidy))?;
    let family = actual.gross.sub(due)?.min(quoted.family);
    for line in &mut lines {
        line.apply(payable);
    }
    let in_state = |state: ClaimLineState| Fen::sum(lines.iter().filter(|line| line.state == state).map(|line| line.subsidy));
    let provider_payable = in_state(ClaimLineState::Posted)?.add(family)?;
    let pending = in_state(ClaimLineState::Held)?;
    let denied = actual.gross.sub(provider_payable)?.sub(pending)?;
    Ok(Adjudication { lines, family, provider_payable, pending, denied })
}

/// Whether two shares use the same entitlement. Versions may differ: a new one may have come into force.
fn is_same_entitlement(one: &Share, other: &Share) -> bool {
    one.programme == other.programme && one.benefit == other.benefit && one.window == other.window && one.unit == other.unit
}

fn check(split: &Split) -> Result<(), ClaimError> {
    for (place, share) in split.shares.iter().enumerate() {
        if split.shares.iter().take(place).any(|earlier| is_same_entitlement(earlier, share)) {
            return Err(ClaimError::Twice { programme: share.programme.clone(), benefit: share.benefit.clone() });
        }
        if Fen::sum(share.split.iter().map(|(_, part)| *part))? != share.subsidy {
            return Err(ClaimError::Unbalanced);
        }
    }
    let subsidies = Fen::sum(split.shares.iter().map(|share| share.subsidy))?;
    if subsidies.add(split.family)? == split.gross { Ok(()) } else { Err(ClaimError::Unbalanced) }
}

/// What was quoted and what was delivered of one entitlement; one of the two may be missing.
struct Pair<'a> {
    quoted: Option<&'a Share>,
    actual: Option<&'a Share>,
    splits: (&'a Split, &'a Split),
}

impl Pair<'_> {
    /// The line as if the evidence were good: of the two subsidies the smaller, of the two uses the smaller.
    fn line(&self) -> Result<ClaimLineDraft, ClaimError> {
        let shown = self.actual.or(self.quoted).ok_or(ClaimError::Unbalanced)?;
        let (held, subsidy_quoted) = self.quoted.map_or((0, Fen::ZERO), |share| (share.units, share.subsidy));
        let (used, delivered) = self.actual.map_or((0, Fen::ZERO), |share| (share.units, share.subsidy));
        let smaller = if delivered <= subsidy_quoted { self.actual } else { self.quoted };
        let units_due = if smaller.is_some() { used.min(held) } else { 0 };
        Ok(ClaimLineDraft {
            programme: shown.programme.clone(),
            version: shown.version.clone(),
            benefit: shown.benefit.clone(),
            window: shown.window,
            unit: shown.unit,
            units_held: held,
            units_posted: units_due,
            units_due,
            count: smaller.map_or(0, |share| share.count),
            subsidy_quoted,
            subsidy: smaller.map_or(Fen::ZERO, |share| share.subsidy),
            split: smaller.map(|share| share.split.clone()).unwrap_or_default(),
            codes: self.codes(shown, delivered, subsidy_quoted),
            state: ClaimLineState::Posted,
        })
    }

    fn codes(&self, shown: &Share, delivered: Fen, subsidy_quoted: Fen) -> Vec<AdjustmentCode> {
        let (quoted, actual) = self.splits;
        let of_benefit = actual.codes.iter().filter(|code| code.programme == shown.programme && code.benefit == shown.benefit);
        let mut codes: Vec<_> = of_benefit.map(|adjustment| adjustment.code).collect();
        if delivered > subsidy_quoted {
            codes.push(AdjustmentCode::OverQuote);
        }
        if delivered < subsidy_quoted && (actual.gross < quoted.gross || codes.is_empty()) {
            codes.push(AdjustmentCode::DeliveredLess);
        }
        codes
    }
}

impl ClaimLineDraft {
    fn apply(&mut self, payable: Payable) {
        let due_at_all = !self.subsidy.is_zero();
        match payable {
            Payable::Post if due_at_all => {}
            Payable::Hold if due_at_all => {
                self.state = ClaimLineState::Held;
                self.units_posted = 0;
                self.codes.push(AdjustmentCode::AwaitingApproval);
            }
            Payable::Void => {
                self.void();
                self.codes.push(AdjustmentCode::EvidenceMissing);
            }
            Payable::Post | Payable::Hold => self.void(),
        }
    }

    fn void(&mut self) {
        self.state = ClaimLineState::Voided;
        self.units_posted = 0;
        self.units_due = 0;
        self.count = 0;
        self.subsidy = Fen::ZERO;
        self.split.clear();
    }
}

#[cfg(test)]
mod tests;
