//! Sheets: CSV files that people hand in and take away.
//!
//! Reading is strict (RFC 4180 in UTF-8; a byte order mark and any line end are accepted), keeps the physical
//! line of every cell, and describes each fault by line, column and cure. Writing keeps spreadsheets from
//! taking a text for a formula.

mod table;

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

pub use table::{Column, Entry, FAULTS, Grid, Noted, Row, Table};

use crate::error::{Fault, FieldError, Kind};

/// How many faults of one sheet are listed; the rest are counted.
pub const MAX_FAULTS: usize = 100;

/// One fault of a sheet, where it stands and what would cure it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SheetFault {
    /// Physical line in the file, from 1.
    pub line: u64,
    /// Name of the column, or its number where it has no name; empty when the whole line is at fault.
    pub column: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub cure: String,
}

impl SheetFault {
    /// Names the place, the fault and the cure.
    pub fn new(line: u64, column: impl Into<String>, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { line, column: column.into(), message: message.into(), cure: cure.into() }
    }
}

impl fmt::Display for SheetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.column.is_empty() {
            write!(f, ", column {}", self.column)?;
        }
        write!(f, ": {}; {}", self.message, self.cure)
    }
}

impl std::error::Error for SheetFault {}

impl Fault for SheetFault {
    fn code(&self) -> &'static str {
        "sheet.fault"
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        vec![FieldError::new(format!("{}.{}", self.line, self.column), self.code(), self.cure.as_str())]
    }
}

/// The faults found so far; only the first [`MAX_FAULTS`] are kept.
#[derive(Debug, Default)]
pub struct Faults {
    kept: Vec<SheetFault>,
    first_left_out: Option<u64>,
    left_out: u64,
}

impl Faults {
    /// Notes one fault.
    pub fn push(&mut self, fault: SheetFault) {
        if self.kept.len() < MAX_FAULTS {
            self.kept.push(fault);
        } else {
            self.first_left_out.get_or_insert(fault.line);
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// Whether nothing was noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The value when nothing was noted, else every kept fault, and a last line that counts the rest.
    ///
    /// # Errors
    /// The faults.
    pub fn into_result<T>(mut self, value: T) -> Result<T, Vec<SheetFault>> {
        if self.kept.is_empty() {
            return Ok(value);
        }
        if let Some(line) = self.first_left_out {
            self.kept.push(SheetFault::new(line, "", format!("and {} more from here on", self.left_out), "cure the faults above first"));
        }
        Err(self.kept)
    }
}

/// The text of a sheet, without a byte order mark.
///
/// # Errors
/// Names the line that holds the first byte that is not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<&str, SheetFault> {
    let cure = "save the file as CSV in UTF-8";
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(SheetFault::new(1, "", "the file is written in UTF-16", cure));
    }
    let text = str::from_utf8(bytes).map_err(|cause| {
        let sound = bytes.get(..cause.valid_up_to()).and_then(|part| str::from_utf8(part).ok()).unwrap_or_default();
        SheetFault::new(1 + line_ends(sound), "", "the file is not written in UTF-8", cure)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Line ends of any of the three kinds (LF, CR LF, CR).
fn line_ends(text: &str) -> u64 {
    let mut count = 0;
    let mut after_return = false;
    for byte in text.bytes() {
        if byte == b'\r' || (byte == b'\n' && !after_return) {
            count += 1;
        }
        after_return = byte == b'\r';
    }
    count
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell<'a> {
    /// Physical line on which the cell begins.
    pub line: u64,
    /// Its text, without the quotes around it.
    pub text: Cow<'a, str>,
}

/// One row of cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record<'a> {
    /// Physical line on which the row begins.
    pub line: u64,
    /// Its cells, at least one.
    pub cells: Vec<Cell<'a>>,
}

/// Reads the rows of a sheet one by one; lines without any character are passed over. A fault in the quoting
/// ends the reading, since the rest could only be guessed.
#[derive(Debug)]
pub struct Records<'a> {
    rest: &'a str,
    line: u64,
}

impl<'a> Records<'a> {
    /// Begins with the first line of a decoded text.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    fn take(&mut self, prefix: &str) -> bool {
        self.rest.strip_prefix(prefix).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    fn take_line_end(&mut self) -> bool {
        let taken = self.take("\r\n") || self.take("\n") || self.take("\r");
        if taken {
            self.line += 1;
        }
        taken
    }

