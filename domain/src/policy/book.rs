//! All versions of all programmes of one city.

use std::collections::BTreeMap;

use super::{Policy, PolicyFault, ProgrammeCode};
use crate::time::BusinessDate;

/// Versions of programmes by first day in force.
///
/// A version whose file names no end is in force until the next version of its programme begins. A version
/// that names its end keeps it: what overlaps is refused.
#[derive(Debug, Clone, Default)]
pub struct PolicyBook {
    programmes: BTreeMap<ProgrammeCode, BTreeMap<BusinessDate, Policy>>,
}

impl PolicyBook {
    /// Collects versions in any order.
    ///
    /// # Errors
    /// One fault for each version that begins while an earlier one has not reached the end that its file
    /// names, that begins on the same day as another, or that bears the name of another.
    pub fn new(policies: impl IntoIterator<Item = Policy>) -> Result<Self, Vec<PolicyFault>> {
        let mut faults = Vec::new();
        let mut programmes: BTreeMap<ProgrammeCode, Vec<Policy>> = BTreeMap::new();
        for policy in policies {
            programmes.entry(policy.programme.clone()).or_default().push(policy);
        }
        for versions in programmes.values_mut() {
            versions.sort_by_key(|policy| policy.effective_from);
            faults.extend(versions.iter().zip(versions.iter().skip(1)).filter_map(|(earlier, later)| overlap(earlier, later)));
            faults.extend(doubled_names(versions));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let by_date = |versions: Vec<Policy>| versions.into_iter().map(|policy| (policy.effective_from, policy)).collect();
        Ok(Self { programmes: programmes.into_iter().map(|(code, versions)| (code, by_date(versions))).collect() })
    }

    /// The shipped versions.
    ///
    /// # Errors
    /// Every fault of the shipped files; a test keeps them clean.
    pub fn shipped() -> Result<Self, Vec<PolicyFault>> {
        Self::new(Policy::shipped()?)
    }

    /// The version of a programme that is in force on a day.
    #[must_use]
    pub fn in_force(&self, programme: &ProgrammeCode, date: BusinessDate) -> Option<&Policy> {
        let (_, policy) = self.programmes.get(programme)?.range(..=date).next_back()?;
        policy.is_in_force(date).then_some(policy)
    }

    /// The versions of all programmes that are in force on a day, in the order of use.
    #[must_use]
    pub fn all_in_force(&self, date: BusinessDate) -> Vec<&Policy> {
        let mut policies: Vec<_> = self.programmes.keys().filter_map(|programme| self.in_force(programme, date)).collect();
        policies.sort_by_key(|policy| policy.order_of_use);
        policies
    }

    /// One version by name.
    #[must_use]
    pub fn version(&self, programme: &ProgrammeCode, version: &str) -> Option<&Policy> {
        self.versions(programme).find(|policy| policy.version == version)
    }

    /// All versions of a programme, oldest first.
    pub fn versions(&self, programme: &ProgrammeCode) -> impl Iterator<Item = &Policy> {
        self.programmes.get(programme).into_iter().flat_map(BTreeMap::values)
    }

    /// All programmes.
    pub fn programmes(&self) -> impl Iterator<Item = &ProgrammeCode> {
        self.programmes.keys()
    }

    /// First day of a version, and the first day no longer in force: its own end, or the day on which the
    /// next version begins.
    #[must_use]
    pub fn effective(&self, policy: &Policy) -> (BusinessDate, Option<BusinessDate>) {
        let next = self.versions(&policy.programme).map(|later| later.effective_from).find(|from| *from > policy.effective_from);
        let until = policy.effective_until.into_iter().chain(next).min();
        (policy.effective_from, until)
    }
}

fn overlap(earlier: &Policy, later: &Policy) -> Option<PolicyFault> {
    let same_day = earlier.effective_from == later.effective_from;
    let until = earlier.effective_until.filter(|until| *until > later.effective_from);
    if !same_day && until.is_none() {
        return None;
    }
    let message = format!("version {} overlaps version {} of {}", later.version, earlier.version, earlier.programme);
    let cure = until.filter(|_| !same_day).map_or_else(
        || format!("{} begins on the same day: write another first day", earlier.version),
        |until| format!("begin on {until} or later, or end {} in {} earlier", earlier.version, earlier.file),
    );
    Some(fault(later, later.effective_line, "effective_from", message, cure))
}

fn doubled_names(versions: &[Policy]) -> Vec<PolicyFault> {
    let doubled = |(place, policy): (usize, &Policy)| {
        let twin = versions.iter().take(place).find(|earlier| earlier.version == policy.version)?;
        let message = format!("{} has the version {} already, in {}", policy.programme, policy.version, twin.file);
        Some(fault(policy, policy.version_line, "version", message, "give each version its own name".to_owned()))
    };
    versions.iter().enumerate().filter_map(doubled).collect()
}

fn fault(policy: &Policy, line: usize, rule: &str, message: String, cure: String) -> PolicyFault {
    PolicyFault { file: policy.file.clone(), line, rule: rule.to_owned(), message, cure }
}
