//! Use cases: one struct is one use case is one transaction.
//!
//! It loads and locks, lets the domain decide, and saves. Names are imperative. Every command that a person
//! gives asks [`crate::Tx::permit`] for the object it touches.

pub mod account;
pub mod address;
pub mod application;
pub mod assessment;
pub mod candidates;
pub mod city;
pub mod claim;
pub mod consent;
pub mod correction;
pub mod daycare;
pub mod device;
pub mod entitlement;
pub mod fact;
pub mod family;
pub mod import;
pub mod incident;
pub mod likeness;
pub mod order;
pub mod policy;
pub mod provider;
pub mod purchase;
pub mod quote;
pub mod resident;
pub mod review;
pub mod settlement;
pub mod status;
pub mod visit;
