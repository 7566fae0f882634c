//! The checklist file: what is done at a visit of each service, and what must be checked before it.

use strum::{Display, EnumString, IntoEnumIterator, IntoStaticStr};

use super::ItemCode;
use crate::{
    assessment::Level,
    policy::{
        PolicyFault, Title,
        document::{self, Entry, Section},
        read_title,
    },
    time::BusinessDate,
};

const FILE: &str = "checklists.toml";
const TEXT: &str = include_str!("../../data/checklists.toml");
/// No number on a checklist is larger.
const NUMBER_MAX: i64 = 100_000;
/// Longest validity of a check, in minutes.
const VALID_MAX: u32 = 240;

/// What a value on a checklist counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MeasureUnit {
    /// Tenths of a degree Celsius.
    TenthsCelsius,
    /// Millimetres of mercury.
    Mmhg,
    /// Per minute.
    PerMinute,
    /// Hundredths of the whole.
    Percent,
    /// Minutes.
    Minutes,
}

/// A whole number that goes with a task or a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueRule {
    /// What it counts.
    pub unit: MeasureUnit,
    /// Smallest number that can be true.
    pub min: i64,
    /// Largest number that can be true.
    pub max: i64,
}

/// One task of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Stable code.
    pub code: String,
    /// Name.
    pub title: Title,
    /// Whether the service was not given if it was not done.
    pub required: bool,
    /// What is measured or counted with it.
    pub value: Option<ValueRule>,
}

/// What follows when a check is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Display, EnumString, IntoStaticStr, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Consequence {
    /// Put it right and measure once more.
    MeasureAgain,
    /// The service must not begin today.
    Stop,
}

/// One number to be measured before a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Stable code.
    pub code: String,
    /// Name.
    pub title: Title,
    /// What it counts and what can be true.
    pub value: ValueRule,
    /// From where on the service may begin.
    pub ok_min: i64,
    /// Up to where.
    pub ok_max: i64,
    /// What follows outside.
    pub outside: Consequence,
}

/// One question to be answered before a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Stable code.
    pub code: String,
    /// Name.
    pub title: Title,
    /// The answer with which the service may begin.
    pub ok: bool,
    /// What follows otherwise.
    pub otherwise: Consequence,
}

/// What must be checked before a service that can harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetyRule {
    item: ItemCode,
    effective: (BusinessDate, Option<BusinessDate>),
    level_min: Level,
    minutes_valid: u32,
    measures: Vec<Measure>,
    questions: Vec<Question>,
}

impl SafetyRule {
    /// Whether a resident needs the check. Whose level is not known is treated as if it were bad.
    #[must_use]
    pub fn is_needed(&self, level: Option<Level>, has_disability: bool) -> bool {
        has_disability || level.is_none_or(|level| level >= self.level_min)
    }

    /// How long a passed check holds, in minutes.
    #[must_use]
    pub const fn minutes_valid(&self) -> u32 {
        self.minutes_valid
    }

    /// What is measured.
    #[must_use]
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// What is asked.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Checklist {
    item: ItemCode,
    effective: (BusinessDate, Option<BusinessDate>),
    tasks: Vec<Task>,
}

/// All checklists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checklists {
    checklists: Vec<Checklist>,
    safety: Vec<SafetyRule>,
}

impl Checklists {
    /// Reads and checks a file completely.
    ///
    /// # Errors
    /// Every fault of the file, in order of line.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<PolicyFault>> {
        document::read(file, text, read_file)
    }

    /// The shipped checklists.
    ///
    /// # Errors
    /// Every fault of the shipped file; a test keeps it clean.
    pub fn shipped() -> Result<Self, Vec<PolicyFault>> {
        Self::parse(FILE, TEXT)
    }

    /// The tasks of a service on a day.
    #[must_use]
    pub fn tasks(&self, item: ItemCode, date: BusinessDate) -> &[Task] {
        let found = self.checklists.iter().find(|list| list.item == item && is_in_force(list.effective, date));
        found.map_or(&[], |list| &list.tasks)
    }

    /// What must be checked before a service on a day; none for most services.
    #[must_use]
    pub fn safety(&self, item: ItemCode, date: BusinessDate) -> Option<&SafetyRule> {
        self.safety.iter().find(|rule| rule.item == item && is_in_force(rule.effective, date))
    }
}

