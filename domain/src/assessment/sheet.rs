//! The sheet of many assessments: one row of item scores and facts per resident in, one row of levels out.

use std::collections::HashMap;

use serde::Serialize;

pub use crate::sheet::SheetFault;

use super::{ChangeFacts, ChangeReason, ITEMS, Item, Level, Scores, assess};
use crate::sheet::{self, Cell, Faults, Record, Records};

/// Longest id of a resident, in characters.
const LONGEST_ID: usize = 64;

/// One resident's answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow {
    /// The id that the sheet gives; its meaning is the sender's.
    pub resident_id: String,
    /// The answers to the 26 items.
    pub scores: Scores,
    /// The facts that change the level.
    pub facts: ChangeFacts,
}

/// One resident's result, with the columns of the answer as field names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SheetResult {
    /// The id that the sheet gave.
    pub resident_id: String,
    /// Total of the scores, 0 to 90.
    pub total: u8,
    /// Level by the total alone.
    pub preliminary_level: Level,
    /// Level after the change rules.
    pub final_level: Level,
    /// The change rules whose conditions hold.
    pub reasons: Vec<ChangeReason>,
}

impl SheetRow {
    /// Finds the level.
    #[must_use]
    pub fn result(&self) -> SheetResult {
        let outcome = assess(&self.scores, &self.facts);
        SheetResult {
            resident_id: self.resident_id.clone(),
            total: outcome.total,
            preliminary_level: outcome.preliminary,
            final_level: outcome.final_level,
            reasons: outcome.changes,
        }
    }
}

/// Writes the levels of all rows: `resident_id,total,preliminary_level,final_level,reasons`, the reasons as
/// codes joined by `;`.
#[must_use]
pub fn write(rows: &[SheetRow]) -> String {
    let mut text = String::new();
    sheet::push_record(&mut text, ["resident_id", "total", "preliminary_level", "final_level", "reasons"]);
    for result in rows.iter().map(SheetRow::result) {
        let numbers = [result.total, result.preliminary_level.number(), result.final_level.number()].map(|number| number.to_string());
        let reasons = result.reasons.into_iter().map(<&str>::from).collect::<Vec<_>>().join(";");
        let cells = [result.resident_id.as_str()].into_iter().chain(numbers.iter().map(String::as_str)).chain([reasons.as_str()]);
        sheet::push_record(&mut text, cells);
    }
    text
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    ResidentId,
    Score(usize),
    Coma,
    Dementia,
    MentalDisorder,
    RiskEvents,
}

/// All columns with their names; a sheet has each of them once, in any order.
fn columns() -> impl Iterator<Item = (&'static str, Column)> {
    let scores = ITEMS.iter().enumerate().map(|(place, item)| (item.code, Column::Score(place)));
    let facts = [
        ("coma", Column::Coma),
        ("dementia", Column::Dementia),
        ("mental_disorder", Column::MentalDisorder),
        ("risk_events_30d", Column::RiskEvents),
    ];
    [("resident_id", Column::ResidentId)].into_iter().chain(scores).chain(facts)
}

/// Reads a sheet of answers: UTF-8 CSV whose first line names the columns `resident_id`, `B.1.1` to `B.4.5`,
/// `coma`, `dementia`, `mental_disorder` (0 or 1) and `risk_events_30d` (a count).
///
/// # Errors
/// Every fault with its line, column and cure, up to [`sheet::MAX_FAULTS`] and a count of the rest. Nothing is
/// read by halves.
pub fn read(bytes: &[u8]) -> Result<Vec<SheetRow>, Vec<SheetFault>> {
    let mut faults = Faults::default();
    let mut rows = Vec::new();
    match sheet::decode(bytes).and_then(read_header) {
        Ok((header, records)) => {
            header.report(&mut faults);
            let mut lines = HashMap::new();
            for record in records {
                match record {
                    Ok(record) => rows.extend(header.read_row(&record, &mut lines, &mut faults)),
                    Err(fault) => faults.push(header.name_column(fault)),
                }
            }
        }
        Err(fault) => faults.push(fault),
    }
    faults.into_result(rows)
}

/// The first line: what each place of a row holds.
struct Header<'a> {
    line: u64,
    names: Vec<Cell<'a>>,
    places: Vec<Option<(&'static str, Column)>>,
}

fn read_header(text: &str) -> Result<(Header<'_>, Records<'_>), SheetFault> {
    let cure = "begin the file with the line resident_id,B.1.1,…,B.4.5,coma,dementia,mental_disorder,risk_events_30d";
    let mut records = Records::new(text);
    let first = records.next().transpose()?.ok_or_else(|| SheetFault::new(1, "", "the file is empty", cure))?;
    let places: Vec<_> = first.cells.iter().map(|cell| columns().find(|(name, _)| *name == cell.text)).collect();
    if places.iter().all(Option::is_none) {
        return Err(SheetFault::new(first.line, "", "the header is missing", cure));
    }
    Ok((Header { line: first.line, names: first.cells, places }, records))
}

