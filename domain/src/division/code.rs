use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};

use crate::error::{Fault, FieldError, Kind};

/// Why a division code or a scope was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DivisionError {
    /// Not twelve digits, or a level is left out above one that is given.
    #[error("a division code has twelve digits: province 2, city 2, county 2, street 3, community 3, without a gap")]
    Code,
    /// Not the leading digits of a division.
    #[error("a scope is the first 2, 4, 6, 9 or 12 digits of a division code, and does not end in an empty level")]
    Scope,
}

impl Fault for DivisionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Code => "division.code",
            Self::Scope => "division.scope",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        let (field, cure) = match self {
            Self::Code => ("division", "write the twelve digits of the division, such as 120101001000"),
            Self::Scope => ("scope", "write 12 for a province, 1201 for a city, 120101 for a county, 120101001 for a street"),
        };
        vec![FieldError::new(field, self.code(), cure)]
    }
}

/// The five levels of divisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumIter, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DivisionLevel {
    /// 省, 自治区, 直辖市
    Province,
    /// 市, 自治州
    City,
    /// 区, 县, 县级市
    County,
    /// 街道, 镇, 乡
    Street,
    /// 居委会, 村委会
    Community,
}

impl DivisionLevel {
    /// How many leading digits of a code name a division of this level.
    #[must_use]
    pub const fn digits(self) -> usize {
        match self {
            Self::Province => 2,
            Self::City => 4,
            Self::County => 6,
            Self::Street => 9,
            Self::Community => 12,
        }
    }

    /// The number by which a code is divided to keep only those digits.
    const fn divisor(self) -> u64 {
        match self {
            Self::Province => 10_000_000_000,
            Self::City => 100_000_000,
            Self::County => 1_000_000,
            Self::Street => 1_000,
            Self::Community => 1,
        }
    }

    /// The next level up.
    const fn above(self) -> Option<Self> {
        match self {
            Self::Province => None,
            Self::City => Some(Self::Province),
            Self::County => Some(Self::City),
            Self::Street => Some(Self::County),
            Self::Community => Some(Self::Street),
        }
    }
}

/// The two leading digits of each province-level division of GB/T 2260, with 83, which the residence permits
/// of people from Taiwan use.
const PROVINCES: [u8; 35] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82,
    83,
];

/// Whether two leading digits belong to a province-level division.
#[must_use]
pub fn is_province(digits: u8) -> bool {
    PROVINCES.contains(&digits)
}

/// The code of one division. A level below the division is written as zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DivisionCode(u64);

impl DivisionCode {
    /// The lowest level that the code names.
    #[must_use]
    pub const fn level(self) -> DivisionLevel {
        if !self.0.is_multiple_of(1_000) {
            DivisionLevel::Community
        } else if !self.0.is_multiple_of(1_000_000) {
            DivisionLevel::Street
        } else if !self.0.is_multiple_of(100_000_000) {
            DivisionLevel::County
        } else if !self.0.is_multiple_of(10_000_000_000) {
            DivisionLevel::City
        } else {
            DivisionLevel::Province
        }
    }

    /// The division that holds this one; none above a province. A city without counties (such as Dongguan,
    /// 441900) is the parent of its streets.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        self.level().above().map(|above| self.cut(above))
    }

    /// The division of the wanted level that holds this one, or this one if it lies higher.
    #[must_use]
    pub fn at(self, level: DivisionLevel) -> Self {
        self.cut(level)
    }

    /// Whether another division is this one or lies within it.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        Scope::of(self).covers(other)
    }

    /// Whether this division lies within a scope.
    #[must_use]
    pub fn is_within(self, scope: Scope) -> bool {
        scope.covers(self)
    }

    fn cut(self, level: DivisionLevel) -> Self {
        Self(self.0 / level.divisor() * level.divisor())
    }

    /// A level may be empty only if all below it are; counties alone are left out by some cities.
    fn has_gap(self) -> bool {
        let empty = |level: DivisionLevel, size: u64| (self.0 / level.divisor()).is_multiple_of(size);
        let level = self.level();
        (level > DivisionLevel::City && empty(DivisionLevel::City, 100))
            || (level > DivisionLevel::Street && empty(DivisionLevel::Street, 1_000))
    }
}