fn is_in_force((from, until): (BusinessDate, Option<BusinessDate>), date: BusinessDate) -> bool {
    from <= date && until.is_none_or(|until| date < until)
}

fn read_file(root: &Section<'_>) -> Option<Checklists> {
    let format = root.require("format", "1").and_then(|entry| entry.integer(1, 1));
    let lists = root.require("checklists", "[[checklists]] with item and tasks").map(|entry| entry.sections()).unwrap_or_default();
    let rules = root.get("safety").map(|entry| entry.sections()).unwrap_or_default();
    root.refuse_unknown_keys();
    let checklists: Vec<Checklist> = lists.iter().filter_map(read_checklist).collect();
    let safety: Vec<SafetyRule> = rules.iter().filter_map(read_safety).collect();
    refuse_overlaps(root, "checklists", checklists.iter().map(|list| (list.item, list.effective)));
    refuse_overlaps(root, "safety", safety.iter().map(|rule| (rule.item, rule.effective)));
    if checklists.len() == lists.len() {
        for code in ItemCode::iter().filter(|code| !checklists.iter().any(|list| list.item == *code)) {
            root.fault("checklists", format!("no checklist for {code}"), format!("add [[checklists]] with item = \"{code}\""));
        }
    }
    format?;
    Some(Checklists { checklists, safety })
}

type Span = (ItemCode, (BusinessDate, Option<BusinessDate>));

fn refuse_overlaps(root: &Section<'_>, key: &'static str, spans: impl Iterator<Item = Span>) {
    let mut earlier: Vec<Span> = Vec::new();
    for (item, (from, until)) in spans {
        let ends_after = |until: Option<BusinessDate>, day: BusinessDate| until.is_none_or(|until| day < until);
        if earlier.iter().any(|(other, span)| *other == item && ends_after(span.1, from) && ends_after(until, span.0)) {
            root.fault(key, format!("two of {item} hold on one day"), "end the earlier one with effective_until");
        }
        earlier.push((item, (from, until)));
    }
}

fn read_head(section: &Section<'_>) -> Option<Span> {
    let item = section.require("item", "\"bathing\"").and_then(|entry| entry.code("an item code such as \"bathing\""));
    let from = section.require("effective_from", "2026-01-01").and_then(|entry| entry.date());
    let until = section.get("effective_until").and_then(|entry| entry.date());
    Some((item?, (from?, until)))
}

fn read_checklist(section: &Section<'_>) -> Option<Checklist> {
    let head = read_head(section);
    let listed = section.require("tasks", "a list of tables with code, title and required").map(|entry| entry.sections());
    section.refuse_unknown_keys();
    let tasks: Vec<Task> = listed?.iter().filter_map(read_task).collect();
    refuse_doubles(section, "tasks", tasks.iter().map(|task| task.code.as_str()));
    let (item, effective) = head?;
    Some(Checklist { item, effective, tasks })
}

fn refuse_doubles<'a>(section: &Section<'_>, key: &'static str, codes: impl Iterator<Item = &'a str>) {
    let mut known = std::collections::BTreeSet::new();
    for code in codes {
        if !known.insert(code) {
            section.fault(key, format!("{code} stands twice"), "write each code once");
        }
    }
}

fn read_code(section: &Section<'_>) -> Option<String> {
    let entry = section.require("code", "\"bath\"")?;
    let code = entry.text()?;
    let sound = code.len() <= 40 && code.starts_with(|c: char| c.is_ascii_lowercase()) && code.bytes().all(is_code_byte);
    if !sound {
        entry.fault("not a code", "write at most 40 small letters, digits and underscores, beginning with a letter");
    }
    sound.then(|| code.to_owned())
}

const fn is_code_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