    fn take_bytes(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn plain_cell(&mut self) -> Result<Cow<'a, str>, &'static str> {
        let length = self.rest.find([',', '"', '\r', '\n']).unwrap_or(self.rest.len());
        let text = self.take_bytes(length);
        if self.rest.starts_with('"') { Err("a quote stands inside a cell that has no quotes around it") } else { Ok(Cow::Borrowed(text)) }
    }

    /// The opening quote is already taken.
    fn quoted_cell(&mut self) -> Result<Cow<'a, str>, &'static str> {
        let mut text = Cow::Borrowed("");
        loop {
            let length = self.rest.find('"').ok_or("a quote is opened here and never closed")?;
            let part = self.take_bytes(length);
            self.line += line_ends(part);
            if text.is_empty() {
                text = Cow::Borrowed(part);
            } else {
                text.to_mut().push_str(part);
            }
            self.take("\"");
            if !self.take("\"") {
                return Ok(text);
            }
            text.to_mut().push('"');
        }
    }

    fn record(&mut self) -> Result<Record<'a>, SheetFault> {
        let mut record = Record { line: self.line, cells: Vec::new() };
        loop {
            let line = self.line;
            let number = record.cells.len() + 1;
            let fault =
                |message| SheetFault::new(line, number.to_string(), message, "put quotes around the whole cell and double those inside");
            let text = if self.take("\"") { self.quoted_cell() } else { self.plain_cell() }.map_err(fault)?;
            record.cells.push(Cell { line, text });
            if self.rest.is_empty() || self.take_line_end() {
                return Ok(record);
            }
            if !self.take(",") {
                return Err(fault("text follows the closing quote of a cell"));
            }
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, SheetFault>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.take_line_end() {}
        if self.rest.is_empty() {
            return None;
        }
        let record = self.record();
        if record.is_err() {
            self.rest = "";
        }
        Some(record)
    }
}

/// Whether a spreadsheet could take the text for a formula: it begins with `=`, `+`, `-`, `@` (also in full
/// width), a tab or a carriage return.
#[must_use]
pub fn begins_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

/// Appends one row. A text that could be taken for a formula is led by an apostrophe.
pub fn push_record<'a>(sheet: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            sheet.push(',');
        }
        push_cell(sheet, cell);
    }
    sheet.push('\n');
}

fn push_cell(sheet: &mut String, cell: &str) {
    let lead = if begins_formula(cell) { "'" } else { "" };
    let quoted = cell.contains([',', '"', '\r', '\n']);
    let quote = if quoted { "\"" } else { "" };
    sheet.push_str(quote);
    sheet.push_str(lead);
    sheet.push_str(&if quoted { Cow::Owned(cell.replace('"', "\"\"")) } else { Cow::Borrowed(cell) });
    sheet.push_str(quote);
}

/// A text as it may be repeated in a message: runs of 15 or more digits, which may be an identity number, are
/// masked, in half and full width.
#[must_use]
pub fn mask_digits(text: &str) -> String {
    const SHOWN_MAX: usize = 14;
    let is_digit = |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c);
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(is_digit) {
        let (before, digits) = rest.split_at_checked(begin).unwrap_or((rest, ""));
        let length = digits.find(|c| !is_digit(c)).unwrap_or(digits.len());
        let (run, after) = digits.split_at_checked(length).unwrap_or((digits, ""));
        masked.push_str(before);
        masked.push_str(if run.chars().count() > SHOWN_MAX { "***" } else { run });
        rest = after;
    }
    masked.push_str(rest);
    masked
}

/// A faulty cell as it may be repeated to whoever handed the sheet in.
///
/// Short ones stand as they are (anything but plain characters is escaped and quoted, long runs of digits are
/// masked), long ones by their length alone.
#[must_use]
pub fn quote_cell(text: &str) -> String {
    const LONGEST: usize = 20;
    let length = text.chars().count();
    if length > LONGEST {
        format!("a cell of {length} characters")
    } else if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        mask_digits(text)
    } else {
        format!("\"{}\"", mask_digits(text).escape_debug())
    }
}

#[cfg(test)]
mod tests;
