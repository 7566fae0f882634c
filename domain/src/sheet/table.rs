//! Tables of named columns, whatever file they came in, read row by row with every fault noted.

use std::{borrow::Cow, str::FromStr};

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

use super::{Cell, Faults, Record, Records, SheetFault, decode, push_record, quote_cell};
use crate::{error::Fault, time::BusinessDate};

/// A sheet as a grid of cells: the header first. Cells keep the line of the file on which they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    records: Vec<Record<'static>>,
}

impl Grid {
    /// Reads CSV in UTF-8.
    ///
    /// # Errors
    /// Another encoding, faulty quoting, an empty file.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, Vec<SheetFault>> {
        let text = decode(bytes).map_err(|fault| vec![fault])?;
        let mut records = Vec::new();
        for record in Records::new(text) {
            let Record { line, cells } = record.map_err(|fault| vec![fault])?;
            let cells = cells.into_iter().map(|cell| Cell { line: cell.line, text: Cow::Owned(cell.text.into_owned()) });
            records.push(Record { line, cells: cells.collect() });
        }
        Ok(Self { records })
    }

    /// Takes the rows of a spreadsheet, with their row numbers; rows without any text are passed over, and short
    /// ones are as long as the header, as spreadsheets leave empty cells away.
    pub fn from_rows(rows: impl IntoIterator<Item = (u64, Vec<String>)>) -> Self {
        let mut records: Vec<Record<'static>> = Vec::new();
        for (line, mut texts) in rows {
            while texts.last().is_some_and(String::is_empty) {
                texts.pop();
            }
            if texts.is_empty() {
                continue;
            }
            let width = records.first().map_or(texts.len(), |header| header.cells.len());
            texts.resize(width.max(texts.len()), String::new());
            let cells = texts.into_iter().map(|text| Cell { line, text: Cow::Owned(text) });
            records.push(Record { line, cells: cells.collect() });
        }
        Self { records }
    }

    /// How many rows there are below the header.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.records.len().saturating_sub(1)
    }

    /// The sheet again, with the faults of each row in a further column, to be cured and handed in anew: a
    /// spreadsheet shows each fault beside its row. Faults of the header stand beside the header.
    #[must_use]
    pub fn with_faults(&self, faults: &[SheetFault]) -> String {
        let mut text = String::from("\u{feff}");
        for (place, record) in self.records.iter().enumerate() {
            let own = faults.iter().filter(|fault| self.row_of(fault.line) == Some(place));
            let told: Vec<_> = own.map(ToString::to_string).collect();
            let last = if place == 0 && told.is_empty() { FAULTS.to_owned() } else { told.join(" | ") };
            push_record(&mut text, record.cells.iter().map(|cell| cell.text.as_ref()).chain([last.as_str()]));
        }
        text
    }

    /// The row on which a line of the file lies: a row can fill several lines.
    fn row_of(&self, line: u64) -> Option<usize> {
        self.records.iter().rposition(|record| record.line <= line)
    }
}

/// The column that [`Grid::with_faults`] adds; it is passed over when the sheet is handed in again.
pub const FAULTS: &str = "faults";

/// A column that a sheet may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header.
    pub name: &'static str,
    /// Whether the sheet must have it and every row must fill it.
    pub needed: bool,
}

/// A grid whose header fits its columns.
#[derive(Debug)]
pub struct Table<'a> {
    grid: &'a Grid,
    columns: &'static [Column],
    places: Vec<(&'static str, usize)>,
}

impl<'a> Table<'a> {
    /// Fits the header to the columns; notes unknown, doubled and missing ones.
    ///
    /// # Errors
    /// The faults of the header, or an empty file.
    pub fn fit(grid: &'a Grid, columns: &'static [Column]) -> Result<Self, Vec<SheetFault>> {
        let all = || columns.iter().map(|column| column.name).collect::<Vec<_>>().join(",");
        let Some(header) = grid.records.first() else {
            return Err(vec![SheetFault::new(1, "", "the file is empty", format!("begin it with the line {}", all()))]);
        };
        let mut faults = Faults::default();
        let mut places: Vec<(&'static str, usize)> = Vec::new();
        for (place, cell) in header.cells.iter().enumerate() {
            let name = cell.text.trim();
            match columns.iter().find(|column| column.name == name) {
                None if name == FAULTS || name.is_empty() => {}
                None => {
                    faults.push(SheetFault::new(
                        cell.line,
                        quote_cell(name),
                        "the column is unknown",
                        format!("name columns of {}", all()),
                    ));
                }
                Some(column) if places.iter().any(|(other, _)| *other == column.name) => {
                    faults.push(SheetFault::new(cell.line, column.name, "the column stands there twice", "remove one of the two"));
                }
                Some(column) => places.push((column.name, place)),
            }
        }
        for column in columns.iter().filter(|column| column.needed) {
            if !places.iter().any(|(name, _)| *name == column.name) {
                faults.push(SheetFault::new(header.line, column.name, "the column is missing", "add it to the header and to each row"));
            }
        }
        faults.into_result(Self { grid, columns, places })
    }

    /// Reads each row with `read`, which notes its faults; a row with faults gives nothing.
    pub fn read<T>(&self, faults: &mut Faults, mut read: impl FnMut(&mut Row<'_>) -> Result<T, Noted>) -> Vec<Entry<T>> {
        let mut rows = Vec::new();
        let mut seen = 0_usize;
        for record in self.grid.records.iter().skip(1) {
            if record.cells.iter().all(|cell| cell.text.trim().is_empty()) {
                continue;
            }
            seen += 1;
            let mut row = Row { table: self, record, faults };
            if row.fits()
                && let Ok(value) = read(&mut row)
            {
                rows.push(Entry { line: record.line, text: row.whole_text(), value });
            }
        }
        if seen == 0 {
            faults.push(SheetFault::new(1, "", "the sheet has no rows", "write one row for each entry below the header"));
        }
        rows
    }
}

/// A row that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<T> {
    /// Line of the sheet on which it begins.
    pub line: u64,
    /// Its filled cells with their columns, in the order of the columns: two rows that say the same have the same
    /// text, however their sheets are arranged. May be personal.
    pub text: String,
    /// What it says.
    pub value: T,
}

/// A fault was noted with its place and cure; there is nothing more to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Noted;

/// One row that is being read.
#[derive(Debug)]
pub struct Row<'r> {
    table: &'r Table<'r>,
    record: &'r Record<'static>,
    faults: &'r mut Faults,
}

