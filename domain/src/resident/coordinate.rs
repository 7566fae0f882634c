mod geodesy;

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use super::ResidentError;

/// In which system a position is stated. Maps and phones in China give shifted positions; a shift of 300 to
/// 700 m between two sources is a difference of systems, not a fraud.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CoordinateSystem {
    /// World Geodetic System 1984, as satellites give it.
    Wgs84,
    /// 国测局坐标: the shifted system of Chinese maps.
    Gcj02,
    /// 百度坐标: GCJ-02, shifted once more.
    Bd09,
}

/// Limits in millionths of a degree: all of China lies within.
const LATITUDES: std::ops::RangeInclusive<i32> = 3_000_000..=54_000_000;
const LONGITUDES: std::ops::RangeInclusive<i32> = 73_000_000..=136_000_000;

/// A position in China, to a millionth of a degree (about 0.1 m). As it can be somebody's home, debug texts
/// show it to a hundredth of a degree only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Coordinate {
    system: CoordinateSystem,
    latitude: i32,
    longitude: i32,
}

impl Coordinate {
    /// Checks a position in millionths of a degree.
    ///
    /// # Errors
    /// [`ResidentError::Coordinate`] outside latitude 3 to 54 and longitude 73 to 136.
    pub fn new(system: CoordinateSystem, latitude: i32, longitude: i32) -> Result<Self, ResidentError> {
        if LATITUDES.contains(&latitude) && LONGITUDES.contains(&longitude) {
            Ok(Self { system, latitude, longitude })
        } else {
            Err(ResidentError::Coordinate)
        }
    }

    /// Reads decimal degrees, such as `39.117220` and `117.195980`; further decimals are rounded.
    ///
    /// # Errors
    /// [`ResidentError::Coordinate`] for other texts and positions outside China.
    pub fn parse(system: CoordinateSystem, latitude: &str, longitude: &str) -> Result<Self, ResidentError> {
        let read = |text| read_degrees(text).ok_or(ResidentError::Coordinate);
        Self::new(system, read(latitude)?, read(longitude)?)
    }

    /// The system in which it is stated.
    #[must_use]
    pub const fn system(self) -> CoordinateSystem {
        self.system
    }

    /// Latitude in millionths of a degree.
    #[must_use]
    pub const fn latitude(self) -> i32 {
        self.latitude
    }

    /// Longitude in millionths of a degree.
    #[must_use]
    pub const fn longitude(self) -> i32 {
        self.longitude
    }

    /// The same place in WGS-84.
    #[must_use]
    pub fn to_wgs84(self) -> Self {
        self.to(CoordinateSystem::Wgs84)
    }

    /// The same place in another system.
    #[must_use]
    pub fn to(self, system: CoordinateSystem) -> Self {
        let (latitude, longitude) = geodesy::convert((self.latitude, self.longitude), self.system, system);
        Self { system, latitude, longitude }
    }

    /// The same numbers, taken for those of another system: what a mislabelled position may have meant.
    #[must_use]
    pub const fn relabelled(self, system: CoordinateSystem) -> Self {
        Self { system, ..self }
    }

    /// Great-circle distance in metres, whatever the systems.
    #[must_use]
    pub fn distance_m(self, other: Self) -> u32 {
        let (here, there) = (self.to_wgs84(), other.to_wgs84());
        geodesy::distance_m((here.latitude, here.longitude), (there.latitude, there.longitude))
    }
}

/// Up to three digits of degrees and up to fifteen decimals, rounded half up to six.
fn read_degrees(text: &str) -> Option<i32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole, 3) || !digits(decimals, 15) {
        return None;
    }
    let padded = format!("{decimals:0<7}");
    let tenths: i32 = padded.get(..7)?.parse().ok()?;
    whole.parse::<i32>().ok()?.checked_mul(1_000_000)?.checked_add((tenths + 5) / 10)
}

impl fmt::Debug for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = |degrees: i32| (degrees / 1_000_000, degrees / 10_000 % 100);
        let ((north, north_rest), (east, east_rest)) = (hundredths(self.latitude), hundredths(self.longitude));
        write!(f, "{}({north}.{north_rest:02}*, {east}.{east_rest:02}*)", self.system)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    system: CoordinateSystem,
    latitude: i32,
    longitude: i32,
}

