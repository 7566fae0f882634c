//! What every refusal carries: a stable code, a transport-neutral kind, and the fields at fault.
//!
//! Each module has its own error enum; all of them implement [`Fault`]. Only the outermost packages turn a
//! [`Kind`] into a status code or a sentence in the reader's language.

use serde::{Deserialize, Serialize};

/// How a caller should react to a refusal, without saying by which protocol it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The input is wrong; the same input will always be refused.
    Invalid,
    /// The caller is not known.
    Unauthenticated,
    /// The caller is known and may not do this.
    Forbidden,
    /// There is no such thing, or none that the caller may know of.
    NotFound,
    /// The state of the thing does not allow it now.
    Conflict,
    /// Somebody else changed the thing since the caller last saw it.
    Stale,
    /// A limit of the service was reached; trying later can succeed.
    Unavailable,
    /// Stored data or our own code is broken; an operator must look.
    Broken,
}

/// One faulty input: where it stands and what would cure it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Path of the field as the caller wrote it, such as `id_number` or `items.B.1.1`.
    pub field: String,
    /// Stable code of the fault, such as `id_number.check_digit`.
    pub code: String,
    /// What to do, in English; the code is the key for translations.
    pub cure: String,
}

impl FieldError {
    /// Names a field, the code of its fault and the cure. The faulty value itself is never repeated.
    #[must_use]
    pub fn new(field: impl Into<String>, code: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), cure: cure.into() }
    }
}

/// A refusal that can be shown to the person concerned.
pub trait Fault: std::error::Error + Send + Sync + 'static {
    /// Stable code, `<module>.<fault>`, the key of its text in every language.
    fn code(&self) -> &'static str;
    /// How the caller should react.
    fn kind(&self) -> Kind;
    /// The faulty fields, all of them at once.
    fn fields(&self) -> Vec<FieldError> {
        Vec::new()
    }
}
