//! Reads a TOML document key by key and collects every fault with its line, so that an analyst sees all of
//! them at once. A key that nobody asked for is a fault: a misspelt rule must not be silently without effect.

use std::{cell::RefCell, collections::BTreeSet, ops::Range, str::FromStr};

use toml::de::{DeTable, DeValue};

use super::PolicyFault;
use crate::time::BusinessDate;

/// Larger files are refused unread: a policy is a few pages, and reading must stay bounded.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// One file that is being read.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    file: &'a str,
    line_ends: Vec<usize>,
    faults: RefCell<Vec<PolicyFault>>,
}

/// Reads `text` with `build`; gives the built value, or every fault in order of line.
pub(crate) fn read<T>(file: &str, text: &str, build: impl FnOnce(&Section<'_>) -> Option<T>) -> Result<T, Vec<PolicyFault>> {
    let line_ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
    let document = Document { file, line_ends, faults: RefCell::default() };
    if text.len() > TEXT_BYTES_MAX {
        document.fault(1, "file", format!("larger than {TEXT_BYTES_MAX} bytes"), "split it: one programme version is one file");
        return Err(document.into_faults());
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = document.line(&error.span().unwrap_or_default());
        document.fault(line, "toml", error.message().trim(), "write valid TOML 1.0");
    }
    if !errors.is_empty() {
        return Err(document.into_faults());
    }
    let outcome = build(&Section { document: &document, table: table.get_ref(), path: String::new(), line: 1, asked: RefCell::default() });
    match outcome {
        Some(value) if document.is_clean() => Ok(value),
        Some(_) | None => Err(document.into_faults()),
    }
}

impl Document<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        self.line_ends.partition_point(|end| *end < span.start).saturating_add(1)
    }

    fn fault(&self, line: usize, rule: impl Into<String>, message: impl Into<String>, cure: impl Into<String>) {
        let (rule, message, cure) = (rule.into(), message.into(), cure.into());
        self.faults.borrow_mut().push(PolicyFault { file: self.file.to_owned(), line, rule, message, cure });
    }

    fn is_clean(&self) -> bool {
        self.faults.borrow().is_empty()
    }

    fn into_faults(self) -> Vec<PolicyFault> {
        let mut faults = self.faults.into_inner();
        faults.sort();
        faults.dedup();
        faults
    }
}

/// One table of the document.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    document: &'a Document<'a>,
    table: &'a DeTable<'a>,
    path: String,
    line: usize,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    /// The entry of a key, if there is one.
    pub(crate) fn get(&self, key: &'static str) -> Option<Entry<'a>> {
        self.asked.borrow_mut().insert(key);
        let (found, value) = self.table.get_key_value(key)?;
        Some(Entry { document: self.document, value: value.get_ref(), path: self.join(key), line: self.document.line(&found.span()) })
    }

    /// The entry of a key that must be there.
    pub(crate) fn require(&self, key: &'static str, example: &str) -> Option<Entry<'a>> {
        let entry = self.get(key);
        if entry.is_none() {
            self.document.fault(self.line, self.join(key), "missing", format!("add {key} = {example}"));
        }
        entry
    }

    /// All entries, for tables whose keys the file itself chooses. Counts as asking for every key.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'a str, Entry<'a>)> + '_ {
        self.table.iter().map(|(key, value)| {
            let name: &str = key.get_ref();
            let line = self.document.line(&key.span());
            (name, Entry { document: self.document, value: value.get_ref(), path: self.join(name), line })
        })
    }

    /// Refuses the keys that nobody asked for.
    pub(crate) fn refuse_unknown_keys(&self) {
        let asked = self.asked.borrow();
        for (name, entry) in self.entries().filter(|(name, _)| !asked.contains(name)) {
            let known = asked.iter().copied().collect::<Vec<_>>().join(", ");
            entry.fault(format!("unknown key {name}"), format!("remove it or use one of {known}"));
        }
    }

    /// Records a fault at a key, or at the table's header when the key is not there.
    pub(crate) fn fault(&self, key: &str, message: impl Into<String>, cure: impl Into<String>) {
        let line = self.table.get_key_value(key).map_or(self.line, |(found, _)| self.document.line(&found.span()));
        self.document.fault(line, self.join(key), message, cure);
    }

    /// Records a fault that stands in another line than the table's header.
    pub(crate) fn fault_at(&self, line: usize, key: &str, message: impl Into<String>, cure: impl Into<String>) {
        self.document.fault(line, self.join(key), message, cure);
    }

    /// Line of the table's header.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    fn join(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// One key with its value.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    document: &'a Document<'a>,
    value: &'a DeValue<'a>,
    path: String,
    line: usize,
}

impl<'a> Entry<'a> {
    /// Records a fault of this entry.
    pub(crate) fn fault(&self, message: impl Into<String>, cure: impl Into<String>) {
        self.document.fault(self.line, self.path.as_str(), message, cure);
    }

