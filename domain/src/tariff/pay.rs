//! What one benefit pays for one use.

use super::{BenefitKey, Entitled, PricedUse, Share, Split, TariffError};
use crate::{
    catalogue::{ItemCode, MealTime, Purchase, Unit},
    claim::AdjustmentCode,
    eligibility::Reason,
    money::{Fen, MoneyError},
    policy::{Benefit, FactValue, Payment, ShareBase},
    time::{BusinessDate, WindowKind},
};

/// What came of one benefit.
pub(super) enum Paid {
    /// It pays.
    Share(Share),
    /// It pays nothing.
    Nothing(AdjustmentCode, Option<Reason>),
}

/// A reason to pay nothing.
type Refusal = (AdjustmentCode, Option<Reason>);

/// Decides what one benefit pays, given what earlier programmes have paid `so_far`.
pub(super) fn pay(priced_use: &PricedUse, offer: &Entitled<'_>, rules: &Benefit, so_far: &Split) -> Result<Paid, TariffError> {
    let refusal = refuse_person(offer, rules, so_far).or_else(|| refuse_use(priced_use, offer, rules));
    if let Some((code, reason)) = refusal {
        return Ok(Paid::Nothing(code, reason));
    }
    if so_far.family.is_zero() {
        return Ok(Paid::Nothing(AdjustmentCode::PriceCovered, None));
    }
    let covered = match cover(priced_use, offer, rules) {
        Ok(covered) => covered,
        Err(code) => return Ok(Paid::Nothing(code, None)),
    };
    let due = Due { priced_use, offer, rules, so_far };
    let (subsidy, codes) = due.amount(&covered)?;
    if subsidy.is_zero() {
        let code = codes.last().copied().unwrap_or(AdjustmentCode::RoundedToNothing);
        return Ok(Paid::Nothing(code, None));
    }
    Ok(Paid::Share(Share {
        programme: offer.policy.programme().clone(),
        version: offer.policy.version().to_owned(),
        benefit: offer.benefit.clone(),
        window: offer.window,
        unit: rules.unit(),
        units: match rules.unit() {
            Unit::Fen => subsidy.get(),
            Unit::Minutes | Unit::Visits | Unit::Meals => covered.units,
        },
        count: covered.count,
        subsidy,
        split: offer.policy.split_over_funds(rules, subsidy, offer.granted)?,
        codes,
    }))
}

fn refuse_person(offer: &Entitled<'_>, rules: &Benefit, so_far: &Split) -> Option<Refusal> {
    if let Err(reason) = &offer.eligible {
        let code = match reason {
            Reason::Superseded => AdjustmentCode::Superseded,
            Reason::MutuallyExclusive { .. } => AdjustmentCode::MutuallyExclusive,
            Reason::Unknown { .. }
            | Reason::Invalid { .. }
            | Reason::Below { .. }
            | Reason::NotBelow { .. }
            | Reason::NotIn { .. }
            | Reason::Excluded { .. }
            | Reason::NotInForce { .. }
            | Reason::NotYet { .. }
            | Reason::Ended { .. }
            | Reason::NoAmount => AdjustmentCode::NotEligible,
        };
        return Some((code, Some(reason.clone())));
    }
    let programme = offer.policy.programme();
    let is_used = |benefit: &&crate::policy::BenefitCode| {
        let key = BenefitKey { programme: programme.clone(), benefit: (*benefit).clone() };
        let pays_now = so_far.shares.iter().any(|share| share.programme == *programme && share.benefit == key.benefit);
        pays_now || offer.benefits_used.contains(&key)
    };
    let other = rules.exclusive_with().iter().find(is_used)?;
    Some((AdjustmentCode::MutuallyExclusive, Some(Reason::MutuallyExclusive { benefit: other.clone() })))
}

fn refuse_use(priced_use: &PricedUse, offer: &Entitled<'_>, rules: &Benefit) -> Option<Refusal> {
    if offer.purchase == Purchase::NotListed {
        return Some((AdjustmentCode::NotOnPurchaseList, None));
    }
    let limits = rules.limits();
    let meal = || refuse_meal(priced_use, rules);
    let rest_day = || (limits.working_days_only && !priced_use.working_day).then_some((AdjustmentCode::NotWorkingDay, None));
    let price = || {
        let min = limits.unit_price_min?;
        (!reaches_unit_price(priced_use, min.get())).then_some((AdjustmentCode::BelowMinimumPrice, None))
    };
    meal().or_else(rest_day).or_else(price).or_else(|| refuse_non_standard_price(priced_use, offer.purchase, rules))
}

