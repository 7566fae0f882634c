//! The sheet of entitlements that run already.

use std::fmt;

use crate::{
    money::Fen,
    policy::{BenefitCode, ProgrammeCode},
    resident::IdentityDocument,
    sheet::{Column, Noted, Row},
    time::BusinessDate,
};

/// The columns of a sheet of entitlements: whose, of which programme and benefit, since when, and how much of the
/// present window has been used.
pub const OPENING_COLUMNS: &[Column] = &[
    Column { name: "document", needed: false },
    Column { name: "number", needed: true },
    Column { name: "programme", needed: true },
    Column { name: "benefit", needed: true },
    Column { name: "effective_from", needed: true },
    Column { name: "used", needed: true },
];

/// One entitlement of a sheet.
#[derive(Clone, PartialEq, Eq)]
pub struct OpeningRow {
    /// Kind of the resident's document.
    pub document: IdentityDocument,
    /// Its number.
    pub number: String,
    /// The programme.
    pub programme: ProgrammeCode,
    /// The benefit.
    pub benefit: BenefitCode,
    /// Since when it runs.
    pub effective_from: BusinessDate,
    /// What has been used of the window of the day of the import, in the benefit's unit (money in yuan in the
    /// sheet, in fen here).
    pub used: Used,
}

/// What has been used, as the sheet states it: which it is, the benefit's unit tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    hundredths: i64,
}

impl Used {
    /// The amount in fen, of a benefit in money.
    #[must_use]
    pub const fn fen(self) -> i64 {
        self.hundredths
    }

    /// The amount in whole minutes, visits or meals; none if the sheet states a part of one.
    #[must_use]
    pub const fn units(self) -> Option<i64> {
        if self.hundredths % 100 == 0 { Some(self.hundredths / 100) } else { None }
    }
}

/// Shows nothing: everything is personal.
impl fmt::Debug for OpeningRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpeningRow").finish_non_exhaustive()
    }
}

/// Reads one row; faults are noted in it.
///
/// # Errors
/// Faults, noted.
pub fn read_opening(row: &mut Row<'_>) -> Result<OpeningRow, Noted> {
    let document = row.optional_code::<IdentityDocument>("document");
    let number = row.needed_text("number");
    let programme = code(row, "programme");
    let benefit = code(row, "benefit");
    let effective_from = row.needed_day("effective_from");
    let used = row.needed("used", str::parse::<Fen>);
    Ok(OpeningRow {
        document: document?.unwrap_or(IdentityDocument::ResidentId),
        number: number?,
        programme: programme?,
        benefit: benefit?,
        effective_from: effective_from?,
        used: Used { hundredths: used?.get() },
    })
}

fn code<T: std::str::FromStr>(row: &mut Row<'_>, name: &'static str) -> Result<T, Noted> {
    let text = row.needed_text(name)?;
    let cure = "write the code as it stands in the policy file";
    text.parse().map_err(|_cause| row.refuse(name, "this is no code of a policy file", cure))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::{Entry, Faults, Grid, SheetFault, Table};

    fn read(csv: &str) -> Result<Vec<Entry<OpeningRow>>, Vec<SheetFault>> {
        let grid = Grid::from_csv(csv.as_bytes())?;
        let mut faults = Faults::default();
        let rows = Table::fit(&grid, OPENING_COLUMNS)?.read(&mut faults, read_opening);
        faults.into_result(rows)
    }

    #[test]
    fn money_is_read_in_yuan_and_other_units_whole() {
        let rows = read(
            "number,programme,benefit,effective_from,used\n\
             1,tianjin-home-care,subsidy,2026-01-01,120.50\n\
             2,meals,meal,2026-01-01,3\n",
        );
        let rows = rows.unwrap();
        assert_eq!((rows[0].value.used.fen(), rows[0].value.used.units()), (12_050, None));
        assert_eq!((rows[1].value.used.fen(), rows[1].value.used.units()), (300, Some(3)));
    }

    #[test]
    fn every_cell_is_needed_and_named() {
        let faults = read("number,programme,benefit,effective_from,used\n,Tian Jin,,1.1.26,-1\n").unwrap_err();
        let columns: Vec<_> = faults.iter().map(|fault| fault.column.as_str()).collect();
        assert_eq!(columns, ["number", "programme", "benefit", "effective_from", "used"]);
    }
}
