//! Reasons: stable codes with their values, for the family, the provider and the bureau alike.

use std::fmt;

use super::Nearness;
use crate::{money::Fen, provider::Unfit};

/// Why a provider has its place among the candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankReason {
    /// So many free carers have served the resident before.
    SameCarer(u32),
    /// The provider has served the resident so often.
    SameProvider(u32),
    /// What the family would pay.
    FamilyPays(Fen),
    /// How near its seat lies.
    Near(Nearness),
    /// How far away it is, in metres.
    Distance(u32),
    /// Visits to come in that week, and qualified carers for them.
    Load {
        /// Visits.
        visits: u32,
        /// Carers.
        carers: u32,
    },
    /// The lot that decides among equals.
    Draw(u64),
}

/// `same_carer:1`, `family_fen:6000`, `near:street`, `load:3/5`, `draw:00f1…`.
impl fmt::Display for RankReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameCarer(carers) => write!(f, "same_carer:{carers}"),
            Self::SameProvider(visits) => write!(f, "same_provider:{visits}"),
            Self::FamilyPays(fen) => write!(f, "family_fen:{}", fen.get()),
            Self::Near(nearness) => write!(f, "near:{nearness}"),
            Self::Distance(metres) => write!(f, "distance_m:{metres}"),
            Self::Load { visits, carers } => write!(f, "load:{visits}/{carers}"),
            Self::Draw(lot) => write!(f, "draw:{lot:016x}"),
        }
    }
}

/// Why a provider is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion {
    /// It was asked for this order before.
    AlreadyAsked,
    /// It may not serve on the day.
    Unfit(Unfit),
    /// It has not said where and when it serves.
    NoProfile,
    /// It does not come to that place.
    OutsideArea,
    /// It goes so far and no farther, and the position of the home is not known.
    PositionUnknown,
    /// It is closed at that time.
    ClosedThen,
    /// It does not offer the service in that class.
    NotOffered,
    /// Too few qualified carers are free.
    NoCarer {
        /// Needed.
        needed: u32,
        /// Free.
        free: u32,
    },
    /// The family would pay more than it agreed to.
    FamilyShare {
        /// What it would pay.
        would_be: Fen,
        /// What it agreed to.
        agreed: Fen,
    },
}

/// `unfit.licence`, `outside_area`, `no_carer:1/2`, `family_share:7000>6000`.
impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyAsked => f.write_str("already_asked"),
            Self::Unfit(unfit) => f.write_str(unfit.code()),
            Self::NoProfile => f.write_str("no_profile"),
            Self::OutsideArea => f.write_str("outside_area"),
            Self::PositionUnknown => f.write_str("position_unknown"),
            Self::ClosedThen => f.write_str("closed_then"),
            Self::NotOffered => f.write_str("not_offered"),
            Self::NoCarer { needed, free } => write!(f, "no_carer:{free}/{needed}"),
            Self::FamilyShare { would_be, agreed } => write!(f, "family_share:{}>{}", would_be.get(), agreed.get()),
        }
    }
}
