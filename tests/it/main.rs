//! The integration tests, one binary.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails a test; lints know test functions only, not their helpers"
)]

mod canary;
mod cancel;
mod daycare;
mod disputes;
mod drift;
mod keys;
mod ledger;
mod lists;
mod money;
mod offers;
mod onboarding;
mod operation;
mod providers;
mod purchases;
mod reads;
mod registry;
mod review;
mod schema;
mod seed;
mod settlement;
mod sign_in;
mod sign_in_codes;
mod texts;
mod tidy;
mod verify;
mod visits;
mod walk;
mod write_door;
mod write_together;
