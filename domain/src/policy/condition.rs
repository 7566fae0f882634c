//! Conditions on the facts of a resident: a list of tests that must all pass.

use std::collections::BTreeSet;

use super::{
    document::{Entry, Section},
    fact::{self, FactDeclarations, FactKind, FactValue},
};
use crate::{
    assessment::Level,
    money::Fen,
    resident::{Category, DisabilityKind, LifeStatus, Living, Sex},
};

/// One test of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// At least so many full years old.
    AgeMin(u32),
    /// Fewer full years old.
    AgeBelow(u32),
    /// Of this sex.
    Sex(Sex),
    /// Registered (户籍) in a division that begins with one of these prefixes.
    HukouWithin(BTreeSet<String>),
    /// Living in a division that begins with one of these prefixes.
    ResidenceWithin(BTreeSet<String>),
    /// At least this much in need of care.
    LevelMin(Level),
    /// At most this much in need of care.
    LevelMax(Level),
    /// One of these levels.
    Levels(BTreeSet<Level>),
    /// In one of these categories or more.
    CategoriesAny(BTreeSet<Category>),
    /// In none of these categories.
    CategoriesNone(BTreeSet<Category>),
    /// Living in one of these ways.
    LivingAny(BTreeSet<Living>),
    /// Living in none of these ways.
    LivingNone(BTreeSet<Living>),
    /// One of these states.
    StatusAny(BTreeSet<LifeStatus>),
    /// None of these states.
    StatusNone(BTreeSet<LifeStatus>),
    /// One of these disability grades; 1 is the gravest.
    DisabilityGrades(BTreeSet<u8>),
    /// One of these kinds of disability.
    DisabilityKinds(BTreeSet<DisabilityKind>),
    /// Monthly income per head of the household of at least this much.
    IncomeMin(Fen),
    /// Monthly income per head of the household below this line.
    IncomeBelow(Fen),
    /// A declared fact has this value.
    FactIs(String, FactValue),
    /// A declared fact does not have this value.
    FactIsNot(String, FactValue),
    /// A declared number is at least this.
    FactMin(String, i64),
    /// A declared number is below this.
    FactBelow(String, i64),
}

/// Tests that must all pass. Without tests everyone passes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition(Vec<Test>);

const AGE_MAX: u32 = 150;
/// Lengths of a division prefix by level: province, city, county, street, community.
const PREFIX_LENGTHS: [usize; 5] = [2, 4, 6, 9, 12];

impl Condition {
    /// The tests in a fixed order.
    #[must_use]
    pub fn tests(&self) -> &[Test] {
        &self.0
    }

    /// Whether everyone passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether whoever passes this condition surely passes the other: each test of the other stands here too.
    #[must_use]
    pub fn implies(&self, other: &Self) -> bool {
        other.0.iter().all(|test| self.0.contains(test))
    }

    /// Reads the condition in a table of its own; without the table everyone passes.
    pub(super) fn read_nested(section: &Section<'_>, key: &'static str, declarations: &FactDeclarations) -> Self {
        let Some(table) = section.get(key).and_then(|entry| entry.section()) else { return Self::default() };
        let condition = Self::read(&table, declarations);
        table.refuse_unknown_keys();
        if condition.is_empty() {
            section.fault_at(table.line(), key, "asks for nothing", "write a condition, or remove the table");
        }
        condition
    }

    /// Reads the keys of a condition; the caller refuses unknown keys when it has read its own.
    pub(super) fn read(section: &Section<'_>, declarations: &FactDeclarations) -> Self {
        let mut tests = Vec::new();
        read_person(section, &mut tests);
        read_circumstances(section, &mut tests);
        read_facts(section, declarations, &mut tests);
        refuse_empty_ranges(section, &tests);
        Self(tests)
    }
}

fn read_person(section: &Section<'_>, tests: &mut Vec<Test>) {
    let age = |key| section.get(key).and_then(|entry| entry.count(0, AGE_MAX));
    tests.extend(age("age_min").map(Test::AgeMin));
    tests.extend(age("age_below").map(Test::AgeBelow));
    tests.extend(section.get("sex").and_then(|entry| entry.code("\"male\" or \"female\"")).map(Test::Sex));
    tests.extend(section.get("hukou_within").and_then(|entry| read_prefixes(&entry)).map(Test::HukouWithin));
    tests.extend(section.get("residence_within").and_then(|entry| read_prefixes(&entry)).map(Test::ResidenceWithin));
}

