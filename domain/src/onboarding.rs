//! Onboarding: what a city already has, taken over from sheets (CSV or XLSX).
//!
//! A sheet is read whole, every fault is named by line and column with its cure, and it is taken over whole or
//! not at all. Each row has a natural key, so that a sheet handed in again makes nothing twice: a row that is
//! there already with the same values is passed over, one with other values is a fault, never an overwrite.

mod assets;
mod opening;
mod resident;

pub use assets::{CARER_COLUMNS, CarerRow, PRICE_COLUMNS, PROVIDER_COLUMNS, PriceRow, ProviderRow, read_carer, read_price, read_provider};
pub use opening::{OPENING_COLUMNS, OpeningRow, read_opening};
pub use resident::{CarriedLevel, CategoryCell, RESIDENT_COLUMNS, ResidentRow, read_resident};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

/// What a sheet holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SheetKind {
    /// Residents with categories and ability level.
    Residents,
    /// Current entitlements with what has been used of their present window.
    Entitlements,
    /// Providers with their licences.
    Providers,
    /// Carers with their certificates.
    Carers,
    /// Price lists.
    Prices,
}

impl SheetKind {
    /// Whether another person approves the sheet before it is taken over: entitlements cost public money.
    #[must_use]
    pub const fn needs_approval(self) -> bool {
        match self {
            Self::Entitlements => true,
            Self::Residents | Self::Providers | Self::Carers | Self::Prices => false,
        }
    }
}

/// How many rows one sheet may have: it is taken over in one transaction, and others wait meanwhile.
pub const ROWS_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::Column;

    #[test]
    fn the_reference_names_every_column_and_marks_the_needed_ones() {
        let readme = include_str!("../README.md");
        let sheets: [(&str, &[Column]); 5] = [
            ("residents", RESIDENT_COLUMNS),
            ("entitlements", OPENING_COLUMNS),
            ("providers", PROVIDER_COLUMNS),
            ("carers", CARER_COLUMNS),
            ("prices", PRICE_COLUMNS),
        ];
        for (sheet, columns) in sheets {
            let row = readme.lines().find(|line| line.starts_with(&format!("| `{sheet}` |"))).unwrap();
            for Column { name, needed } in columns {
                let needle = if *needed { format!("**`{name}`**") } else { format!(" `{name}`") };
                assert!(row.contains(&needle), "{sheet} {name}");
            }
            assert_eq!(row.matches('`').count(), 2 * (columns.len() + 1 + usize::from(sheet == "residents")), "{sheet} names more columns");
        }
    }
}
