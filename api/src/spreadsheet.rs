//! Sheets as people hand them in: CSV, or the first sheet of an XLSX workbook.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _},
};

use calamine::{DataRef, Reader as _, Xlsx};
use chrono::NaiveTime;
use domain::sheet::{Grid, SheetFault};
use zip::ZipArchive;

/// How large a workbook may be when it is unpacked, in bytes: a small file can unpack to a thousandfold.
const UNPACKED_MAX: u64 = 64 * 1024 * 1024;

/// How many columns a sheet may have.
const COLUMNS_MAX: u32 = 100;

/// A spreadsheet keeps fifteen digits of a number; those beyond are lost.
const EXACT_DIGITS: usize = 15;
const EXACT_MAX: u64 = 999_999_999_999_999;

/// Reads a sheet; a file that begins as a ZIP archive is a workbook, everything else is CSV.
///
/// # Errors
/// A file that is neither, is too large when unpacked, or holds cells that no text can be made of.
pub fn read(bytes: &[u8]) -> Result<Grid, Vec<SheetFault>> {
    if bytes.starts_with(b"PK\x03\x04") { read_workbook(bytes).map_err(|fault| vec![fault]) } else { Grid::from_csv(bytes) }
}

fn read_workbook(bytes: &[u8]) -> Result<Grid, SheetFault> {
    let broken = |why: String| SheetFault::new(1, "", format!("the workbook cannot be read: {why}"), "save it as XLSX or as CSV in UTF-8");
    measure(bytes)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|cause| broken(cause.to_string()))?;
    let first = workbook.sheet_names().first().cloned().ok_or_else(|| broken("it has no sheet".to_owned()))?;
    // Cell by cell: the rectangle around two distant cells would fill the memory.
    let mut cells = workbook.worksheet_cells_reader(&first).map_err(|cause| broken(cause.to_string()))?;
    let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    while let Some(cell) = cells.next_cell().map_err(|cause| broken(cause.to_string()))? {
        let (row, column) = cell.get_position();
        let text = text_of(cell.get_value())
            .map_err(|(message, cure)| SheetFault::new(u64::from(row) + 1, (column + 1).to_string(), message, cure))?;
        if text.is_empty() {
            continue;
        }
        if column >= COLUMNS_MAX {
            let message = format!("there is a cell beyond the column {COLUMNS_MAX}");
            return Err(SheetFault::new(u64::from(row) + 1, "", message, "remove what stands to the right of the table"));
        }
        let place = usize::try_from(column).map_err(|_cause| broken("a column lies too far to the right".to_owned()))?;
        let texts = rows.entry(row).or_default();
        texts.resize(texts.len().max(place + 1), String::new());
        if let Some(slot) = texts.get_mut(place) {
            *slot = text;
        }
    }
    Ok(Grid::from_rows(rows.into_iter().map(|(row, texts)| (u64::from(row) + 1, texts))))
}

/// Unpacks everything once without keeping it, so that an archive that says little and unpacks to much is refused.
fn measure(bytes: &[u8]) -> Result<(), SheetFault> {
    let cure = "save it as XLSX or as CSV in UTF-8";
    let broken = |cause: String| SheetFault::new(1, "", format!("the workbook cannot be unpacked: {cause}"), cure);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|cause| broken(cause.to_string()))?;
    let mut left = UNPACKED_MAX;
    for place in 0..archive.len() {
        let entry = archive.by_index(place).map_err(|cause| broken(cause.to_string()))?;
        let read = std::io::copy(&mut entry.take(left + 1), &mut std::io::sink()).map_err(|cause| broken(cause.to_string()))?;
        left = left.checked_sub(read).ok_or_else(|| {
            SheetFault::new(1, "", "the workbook is too large when unpacked", "divide it over several files, or save it as CSV")
        })?;
    }
    Ok(())
}