    /// Line of the key.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    fn wrong_kind<T>(&self, wanted: &str) -> Option<T> {
        self.fault(format!("{} where {wanted} is wanted", kind_name(self.value)), format!("write {wanted}"));
        None
    }

    /// A text that is not blank.
    pub(crate) fn text(&self) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) if text.trim().is_empty() => {
                self.fault("empty text", "fill it in, or leave the key out if it may be left out");
                None
            }
            DeValue::String(text) => Some(text.as_ref()),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => self.wrong_kind("a text in quotes"),
        }
    }

    /// A whole number from `min` to `max`.
    pub(crate) fn integer(&self, min: i64, max: i64) -> Option<i64> {
        let DeValue::Integer(digits) = self.value else { return self.wrong_kind("a whole number") };
        let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok().filter(|number| (min..=max).contains(number));
        if number.is_none() {
            self.fault("number out of range", format!("write a whole number from {min} to {max}"));
        }
        number
    }

    /// A small whole number from `min` to `max`.
    pub(crate) fn count(&self, min: u32, max: u32) -> Option<u32> {
        self.integer(i64::from(min), i64::from(max)).and_then(|number| u32::try_from(number).ok())
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self) -> Option<bool> {
        if let DeValue::Boolean(truth) = self.value { Some(*truth) } else { self.wrong_kind("true or false") }
    }

    /// A civil date.
    pub(crate) fn date(&self) -> Option<BusinessDate> {
        let date = match self.value {
            DeValue::Datetime(moment) => moment.to_string().parse().ok(),
            DeValue::String(text) => text.parse().ok(),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        };
        if date.is_none() {
            self.fault("not a date", "write a day of the calendar as 2026-01-31");
        }
        date
    }

    /// A text that is one of the known codes, or has the form that `T` asks for.
    pub(crate) fn code<T: FromStr>(&self, known: &str) -> Option<T> {
        let code = self.text()?.parse().ok();
        if code.is_none() {
            self.fault("wrong code", format!("write {known}"));
        }
        code
    }

    /// The value that belongs to one of these texts.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let choice = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if choice.is_none() {
            let names = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            self.fault("wrong code", format!("write one of {names}"));
        }
        choice
    }

    /// A list of codes, none of them twice and not empty.
    pub(crate) fn codes<T: FromStr + Ord>(&self, known: &str) -> Option<BTreeSet<T>> {
        let codes = self.items()?.iter().map(|item| item.code(known)).collect::<Vec<_>>();
        self.collect_distinct(codes)
    }

    /// A list of whole numbers, none of them twice and not empty.
    pub(crate) fn integers(&self, min: i64, max: i64) -> Option<BTreeSet<i64>> {
        let numbers = self.items()?.iter().map(|item| item.integer(min, max)).collect::<Vec<_>>();
        self.collect_distinct(numbers)
    }

    /// Keeps each value once; a doubled value and an empty list are faults.
    fn collect_distinct<T: Ord>(&self, values: Vec<Option<T>>) -> Option<BTreeSet<T>> {
        let mut kept = BTreeSet::new();
        let (mut any, mut right) = (false, true);
        for value in values {
            any = true;
            let Some(value) = value else {
                right = false;
                continue;
            };
            if !kept.insert(value) {
                self.fault("one value stands twice", "write each value once");
                right = false;
            }
        }
        if !any {
            self.fault("empty list", "write at least one value, or leave the key out if it may be left out");
        }
        (any && right).then_some(kept)
    }

    /// The values of a list.
    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        let DeValue::Array(array) = self.value else { return self.wrong_kind("a list in square brackets") };
        let entry = |(place, item): (usize, &'a toml::Spanned<DeValue<'a>>)| Self {
            document: self.document,
            value: item.get_ref(),
            path: format!("{}[{place}]", self.path),
            line: self.document.line(&item.span()),
        };
        Some(array.iter().enumerate().map(entry).collect())
    }

    /// A table.
    pub(crate) fn section(&self) -> Option<Section<'a>> {
        let DeValue::Table(table) = self.value else { return self.wrong_kind("a table") };
        Some(Section { document: self.document, table, path: self.path.clone(), line: self.line, asked: RefCell::default() })
    }

    /// A list of tables; what is not a table is a fault.
    pub(crate) fn sections(&self) -> Vec<Section<'a>> {
        let items = self.items().unwrap_or_default();
        if items.is_empty() {
            self.fault("empty list", "write at least one table");
        }
        items.iter().filter_map(Self::section).collect()
    }

    /// Whether the value is a text.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.value, DeValue::String(_))
    }

    /// Whether the value is `true` or `false`.
    pub(crate) fn is_boolean(&self) -> bool {
        matches!(self.value, DeValue::Boolean(_))
    }
}

fn kind_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with decimals",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
