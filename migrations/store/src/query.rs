//! Read models. Every look-up of a thing takes the actor, and answers "no such thing" for what lies out of
//! reach.

pub mod application;
pub mod consent;
pub mod list;
pub mod order;
pub mod provider;
pub mod registry;
pub mod resident;
pub mod session;
pub mod settlement;
pub mod trail;
pub mod work;
