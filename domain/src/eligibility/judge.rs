//! One test against the facts of one resident.

use std::{collections::BTreeSet, fmt::Display};

use super::{Facts, Reason};
use crate::{
    assessment::Level,
    policy::{FactDeclarations, FactValue, Test},
    resident::Category,
    time::BusinessDate,
};

/// What came of one test.
pub(super) struct Judged {
    /// The key under which the file writes the test.
    pub(super) rule: String,
    /// What it looked at.
    pub(super) inputs: String,
    /// Passed, or why not.
    pub(super) outcome: Result<(), Reason>,
}

/// Judges one test as of a day; `declarations` are those of the policy that asks.
pub(super) fn judge(test: &Test, facts: &Facts, on: BusinessDate, declarations: &FactDeclarations) -> Judged {
    let age = facts.birth_date.filter(|birth| *birth <= on).map(|birth| i64::from(on.full_years_since(birth)));
    let level = facts.level.map(|level| i64::from(level.number()));
    let grade = facts.disability_grade;
    let income = facts.income_month_fen.map(crate::money::Fen::get);
    match test {
        Test::AgeMin(min) => at_least("age_min", &Fact::open("age", age), i64::from(*min)),
        Test::AgeBelow(limit) => below("age_below", &Fact::open("age", age), i64::from(*limit)),
        Test::Sex(wanted) => one_of("sex", "sex", facts.sex, &BTreeSet::from([*wanted])),
        Test::HukouWithin(prefixes) => within("hukou_within", "hukou", facts.hukou.as_deref(), prefixes),
        Test::ResidenceWithin(prefixes) => within("residence_within", "residence", facts.residence.as_deref(), prefixes),
        Test::LevelMin(min) => at_least("level_min", &Fact::hidden("level", level), i64::from(min.number())),
        Test::LevelMax(max) => below("level_max", &Fact::hidden("level", level), i64::from(max.number()).saturating_add(1)),
        Test::Levels(wanted) => {
            one_of("levels", "level", facts.level.map(Level::number), &wanted.iter().copied().map(Level::number).collect())
        }
        Test::CategoriesAny(wanted) => any_category(facts.categories.as_ref(), wanted),
        Test::CategoriesNone(excluded) => no_category(facts.categories.as_ref(), excluded),
        Test::LivingAny(wanted) => one_of("living_any", "living", facts.living, wanted),
        Test::LivingNone(excluded) => none_of("living_none", "living", facts.living, excluded),
        Test::StatusAny(wanted) => one_of("status_any", "status", facts.status, wanted),
        Test::StatusNone(excluded) => none_of("status_none", "status", facts.status, excluded),
        Test::DisabilityGrades(wanted) => one_of("disability_grades", "disability_grade", grade, wanted),
        Test::DisabilityKinds(wanted) => one_of("disability_kinds", "disability_kind", facts.disability_kind, wanted),
        Test::IncomeMin(min) => at_least("income_month_min_fen", &Fact::hidden("income_month_fen", income), min.get()),
        Test::IncomeBelow(limit) => below("income_month_below_fen", &Fact::hidden("income_month_fen", income), limit.get()),
        Test::FactIs(name, wanted) => Declared::of(name, facts, declarations).is(wanted),
        Test::FactIsNot(name, excluded) => Declared::of(name, facts, declarations).is_not(excluded),
        Test::FactMin(name, min) => Declared::of(name, facts, declarations).number("facts_min", |rule, fact| at_least(rule, fact, *min)),
        Test::FactBelow(name, limit) => {
            Declared::of(name, facts, declarations).number("facts_below", |rule, fact| below(rule, fact, *limit))
        }
    }
}

/// A number that is known or not, and whether a reason may repeat it.
struct Fact<'a> {
    name: &'a str,
    value: Option<i64>,
    is_open: bool,
}

impl<'a> Fact<'a> {
    fn open(name: &'a str, value: Option<i64>) -> Self {
        Self { name, value, is_open: true }
    }

    fn hidden(name: &'a str, value: Option<i64>) -> Self {
        Self { name, value, is_open: false }
    }

    fn judged(&self, rule: &str, refuse: impl FnOnce(i64, Option<i64>) -> Option<Reason>) -> Judged {
        let shown = |value: i64| self.is_open.then_some(value);
        let outcome = match self.value {
            None => Err(Reason::unknown(self.name)),
            Some(value) => refuse(value, shown(value)).map_or(Ok(()), Err),
        };
        Judged { rule: rule.to_owned(), inputs: input(self.name, self.value), outcome }
    }
}

fn at_least(rule: &str, fact: &Fact<'_>, min: i64) -> Judged {
    fact.judged(rule, |value, actual| (value < min).then(|| Reason::Below { fact: fact.name.to_owned(), actual, min }))
}

fn below(rule: &str, fact: &Fact<'_>, limit: i64) -> Judged {
    fact.judged(rule, |value, actual| (value >= limit).then(|| Reason::NotBelow { fact: fact.name.to_owned(), actual, limit }))
}

