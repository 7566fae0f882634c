use std::collections::BTreeMap;

use super::{DivisionCode, DivisionLevel};
use crate::sheet::{self, Faults, Record, Records, SheetFault};

/// Longest name of a division, in characters; the longest in use has 33.
const LONGEST_NAME: usize = 50;

/// One division.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// Its code.
    pub code: DivisionCode,
    /// Its own name, without those of the divisions above it.
    pub name: String,
}

/// Reads a table of divisions: CSV with the columns `code,name`, in any order of rows, complete up to the
/// provinces.
///
/// # Errors
/// All faults with their lines: a wrong header, a code of another shape, a missing name, a code that stands
/// there twice, a division whose parent is not in the table.
pub fn parse_table(csv: &str) -> Result<Vec<Division>, Vec<SheetFault>> {
    let mut faults = Faults::default();
    let mut records = Records::new(csv.strip_prefix('\u{feff}').unwrap_or(csv));
    let mut lines: BTreeMap<DivisionCode, u64> = BTreeMap::new();
    let mut divisions = Vec::new();
    if let Err(fault) = check_header(records.next()) {
        faults.push(fault);
        return faults.into_result(divisions);
    }
    for record in records {
        let division = record.and_then(|record| {
            let division = read_row(&record)?;
            if let Some(earlier) = lines.insert(division.code, record.line) {
                let message = format!("the division {} already stands in line {earlier}", division.code);
                return Err(SheetFault::new(record.line, "code", message, "remove one of the two rows"));
            }
            Ok(division)
        });
        match division {
            Ok(division) => divisions.push(division),
            Err(fault) => faults.push(fault),
        }
    }
    for (code, line) in &lines {
        if let Some(parent) = code.parent().filter(|parent| !lines.contains_key(parent)) {
            faults.push(SheetFault::new(*line, "code", format!("the division {parent} above {code} is missing"), "add a row for it"));
        }
    }
    faults.into_result(divisions)
}

fn check_header(first: Option<Result<Record<'_>, SheetFault>>) -> Result<(), SheetFault> {
    let record = first.transpose()?.ok_or_else(|| SheetFault::new(1, "", "the table is empty", "begin it with the line code,name"))?;
    if record.cells.iter().map(|cell| cell.text.as_ref()).eq(["code", "name"]) {
        Ok(())
    } else {
        Err(SheetFault::new(record.line, "", "the header is another", "begin the table with the line code,name"))
    }
}

fn read_row(record: &Record<'_>) -> Result<Division, SheetFault> {
    let [code, name] = record.cells.as_slice() else {
        return Err(SheetFault::new(record.line, "", format!("the row has {} cells", record.cells.len()), "write code,name"));
    };
    let code = code.text.parse().map_err(|_cause| {
        let message = format!("{} is not a division code", sheet::quote_cell(&code.text));
        SheetFault::new(code.line, "code", message, "write twelve digits: province 2, city 2, county 2, street 3, community 3")
    })?;
    let text = name.text.as_ref();
    let sound = !text.is_empty() && text.trim() == text && text.chars().count() <= LONGEST_NAME && !text.contains(char::is_control);
    if sound {
        Ok(Division { code, name: text.to_owned() })
    } else {
        let cure = format!("write 1 to {LONGEST_NAME} characters without spaces around them");
        Err(SheetFault::new(name.line, "name", "this is not the name of a division", cure))
    }
}

/// The divisions of Tianjin, Xuzhou and Zibo that are shipped.
///
/// # Errors
/// The faults of [`parse_table`] when the shipped file is damaged; a test keeps it whole.
pub fn shipped() -> Result<Vec<Division>, Vec<SheetFault>> {
    parse_table(include_str!("../../data/divisions.csv"))
}

/// Divisions by code.
#[derive(Debug, Clone, Default)]
pub struct DivisionTable(BTreeMap<DivisionCode, String>);

impl DivisionTable {
    /// Indexes divisions by their codes.
    #[must_use]
    pub fn new(divisions: impl IntoIterator<Item = Division>) -> Self {
        Self(divisions.into_iter().map(|division| (division.code, division.name)).collect())
    }

