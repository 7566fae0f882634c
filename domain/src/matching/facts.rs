//! What matching must know of an order and of each provider.

use serde::{Deserialize, Serialize};

use super::Exclusion;
use crate::{
    division::{DivisionCode, DivisionLevel},
    id::ProviderId,
    money::Fen,
    provider::Unfit,
    resident::Coordinate,
};

/// Where the resident is to be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServicePlace {
    /// Its community, or the smallest division that is known.
    pub division: DivisionCode,
    /// The point, where it is known.
    pub coordinate: Option<Coordinate>,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Where the resident lives or is served.
    pub place: Option<ServicePlace>,
    /// Carers needed at once.
    pub carers: u32,
    /// The most that the family has agreed to pay; none while nothing was promised yet.
    pub family_max: Option<Fen>,
    /// From which the draw among equals is made; the same order always has the same one.
    pub seed: String,
}

/// Whether the place lies where the provider serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// Within a division or distance that the provider has declared.
    Inside,
    /// Outside all of them.
    Outside,
    /// The provider goes so far and no farther, and the position of the home is not known.
    PositionUnknown,
    /// The service is not brought to a place.
    NotAsked,
}

/// What is known of one provider for one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFacts {
    /// The provider.
    pub provider: ProviderId,
    /// Division of its seat.
    pub seat: DivisionCode,
    /// Why it may not serve on that day: its admission, its licences, its yearly review, its agreement.
    pub unfit: Vec<Unfit>,
    /// Whether it has said where and when it serves.
    pub has_profile: bool,
    /// Whether it comes to the place.
    pub area: Area,
    /// Metres from the provider to the place, where both are known.
    pub distance_m: Option<u32>,
    /// Whether it is open at the time.
    pub open: bool,
    /// The whole price; none when it does not offer the service.
    pub gross: Option<Fen>,
    /// What the family would pay of it.
    pub family: Option<Fen>,
    /// Carers with valid certificates.
    pub carers_qualified: u32,
    /// Of those, carers who are free at the time and not promised to another accepted order.
    pub carers_free: u32,
    /// Of those, carers who have served the resident before.
    pub known_carers_free: u32,
    /// Visits that it has given to the resident.
    pub earlier_visits: u32,
    /// Its visits that are still to come in the week of the order.
    pub open_visits: u32,
    /// Whether it was asked for this order before.
    pub asked: bool,
}

impl ProviderFacts {
    /// Why this provider cannot serve; nothing when it can.
    #[must_use]
    pub fn exclusions(&self, need: &Need) -> Vec<Exclusion> {
        let mut reasons = Vec::new();
        if self.asked {
            reasons.push(Exclusion::AlreadyAsked);
        }
        reasons.extend(self.unfit.iter().cloned().map(Exclusion::Unfit));
        if !self.has_profile {
            reasons.push(Exclusion::NoProfile);
        }
        match self.area {
            Area::Outside => reasons.push(Exclusion::OutsideArea),
            Area::PositionUnknown => reasons.push(Exclusion::PositionUnknown),
            Area::Inside | Area::NotAsked => {}
        }
        if !self.open {
            reasons.push(Exclusion::ClosedThen);
        }
        if self.carers_free < need.carers {
            reasons.push(Exclusion::NoCarer { needed: need.carers, free: self.carers_free });
        }
        match (self.family, need.family_max) {
            (None, _) => reasons.push(Exclusion::NotOffered),
            (Some(family), Some(max)) if family > max => reasons.push(Exclusion::FamilyShare { would_be: family, agreed: max }),
            (Some(_), _) => {}
        }
        reasons
    }
}

/// How near two places lie, by their divisions.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Nearness {
    /// In the same community.
    Community,
    /// In the same street.
    Street,
    /// In the same county.
    County,
    /// Farther away, or not known.
    Elsewhere,
}

impl Nearness {
    /// The smallest division that holds both. A seat that is known only by its street is not in a community.
    #[must_use]
    pub fn between(one: DivisionCode, other: DivisionCode) -> Self {
        let share = |level: DivisionLevel| one.level() >= level && other.level() >= level && one.at(level) == other.at(level);
        if share(DivisionLevel::Community) {
            Self::Community
        } else if share(DivisionLevel::Street) {
            Self::Street
        } else if share(DivisionLevel::County) {
            Self::County
        } else {
            Self::Elsewhere
        }
    }
}
