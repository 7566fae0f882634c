use serde::{Deserialize, Serialize};

/// Ability level of GB/T 42195-2022, 0 (able) to 4 (wholly dependent); a larger level needs more care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Level {
    /// 能力完好
    Able,
    /// 能力轻度受损
    Mild,
    /// 能力中度受损
    Moderate,
    /// 能力重度受损
    Severe,
    /// 能力完全丧失
    Total,
}

impl Level {
    /// All levels, from able to wholly dependent.
    pub const ALL: [Self; 5] = [Self::Able, Self::Mild, Self::Moderate, Self::Severe, Self::Total];

    /// The number of the level, 0 to 4.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Able => 0,
            Self::Mild => 1,
            Self::Moderate => 2,
            Self::Severe => 3,
            Self::Total => 4,
        }
    }

    /// One level worse; the worst stays.
    #[must_use]
    pub const fn worse(self) -> Self {
        match self {
            Self::Able => Self::Mild,
            Self::Mild => Self::Moderate,
            Self::Moderate => Self::Severe,
            Self::Severe | Self::Total => Self::Total,
        }
    }
}

impl TryFrom<u8> for Level {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Self::ALL.into_iter().find(|level| level.number() == number).ok_or_else(|| "a level is a number from 0 to 4".to_owned())
    }
}
impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        level.number()
    }
}