impl TryFrom<Stored> for Coordinate {
    type Error = ResidentError;
    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        Self::new(stored.system, stored.latitude, stored.longitude)
    }
}
impl From<Coordinate> for Stored {
    fn from(coordinate: Coordinate) -> Self {
        let Coordinate { system, latitude, longitude } = coordinate;
        Self { system, latitude, longitude }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use CoordinateSystem::{Bd09, Gcj02, Wgs84};

    fn at(system: CoordinateSystem, latitude: &str, longitude: &str) -> Coordinate {
        Coordinate::parse(system, latitude, longitude).unwrap()
    }

    #[test]
    fn degrees_are_read_to_a_millionth() {
        let place = at(Wgs84, "39.1", "117.1234567");
        assert_eq!((place.latitude(), place.longitude()), (39_100_000, 117_123_457));
        assert_eq!(at(Wgs84, "39", "117.123456499999999").longitude(), 117_123_456);
    }

    #[test]
    fn positions_outside_china_and_other_texts_are_refused() {
        for (latitude, longitude) in [
            ("91", "181"),
            ("0", "0"),
            ("2.999999", "117"),
            ("54.000001", "117"),
            ("39", "72.999999"),
            ("39", "136.000001"),
            ("117.1", "39.1"),
            ("NaN", "117"),
            ("inf", "117"),
            ("-39", "117"),
            ("+39", "117"),
            ("39.", "117"),
            (".39", "117"),
            ("3.9e1", "117"),
            ("39,1", "117"),
            ("", "117"),
            ("39.1234567890123456", "117"),
        ] {
            assert_eq!(Coordinate::parse(Wgs84, latitude, longitude), Err(ResidentError::Coordinate), "{latitude} {longitude}");
        }
        assert!(serde_json::from_str::<Coordinate>(r#"{"system":"wgs84","latitude":91000000,"longitude":117000000}"#).is_err());
    }

    #[test]
    fn known_places_move_as_published_converters_say() {
        // Tiananmen: WGS-84 39.907375, 116.391349 is GCJ-02 39.908780, 116.397590 to a few metres.
        let world = at(Wgs84, "39.907375", "116.391349");
        let map = world.to(Gcj02);
        assert!(map.distance_m(at(Gcj02, "39.908778", "116.397593")) < 5, "{} {}", map.latitude(), map.longitude());
        let shift = world.distance_m(map.relabelled(Wgs84));
        assert!((300..=700).contains(&shift), "{shift}");
        let baidu = world.to(Bd09).relabelled(Gcj02).distance_m(map);
        assert!((700..=1_300).contains(&baidu), "{baidu}");
    }

    #[test]
    fn distances_follow_the_great_circle() {
        let tianjin = at(Wgs84, "39.1", "117.2");
        assert_eq!(tianjin.distance_m(tianjin), 0);
        // One degree of a meridian of the mean sphere is 111,195 m.
        assert_eq!(tianjin.distance_m(at(Wgs84, "40.1", "117.2")), 111_195);
        let far = at(Wgs84, "53.5", "122.3").distance_m(at(Wgs84, "18.2", "109.5"));
        assert!((4_050_000..4_090_000).contains(&far), "{far}");
    }

    #[test]
    fn debug_texts_do_not_tell_the_address() {
        assert_eq!(format!("{:?}", at(Gcj02, "39.117220", "117.095980")), "gcj02(39.11*, 117.09*)");
    }

    proptest! {
        #[test]
        fn conversions_there_and_back_stay_within_two_metres(latitude in 4_000_000i32..53_000_000, longitude in 74_000_000i32..135_000_000) {
            let world = Coordinate::new(Wgs84, latitude, longitude).unwrap();
            for system in [Wgs84, Gcj02, Bd09] {
                let back = world.to(system).to_wgs84();
                prop_assert_eq!(back.system(), Wgs84);
                prop_assert!(world.distance_m(back) <= 2, "{} {} {}", system, back.latitude(), back.longitude());
            }
        }

        #[test]
        fn distance_is_the_same_both_ways(a in (4_000_000i32..53_000_000, 74_000_000i32..135_000_000), b in (4_000_000i32..53_000_000, 74_000_000i32..135_000_000)) {
            let (a, b) = (Coordinate::new(Wgs84, a.0, a.1).unwrap(), Coordinate::new(Wgs84, b.0, b.1).unwrap());
            prop_assert_eq!(a.distance_m(b), b.distance_m(a));
        }
    }
}