fn read_circumstances(section: &Section<'_>, tests: &mut Vec<Test>) {
    let level = |key| section.get(key).and_then(|entry| entry.integer(0, 4)).and_then(read_level);
    tests.extend(level("level_min").map(Test::LevelMin));
    tests.extend(level("level_max").map(Test::LevelMax));
    let levels = section.get("levels").and_then(|entry| entry.integers(0, 4));
    tests.extend(levels.map(|numbers| Test::Levels(numbers.into_iter().filter_map(read_level).collect())));
    let categories = |key| section.get(key).and_then(|entry| entry.codes("a category code such as \"dibao\""));
    tests.extend(categories("categories_any").map(Test::CategoriesAny));
    tests.extend(categories("categories_none").map(Test::CategoriesNone));
    let living = |key| section.get(key).and_then(|entry| entry.codes("a living code such as \"alone\""));
    tests.extend(living("living_any").map(Test::LivingAny));
    tests.extend(living("living_none").map(Test::LivingNone));
    let status = |key| section.get(key).and_then(|entry| entry.codes("a status code such as \"institution\""));
    tests.extend(status("status_any").map(Test::StatusAny));
    tests.extend(status("status_none").map(Test::StatusNone));
    let grades = section.get("disability_grades").and_then(|entry| entry.integers(1, 4));
    tests.extend(grades.map(|grades| Test::DisabilityGrades(grades.into_iter().filter_map(|grade| u8::try_from(grade).ok()).collect())));
    let kinds = section.get("disability_kinds").and_then(|entry| entry.codes("a disability code such as \"vision\""));
    tests.extend(kinds.map(Test::DisabilityKinds));
    let income = |key| section.get(key).and_then(|entry| entry.integer(0, crate::money::FEN_MAX)).and_then(|fen| Fen::new(fen).ok());
    tests.extend(income("income_month_min_fen").map(Test::IncomeMin));
    tests.extend(income("income_month_below_fen").map(Test::IncomeBelow));
}

fn read_facts(section: &Section<'_>, declarations: &FactDeclarations, tests: &mut Vec<Test>) {
    let table = |key| section.get(key).and_then(|entry: Entry<'_>| entry.section());
    if let Some(facts) = table("facts") {
        let read = |(name, entry): (&str, Entry<'_>)| Some(Test::FactIs(name.to_owned(), fact::read_value(name, &entry, declarations)?));
        tests.extend(facts.entries().filter_map(read));
    }
    if let Some(facts) = table("facts_none") {
        let read = |(name, entry): (&str, Entry<'_>)| Some(Test::FactIsNot(name.to_owned(), fact::read_value(name, &entry, declarations)?));
        tests.extend(facts.entries().filter_map(read));
    }
    if let Some(facts) = table("facts_min") {
        let read = |(name, entry): (&str, Entry<'_>)| Some(Test::FactMin(name.to_owned(), read_bound(name, &entry, declarations)?));
        tests.extend(facts.entries().filter_map(read));
    }
    if let Some(facts) = table("facts_below") {
        let read = |(name, entry): (&str, Entry<'_>)| Some(Test::FactBelow(name.to_owned(), read_bound(name, &entry, declarations)?));
        tests.extend(facts.entries().filter_map(read));
    }
}

fn read_bound(name: &str, entry: &Entry<'_>, declarations: &FactDeclarations) -> Option<i64> {
    let declaration = fact::declaration_of(name, entry, declarations)?;
    if declaration.kind == FactKind::Int {
        return entry.integer(i64::MIN, i64::MAX);
    }
    entry.fault(format!("{name} is not declared as a number"), "declare it with kind = \"int\", or compare it under facts");
    None
}

fn read_level(number: i64) -> Option<Level> {
    u8::try_from(number).ok().and_then(|number| Level::try_from(number).ok())
}

/// Whether a text is the code of a division or the beginning of one that ends with a level.
pub(super) fn is_division_prefix(text: &str) -> bool {
    PREFIX_LENGTHS.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

pub(super) const PREFIX_CURE: &str = "write the 2, 4, 6, 9 or 12 leading digits of a division code in quotes, such as \"12\"";

fn read_prefixes(entry: &Entry<'_>) -> Option<BTreeSet<String>> {
    let prefixes: BTreeSet<String> = entry.codes("the leading digits of a division code")?;
    if prefixes.iter().all(|prefix| is_division_prefix(prefix)) {
        return Some(prefixes);
    }
    entry.fault("not a division prefix", PREFIX_CURE);
    None
}

/// Refuses two bounds of one fact between which nothing lies.
fn refuse_empty_ranges(section: &Section<'_>, tests: &[Test]) {
    let (mut age, mut level, mut income) = ((None, None), (None, None), (None, None));
    for test in tests {
        if let Test::AgeMin(years) = test {
            age.0 = Some(*years);
        } else if let Test::AgeBelow(years) = test {
            age.1 = Some(*years);
        } else if let Test::LevelMin(min) = test {
            level.0 = Some(*min);
        } else if let Test::LevelMax(max) = test {
            level.1 = Some(*max);
        } else if let Test::IncomeMin(fen) = test {
            income.0 = Some(*fen);
        } else if let Test::IncomeBelow(fen) = test {
            income.1 = Some(*fen);
        }
    }
    if age.0.zip(age.1).is_some_and(|(min, below)| min >= below) {
        section.fault("age_below", "no age is at least age_min and below age_below", "raise age_below above age_min");
    }
    if level.0.zip(level.1).is_some_and(|(min, max)| min > max) {
        section.fault("level_max", "no level lies between level_min and level_max", "raise level_max to level_min or more");
    }
    if income.0.zip(income.1).is_some_and(|(min, below)| min >= below) {
        section.fault("income_month_below_fen", "no income lies between the two lines", "raise it above income_month_min_fen");
    }
}
