//! Where a provider serves: in which divisions, and how far from its own place.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ProfileError;
use crate::{
    division::{DivisionCode, Scope},
    resident::Coordinate,
};

/// The longest way that a provider can state, in metres: across the largest city.
const RADIUS_MAX_M: u32 = 200_000;
const DIVISIONS_MAX: usize = 500;

/// A circle around the provider's own place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// The provider's place.
    pub centre: Coordinate,
    /// The longest way as the crow flies, in metres.
    pub radius_m: u32,
}

/// A service area. Of divisions and distance each one that is stated must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ServiceArea {
    divisions: BTreeSet<Scope>,
    reach: Option<Reach>,
}

/// How a home lies to a service area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AreaFit {
    /// Inside; with the way in metres where both places are known.
    Inside(Option<u32>),
    /// In none of the divisions.
    OtherDivision,
    /// Further than the provider goes; the way in metres.
    TooFar(u32),
    /// The distance matters and the home's position is not known.
    PositionUnknown,
}

impl ServiceArea {
    /// Checks an area.
    ///
    /// # Errors
    /// [`ProfileError::AreaEmpty`] with neither divisions nor distance, [`ProfileError::AreaSize`] with too many
    /// divisions or a distance of nothing or more than 200 km.
    pub fn new(divisions: BTreeSet<Scope>, reach: Option<Reach>) -> Result<Self, ProfileError> {
        if divisions.is_empty() && reach.is_none() {
            return Err(ProfileError::AreaEmpty);
        }
        let sound = reach.is_none_or(|reach| (1..=RADIUS_MAX_M).contains(&reach.radius_m));
        if sound && divisions.len() <= DIVISIONS_MAX { Ok(Self { divisions, reach }) } else { Err(ProfileError::AreaSize) }
    }

    /// The divisions, each with all that lies within; none when the distance alone decides.
    #[must_use]
    pub const fn divisions(&self) -> &BTreeSet<Scope> {
        &self.divisions
    }

    /// The circle, if the distance matters.
    #[must_use]
    pub const fn reach(&self) -> Option<Reach> {
        self.reach
    }

    /// How a home lies to the area.
    #[must_use]
    pub fn fit(&self, division: DivisionCode, home: Option<Coordinate>) -> AreaFit {
        if !self.divisions.is_empty() && !self.divisions.iter().any(|scope| scope.covers(division)) {
            return AreaFit::OtherDivision;
        }
        match (self.reach, home) {
            (None, _) => AreaFit::Inside(None),
            (Some(_), None) => AreaFit::PositionUnknown,
            (Some(reach), Some(home)) => {
                let way = reach.centre.distance_m(home);
                if way <= reach.radius_m { AreaFit::Inside(Some(way)) } else { AreaFit::TooFar(way) }
            }
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    divisions: BTreeSet<Scope>,
    reach: Option<Reach>,
}

impl TryFrom<Stored> for ServiceArea {
    type Error = ProfileError;
    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        Self::new(stored.divisions, stored.reach)
    }
}
impl From<ServiceArea> for Stored {
    fn from(area: ServiceArea) -> Self {
        Self { divisions: area.divisions, reach: area.reach }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resident::CoordinateSystem;

    fn place(latitude: &str, longitude: &str) -> Coordinate {
        Coordinate::parse(CoordinateSystem::Wgs84, latitude, longitude).unwrap()
    }

    fn area(divisions: &[&str], radius_m: Option<u32>) -> ServiceArea {
        let divisions = divisions.iter().map(|text| text.parse().unwrap()).collect();
        ServiceArea::new(divisions, radius_m.map(|radius_m| Reach { centre: place("39.1", "117.2"), radius_m })).unwrap()
    }

    #[test]
    fn divisions_and_distance_must_both_hold_where_both_are_stated() {
        let home = "120101001001".parse().unwrap();
        let near = Some(place("39.11", "117.2"));
        assert_eq!(area(&["120101"], None).fit(home, None), AreaFit::Inside(None));
        assert_eq!(area(&["120102", "120101001"], None).fit(home, near), AreaFit::Inside(None));
        assert_eq!(area(&["120102"], Some(5_000)).fit(home, near), AreaFit::OtherDivision);
        assert_eq!(area(&["120101"], Some(5_000)).fit(home, near), AreaFit::Inside(Some(1_112)));
        assert_eq!(area(&[], Some(1_112)).fit(home, near), AreaFit::Inside(Some(1_112)), "the border is inside");
        assert_eq!(area(&[], Some(1_111)).fit(home, near), AreaFit::TooFar(1_112));
        assert_eq!(area(&["120101"], Some(5_000)).fit(home, None), AreaFit::PositionUnknown);
    }

    #[test]
    fn an_area_that_says_nothing_is_refused_also_when_read() {
        assert_eq!(ServiceArea::new(BTreeSet::new(), None), Err(ProfileError::AreaEmpty));
        let centre = place("39.1", "117.2");
        assert_eq!(ServiceArea::new(BTreeSet::new(), Some(Reach { centre, radius_m: 0 })), Err(ProfileError::AreaSize));
        assert!(serde_json::from_str::<ServiceArea>(r#"{"divisions":[],"reach":null}"#).is_err());
        let both = area(&["120101"], Some(5_000));
        assert_eq!(serde_json::from_str::<ServiceArea>(&serde_json::to_string(&both).unwrap()).unwrap(), both);
    }
}