fn read_task(section: &Section<'_>) -> Option<Task> {
    let code = read_code(section);
    let title = read_title(section);
    let required = section.require("required", "true").and_then(|entry| entry.boolean());
    let value = section.get("value").map(|entry| entry.section().and_then(|value| read_task_value(&value)));
    section.refuse_unknown_keys();
    let value = match value {
        Some(value) => Some(value?),
        None => None,
    };
    Some(Task { code: code?, title: title?, required: required?, value })
}

fn read_task_value(section: &Section<'_>) -> Option<ValueRule> {
    let value = read_value(section);
    section.refuse_unknown_keys();
    value
}

/// `unit`, `min` and `max`.
fn read_value(section: &Section<'_>) -> Option<ValueRule> {
    let unit = section
        .require("unit", "\"minutes\"")
        .and_then(|entry| entry.code("\"tenths_celsius\", \"mmhg\", \"per_minute\", \"percent\" or \"minutes\""));
    let min = section.require("min", "0").and_then(|entry| entry.integer(0, NUMBER_MAX));
    let max = section.require("max", "100").and_then(|entry| entry.integer(0, NUMBER_MAX));
    let (unit, min, max) = (unit?, min?, max?);
    if min > max {
        section.fault("max", "below min", "write min <= max");
        return None;
    }
    Some(ValueRule { unit, min, max })
}

fn read_safety(section: &Section<'_>) -> Option<SafetyRule> {
    let head = read_head(section);
    let level_min = section.require("level_min", "1").and_then(|entry: Entry<'_>| entry.integer(0, 4));
    let level_min = level_min.and_then(|number| u8::try_from(number).ok()).and_then(|number| Level::try_from(number).ok());
    let minutes_valid = section.require("minutes_valid", "30").and_then(|entry| entry.count(1, VALID_MAX));
    let measures = section.require("measures", "a list of tables with code, title, unit, …").map(|entry| entry.sections());
    let questions = section.require("answers", "a list of tables with code, title, ok, …").map(|entry| entry.sections());
    section.refuse_unknown_keys();
    let measures: Vec<Measure> = measures?.iter().filter_map(read_measure).collect();
    let questions: Vec<Question> = questions?.iter().filter_map(read_question).collect();
    refuse_doubles(section, "measures", measures.iter().map(|measure| measure.code.as_str()));
    refuse_doubles(section, "answers", questions.iter().map(|question| question.code.as_str()));
    let (item, effective) = head?;
    Some(SafetyRule { item, effective, level_min: level_min?, minutes_valid: minutes_valid?, measures, questions })
}

fn read_consequence(section: &Section<'_>, key: &'static str) -> Option<Consequence> {
    section.require(key, "\"stop\"").and_then(|entry| entry.code("\"stop\" or \"measure_again\""))
}

fn read_measure(section: &Section<'_>) -> Option<Measure> {
    let code = read_code(section);
    let title = read_title(section);
    let value = read_value(section);
    let ok_min = section.require("ok_min", "90").and_then(|entry| entry.integer(0, NUMBER_MAX));
    let ok_max = section.require("ok_max", "160").and_then(|entry| entry.integer(0, NUMBER_MAX));
    let outside = read_consequence(section, "outside");
    section.refuse_unknown_keys();
    let measure = Measure { code: code?, title: title?, value: value?, ok_min: ok_min?, ok_max: ok_max?, outside: outside? };
    if !(measure.value.min <= measure.ok_min && measure.ok_min <= measure.ok_max && measure.ok_max <= measure.value.max) {
        section.fault("ok_max", "limits in the wrong order", "write min <= ok_min <= ok_max <= max");
    }
    Some(measure)
}

fn read_question(section: &Section<'_>) -> Option<Question> {
    let code = read_code(section);
    let title = read_title(section);
    let ok = section.require("ok", "false").and_then(|entry| entry.boolean());
    let otherwise = read_consequence(section, "otherwise");
    section.refuse_unknown_keys();
    Some(Question { code: code?, title: title?, ok: ok?, otherwise: otherwise? })
}

#[cfg(test)]
mod tests;
