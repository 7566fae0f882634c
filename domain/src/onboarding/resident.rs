//! The sheet of residents.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator as _;

use crate::{
    assessment::Level,
    division::DivisionCode,
    policy::FactValue,
    resident::{
        Category, CategorySpan, Coordinate, CoordinateSystem, Disability, DisabilityKind, IdentityDocument, Living, PersonName,
        PhoneNumber, Sex,
    },
    sheet::{Column, Noted, Row, quote_cell},
    time::{BusinessDate, DateRange},
};

const fn needed(name: &'static str) -> Column {
    Column { name, needed: true }
}

const fn may(name: &'static str) -> Column {
    Column { name, needed: false }
}

/// The columns of a sheet of residents.
pub const RESIDENT_COLUMNS: &[Column] = &[
    may("document"),
    needed("number"),
    needed("name"),
    may("phone"),
    may("birth_date"),
    may("sex"),
    may("hukou"),
    needed("residence"),
    may("living"),
    may("categories"),
    may("disability_kind"),
    may("disability_grade"),
    may("disability_certificate"),
    may("facts"),
    may("address"),
    may("address_division"),
    may("coordinate_system"),
    may("latitude"),
    may("longitude"),
    may("level"),
    may("level_assessed_on"),
    may("level_valid_until"),
];

/// The ability level that an assessment of before found. Its 26 answers are not known here, so that it is kept
/// apart from the assessments of GB/T 42195-2022 and ends when the first of these is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarriedLevel {
    /// The level.
    pub level: Level,
    /// Day of the assessment.
    pub assessed_on: BusinessDate,
    /// First day on which it no longer counts.
    pub valid_until: BusinessDate,
}

/// One resident of a sheet.
#[derive(Clone, PartialEq, Eq)]
pub struct ResidentRow {
    /// Kind of the document; the resident identity card where the sheet does not say.
    pub document: IdentityDocument,
    /// Its number as it stands in the sheet.
    pub number: String,
    /// Name.
    pub name: PersonName,
    /// Telephone.
    pub phone: Option<PhoneNumber>,
    /// Birth date, where the document does not state it.
    pub birth_date: Option<BusinessDate>,
    /// Sex, where the document does not state it.
    pub sex: Option<Sex>,
    /// Division of the household register.
    pub hukou: Option<DivisionCode>,
    /// Community of residence.
    pub residence: DivisionCode,
    /// With whom they live.
    pub living: Option<Living>,
    /// Recognised circumstances: `none` is known to have none, an empty cell is unknown.
    pub categories: Option<Vec<CategoryCell>>,
    /// Recognised disability.
    pub disability: Option<Disability>,
    /// Number of the disability certificate.
    pub disability_certificate: Option<String>,
    /// Facts that policies declare.
    pub facts: BTreeMap<String, FactValue>,
    /// Where the person is served: community, text, position.
    pub address: Option<AddressCells>,
    /// The level that is taken over.
    pub level: Option<CarriedLevel>,
}

/// A category of a row.
#[derive(Clone, PartialEq, Eq)]
pub struct CategoryCell {
    /// The category with its days.
    pub span: CategorySpan,
    /// Number of the certificate, where the sheet states it.
    pub certificate: Option<String>,
}

/// The address of a row.
#[derive(Clone, PartialEq, Eq)]
pub struct AddressCells {
    /// Community; that of residence where the sheet does not say.
    pub division: DivisionCode,
    /// Street, house, door.
    pub text: String,
    /// Position.
    pub coordinate: Option<Coordinate>,
}

/// Shows nothing: everything is personal.
impl fmt::Debug for ResidentRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResidentRow").finish_non_exhaustive()
    }
}
impl fmt::Debug for CategoryCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CategoryCell").finish_non_exhaustive()
    }
}
impl fmt::Debug for AddressCells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressCells").finish_non_exhaustive()
    }
}

