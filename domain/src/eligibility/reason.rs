//! Why something was refused: stable codes with values, short enough for a sheet.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::{policy::BenefitCode, resident::LifeStatus, time::BusinessDate};

/// Why a rule did not pass. Printed as one word without spaces; the codes are stable.
///
/// Health and money of a person are not repeated in a reason, only the line that was missed: reasons stand in
/// sheets and letters, the inputs of a rule in [`super::RuleVerdict`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reason {
    /// `unknown:level`: the fact is not known.
    Unknown {
        /// Name of the fact.
        fact: String,
    },
    /// `invalid:needs_care`: a declared fact has a value that its declaration does not allow.
    Invalid {
        /// Name of the fact.
        fact: String,
    },
    /// `age:58<60`, or `level<2` where the value is not repeated.
    Below {
        /// Name of the fact.
        fact: String,
        /// The value, where it may be repeated.
        actual: Option<i64>,
        /// The smallest value that passes.
        min: i64,
    },
    /// `age:80>=80`, or `income_month_fen>=200000`: reaches a line that it must stay below.
    NotBelow {
        /// Name of the fact.
        fact: String,
        /// The value, where it may be repeated.
        actual: Option<i64>,
        /// The smallest value that does not pass.
        limit: i64,
    },
    /// `categories:not_in:dibao|tekun`: none of the wanted values.
    NotIn {
        /// Name of the fact.
        fact: String,
        /// The wanted values.
        wanted: Vec<String>,
    },
    /// `categories:excluded:tekun`: a value that excludes.
    Excluded {
        /// Name of the fact.
        fact: String,
        /// The excluding value.
        value: String,
    },
    /// `not_in_force:2016-12-31`: the version is not in force on that day.
    NotInForce {
        /// The day.
        on: BusinessDate,
    },
    /// `not_yet:2026-03-01`: begins later.
    NotYet {
        /// First day.
        from: BusinessDate,
    },
    /// `ended:2026-03-01`: has ended.
    Ended {
        /// First day no longer covered.
        on: BusinessDate,
    },
    /// `no_amount`: no row of the table of amounts applies.
    NoAmount,
    /// `superseded`: another programme gives more, and only the higher one is given.
    Superseded,
    /// `mutually_exclusive:institution`: a benefit that excludes this one was used first in the window.
    MutuallyExclusive {
        /// The benefit that was used.
        benefit: BenefitCode,
    },
}

impl Reason {
    /// A fact that is not known.
    #[must_use]
    pub fn unknown(fact: &str) -> Self {
        Self::Unknown { fact: fact.to_owned() }
    }

    /// A value that excludes.
    #[must_use]
    pub fn excluded(fact: &str, value: impl fmt::Display) -> Self {
        Self::Excluded { fact: fact.to_owned(), value: value.to_string() }
    }

    /// Stable code without values, the key of its text in every language.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown",
            Self::Invalid { .. } => "invalid",
            Self::Below { .. } => "below",
            Self::NotBelow { .. } => "not_below",
            Self::NotIn { .. } => "not_in",
            Self::Excluded { .. } => "excluded",
            Self::NotInForce { .. } => "not_in_force",
            Self::NotYet { .. } => "not_yet",
            Self::Ended { .. } => "ended",
            Self::NoAmount => "no_amount",
            Self::Superseded => "superseded",
            Self::MutuallyExclusive { .. } => "mutually_exclusive",
        }
    }

    /// Whether it is the resident's death.
    #[must_use]
    pub fn is_death(&self) -> bool {
        matches!(self, Self::Excluded { fact, value } if fact == "status" && *value == LifeStatus::Dead.to_string())
    }

    /// Whether it can pass by itself: a life status other than death, or a fact that is not known at present.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::Invalid { .. } => true,
            Self::Excluded { fact, .. } | Self::NotIn { fact, .. } => fact == "status" && !self.is_death(),
            Self::Below { .. }
            | Self::NotBelow { .. }
            | Self::NotInForce { .. }
            | Self::NotYet { .. }
            | Self::Ended { .. }
            | Self::NoAmount
            | Self::Superseded
            | Self::MutuallyExclusive { .. } => false,
        }
    }

    /// Whether the rule failed or could not be judged.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Unknown { .. } | Self::Invalid { .. } => Verdict::Unknown,
            Self::Below { .. }
            | Self::NotBelow { .. }
            | Self::NotIn { .. }
            | Self::Excluded { .. }
            | Self::NotInForce { .. }
            | Self::NotYet { .. }
            | Self::Ended { .. }
            | Self::NoAmount
            | Self::Superseded
            | Self::MutuallyExclusive { .. } => Verdict::Fail,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { fact } | Self::Invalid { fact } => write!(f, "{}:{fact}", self.code()),
            Self::Below { fact, actual: Some(actual), min } => write!(f, "{fact}:{actual}<{min}"),
            Self::Below { fact, actual: None, min } => write!(f, "{fact}<{min}"),
            Self::NotBelow { fact, actual: Some(actual), limit } => write!(f, "{fact}:{actual}>={limit}"),
            Self::NotBelow { fact, actual: None, limit } => write!(f, "{fact}>={limit}"),
            Self::NotIn { fact, wanted } => write!(f, "{fact}:not_in:{}", wanted.join("|")),
            Self::Excluded { fact, value } => write!(f, "{fact}:excluded:{value}"),
            Self::NotInForce { on } | Self::Ended { on } => write!(f, "{}:{on}", self.code()),
            Self::NotYet { from } => write!(f, "not_yet:{from}"),
            Self::NoAmount | Self::Superseded => f.write_str(self.code()),
            Self::MutuallyExclusive { benefit } => write!(f, "mutually_exclusive:{benefit}"),
        }
    }
}
