//! Read models. Every look-up of a thing takes the actor, and answers "no such thing" for what lies out of
//! reach.

pub mod access_key;
pub mod application;
pub mod assessment;
pub mod consent;
pub mod daycare;
pub mod device;
pub mod dispute;
pub mod incident;
pub mod list;
pub mod offer;
pub mod order;
pub mod policy;
pub mod price;
pub mod provider;
pub mod purchase;
pub mod registry;
pub mod resident;
pub mod session;
pub mod settlement;
pub mod trail;
pub mod visit;
pub mod work;

use domain::{
    access::{Actor, Reach, Role},
    id::ProviderId,
};

/// The providers that somebody reaches in a role.
fn providers_of(actor: &Actor, role: Role) -> Vec<ProviderId> {
    let Actor::Person(person) = actor else { return Vec::new() };
    let reached = |reach: &Reach| match reach {
        Reach::Provider(provider) => Some(*provider),
        Reach::Division(_) | Reach::Bound(_) => None,
    };
    person.grants.iter().filter(|grant| grant.role == role).filter_map(|grant| reached(&grant.reach)).collect()
}