/// Reads one row; faults are noted in it.
///
/// # Errors
/// Faults, noted.
pub fn read_resident(row: &mut Row<'_>) -> Result<ResidentRow, Noted> {
    // Every cell is read before the first missing one ends the row, so that all its faults are named at once.
    let number = row.needed_text("number");
    let document = row.optional_code::<IdentityDocument>("document");
    let name = row.needed("name", PersonName::parse);
    let phone = row.optional("phone", PhoneNumber::parse);
    let birth_date = row.optional_day("birth_date");
    let sex = row.optional_code::<Sex>("sex");
    let hukou = row.optional("hukou", str::parse::<DivisionCode>);
    let residence = row.needed("residence", str::parse::<DivisionCode>);
    let living = row.optional_code::<Living>("living");
    let categories = read_categories(row);
    let disability = read_disability(row);
    let facts = read_facts(row);
    let address = read_address(row, residence);
    let level = read_level(row);
    Ok(ResidentRow {
        document: document?.unwrap_or(IdentityDocument::ResidentId),
        number: number?,
        name: name?,
        phone: phone?,
        birth_date: birth_date?,
        sex: sex?,
        hukou: hukou?,
        residence: residence?,
        living: living?,
        categories: categories?,
        disability: disability?,
        disability_certificate: row.text("disability_certificate").map(ToOwned::to_owned),
        facts: facts?,
        address: address?,
        level: level?,
    })
}

/// `none`, or `dibao:2024-01-01`, `dibao:2024-01-01:2027-01-01` (from, first day on which it no longer holds) or
/// `dibao:2024-01-01::D-17` (with the certificate's number), several divided by semicolons.
fn read_categories(row: &mut Row<'_>) -> Result<Option<Vec<CategoryCell>>, Noted> {
    let parts = row.list("categories");
    match parts.as_slice() {
        [] => return Ok(None),
        [only] if only == "none" => return Ok(Some(Vec::new())),
        _ => {}
    }
    let spans: Vec<_> = parts.iter().map(|part| category_span(part)).collect();
    if spans.iter().any(Option::is_none) {
        let known: Vec<&str> = Category::iter().map(Into::into).collect();
        let cure = format!(
            "write none, or category:from, category:from:until or category:from:until:certificate such as dibao:2025-01-01, several divided by ; the categories are {}",
            known.join(", ")
        );
        return Err(row.refuse("categories", "a part of the cell is no category with its days", cure));
    }
    Ok(Some(spans.into_iter().flatten().collect()))
}

fn category_span(text: &str) -> Option<CategoryCell> {
    let mut parts = text.split(':');
    let category = parts.next()?.trim().parse().ok()?;
    let from = parts.next()?.trim().parse().ok()?;
    let until = parts.next().map(str::trim).filter(|day| !day.is_empty()).map(str::parse).transpose().ok()?;
    let certificate = parts.next().map(|number| number.trim().to_owned());
    let valid = DateRange::new(from, until).ok()?;
    parts.next().is_none().then_some(CategoryCell { span: CategorySpan { category, valid }, certificate })
}

fn read_disability(row: &mut Row<'_>) -> Result<Option<Disability>, Noted> {
    let kind = row.optional_code::<DisabilityKind>("disability_kind")?;
    match (kind, row.text("disability_grade").map(str::parse::<u8>)) {
        (None, None) => Ok(None),
        (Some(kind), Some(Ok(grade))) => {
            Disability::new(kind, grade).map(Some).map_err(|fault| row.refuse_fault("disability_grade", &fault))
        }
        (Some(_), Some(Err(_)) | None) => Err(row.refuse("disability_grade", "a kind stands there without a grade", "write 1, 2, 3 or 4")),
        (None, Some(_)) => Err(row.refuse("disability_kind", "a grade stands there without a kind", "write the kind, such as limb")),
    }
}

