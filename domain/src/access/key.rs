//! Bearer keys: what a program may do in the name of an account.
//!
//! A key never reaches further than the roles that its account holds at the time of use, and of their actions only
//! those that it was given. What judges another person's step, what money leaves by and what shows presence at a
//! visit is done by people who are there: no key can be given it, whoever asks.

use serde::{Deserialize, Serialize};

use super::{Action, Role};
use crate::error::FieldError;

/// Longest life of a key, in days.
pub const KEY_DAYS_MAX: i64 = 366;
/// Keys in force that one account may have.
pub const KEYS_MAX: usize = 20;

/// The actions that a key can be given. An action that is not named here is never done by key: a new one has to be
/// thought about before a program may take it.
pub const BY_KEY: &[Action] = &[
    Action::ImportDivisions,
    Action::RegisterResident,
    Action::EditContact,
    Action::ReadFacts,
    Action::RecordFact,
    Action::ReadDuplicates,
    Action::ReadFamilyMembers,
    Action::ReadResident,
    Action::ReadApplicationNotes,
    Action::ReadOverdueApplications,
    Action::ReadApplication,
    Action::ReadEntitlements,
    Action::ReadProvider,
    Action::PublishPrice,
    Action::RegisterCarer,
    Action::EditCarer,
    Action::RequestQuote,
    Action::PlaceOrder,
    Action::ReadOrder,
    Action::AcceptOrder,
    Action::DeclineOrder,
    Action::AssignOrder,
    Action::CancelOrder,
    Action::ReadDevices,
    Action::ReadVisit,
    Action::ReadQuarantine,
    Action::ReadIncidents,
    Action::ReadConsent,
    Action::ReadSettlement,
    Action::ComputeSettlement,
    Action::ReadJobs,
];

impl Action {
    /// Whether a key can be given the action.
    #[must_use]
    pub fn is_by_key(self) -> bool {
        BY_KEY.contains(&self)
    }
}

/// The actions that a key was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyScope(Vec<Action>);

impl KeyScope {
    /// Checks the actions of a new key against the roles of its account.
    ///
    /// # Errors
    /// No action, one that no key can be given, one that none of the roles may take: all at once.
    pub fn new(mut actions: Vec<Action>, roles: &[Role]) -> Result<Self, Vec<FieldError>> {
        let mut faults = Vec::new();
        if actions.is_empty() {
            faults.push(FieldError::new("actions", "key.actions_empty", "name at least one action"));
        }
        for (place, action) in actions.iter().enumerate() {
            let field = format!("actions.{place}");
            if !action.is_by_key() {
                faults.push(FieldError::new(field, "key.action_by_person", "only people who are signed in do this; leave it out"));
            } else if !action.roles().iter().any(|role| roles.contains(role)) {
                faults.push(FieldError::new(
                    field,
                    "key.action_beyond_roles",
                    "none of the roles of the account may do this; leave it out",
                ));
            }
        }
        actions.sort_unstable();
        actions.dedup();
        if faults.is_empty() { Ok(Self(actions)) } else { Err(faults) }
    }

    /// Whether the key was given an action.
    #[must_use]
    pub fn covers(&self, action: Action) -> bool {
        // Also when a later version no longer lets keys do it.
        action.is_by_key() && self.0.contains(&action)
    }

    /// The actions, each once, in the order of the matrix.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn no_key_judges_approves_or_shows_presence() {
        for action in Action::iter() {
            let name = action.to_string();
            let by_person = ["approve_", "decide_", "admit_", "review_", "confirm_", "release_", "correct_", "clock_", "bind_", "manage_"];
            if by_person.iter().any(|beginning| name.starts_with(beginning)) || name == "publish_policy" || name == "read_visit_code" {
                assert!(!action.is_by_key(), "{name}");
            }
        }
    }

    #[test]
    fn a_key_gets_no_more_than_the_roles_of_its_account() {
        let clerk = [Role::CountyClerk];
        let faults = |actions: Vec<Action>| -> Vec<String> {
            let faults = KeyScope::new(actions, &clerk).err().unwrap_or_default();
            faults.into_iter().map(|fault| format!("{} {}", fault.field, fault.code)).collect()
        };
        assert_eq!(faults(vec![Action::ReadSettlement, Action::ComputeSettlement]), Vec::<String>::new());
        assert_eq!(faults(Vec::new()), ["actions key.actions_empty"]);
        let found = faults(vec![Action::ApproveSettlement, Action::PlaceOrder, Action::ReadSettlement]);
        assert_eq!(found, ["actions.0 key.action_by_person", "actions.1 key.action_beyond_roles"]);
        let scope = KeyScope::new(vec![Action::ReadSettlement, Action::ReadOrder, Action::ReadSettlement], &clerk).unwrap();
        assert_eq!(scope.actions(), [Action::ReadOrder, Action::ReadSettlement]);
        assert!(scope.covers(Action::ReadOrder) && !scope.covers(Action::ReadProvider));
    }
}