    /// The division's own name.
    #[must_use]
    pub fn name(&self, code: DivisionCode) -> Option<&str> {
        self.0.get(&code).map(String::as_str)
    }

    /// All codes, in their order.
    pub fn codes(&self) -> impl Iterator<Item = DivisionCode> + '_ {
        self.0.keys().copied()
    }

    /// The names from the province down, without those that only fill a level (such as 市辖区, the city of a
    /// municipality): `天津市和平区劝业场街道`.
    #[must_use]
    pub fn display_name(&self, code: DivisionCode) -> Option<String> {
        let own = self.name(code)?;
        let Some(parent) = code.parent() else { return Some(own.to_owned()) };
        let path = self.display_name(parent)?;
        Some(if fills_level(code, own) { path } else { format!("{path}{own}") })
    }

    /// Whether the six digits are those of a county, for identity numbers.
    #[must_use]
    pub fn knows_county(&self, six_digits: &str) -> bool {
        let code = format!("{six_digits:0<12}").parse::<DivisionCode>();
        code.is_ok_and(|code| code.level() == DivisionLevel::County && self.0.contains_key(&code))
    }
}

/// Names of city level that stand for no city.
fn fills_level(code: DivisionCode, name: &str) -> bool {
    code.level() == DivisionLevel::City && (matches!(name, "市辖区" | "县") || name.ends_with("直辖县级行政区划"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(csv: &str) -> Vec<String> {
        parse_table(csv).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_shipped_table_is_whole() {
        let divisions = shipped().unwrap();
        assert_eq!(divisions.len(), 11_974);
        let count = |level| divisions.iter().filter(|division| division.code.level() == level).count();
        assert_eq!([count(DivisionLevel::Province), count(DivisionLevel::City), count(DivisionLevel::County)], [3, 3, 16 + 11 + 8]);
        assert_eq!([count(DivisionLevel::Street), count(DivisionLevel::Community)], [299 + 186 + 88, 5_617 + 2_812 + 2_931]);
    }

    #[test]
    fn the_city_of_a_municipality_is_left_out_of_the_display_name() {
        let table = DivisionTable::new(shipped().unwrap());
        assert_eq!(table.display_name("120101001000".parse().unwrap()).as_deref(), Some("天津市和平区劝业场街道"));
        assert_eq!(table.display_name("120100000000".parse().unwrap()).as_deref(), Some("天津市"));
        assert_eq!(table.display_name("320311000000".parse().unwrap()).as_deref(), Some("江苏省徐州市泉山区"));
        assert_eq!(table.display_name("110000000000".parse().unwrap()), None);
    }

    #[test]
    fn counties_are_known_by_six_digits() {
        let table = DivisionTable::new(shipped().unwrap());
        assert!(table.knows_county("120101") && table.knows_county("320371"));
        assert!(!table.knows_county("120100") && !table.knows_county("120199") && !table.knows_county("12") && !table.knows_county(""));
    }

    #[test]
    fn every_fault_is_named_with_its_line() {
        let found = faults(
            "code,name\n120000000000,天津市\n120000000000,天津\n12,短\n120101000000,和平区\n120100000000, 市辖区\n120200000000,\n320000000000\n",
        );
        assert_eq!(
            found,
            [
                "line 3, column code: the division 120000000000 already stands in line 2; remove one of the two rows",
                "line 4, column code: 12 is not a division code; write twelve digits: province 2, city 2, county 2, street 3, community 3",
                "line 6, column name: this is not the name of a division; write 1 to 50 characters without spaces around them",
                "line 7, column name: this is not the name of a division; write 1 to 50 characters without spaces around them",
                "line 8: the row has 1 cells; write code,name",
                "line 5, column code: the division 120100000000 above 120101000000 is missing; add a row for it",
            ]
        );
    }

    #[test]
    fn a_table_begins_with_its_header() {
        assert_eq!(faults(""), ["line 1: the table is empty; begin it with the line code,name"]);
        assert_eq!(faults("\n120000000000,天津市\n"), ["line 2: the header is another; begin the table with the line code,name"]);
    }
}
