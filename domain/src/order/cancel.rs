//! Cancelling: free up to a border that is known beforehand, then a part of the family's own share.
//!
//! Nothing is due while no provider has committed itself, and nothing when the reason lies with nobody: the
//! record says that the resident is in hospital or has died, or the community or the hotline takes the reason on
//! itself. The fee is the provider's; the subsidy is never touched.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::OrderState;
use crate::{
    access::Role,
    catalogue::ItemCode,
    error::{Fault, Kind},
    money::{BasisPoints, Fen, MoneyError, Rounding},
    policy::{
        PolicyFault,
        document::{self, Section},
    },
    resident::LifeStatus,
    time::{BusinessDate, Instant},
};

const FILE: &str = "cancellation.toml";
const TEXT: &str = include_str!("../../data/cancellation.toml");
/// The farthest border: a week.
const FREE_MINUTES_MAX: u32 = 7 * 24 * 60;

/// Why an order is called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CancelReason {
    /// The plans have changed.
    PlansChanged,
    /// It was booked by mistake.
    BookedByMistake,
    /// Somebody else helps.
    OtherHelp,
    /// The resident is unwell.
    Unwell,
    /// The resident is in hospital.
    InHospital,
    /// The resident has died.
    Died,
    /// The provider is at fault.
    ProviderFault,
    /// Weather, an epidemic, a closed street.
    ForceMajeure,
}

/// Why a fee is due, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FeeReason {
    /// No provider has committed itself yet.
    NobodyCommitted,
    /// The border has not passed.
    BeforeBorder,
    /// The reason lies with nobody.
    Waived,
    /// The border has passed.
    AfterBorder,
}

/// The rule of some services from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelRule {
    items: BTreeSet<ItemCode>,
    effective_from: BusinessDate,
    effective_until: Option<BusinessDate>,
    free_minutes: u32,
    share: BasisPoints,
}

/// All rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelTerms(Vec<CancelRule>);

/// What is known of an order that is to be cancelled.
#[derive(Debug, Clone, Copy)]
pub struct CancelFacts {
    /// Where it stands.
    pub state: OrderState,
    /// When the service would begin.
    pub start: Instant,
    /// The family's own share.
    pub family: Fen,
    /// Why it is cancelled.
    pub reason: CancelReason,
    /// As whom the person cancels; none for the system itself.
    pub role: Option<Role>,
    /// What the record says of the resident.
    pub status: LifeStatus,
}

/// What a cancellation costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consequence {
    /// Up to this instant cancelling is free; at it no longer.
    pub free_until: Instant,
    /// The part of the family's share that is due afterwards.
    pub share: BasisPoints,
    /// What is due now.
    pub fee: Fen,
    /// Why.
    pub because: FeeReason,
}

impl CancelTerms {
    /// Reads and checks a file of rules completely.
    ///
    /// # Errors
    /// Every fault of the file, in order of line.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<PolicyFault>> {
        document::read(file, text, read_terms)
    }

    /// The shipped rules.
    ///
    /// # Errors
    /// Every fault of the shipped file; a test keeps it clean.
    pub fn shipped() -> Result<Self, Vec<PolicyFault>> {
        Self::parse(FILE, TEXT)
    }

    /// The rule of a service on the day of the service: the one that names it, else the one for all.
    #[must_use]
    pub fn rule(&self, item: ItemCode, day: BusinessDate) -> Option<&CancelRule> {
        let in_force = |rule: &&CancelRule| rule.effective_from <= day && rule.effective_until.is_none_or(|until| day < until);
        let of = |named: bool| {
            self.0.iter().filter(in_force).find(move |rule| if named { rule.items.contains(&item) } else { rule.items.is_empty() })
        };
        of(true).or_else(|| of(false))
    }
}

