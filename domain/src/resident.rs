//! The older person.

mod codes;

pub use codes::{Category, DisabilityKind, LifeStatus, Living, Sex};
