//! The published formulas of the Chinese coordinate systems, on millionths of a degree.
#![expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the shifts are defined by trigonometric series; results are rounded back to integers at once and never touch money"
)]

use std::f64::consts::PI;

use super::CoordinateSystem;

/// Latitude and longitude in degrees.
type Degrees = (f64, f64);
/// Latitude and longitude in millionths of a degree.
type Micro = (i32, i32);

/// Mean radius of the Earth in metres (IUGG).
const EARTH: f64 = 6_371_008.8;
/// Semi-major axis in metres and squared eccentricity of the Krasovsky 1940 ellipsoid, on which GCJ-02 rests.
const AXIS: f64 = 6_378_245.0;
const ECCENTRICITY: f64 = 0.006_693_421_622_965_943;
/// Angular frequency of the ripple that BD-09 adds.
const RIPPLE: f64 = PI * 3_000.0 / 180.0;
/// The shifts change slowly, so that the inverse converges far below a millionth of a degree in these steps.
const STEPS: usize = 8;

pub(super) fn convert(place: Micro, from: CoordinateSystem, to: CoordinateSystem) -> Micro {
    if from == to {
        return place;
    }
    let degrees = (f64::from(place.0) / 1e6, f64::from(place.1) / 1e6);
    let world = match from {
        CoordinateSystem::Wgs84 => degrees,
        CoordinateSystem::Gcj02 => invert(to_gcj02, degrees),
        CoordinateSystem::Bd09 => invert(to_gcj02, invert(to_bd09, degrees)),
    };
    let result = match to {
        CoordinateSystem::Wgs84 => world,
        CoordinateSystem::Gcj02 => to_gcj02(world),
        CoordinateSystem::Bd09 => to_bd09(to_gcj02(world)),
    };
    ((result.0 * 1e6).round() as i32, (result.1 * 1e6).round() as i32)
}

/// Great-circle distance by the haversine formula.
pub(super) fn distance_m(here: Micro, there: Micro) -> u32 {
    let radians = |micro: i32| (f64::from(micro) / 1e6).to_radians();
    let half_north = ((radians(there.0) - radians(here.0)) / 2.0).sin();
    let half_east = ((radians(there.1) - radians(here.1)) / 2.0).sin();
    let chord = half_north * half_north + radians(here.0).cos() * radians(there.0).cos() * half_east * half_east;
    (2.0 * EARTH * chord.sqrt().min(1.0).asin()).round() as u32
}

/// Finds the place that `shift` moves to the target.
fn invert(shift: fn(Degrees) -> Degrees, target: Degrees) -> Degrees {
    (0..STEPS).fold(target, |guess, _| {
        let shifted = shift(guess);
        (guess.0 + target.0 - shifted.0, guess.1 + target.1 - shifted.1)
    })
}

/// WGS-84 to GCJ-02: a series around 35° N, 105° E, in metres, scaled to the ellipsoid.
fn to_gcj02((latitude, longitude): Degrees) -> Degrees {
    let (north, east) = (latitude - 35.0, longitude - 105.0);
    let wave = |first: f64, at: f64, second: f64, slower: f64| (first * (at * PI).sin() + second * (slower * PI).sin()) * 2.0 / 3.0;
    let common = wave(20.0, 6.0 * east, 20.0, 2.0 * east) + 0.1 * east * north;
    let northward = -100.0
        + 2.0 * east
        + 3.0 * north
        + 0.2 * north * north
        + 0.2 * east.abs().sqrt()
        + wave(20.0, north, 40.0, north / 3.0)
        + wave(160.0, north / 12.0, 320.0, north / 30.0);
    let eastward = 300.0
        + east
        + 2.0 * north
        + 0.1 * east * east
        + 0.1 * east.abs().sqrt()
        + wave(20.0, east, 40.0, east / 3.0)
        + wave(150.0, east / 12.0, 300.0, east / 30.0);
    let sine = latitude.to_radians().sin();
    let curvature = 1.0 - ECCENTRICITY * sine * sine;
    let meridian = AXIS * (1.0 - ECCENTRICITY) / (curvature * curvature.sqrt());
    let parallel = AXIS / curvature.sqrt() * latitude.to_radians().cos();
    (latitude + ((common + northward) / meridian).to_degrees(), longitude + ((common + eastward) / parallel).to_degrees())
}

/// GCJ-02 to BD-09: a small rotation and stretch around the origin, and a fixed offset.
fn to_bd09((latitude, longitude): Degrees) -> Degrees {
    let radius = longitude.hypot(latitude) + 0.000_02 * (latitude * RIPPLE).sin();
    let angle = latitude.atan2(longitude) + 0.000_003 * (longitude * RIPPLE).cos();
    (radius * angle.sin() + 0.006, radius * angle.cos() + 0.006_5)
}
