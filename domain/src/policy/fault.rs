//! What is wrong with a file of rules or facts: where it stands, which rule it is in, and what cures it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Fault, FieldError, Kind};

/// One fault of a policy file or of the catalogue file.
///
/// Printed as `file:line: rule: message; cure`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PolicyFault {
    /// Name of the file as the caller gave it.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Path of the rule at fault, such as `benefits[1].share_percent`.
    pub rule: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub cure: String,
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}; {}", self.file, self.line, self.rule, self.message, self.cure)
    }
}

impl std::error::Error for PolicyFault {}

impl Fault for PolicyFault {
    fn code(&self) -> &'static str {
        "policy.fault"
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        vec![FieldError::new(self.rule.as_str(), "policy.fault", self.cure.as_str())]
    }
}

/// A text that is not what the rules of policies ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not a code of a programme, benefit, fund or class.
    #[error("write at most 64 small letters, digits and single hyphens, beginning with a letter, such as city-meals")]
    Code,
}

impl Fault for PolicyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Code => "policy.code",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}