impl Header<'_> {
    /// Puts the column's name in the place of its number, which is all that the reader of cells knows.
    fn name_column(&self, fault: SheetFault) -> SheetFault {
        let place = fault.column.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        match place.and_then(|place| self.places.get(place)).copied().flatten() {
            Some((name, _)) => SheetFault { column: name.to_owned(), ..fault },
            None => fault,
        }
    }

    /// Notes unknown, doubled and missing columns.
    fn report(&self, faults: &mut Faults) {
        for (number, (cell, place)) in self.names.iter().zip(&self.places).enumerate() {
            let earlier = self.places.iter().take(number).any(|other| other.is_some() && other == place);
            if place.is_none() {
                let fault = "the column is unknown";
                faults.push(SheetFault::new(cell.line, sheet::quote_cell(&cell.text), fault, "remove it or write its name as documented"));
            } else if earlier {
                faults.push(SheetFault::new(cell.line, cell.text.as_ref(), "the column stands there twice", "remove one of the two"));
            }
        }
        for missing in columns().filter(|column| !self.places.contains(&Some(*column))) {
            faults.push(SheetFault::new(self.line, missing.0, "the column is missing", "add it to the header and to each row"));
        }
    }

    /// The row, unless it is faulty or the header lacks a column.
    fn read_row(&self, record: &Record<'_>, lines: &mut HashMap<String, u64>, faults: &mut Faults) -> Option<SheetRow> {
        let (given, wanted) = (record.cells.len(), self.places.len());
        if given != wanted {
            let message = format!("the row has {given} cells and the header {wanted}");
            faults.push(SheetFault::new(record.line, "", message, "write one cell for each column of the header"));
            return None;
        }
        let mut draft = Draft::default();
        for (cell, place) in record.cells.iter().zip(&self.places) {
            let Some((name, column)) = place else { continue };
            if let Err((message, cure)) = draft.take(*column, cell, lines) {
                faults.push(SheetFault::new(cell.line, *name, message, cure));
            }
        }
        draft.complete()
    }
}

/// What is wrong with a cell, and the cure.
type CellFault = (String, String);

/// A row of which some cells were read.
#[derive(Default)]
struct Draft {
    resident_id: Option<String>,
    scores: [Option<u8>; ITEMS.len()],
    coma: Option<bool>,
    dementia: Option<bool>,
    mental_disorder: Option<bool>,
    risk_events_30d: Option<u32>,
}

impl Draft {
    fn take(&mut self, column: Column, cell: &Cell<'_>, lines: &mut HashMap<String, u64>) -> Result<(), CellFault> {
        match column {
            Column::ResidentId => self.resident_id = Some(read_id(cell, lines)?),
            Column::Score(place) => {
                if let Some((item, score)) = ITEMS.get(place).zip(self.scores.get_mut(place)) {
                    *score = Some(read_score(item, &cell.text)?);
                }
            }
            Column::Coma => self.coma = Some(read_flag(&cell.text)?),
            Column::Dementia => self.dementia = Some(read_flag(&cell.text)?),
            Column::MentalDisorder => self.mental_disorder = Some(read_flag(&cell.text)?),
            Column::RiskEvents => self.risk_events_30d = Some(read_count(&cell.text)?),
        }
        Ok(())
    }

    fn complete(self) -> Option<SheetRow> {
        let mut scores = [0; ITEMS.len()];
        for (score, read) in scores.iter_mut().zip(self.scores) {
            *score = read?;
        }
        let facts = ChangeFacts {
            coma: self.coma?,
            dementia: self.dementia?,
            mental_disorder: self.mental_disorder?,
            risk_events_30d: self.risk_events_30d?,
        };
        Some(SheetRow { resident_id: self.resident_id?, scores: Scores::from_checked(scores), facts })
    }
}

fn read_id(cell: &Cell<'_>, lines: &mut HashMap<String, u64>) -> Result<String, CellFault> {
    let id = cell.text.as_ref();
    let refuse = |message: &str, cure: &str| Err((message.to_owned(), cure.to_owned()));
    if id.is_empty() {
        return refuse("the id is empty", "write one for each resident");
    }
    if id.chars().count() > LONGEST_ID {
        return refuse("the id is too long", "write at most 64 characters");
    }
    if sheet::begins_formula(id) {
        return refuse("the id could be taken for a formula by a spreadsheet", "write an id that does not begin with = + - @ or a tab");
    }
    if id.contains(char::is_control) {
        return refuse("the id holds a line end or another control character", "remove it");
    }
    if id.trim() != id {
        return refuse("the id has spaces around it", "remove them");
    }
    if let Some(earlier) = lines.get(id) {
        return Err((
            format!("the id {} already stands in line {earlier}", sheet::mask_digits(id)),
            "write one row for each resident".to_owned(),
        ));
    }
    lines.insert(id.to_owned(), cell.line);
    Ok(id.to_owned())
}

fn read_score(item: &Item, text: &str) -> Result<u8, CellFault> {
    let score = single_digit(text).filter(|score| *score <= item.max);
    score.ok_or_else(|| (describe(text, "a score of this item"), item.cure()))
}

fn read_flag(text: &str) -> Result<bool, CellFault> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err((describe(text, "a flag"), "write 0 or 1".to_owned())),
    }
}

fn read_count(text: &str) -> Result<u32, CellFault> {
    let shape = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let count = text.parse().ok().filter(|_| shape);
    count.ok_or_else(|| (describe(text, "a count"), "write a whole number such as 0 or 2".to_owned()))
}

fn single_digit(text: &str) -> Option<u8> {
    let [digit @ b'0'..=b'9'] = text.as_bytes() else { return None };
    Some(digit - b'0')
}

/// Says what is wrong with a cell that is not what it should be.
fn describe(text: &str, wanted: &str) -> String {
    let cell = sheet::quote_cell(text);
    if text.is_empty() {
        "the cell is empty".to_owned()
    } else if text.trim() != text {
        format!("{cell} has spaces around it")
    } else if text.contains(|character| ('０'..='９').contains(&character)) {
        format!("{cell} is not written in plain (half-width) digits")
    } else {
        format!("{cell} is not {wanted}")
    }
}

#[cfg(test)]
mod tests;
