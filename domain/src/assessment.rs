//! Ability assessment of older persons, GB/T 42195-2022.

mod level;

pub use level::Level;