impl FromStr for DivisionCode {
    type Err = DivisionError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shape = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        let code = text.parse().ok().filter(|_| shape).map(Self).ok_or(DivisionError::Code)?;
        if code.has_gap() { Err(DivisionError::Code) } else { Ok(code) }
    }
}
impl TryFrom<String> for DivisionCode {
    type Error = DivisionError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<DivisionCode> for String {
    fn from(code: DivisionCode) -> Self {
        code.to_string()
    }
}
impl fmt::Display for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
impl fmt::Debug for DivisionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A division with all that lies within it, written as the leading digits of its code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(DivisionCode);

impl Scope {
    /// A division and all within it.
    #[must_use]
    pub const fn of(code: DivisionCode) -> Self {
        Self(code)
    }

    /// The division on top.
    #[must_use]
    pub const fn division(self) -> DivisionCode {
        self.0
    }

    /// Whether a division lies within.
    #[must_use]
    pub fn covers(self, code: DivisionCode) -> bool {
        code.cut(self.0.level()) == self.0
    }

    /// Whether all of another scope lies within.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.covers(other.0)
    }
}

impl FromStr for Scope {
    type Err = DivisionError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code: DivisionCode = format!("{text:0<12}").parse().map_err(|_cause| DivisionError::Scope)?;
        if code.level().digits() == text.len() { Ok(Self(code)) } else { Err(DivisionError::Scope) }
    }
}
impl TryFrom<String> for Scope {
    type Error = DivisionError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.0 / self.0.level().divisor())
    }
}
impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(text: &str) -> DivisionCode {
        text.parse().unwrap()
    }

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn a_code_knows_its_level_and_its_parent() {
        let path = ["120101001001", "120101001000", "120101000000", "120100000000", "120000000000"];
        let levels = [DivisionLevel::Community, DivisionLevel::Street, DivisionLevel::County, DivisionLevel::City, DivisionLevel::Province];
        for ((text, level), parent) in path.into_iter().zip(levels).zip(path.into_iter().skip(1).map(code).map(Some).chain([None])) {
            assert_eq!((code(text).level(), code(text).parent()), (level, parent), "{text}");
        }
    }

    #[test]
    fn a_city_without_counties_is_the_parent_of_its_streets() {
        assert_eq!(code("441900003000").parent(), Some(code("441900000000")));
    }

    #[test]
    fn codes_of_another_shape_are_refused() {
        for wrong in
            ["", "12", "1201010010", "12010100100x", "１２0101001000", "020101001000", "120001000000", "120101000001", "+20101001000"]
        {
            assert_eq!(wrong.parse::<DivisionCode>(), Err(DivisionError::Code), "{wrong:?}");
        }
    }

    #[test]
    fn a_scope_covers_all_within_it_and_nothing_else() {
        for inside in ["120101000000", "120101001000", "120101001001"] {
            assert!(scope("120101").covers(code(inside)) && code(inside).is_within(scope("120101")), "{inside}");
        }
        for outside in ["120000000000", "120100000000", "120102000000", "320301000000"] {
            assert!(!scope("120101").covers(code(outside)), "{outside}");
        }
        assert!(scope("12").contains(scope("1201")) && !scope("1201").contains(scope("12")));
        assert!(code("120100000000").contains(code("120101001001")));
        assert_eq!(code("320371000000").level(), DivisionLevel::County);
    }

    #[test]
    fn scopes_of_another_shape_are_refused() {
        for wrong in ["", "1", "120", "12010", "1200", "120000", "120101000", "120101001000", "1201010010011", "1a"] {
            assert_eq!(wrong.parse::<Scope>(), Err(DivisionError::Scope), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn text_forms_round_trip(text in "[1-9][0-9](0[1-9]){2}(00[1-9]){2}", digits in prop::sample::select(vec![2, 4, 6, 9, 12])) {
            let prefix: String = text.chars().take(digits).collect();
            let scope: Scope = prefix.parse().unwrap();
            prop_assert_eq!(scope.to_string(), prefix);
            prop_assert_eq!(scope.division().to_string().parse(), Ok(scope.division()));
            prop_assert!(scope.covers(text.parse().unwrap()));
            prop_assert_eq!(scope.division().level().digits(), digits);
        }
    }
}
