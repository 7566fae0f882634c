//! The rules of Yijia: pure decisions about residents, entitlements, orders, visits and money.
//!
//! Nothing here reads a clock, draws a random number, opens a file or knows a framework. Time, ids and
//! policy values are arguments, so that the same inputs always give the same answer and every amount can
//! be recomputed years later. Start reading at [`policy`] for a city's rules, at [`order`] for the life
//! of a booking, and at [`ledger`] for what happens to the money.

pub mod access;
pub mod application;
pub mod assessment;
pub mod catalogue;
pub mod claim;
pub mod consent;
pub mod contact;
pub mod daycare;
pub mod device;
pub mod division;
pub mod eligibility;
pub mod entitlement;
pub mod error;
pub mod event;
pub mod id;
pub mod ledger;
pub mod matching;
pub mod money;
pub mod onboarding;
pub mod order;
pub mod password;
pub mod policy;
pub mod provider;
pub mod resident;
pub mod sample;
pub mod settlement;
pub mod sheet;
pub mod state;
pub mod tariff;
pub mod time;
pub mod visit;