fn refuse_meal(priced_use: &PricedUse, rules: &Benefit) -> Option<Refusal> {
    let meals = &rules.limits().meals;
    if meals.is_empty() || priced_use.item != ItemCode::Meal {
        return None;
    }
    let known = match priced_use.facts.get("meal") {
        None => Err(Reason::unknown("meal")),
        Some(FactValue::Text(meal)) => meal.parse::<MealTime>().map_err(|_cause| Reason::Invalid { fact: "meal".to_owned() }),
        Some(FactValue::Bool(_) | FactValue::Int(_)) => Err(Reason::Invalid { fact: "meal".to_owned() }),
    };
    match known {
        Ok(meal) if meals.contains(&meal) => None,
        Ok(_) => Some((AdjustmentCode::MealNotCovered, None)),
        Err(reason) => Some((AdjustmentCode::FactUnknown, Some(reason))),
    }
}

/// The standard price is that of the purchase catalogue; without one there, that of the visit's facts.
fn refuse_non_standard_price(priced_use: &PricedUse, purchase: Purchase, rules: &Benefit) -> Option<Refusal> {
    const FACT: &str = "standard_price_fen";
    if !rules.limits().standard_price {
        return None;
    }
    let below = |standard: i64| (!reaches_unit_price(priced_use, standard)).then_some((AdjustmentCode::BelowStandardPrice, None));
    if let Purchase::Listed { standard_price: Some(standard) } = purchase {
        return below(standard.get());
    }
    match priced_use.facts.get(FACT) {
        Some(FactValue::Int(standard)) if *standard > 0 => below(*standard),
        Some(FactValue::Int(_) | FactValue::Bool(_) | FactValue::Text(_)) => {
            Some((AdjustmentCode::FactUnknown, Some(Reason::Invalid { fact: FACT.to_owned() })))
        }
        None => Some((AdjustmentCode::FactUnknown, Some(Reason::unknown(FACT)))),
    }
}

/// Whether one catalogue unit costs at least so many fen.
fn reaches_unit_price(priced_use: &PricedUse, min: i64) -> bool {
    let price = i128::from(priced_use.gross.get()).saturating_mul(100);
    price >= i128::from(min).saturating_mul(i128::from(priced_use.quantity.hundredths()))
}

/// The part of a use that limits and remaining entitlement cover.
struct Covered {
    /// Covered meals or visits.
    count: i64,
    /// Entitlement that is used, where it is not counted in fen.
    units: i64,
    /// Covered part of the use.
    numerator: i64,
    /// The whole use, in the same measure.
    denominator: i64,
    /// Why not all of it is covered.
    codes: Vec<AdjustmentCode>,
}

/// Finds the covered part, or the code that says why nothing is.
fn cover(priced_use: &PricedUse, offer: &Entitled<'_>, rules: &Benefit) -> Result<Covered, AdjustmentCode> {
    match rules.unit() {
        Unit::Fen => cover_by_count(priced_use, offer, rules, None),
        Unit::Visits | Unit::Meals => cover_by_count(priced_use, offer, rules, Some(offer.remaining)),
        Unit::Minutes => cover_by_minutes(priced_use, offer, rules),
    }
}

/// A line of meals counts each whole meal; any other line is one visit.
fn counted(priced_use: &PricedUse) -> i64 {
    if priced_use.item == ItemCode::Meal { priced_use.quantity.whole_units() } else { 1 }
}

fn cover_by_count(
    priced_use: &PricedUse,
    offer: &Entitled<'_>,
    rules: &Benefit,
    remaining: Option<i64>,
) -> Result<Covered, AdjustmentCode> {
    let mut count = counted(priced_use);
    let mut codes = Vec::new();
    let entitlement = remaining.map(|remaining| (remaining, exhausted(offer, rules)));
    for (limit, code) in count_limits(priced_use, offer, rules).into_iter().chain(entitlement) {
        if limit < count {
            count = limit;
            codes.push(code);
        }
    }
    // A share of a price in fen that no limit touches covers the whole line, also one and a half meals.
    let is_whole = codes.is_empty() && remaining.is_none() && matches!(rules.payment(), Payment::Share { .. });
    if is_whole {
        return Ok(Covered { count, units: 0, numerator: 1, denominator: 1, codes });
    }
    if count <= 0 {
        return Err(codes.last().copied().unwrap_or(AdjustmentCode::NoWholeUnit));
    }
    let denominator = if priced_use.item == ItemCode::Meal { priced_use.quantity.hundredths() } else { 100 };
    Ok(Covered { count, units: count, numerator: count.saturating_mul(100), denominator, codes })
}