impl Row<'_> {
    fn whole_text(&self) -> String {
        let filled = self.table.columns.iter().filter_map(|column| self.text(column.name).map(|text| (column.name, text)));
        let parts: Vec<String> = filled.map(|(name, text)| format!("{name}={}:{text};", text.len())).collect();
        parts.concat()
    }

    fn fits(&mut self) -> bool {
        let (given, wanted) = (self.record.cells.len(), self.table.grid.records.first().map_or(0, |header| header.cells.len()));
        if given != wanted {
            let message = format!("the row has {given} cells and the header {wanted}");
            self.faults.push(SheetFault::new(self.record.line, "", message, "write one cell for each column of the header"));
        }
        given == wanted
    }

    /// The text of a cell without spaces around it; none if it is empty or the sheet lacks the column.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, place) = self.table.places.iter().find(|(column, _)| *column == name)?;
        self.record.cells.get(*place).map(|cell| cell.text.trim()).filter(|text| !text.is_empty())
    }

    /// Notes a fault of a cell.
    pub fn refuse(&mut self, name: &str, message: impl Into<String>, cure: impl Into<String>) -> Noted {
        let place = self.table.places.iter().find(|(column, _)| *column == name).and_then(|(_, place)| self.record.cells.get(*place));
        self.faults.push(SheetFault::new(place.map_or(self.record.line, |cell| cell.line), name, message, cure));
        Noted
    }

    /// Notes a refusal of the domain at a cell.
    pub fn refuse_fault(&mut self, name: &str, fault: &impl Fault) -> Noted {
        let cure = fault.fields().into_iter().next().map_or_else(|| "write it as documented".to_owned(), |field| field.cure);
        self.refuse(name, fault.to_string(), cure)
    }

    /// The value of a cell that may be empty.
    ///
    /// # Errors
    /// What the domain refuses, noted.
    pub fn optional<T, E: Fault>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<Option<T>, Noted> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match parse(text) {
            Ok(value) => Ok(Some(value)),
            Err(fault) => Err(self.refuse_fault(name, &fault)),
        }
    }

    /// The value of a cell that must be filled.
    ///
    /// # Errors
    /// An empty cell, or what the domain refuses, noted.
    pub fn needed<T, E: Fault>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Noted> {
        let empty = |row: &mut Self| row.refuse(name, "the cell is empty", "every row needs it");
        self.optional(name, parse)?.ok_or_else(|| empty(self))
    }

    /// A text of a cell that must be filled.
    ///
    /// # Errors
    /// An empty cell, noted.
    pub fn needed_text(&mut self, name: &'static str) -> Result<String, Noted> {
        let text = self.text(name).map(ToOwned::to_owned);
        text.ok_or_else(|| self.refuse(name, "the cell is empty", "every row needs it"))
    }

    /// A day, or nothing.
    ///
    /// # Errors
    /// Another text, noted.
    pub fn optional_day(&mut self, name: &'static str) -> Result<Option<BusinessDate>, Noted> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if let Ok(day) = text.parse() {
            return Ok(Some(day));
        }
        let message = format!("{} is no day", quote_cell(text));
        Err(self.refuse(name, message, "write year, month and day such as 2026-03-31"))
    }

    /// A day in a cell that must be filled.
    ///
    /// # Errors
    /// An empty cell or another text, noted.
    pub fn needed_day(&mut self, name: &'static str) -> Result<BusinessDate, Noted> {
        self.optional_day(name)?.ok_or_else(|| self.refuse(name, "the cell is empty", "write a day such as 2026-03-31"))
    }

    /// A code of a closed list, or nothing; the cure names the list.
    ///
    /// # Errors
    /// Another text, noted.
    pub fn optional_code<T>(&mut self, name: &'static str) -> Result<Option<T>, Noted>
    where
        T: FromStr + IntoEnumIterator + Into<&'static str>,
    {
        let Some(text) = self.text(name) else { return Ok(None) };
        if let Ok(code) = text.parse() {
            return Ok(Some(code));
        }
        let message = format!("{} is no such code", quote_cell(text));
        Err(self.refuse(name, message, one_of::<T>()))
    }

    /// A code of a closed list in a cell that must be filled.
    ///
    /// # Errors
    /// An empty cell or another text, noted.
    pub fn needed_code<T>(&mut self, name: &'static str) -> Result<T, Noted>
    where
        T: FromStr + IntoEnumIterator + Into<&'static str>,
    {
        self.optional_code(name)?.ok_or_else(|| self.refuse(name, "the cell is empty", one_of::<T>()))
    }

    /// The parts of a cell that lists several, divided by semicolons (also those of Chinese type).
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let parts = self.text(name).into_iter().flat_map(|text| text.split([';', '；']));
        parts.map(str::trim).filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect()
    }
}

/// The cure for a code that is none.
fn one_of<T: IntoEnumIterator + Into<&'static str>>() -> String {
    format!("write one of {}", T::iter().map(Into::into).collect::<Vec<&str>>().join(", "))
}
