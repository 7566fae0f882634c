//! Eligibility (资格认定): who is entitled to what under one policy version, and why.
//!
//! [`decide`] tries every rule, also after one has failed, and lists its inputs and verdict, so that a page
//! can explain a refusal and an auditor can follow it. What is not known never passes.

mod facts;
mod judge;
mod reason;

pub use facts::Facts;
pub use reason::Reason;
use serde::{Deserialize, Serialize};

use crate::{
    catalogue::Unit,
    money::{BasisPoints, Fen},
    policy::{Benefit, BenefitCode, Condition, EndRule, Payment, Policy, ProgrammeCode, StartRule},
    resident::LifeStatus,
    time::{BusinessDate, TimeError, Window, WindowKind, WorkingCalendar},
};

/// The answer of one policy version for one resident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Which programme.
    pub programme: ProgrammeCode,
    /// Which version of its rules.
    pub version: String,
    /// Whether the rules grant at least one benefit. When it begins and ends is said by
    /// [`Decision::effective_from`] and [`Decision::effective_until`]: ask [`Decision::covers`] for a day.
    pub granted: bool,
    /// Why the programme as a whole was refused; empty when granted. Of several classes, the one that
    /// failed in the fewest tests speaks.
    pub reasons: Vec<Reason>,
    /// Every rule tried, in the order of the file.
    pub rules: Vec<RuleVerdict>,
    /// What is granted.
    pub benefits: Vec<BenefitGrant>,
    /// Benefits refused to somebody who fulfils the programme's conditions.
    pub refused: Vec<BenefitRefusal>,
    /// First day, where the facts say when the application was made.
    pub effective_from: Option<BusinessDate>,
    /// First day no longer covered, where the facts say when the grounds ended.
    pub effective_until: Option<BusinessDate>,
}

/// One rule with what it looked at and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleVerdict {
    /// Path of the rule, such as `requires.level_min` or `eligible.aged-80.age_min`.
    pub rule: String,
    /// The facts it looked at, such as `level=2`. Personal: encrypt at rest.
    pub inputs: String,
    /// What came of it.
    pub verdict: Verdict,
    /// Why it did not pass.
    pub reason: Option<Reason>,
}

/// What came of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Fulfilled.
    Pass,
    /// Not fulfilled.
    Fail,
    /// A fact is not known; never taken for yes.
    Unknown,
}

/// A granted benefit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenefitGrant {
    /// Which benefit.
    pub benefit: BenefitCode,
    /// In what the amount is measured.
    pub unit: Unit,
    /// The amount of one window.
    pub amount: i64,
    /// The length of the window.
    pub window: WindowKind,
    /// The share of the price that is paid, for benefits that pay a share.
    pub share: Option<BasisPoints>,
    /// The fixed sum per meal or visit, for benefits that pay one.
    pub per_unit: Option<Fen>,
    /// The most that is paid for one use.
    pub use_cap: Option<Fen>,
}

/// A benefit that is refused to somebody who fulfils the programme's conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenefitRefusal {
    /// Which benefit.
    pub benefit: BenefitCode,
    /// Why.
    pub reasons: Vec<Reason>,
}

impl Decision {
    /// Whether the grant covers a day.
    ///
    /// # Errors
    /// The first reason of a refusal, [`Reason::NotYet`] before the first day, [`Reason::Ended`] from the
    /// day on which it has ended.
    pub fn covers(&self, date: BusinessDate) -> Result<(), Reason> {
        if !self.granted {
            return Err(self.reasons.first().cloned().unwrap_or(Reason::NoAmount));
        }
        if let Some(from) = self.effective_from.filter(|from| date < *from) {
            return Err(Reason::NotYet { from });
        }
        match self.effective_until.filter(|until| date >= *until) {
            Some(on) => Err(Reason::Ended { on }),
            None => Ok(()),
        }
    }

    /// Whether the grant covers at least one day of a window.
    #[must_use]
    pub fn overlaps(&self, window: &Window) -> bool {
        let begins_in_time = window.end.zip(self.effective_from).is_none_or(|(end, from)| from < end);
        let ends_late_enough = self.effective_until.is_none_or(|until| window.start < until);
        let lasts = self.effective_from.zip(self.effective_until).is_none_or(|(from, until)| from < until);
        self.granted && begins_in_time && ends_late_enough && lasts
    }

    /// The grant of one benefit.
    #[must_use]
    pub fn grant(&self, benefit: &BenefitCode) -> Option<&BenefitGrant> {
        self.benefits.iter().find(|grant| grant.benefit == *benefit)
    }
}

/// Decides one policy version for one resident as of a day.
///
/// Age is reckoned on that day, and the version must be in force on it. Start and end rules apply where the facts `applied_on` and `ended_on` are given; they need
/// the working calendar.
///
/// # Errors
/// [`TimeError::Range`] when a start or end lies beyond the calendar.
pub fn decide(policy: &Policy, facts: &Facts, on: BusinessDate, calendar: &WorkingCalendar) -> Result<Decision, TimeError> {
    let mut tried = Tried { policy, facts, on, rules: Vec::new() };
    let mut reasons = tried.fixed_rules();
    reasons.extend(tried.condition("requires", policy.requires()));
    reasons.extend(tried.classes());
    let mut benefits = Vec::new();
    let mut refused = Vec::new();
    for benefit in policy.benefits() {
        match tried.benefit(benefit) {
            Ok(grant) if reasons.is_empty() => benefits.push(grant),
            Err(why) if reasons.is_empty() => refused.push(BenefitRefusal { benefit: benefit.code().clone(), reasons: why }),
            Ok(_) | Err(_) => {}
        }
    }
    if benefits.is_empty() {
        reasons.extend(refused.drain(..).flat_map(|refusal: BenefitRefusal| refusal.reasons));
    }
    drop_repeats(&mut reasons);
    Ok(Decision {
        programme: policy.programme().clone(),
        version: policy.version().to_owned(),
        granted: !benefits.is_empty(),
        reasons,
        rules: tried.rules,
        benefits,
        refused,
        effective_from: facts.applied_on.map(|applied| first_day(policy.start_rule(), applied, calendar)).transpose()?,
        effective_until: facts.ended_on.map(|ended| end_day(policy.end_rule(), ended)).transpose()?,
    })
}