fn cover_by_minutes(priced_use: &PricedUse, offer: &Entitled<'_>, rules: &Benefit) -> Result<Covered, AdjustmentCode> {
    if let Some((_, code)) = count_limits(priced_use, offer, rules).into_iter().find(|(limit, _)| *limit <= 0) {
        return Err(code);
    }
    let used = i64::from(priced_use.minutes);
    let minutes = used.min(offer.remaining);
    if minutes <= 0 {
        return Err(if used == 0 { AdjustmentCode::NoWholeUnit } else { exhausted(offer, rules) });
    }
    let codes = if minutes < used { vec![exhausted(offer, rules)] } else { Vec::new() };
    Ok(Covered { count: counted(priced_use), units: minutes, numerator: minutes, denominator: used, codes })
}

/// The code for an entitlement that does not suffice.
fn exhausted(offer: &Entitled<'_>, rules: &Benefit) -> AdjustmentCode {
    match (rules.unit(), rules.window()) {
        (Unit::Meals, WindowKind::Week) => AdjustmentCode::SixthMealOfWeek,
        _ if offer.remaining == 0 => AdjustmentCode::WindowExhausted,
        _ => AdjustmentCode::CapReached,
    }
}

/// How many more meals or visits the limits per day and per week allow, with the code of each limit.
fn count_limits(priced_use: &PricedUse, offer: &Entitled<'_>, rules: &Benefit) -> Vec<(i64, AdjustmentCode)> {
    let on = BusinessDate::of(priced_use.start);
    let is_meal = priced_use.item == ItemCode::Meal;
    let used = |within: &dyn Fn(BusinessDate) -> bool| {
        offer.uses.iter().filter(|prior| within(prior.on)).fold(0_i64, |sum, prior| sum.saturating_add(prior.count))
    };
    let left = |max: u32, used: i64| i64::from(max).saturating_sub(used).max(0);
    let limits = rules.limits();
    let day = limits.per_day_max.map(|max| {
        let code = if is_meal { AdjustmentCode::SecondMealOfDay } else { AdjustmentCode::DayLimitReached };
        (left(max, used(&|day| day == on)), code)
    });
    let week = limits.per_week_max.map(|max| {
        let code = if is_meal { AdjustmentCode::SixthMealOfWeek } else { AdjustmentCode::WeekLimitReached };
        (left(max, used(&|day| day.monday() == on.monday())), code)
    });
    day.into_iter().chain(week).collect()
}

/// Everything that the amount depends on.
struct Due<'a> {
    priced_use: &'a PricedUse,
    offer: &'a Entitled<'a>,
    rules: &'a Benefit,
    so_far: &'a Split,
}

impl Due<'_> {
    /// The subsidy, and why it is less than the rule alone would give.
    fn amount(&self, covered: &Covered) -> Result<(Fen, Vec<AdjustmentCode>), MoneyError> {
        let mut codes = covered.codes.clone();
        let mut subsidy = self.by_rule(covered)?;
        let mut lower_to = |limit: Fen, code: AdjustmentCode| {
            if limit < subsidy {
                subsidy = limit;
                codes.push(code);
            }
        };
        lower_to(self.so_far.family, AdjustmentCode::PriceCovered);
        if let Some(cap) = self.rules.use_cap() {
            lower_to(cap, AdjustmentCode::CapReached);
        }
        if self.rules.unit() == Unit::Fen {
            lower_to(Fen::new(self.offer.remaining)?, exhausted(self.offer, self.rules));
        }
        Ok((subsidy, codes))
    }

    fn by_rule(&self, covered: &Covered) -> Result<Fen, MoneyError> {
        let rounding = self.offer.policy.rounding();
        let (price, left) = (self.priced_use.gross, self.so_far.family);
        match self.rules.payment() {
            Payment::Share { rate, base } => {
                let base = match base {
                    ShareBase::Price => price,
                    ShareBase::OwnPaid => left,
                };
                let numerator = rate.get().checked_mul(covered.numerator).ok_or(MoneyError::TooLarge)?;
                let denominator = covered.denominator.checked_mul(10_000).ok_or(MoneyError::TooLarge)?;
                base.scale(numerator, denominator, rounding)
            }
            Payment::PerUnit(fen) => {
                let fixed = Fen::new(fen.get().checked_mul(covered.count).ok_or(MoneyError::TooLarge)?)?;
                let covered_price = price.scale(covered.numerator, covered.denominator, rounding)?;
                Ok(fixed.min(covered_price))
            }
        }
    }
}