impl CancelRule {
    /// What cancelling costs at an instant.
    ///
    /// # Errors
    /// Beyond the range of amounts.
    pub fn consequence(&self, facts: &CancelFacts, now: Instant) -> Result<Consequence, MoneyError> {
        let free_until = facts.start - TimeDelta::minutes(i64::from(self.free_minutes));
        let because = if !committed(facts.state) {
            FeeReason::NobodyCommitted
        } else if now < free_until {
            FeeReason::BeforeBorder
        } else if waived(facts) {
            FeeReason::Waived
        } else {
            FeeReason::AfterBorder
        };
        let fee = match because {
            FeeReason::AfterBorder => self.share.of(facts.family, Rounding::HalfUp)?,
            FeeReason::NobodyCommitted | FeeReason::BeforeBorder | FeeReason::Waived => Fen::ZERO,
        };
        Ok(Consequence { free_until, share: self.share, fee, because })
    }
}

/// Whether a provider has committed itself.
const fn committed(state: OrderState) -> bool {
    match state {
        OrderState::Accepted | OrderState::Assigned => true,
        OrderState::Requested
        | OrderState::Offered
        | OrderState::InService
        | OrderState::Completed
        | OrderState::Confirmed
        | OrderState::Disputed
        | OrderState::DisputeDecided
        | OrderState::Declined
        | OrderState::Expired
        | OrderState::Cancelled
        | OrderState::Missed => false,
    }
}

/// Whether the reason lies with nobody. A family's word alone does not do where a record or a desk can confirm it.
fn waived(facts: &CancelFacts) -> bool {
    let by_desk = facts.role.is_some_and(|role| matches!(role, Role::CommunityWorker | Role::HotlineDesk));
    match facts.reason {
        CancelReason::InHospital => by_desk || facts.status == LifeStatus::Hospital,
        CancelReason::Died => by_desk || facts.status == LifeStatus::Dead,
        CancelReason::ProviderFault | CancelReason::ForceMajeure => by_desk,
        CancelReason::PlansChanged | CancelReason::BookedByMistake | CancelReason::OtherHelp | CancelReason::Unwell => false,
    }
}

fn read_terms(root: &Section<'_>) -> Option<CancelTerms> {
    let format = root.require("format", "1").and_then(|entry| entry.integer(1, 1));
    let sections = root.require("rules", "[[rules]] with free_minutes, …").map(|entry| entry.sections()).unwrap_or_default();
    root.refuse_unknown_keys();
    let mut rules: Vec<CancelRule> = Vec::new();
    for section in &sections {
        let Some(rule) = read_rule(section) else { continue };
        if rules.iter().any(|earlier| overlap(earlier, &rule)) {
            section.fault("effective_from", "overlaps an earlier rule", "end the earlier one with effective_until");
        }
        rules.push(rule);
    }
    if !rules.iter().any(|rule| rule.items.is_empty()) {
        root.fault("rules", "no rule for all other services", "add one without items");
    }
    format?;
    Some(CancelTerms(rules))
}

fn overlap(one: &CancelRule, other: &CancelRule) -> bool {
    let same = one.items == other.items || !one.items.is_disjoint(&other.items);
    let before = |day: BusinessDate, until: Option<BusinessDate>| until.is_none_or(|until| day < until);
    same && before(other.effective_from, one.effective_until) && before(one.effective_from, other.effective_until)
}

fn read_rule(section: &Section<'_>) -> Option<CancelRule> {
    let items = section.get("items").and_then(|entry| entry.codes("an item code such as \"meal\""));
    let effective_from = section.require("effective_from", "2026-01-01").and_then(|entry| entry.date());
    let effective_until = section.get("effective_until").and_then(|entry| entry.date());
    let free_minutes = section.require("free_minutes", "240").and_then(|entry| entry.count(0, FREE_MINUTES_MAX));
    let percent = section.require("share_percent", "50").and_then(|entry| entry.integer(0, 100));
    section.refuse_unknown_keys();
    Some(CancelRule {
        items: items.unwrap_or_default(),
        effective_from: effective_from?,
        effective_until,
        free_minutes: free_minutes?,
        share: BasisPoints::new(percent?.checked_mul(100)?).ok()?,
    })
}

/// Why a cancellation was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CancelError {
    /// It costs more than the person has agreed to.
    #[error("cancelling now costs {} fen; look at it and agree to it", .0.get())]
    Fee(Fen),
}

