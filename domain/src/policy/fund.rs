//! Funding layers: who pays which part of a subsidy.

use super::{
    FundCode, Title,
    benefit::{Benefit, Payment, read_fen},
    document::Section,
    load,
};
use crate::{
    catalogue::Unit,
    money::{Fen, MoneyError, allocate},
};

/// One funding layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fund {
    pub(super) code: FundCode,
    pub(super) title: Title,
    pub(super) part: FundPart,
}

/// The part of one funding layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FundPart {
    /// In proportion to the weights of all layers; percentages are weights in basis points.
    Weight(i64),
    /// A fixed part of the benefit's full amount (of a window in fen, or of one meal or visit); a smaller
    /// subsidy is divided in the same proportion.
    Fixed(Fen),
    /// What the fixed parts leave.
    Rest,
}

impl Fund {
    /// Key within the programme.
    #[must_use]
    pub fn code(&self) -> &FundCode {
        &self.code
    }

    /// Name for people.
    #[must_use]
    pub fn title(&self) -> &Title {
        &self.title
    }

    /// Its part.
    #[must_use]
    pub fn part(&self) -> FundPart {
        self.part
    }
}

/// Divides a subsidy over the layers by largest remainder, ties in file order. `whole` is the full amount
/// that fixed parts refer to.
pub(super) fn split(funds: &[Fund], subsidy: Fen, whole: Fen) -> Result<Vec<(FundCode, Fen)>, MoneyError> {
    let fixed = Fen::sum(funds.iter().filter_map(|fund| if let FundPart::Fixed(fen) = fund.part { Some(fen) } else { None }))?;
    let weight = |fund: &Fund| match fund.part {
        FundPart::Weight(weight) => weight,
        FundPart::Fixed(fen) => fen.get(),
        FundPart::Rest => whole.saturating_sub(fixed).get(),
    };
    let parts = allocate(subsidy, &funds.iter().map(weight).collect::<Vec<_>>())?;
    Ok(funds.iter().map(|fund| fund.code.clone()).zip(parts).collect())
}

/// Reads the layers and refuses parts that do not make a whole.
pub(super) fn read_all(root: &Section<'_>) -> Vec<Fund> {
    let Some(entry) = root.require("funds", "[{ code = \"city\", title = { … }, percent = 100 }]") else { return Vec::new() };
    let sections = entry.sections();
    let rows: Vec<(Fund, bool)> = sections.iter().filter_map(read_fund).collect();
    if rows.len() < sections.len() || rows.is_empty() {
        return Vec::new();
    }
    let funds: Vec<Fund> = rows.iter().map(|(fund, _)| fund.clone()).collect();
    for (place, fund) in funds.iter().enumerate() {
        if let (true, Some(section)) = (funds.iter().take(place).any(|earlier| earlier.code == fund.code), sections.get(place)) {
            section.fault("code", format!("fund {} stands twice", fund.code), "give each fund its own code");
        }
    }
    let percentages = rows.iter().filter(|(_, is_percent)| *is_percent).count();
    let weights = funds.iter().filter(|fund| matches!(fund.part, FundPart::Weight(_))).count();
    let rests = funds.iter().filter(|fund| matches!(fund.part, FundPart::Rest)).count();
    if (percentages > 0 && percentages < funds.len()) || (weights > 0 && weights < funds.len()) {
        entry.fault("funds of different kinds", "give all funds percent, or all weight, or fixed_fen with one rest = true");
    } else if percentages > 0 {
        let sum: i64 = funds.iter().map(|fund| if let FundPart::Weight(points) = fund.part { points } else { 0 }).sum();
        if sum != 10_000 {
            entry.fault(
                format!("the funds' percentages add up to {}.{:02}", sum.div_euclid(100), sum.rem_euclid(100)),
                "make them add up to 100",
            );
        }
    } else if weights == 0 && rests != 1 {
        entry.fault(format!("{rests} funds pay the rest"), "mark exactly one fund with rest = true beside the fixed ones");
    }
    funds
}

/// Reads one layer and whether its part is a percentage.
fn read_fund(section: &Section<'_>) -> Option<(Fund, bool)> {
    let code = section.require("code", "\"city\"").and_then(|entry| entry.code("a code such as \"city\""));
    let title = load::read_title(section);
    let percent = section.get("percent");
    let weight = section.get("weight");
    let fixed = section.get("fixed_fen");
    let rest = section.get("rest");
    section.refuse_unknown_keys();
    let part = match (percent, weight, fixed, rest) {
        (Some(percent), None, None, None) => load::read_percent(&percent).map(|rate| (FundPart::Weight(rate.get()), true)),
        (None, Some(weight), None, None) => weight.integer(1, 1_000_000).map(|weight| (FundPart::Weight(weight), false)),
        (None, None, Some(fixed), None) => read_fen(&fixed).map(|fen| (FundPart::Fixed(fen), false)),
        (None, None, None, Some(rest)) => {
            if rest.boolean() == Some(false) {
                rest.fault("false says nothing", "remove the key, or write true");
            }
            Some((FundPart::Rest, false))
        }
        _ => {
            section.fault("percent", "not exactly one part", "give each fund one of percent, weight, fixed_fen and rest");
            None
        }
    };
    let (part, is_percent) = part?;
    Some((Fund { code: code?, title: title?, part }, is_percent))
}

/// Refuses fixed parts that are larger than what a benefit gives, or that have no whole to be a part of.
pub(super) fn refuse_fixed_parts_that_do_not_fit(section: &Section<'_>, funds: &[Fund], benefit: &Benefit) {
    let fixed: i64 = funds.iter().map(|fund| if let FundPart::Fixed(fen) = fund.part { fen.get() } else { 0 }).sum();
    if fixed == 0 {
        return;
    }
    let smallest = match (benefit.payment, benefit.unit) {
        (Payment::PerUnit(fen), _) => Some(fen.get()),
        (Payment::Share { .. }, Unit::Fen) => benefit.amounts.iter().map(super::AmountRow::amount).min(),
        (Payment::Share { .. }, Unit::Minutes | Unit::Visits | Unit::Meals) => None,
    };
    if smallest.is_none_or(|smallest| smallest < fixed) {
        section.fault(
            "funds",
            "the fixed parts of the funds are more than the benefit gives, or no part of it",
            "lower fixed_fen, or give the funds percent or weight",
        );
    }
}
