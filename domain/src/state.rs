//! State machines as data: one labelled table per machine, and one place that reads it.
//!
//! A row says from which state, on which trigger, to which state, who may pull the trigger and why the row
//! exists. Nothing else in the product knows legal moves; the diagrams of `domain/README.md` are printed
//! from the tables.

use std::fmt::{Debug, Display, Write as _};

use crate::{
    access::Role,
    error::{Fault, Kind},
};

/// One legal move.
#[derive(Debug, Clone, Copy)]
pub struct Transition<S: 'static, T: 'static> {
    /// State before.
    pub from: S,
    /// What happens.
    pub trigger: T,
    /// State after.
    pub to: S,
    /// Roles that may pull the trigger; empty means the system itself.
    pub who: &'static [Role],
    /// Why the move exists.
    pub why: &'static str,
}

/// A stored state with its table.
pub trait StateMachine: Copy + Eq + Debug + Display + 'static {
    /// What can happen.
    type Trigger: Copy + Eq + Debug + Display + 'static;
    /// Name of the machine, as diagrams and errors show it.
    const NAME: &'static str;
    /// Where every machine begins.
    const INITIAL: Self;
    /// All states, in reading order.
    const STATES: &'static [Self];
    /// All legal moves.
    const TABLE: &'static [Transition<Self, Self::Trigger>];

    /// The move that a trigger makes from this state.
    ///
    /// # Errors
    /// [`TransitionError`] when the table has no such row.
    fn on(self, trigger: Self::Trigger) -> Result<&'static Transition<Self, Self::Trigger>, TransitionError> {
        Self::TABLE.iter().find(|row| row.from == self && row.trigger == trigger).ok_or_else(|| TransitionError {
            machine: Self::NAME,
            from: self.to_string(),
            trigger: trigger.to_string(),
        })
    }

    /// Whether no move leads out of this state.
    fn is_final(self) -> bool {
        !Self::TABLE.iter().any(|row| row.from == self)
    }
}

/// The state does not allow what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{trigger} is not possible for an {machine} that is {from}")]
pub struct TransitionError {
    /// Name of the machine.
    pub machine: &'static str,
    /// State at the time.
    pub from: String,
    /// What was asked.
    pub trigger: String,
}

impl Fault for TransitionError {
    fn code(&self) -> &'static str {
        "state.not_allowed"
    }
    fn kind(&self) -> Kind {
        Kind::Conflict
    }
}

/// The machine as a Mermaid diagram.
#[must_use]
pub fn diagram<S: StateMachine>() -> String {
    let mut text = format!("```mermaid\nstateDiagram-v2\n    [*] --> {}\n", S::INITIAL);
    for row in S::TABLE {
        let who =
            if row.who.is_empty() { "system".to_owned() } else { row.who.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") };
        // Writing to a String cannot fail.
        let _written = writeln!(text, "    {} --> {}: {} ({who})", row.from, row.to, row.trigger);
    }
    for state in S::STATES.iter().filter(|state| state.is_final()) {
        let _written = writeln!(text, "    {state} --> [*]");
    }
    text.push_str("```\n");
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What must hold of every machine: each state can be reached, no row is doubled, each row has a reason,
    /// and some state is the last.
    pub(crate) fn check<S: StateMachine>() {
        check_moves::<S>();
        assert!(S::STATES.iter().any(|state| state.is_final()));
    }

    /// As [`check`], for a machine that never comes to an end.
    pub(crate) fn check_moves<S: StateMachine>() {
        let mut reached = vec![S::INITIAL];
        while let Some(row) = S::TABLE.iter().find(|row| reached.contains(&row.from) && !reached.contains(&row.to)) {
            reached.push(row.to);
        }
        for state in S::STATES {
            assert!(reached.contains(state), "{} cannot reach {state}", S::NAME);
        }
        for (place, row) in S::TABLE.iter().enumerate() {
            assert!(!row.why.is_empty());
            assert!(S::STATES.contains(&row.from) && S::STATES.contains(&row.to));
            assert!(
                !S::TABLE[..place].iter().any(|other| other.from == row.from && other.trigger == row.trigger),
                "{} {} twice",
                row.from,
                row.trigger
            );
        }
    }
}