fn input(name: &str, value: Option<impl Display>) -> String {
    value.map_or_else(|| format!("{name}=?"), |value| format!("{name}={value}"))
}

fn texts<T: Display>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

fn one_of<T: Ord + Copy + Display>(rule: &str, name: &str, value: Option<T>, wanted: &BTreeSet<T>) -> Judged {
    let outcome = match value {
        None => Err(Reason::unknown(name)),
        Some(value) if wanted.contains(&value) => Ok(()),
        Some(_) => Err(Reason::NotIn { fact: name.to_owned(), wanted: texts(wanted) }),
    };
    Judged { rule: rule.to_owned(), inputs: input(name, value), outcome }
}

fn none_of<T: Ord + Copy + Display>(rule: &str, name: &str, value: Option<T>, excluded: &BTreeSet<T>) -> Judged {
    let outcome = match value {
        None => Err(Reason::unknown(name)),
        Some(value) if excluded.contains(&value) => Err(Reason::excluded(name, value)),
        Some(_) => Ok(()),
    };
    Judged { rule: rule.to_owned(), inputs: input(name, value), outcome }
}

/// A division that is known with fewer digits than the prefix is not known well enough.
fn within(rule: &str, name: &str, division: Option<&str>, prefixes: &BTreeSet<String>) -> Judged {
    let outcome = match division {
        None => Err(Reason::unknown(name)),
        Some(code) if prefixes.iter().any(|prefix| code.starts_with(prefix.as_str())) => Ok(()),
        Some(code) if prefixes.iter().any(|prefix| prefix.starts_with(code)) => Err(Reason::unknown(name)),
        Some(_) => Err(Reason::NotIn { fact: name.to_owned(), wanted: texts(prefixes) }),
    };
    Judged { rule: rule.to_owned(), inputs: input(name, division), outcome }
}

fn category_inputs(categories: Option<&BTreeSet<Category>>) -> String {
    let listed = |known: &BTreeSet<Category>| if known.is_empty() { "none".to_owned() } else { texts(known).join("|") };
    input("categories", categories.map(listed))
}

fn any_category(categories: Option<&BTreeSet<Category>>, wanted: &BTreeSet<Category>) -> Judged {
    let outcome = match categories {
        None => Err(Reason::unknown("categories")),
        Some(known) if known.is_disjoint(wanted) => Err(Reason::NotIn { fact: "categories".to_owned(), wanted: texts(wanted) }),
        Some(_) => Ok(()),
    };
    Judged { rule: "categories_any".to_owned(), inputs: category_inputs(categories), outcome }
}

fn no_category(categories: Option<&BTreeSet<Category>>, excluded: &BTreeSet<Category>) -> Judged {
    let outcome = match categories {
        None => Err(Reason::unknown("categories")),
        Some(known) => known.intersection(excluded).next().map_or(Ok(()), |category| Err(Reason::excluded("categories", category))),
    };
    Judged { rule: "categories_none".to_owned(), inputs: category_inputs(categories), outcome }
}

/// A declared fact: not known, known, or with a value that its declaration does not allow. Such a value passes no
/// test, also no exclusion.
struct Declared<'a> {
    name: &'a str,
    value: Option<&'a FactValue>,
    is_valid: bool,
}

impl<'a> Declared<'a> {
    fn of(name: &'a str, facts: &'a Facts, declarations: &FactDeclarations) -> Self {
        let value = facts.declared.get(name);
        let is_valid = value.is_none_or(|value| declarations.get(name).is_some_and(|declaration| declaration.kind.admits(value)));
        Self { name, value, is_valid }
    }

    fn judged(&self, group: &str, refuse: impl FnOnce(&FactValue) -> Option<Reason>) -> Judged {
        let outcome = match self.value {
            None => Err(Reason::unknown(self.name)),
            Some(_) if !self.is_valid => Err(Reason::Invalid { fact: self.name.to_owned() }),
            Some(value) => refuse(value).map_or(Ok(()), Err),
        };
        Judged { rule: format!("{group}.{}", self.name), inputs: input(self.name, self.value), outcome }
    }

    fn is(&self, wanted: &FactValue) -> Judged {
        let missed = || Reason::NotIn { fact: self.name.to_owned(), wanted: vec![wanted.to_string()] };
        self.judged("facts", |value| (value != wanted).then(missed))
    }

    fn is_not(&self, excluded: &FactValue) -> Judged {
        self.judged("facts_none", |value| (value == excluded).then(|| Reason::excluded(self.name, value)))
    }

    fn number(&self, group: &str, compare: impl FnOnce(&str, &Fact<'_>) -> Judged) -> Judged {
        match self.value {
            Some(FactValue::Int(number)) if self.is_valid => {
                compare(&format!("{group}.{}", self.name), &Fact::hidden(self.name, Some(*number)))
            }
            Some(FactValue::Int(_) | FactValue::Bool(_) | FactValue::Text(_)) | None => {
                self.judged(group, |_| Some(Reason::Invalid { fact: self.name.to_owned() }))
            }
        }
    }
}