/// `needs_care=true;hukou_kind=urban`: whole numbers and `true` or `false` are such, everything else is text.
fn read_facts(row: &mut Row<'_>) -> Result<BTreeMap<String, FactValue>, Noted> {
    let mut facts = BTreeMap::new();
    for part in row.list("facts") {
        let pair = part.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.trim()));
        let Some((name, value)) = pair.filter(|(name, value)| !name.is_empty() && !value.is_empty()) else {
            return Err(row.refuse("facts", format!("{} is no fact", quote_cell(&part)), "write name=value, several divided by ;"));
        };
        let value = match (value.parse::<bool>(), value.parse::<i64>()) {
            (Ok(truth), _) => FactValue::Bool(truth),
            (Err(_), Ok(number)) => FactValue::Int(number),
            (Err(_), Err(_)) => FactValue::Text(value.to_owned()),
        };
        if facts.insert(name, value).is_some() {
            return Err(row.refuse("facts", "a fact stands there twice", "remove one of the two"));
        }
    }
    Ok(facts)
}

fn read_address(row: &mut Row<'_>, residence: Result<DivisionCode, Noted>) -> Result<Option<AddressCells>, Noted> {
    let division = row.optional("address_division", str::parse::<DivisionCode>)?;
    let system = row.optional_code::<CoordinateSystem>("coordinate_system")?;
    let degrees = row.text("latitude").zip(row.text("longitude")).map(|(latitude, longitude)| (latitude.to_owned(), longitude.to_owned()));
    let some_degrees = row.text("latitude").is_some() || row.text("longitude").is_some();
    let coordinate = match (system, degrees) {
        (None, None) if !some_degrees => None,
        (Some(system), Some((latitude, longitude))) => {
            let parsed = Coordinate::parse(system, &latitude, &longitude);
            Some(parsed.map_err(|fault| row.refuse_fault("latitude", &fault))?)
        }
        (Some(_) | None, _) => {
            let cure = "fill coordinate_system (wgs84, gcj02 or bd09), latitude and longitude, or none of them";
            return Err(row.refuse("coordinate_system", "the position is incomplete", cure));
        }
    };
    let Some(text) = row.text("address").map(ToOwned::to_owned) else {
        if division.is_some() || coordinate.is_some() {
            return Err(row.refuse("address", "a division or position stands there without an address", "write street, house and door"));
        }
        return Ok(None);
    };
    let division = division.map_or(residence, Ok)?;
    Ok(Some(AddressCells { division, text, coordinate }))
}

