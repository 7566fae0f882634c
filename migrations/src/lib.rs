//! The history of the database: one file per change, each with `up` and `down`.
//!
//! A migration never uses the entities of package `store`, because those change later. The text of a change
//! is portable SQL; the few types that differ between SQLite and PostgreSQL stand in braces and are filled
//! in by [`portable`]. Expand first, contract a release later: the version before must go on working.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m0001;
mod m0002;
mod m0003;
mod m0004;
mod m0006;
mod m0008;
mod m0009;
mod m0010;
mod m0011;
mod m0012;
mod m0014;
mod portable;

/// The ordered list of changes.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001::Spine),
            Box::new(m0002::Registry),
            Box::new(m0003::Providers),
            Box::new(m0004::Visits),
            Box::new(m0006::Money),
            Box::new(m0008::Operation),
            Box::new(m0009::Flags),
            Box::new(m0010::Onboarding),
            Box::new(m0011::Order),
            Box::new(m0012::SignIn),
            Box::new(m0014::AccessKeys),
        ]
    }
}

/// Names of all changes, in order: what a database of this version has applied.
pub fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}