impl Fault for CancelError {
    fn code(&self) -> &'static str {
        "cancel.fee"
    }
    fn kind(&self) -> Kind {
        Kind::Conflict
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use CancelReason::{Died, ForceMajeure, InHospital, ProviderFault, Unwell};

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn facts() -> CancelFacts {
        CancelFacts {
            state: OrderState::Accepted,
            start: at("2026-12-01T08:00:00Z"),
            family: Fen::new(6_001).unwrap(),
            reason: CancelReason::PlansChanged,
            role: Some(Role::FamilyMember),
            status: LifeStatus::Alive,
        }
    }

    fn asked(item: ItemCode, facts: &CancelFacts, now: &str) -> (i64, FeeReason) {
        let terms = CancelTerms::shipped().unwrap();
        let made = terms.rule(item, BusinessDate::of(facts.start)).unwrap().consequence(facts, at(now)).unwrap();
        (made.fee.get(), made.because)
    }

    #[test]
    fn the_border_is_exact_and_the_fee_is_a_part_of_the_family_s_share() {
        assert_eq!(asked(ItemCode::Bathing, &facts(), "2026-12-01T03:59:59.999999Z"), (0, FeeReason::BeforeBorder));
        assert_eq!(asked(ItemCode::Bathing, &facts(), "2026-12-01T04:00:00Z"), (3_001, FeeReason::AfterBorder));
        assert_eq!(asked(ItemCode::Meal, &facts(), "2026-12-01T04:59:59Z"), (0, FeeReason::BeforeBorder));
        assert_eq!(asked(ItemCode::Meal, &facts(), "2026-12-01T05:00:00Z"), (6_001, FeeReason::AfterBorder));
    }

    #[test]
    fn nothing_is_due_before_a_provider_has_committed_itself() {
        for state in [OrderState::Requested, OrderState::Offered] {
            assert_eq!(
                asked(ItemCode::Bathing, &CancelFacts { state, ..facts() }, "2026-12-01T07:59:00Z"),
                (0, FeeReason::NobodyCommitted)
            );
        }
    }

    #[test]
    fn a_waiver_needs_a_record_or_a_desk() {
        let late = "2026-12-01T07:00:00Z";
        let with = |reason, role, status| asked(ItemCode::Bathing, &CancelFacts { reason, role: Some(role), status, ..facts() }, late).1;
        assert_eq!(with(InHospital, Role::FamilyMember, LifeStatus::Alive), FeeReason::AfterBorder);
        assert_eq!(with(InHospital, Role::FamilyMember, LifeStatus::Hospital), FeeReason::Waived);
        assert_eq!(with(Died, Role::FamilyMember, LifeStatus::Dead), FeeReason::Waived);
        for reason in [InHospital, Died, ProviderFault, ForceMajeure] {
            assert_eq!(with(reason, Role::HotlineDesk, LifeStatus::Alive), FeeReason::Waived);
        }
        assert_eq!(with(ProviderFault, Role::Resident, LifeStatus::Alive), FeeReason::AfterBorder);
        assert_eq!(with(Unwell, Role::CommunityWorker, LifeStatus::Alive), FeeReason::AfterBorder);
    }

    #[test]
    fn no_fee_is_ever_more_than_the_family_s_share() {
        let terms = CancelTerms::shipped().unwrap();
        for item in ItemCode::iter() {
            for family in [0, 1, 99, 12_345] {
                let facts = CancelFacts { family: Fen::new(family).unwrap(), ..facts() };
                let made = terms.rule(item, BusinessDate::of(facts.start)).unwrap().consequence(&facts, facts.start).unwrap();
                assert!(made.fee <= facts.family, "{item} {family}");
            }
        }
    }

    #[test]
    fn a_faulty_file_is_refused_with_every_fault() {
        let text = "format = 1\n[[rules]]\nitems = [\"meal\"]\neffective_from = 2026-01-01\nfree_minutes = 20000\nshare_percent = 50\n";
        let faults = CancelTerms::parse("x.toml", text).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
        let twice = format!("{TEXT}\n[[rules]]\nitems = [\"meal\"]\neffective_from = 2027-01-01\nfree_minutes = 0\nshare_percent = 0\n");
        assert_eq!(CancelTerms::parse("x.toml", &twice).unwrap_err().len(), 1);
    }
}