fn read_level(row: &mut Row<'_>) -> Result<Option<CarriedLevel>, Noted> {
    let assessed_on = row.optional_day("level_assessed_on");
    let valid_until = row.optional_day("level_valid_until");
    let level = row.text("level").map(|text| text.parse::<u8>().ok().and_then(|number| Level::try_from(number).ok()));
    match (level, assessed_on?, valid_until?) {
        (None, None, None) => Ok(None),
        (Some(None), _, _) => Err(row.refuse("level", "this is no ability level", "write 0, 1, 2, 3 or 4 (GB/T 42195-2022)")),
        (Some(Some(level)), Some(assessed_on), Some(valid_until)) if assessed_on < valid_until => {
            Ok(Some(CarriedLevel { level, assessed_on, valid_until }))
        }
        (Some(Some(_)), Some(_), Some(_)) => {
            let cure = "write the first day on which it no longer counts";
            Err(row.refuse("level_valid_until", "the level ends before it begins", cure))
        }
        (Some(Some(_)) | None, _, _) => {
            let cure = "fill level, level_assessed_on and level_valid_until, or none of them";
            Err(row.refuse("level", "the level is incomplete", cure))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::{Entry, Faults, Grid, SheetFault, Table};

    fn read(csv: &str) -> Result<Vec<Entry<ResidentRow>>, Vec<SheetFault>> {
        let grid = Grid::from_csv(csv.as_bytes())?;
        let mut faults = Faults::default();
        let rows = Table::fit(&grid, RESIDENT_COLUMNS)?.read(&mut faults, read_resident);
        faults.into_result(rows)
    }

    fn told(csv: &str) -> Vec<(u64, String)> {
        read(csv).unwrap_err().into_iter().map(|fault| (fault.line, fault.column)).collect()
    }

    #[test]
    fn a_full_row_is_read() {
        let rows = read(
            "number,name,phone,hukou,residence,living,categories,disability_kind,disability_grade,facts,address,coordinate_system,latitude,longitude,level,level_assessed_on,level_valid_until\n\
             120101194501010011,王秀英,13800001234,120101001001,120101001001,alone,dibao:2025-01-01;severe_disability:2024-01-01:2027-01-01,limb,1,needs_care=true;hukou_kind=urban,和平路1号,gcj02,39.117220,117.195980,3,2025-05-01,2027-05-01\n",
        );
        let rows = rows.unwrap();
        let row = &rows[0].value;
        assert_eq!((rows[0].line, row.document, row.living), (2, IdentityDocument::ResidentId, Some(Living::Alone)));
        assert_eq!(row.categories.as_ref().map(Vec::len), Some(2));
        assert_eq!(row.disability.map(Disability::grade), Some(1));
        assert_eq!(row.facts["needs_care"], FactValue::Bool(true));
        assert_eq!(row.facts["hukou_kind"], FactValue::Text("urban".to_owned()));
        assert_eq!(row.address.as_ref().map(|address| address.division), Some(row.residence));
        assert_eq!(row.level.map(|level| level.level), Some(Level::Severe));
        assert!(!format!("{row:?}").contains("王秀英"));
    }

    #[test]
    fn none_is_known_and_empty_is_unknown() {
        let rows = read("number,name,residence,categories\n1,王,120101001001,none\n2,李,120101001001,\n").unwrap();
        assert_eq!((rows[0].value.categories.clone(), rows[1].value.categories.clone()), (Some(Vec::new()), None));
    }

    #[test]
    fn all_faults_of_all_rows_are_named_at_once() {
        let csv = "number,name,residence,living,categories,level\n,王,12,alone,dibao,7\n1,,120101001001,alon,none,\n";
        let expected = [(2, "number"), (2, "residence"), (2, "categories"), (2, "level"), (3, "name"), (3, "living")];
        assert_eq!(told(csv), expected.map(|(line, column)| (line, column.to_owned())));
    }

    #[test]
    fn halves_are_refused() {
        for (column, value) in [
            ("disability_kind", "limb"),
            ("disability_grade", "1"),
            ("latitude", "39.1"),
            ("coordinate_system", "wgs84"),
            ("address_division", "120101001001"),
            ("level", "2"),
            ("level_assessed_on", "2025-01-01"),
            ("facts", "needs_care"),
        ] {
            assert_eq!(told(&format!("number,name,residence,{column}\n1,王,120101001001,{value}\n")).len(), 1, "{column}");
        }
    }

    #[test]
    fn a_header_that_does_not_fit_is_refused_before_any_row() {
        assert_eq!(told("name,residence,nam,name\n,,,\n"), [(1, "nam".to_owned()), (1, "name".to_owned()), (1, "number".to_owned())]);
    }

    #[test]
    fn a_sheet_comes_back_with_its_faults_and_can_be_handed_in_again() {
        let csv = "number,name,residence\n1,王,12\n2,李,120101001001\n";
        let grid = Grid::from_csv(csv.as_bytes()).unwrap();
        let back = grid.with_faults(&read(csv).unwrap_err());
        let lines: Vec<_> = back.lines().collect();
        assert!(
            lines[0].ends_with(",residence,faults") && lines[1].contains("division code") && lines[2].ends_with(",120101001001,"),
            "{back}"
        );
        assert!(read(&back.replace(",12,", ",120101001001,")).is_ok());
    }
}