/// The text of a cell as it would stand in CSV, or what is wrong with it and the cure.
fn text_of(cell: &DataRef<'_>) -> Result<String, (&'static str, &'static str)> {
    match cell {
        DataRef::Empty => Ok(String::new()),
        DataRef::String(text) | DataRef::DateTimeIso(text) => Ok(text.clone()),
        DataRef::SharedString(text) => Ok((*text).to_owned()),
        DataRef::Bool(truth) => Ok(truth.to_string()),
        DataRef::Int(number) if number.unsigned_abs() > EXACT_MAX => Err(ROUNDED),
        DataRef::Int(number) => Ok(number.to_string()),
        // Sixteen digits before the point print as such; none of them is kept exactly.
        DataRef::Float(number) => {
            let text = number.to_string();
            let whole = text.split('.').next().unwrap_or_default().trim_start_matches('-').len();
            if whole > EXACT_DIGITS { Err(ROUNDED) } else { Ok(text) }
        }
        DataRef::DateTime(moment) => {
            let moment = moment.as_datetime().ok_or(("this is no day", "write year, month and day such as 2026-03-31"))?;
            let day_alone = moment.time() == NaiveTime::MIN;
            Ok(moment.format(if day_alone { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S" }).to_string())
        }
        DataRef::DurationIso(_) | DataRef::Error(_) => {
            Err(("the cell holds an error or a duration of the spreadsheet", "write the value itself in place of the formula"))
        }
    }
}

const ROUNDED: (&str, &str) =
    ("the spreadsheet has kept this as a number and lost its last digits", "give the column the format text and type the number again");

#[cfg(test)]
mod tests {
    use domain::{
        onboarding::{RESIDENT_COLUMNS, read_resident},
        sheet::{Faults, Table},
    };
    use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

    use super::*;

    fn save(mut workbook: Workbook) -> Vec<u8> {
        workbook.save_to_buffer().unwrap()
    }

    #[test]
    fn a_workbook_is_read_as_the_same_table_in_csv_is() {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet().set_name("老年人").unwrap();
        for (column, name) in (0..).zip(["number", "name", "residence", "level", "level_assessed_on", "level_valid_until"]) {
            sheet.write(0, column, name).unwrap();
        }
        sheet.write(2, 0, "120101194501010011").unwrap();
        sheet.write(2, 1, "王秀英").unwrap();
        sheet.write(2, 2, "120101001001").unwrap();
        sheet.write(2, 3, 3).unwrap();
        let day = Format::new().set_num_format("yyyy-mm-dd");
        sheet.write_datetime_with_format(2, 4, ExcelDateTime::parse_from_str("2025-05-01").unwrap(), &day).unwrap();
        sheet.write(2, 5, "2027-05-01").unwrap();
        let csv = "number,name,residence,level,level_assessed_on,level_valid_until\n\n120101194501010011,王秀英,120101001001,3,2025-05-01,2027-05-01\n";
        let rows = |bytes: &[u8]| {
            let grid = read(bytes).unwrap();
            let mut faults = Faults::default();
            let rows = Table::fit(&grid, RESIDENT_COLUMNS).unwrap().read(&mut faults, read_resident);
            faults.into_result(rows).unwrap()
        };
        assert!(rows(&save(workbook)) == rows(csv.as_bytes()));
    }

    #[test]
    fn an_identity_number_that_was_kept_as_a_number_is_refused_with_its_cell() {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        sheet.write(0, 0, "number").unwrap();
        sheet.write(1, 0, 120_101_194_501_010_011_u64).unwrap();
        let faults = read(&save(workbook)).unwrap_err();
        assert_eq!((faults[0].line, faults[0].column.as_str()), (2, "1"));
        assert!(faults[0].message.contains("lost its last digits"));
    }

    #[test]
    fn cells_far_apart_do_not_fill_the_memory() {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        sheet.write(0, 0, "number").unwrap();
        sheet.write(1_048_575, 16_383, "x").unwrap();
        assert_eq!(read(&save(workbook)).unwrap_err()[0].line, 1_048_576);
    }

    #[test]
    fn an_archive_that_unpacks_to_much_or_is_no_workbook_is_refused() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default()).unwrap();
        let zeros = vec![0_u8; 1024 * 1024];
        for _ in 0..65 {
            std::io::Write::write_all(&mut writer, &zeros).unwrap();
        }
        let bomb = writer.finish().unwrap().into_inner();
        assert!(bomb.len() < 100_000);
        assert!(read(&bomb).unwrap_err()[0].message.contains("too large when unpacked"));
        assert_eq!(read(b"PK\x03\x04 and nothing more").unwrap_err().len(), 1);
    }
}