fn first_day(rule: StartRule, applied: BusinessDate, calendar: &WorkingCalendar) -> Result<BusinessDate, TimeError> {
    match rule {
        StartRule::AtOnce => Ok(applied),
        StartRule::NextMonth => Ok(applied.month().next()?.first_day()),
        StartRule::WorkingDays(days) => calendar.add_working_days(applied, days),
    }
}

fn end_day(rule: EndRule, ended: BusinessDate) -> Result<BusinessDate, TimeError> {
    match rule {
        EndRule::AtOnce => Ok(ended),
        EndRule::NextMonth => Ok(ended.month().next()?.first_day()),
    }
}

/// Keeps the first of equal reasons, in order.
fn drop_repeats(reasons: &mut Vec<Reason>) {
    let mut seen = std::collections::BTreeSet::new();
    reasons.retain(|reason| seen.insert(reason.clone()));
}

/// The rules tried so far for one resident on one day.
struct Tried<'a> {
    policy: &'a Policy,
    facts: &'a Facts,
    on: BusinessDate,
    rules: Vec<RuleVerdict>,
}

impl Tried<'_> {
    fn note(&mut self, rule: String, inputs: String, outcome: Result<(), Reason>) -> Option<Reason> {
        let reason = outcome.err();
        let verdict = reason.as_ref().map_or(Verdict::Pass, Reason::verdict);
        self.rules.push(RuleVerdict { rule, inputs, verdict, reason: reason.clone() });
        reason
    }

    /// Rules that no file writes: the version is in force, and the resident is not known to be dead.
    fn fixed_rules(&mut self) -> Vec<Reason> {
        let in_force = if self.policy.is_in_force(self.on) { Ok(()) } else { Err(Reason::NotInForce { on: self.on }) };
        let dead = self.facts.status == Some(LifeStatus::Dead);
        let alive = if dead { Err(Reason::excluded("status", LifeStatus::Dead)) } else { Ok(()) };
        let mut reasons = Vec::new();
        reasons.extend(self.note("effective".to_owned(), format!("on={}", self.on), in_force));
        if dead {
            reasons.extend(self.note("alive".to_owned(), "status=dead".to_owned(), alive));
        }
        reasons
    }

    /// Tries all tests of a condition and gives the reasons of those that did not pass.
    fn condition(&mut self, path: &str, condition: &Condition) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for test in condition.tests() {
            let judged = judge::judge(test, self.facts, self.on, self.policy.facts());
            reasons.extend(self.note(format!("{path}.{}", judged.rule), judged.inputs, judged.outcome));
        }
        reasons
    }

    /// Nothing when one class applies; else the reasons of the class that failed in the fewest tests.
    fn classes(&mut self) -> Vec<Reason> {
        let mut nearest: Option<Vec<Reason>> = None;
        for class in self.policy.classes() {
            let path = format!("eligible.{}", class.code());
            let mut reasons = Vec::new();
            if let Some(from) = class.effective_from() {
                let begun = if self.on >= from { Ok(()) } else { Err(Reason::NotYet { from }) };
                reasons.extend(self.note(format!("{path}.effective_from"), format!("on={}", self.on), begun));
            }
            reasons.extend(self.condition(&path, class.when()));
            if nearest.as_ref().is_none_or(|nearest| reasons.len() < nearest.len()) {
                nearest = Some(reasons);
            }
        }
        nearest.unwrap_or_default()
    }

    /// The grant, or why not. In the table of amounts the first row that passes decides; a row that cannot be
    /// judged because a fact is not known refuses, since a later row might wrong the resident or the funds.
    fn benefit(&mut self, benefit: &Benefit) -> Result<BenefitGrant, Vec<Reason>> {
        let path = format!("benefits.{}", benefit.code());
        let mut reasons = self.condition(&format!("{path}.requires"), benefit.requires());
        let mut amount = None;
        for (place, row) in benefit.amounts().iter().enumerate() {
            let why = self.condition(&format!("{path}.amounts[{place}]"), row.when());
            if why.is_empty() {
                amount = Some(row.amount());
                break;
            }
            let failed = why.iter().any(|reason| reason.verdict() == Verdict::Fail);
            if !failed {
                reasons.extend(why);
                return Err(reasons);
            }
        }
        let Some(amount) = amount else {
            reasons.push(Reason::NoAmount);
            return Err(reasons);
        };
        if !reasons.is_empty() {
            return Err(reasons);
        }
        let (share, per_unit) = match benefit.payment() {
            Payment::Share { rate, .. } => (Some(rate), None),
            Payment::PerUnit(fen) => (None, Some(fen)),
        };
        let (unit, window) = (benefit.unit(), benefit.window());
        Ok(BenefitGrant { benefit: benefit.code().clone(), unit, amount, window, share, per_unit, use_cap: benefit.use_cap() })
    }
}

#[cfg(test)]
mod tests;
