//! Reads a whole policy file.

use std::collections::BTreeSet;

use super::{
    Benefit, Class, EndRule, FactDeclarations, Knowledge, Policy, Source, StartRule, Title,
    condition::{Condition, PREFIX_CURE, is_division_prefix},
    document::{Entry, Section},
    fact, fund,
};
use crate::{
    money::{BasisPoints, Rounding},
    time::BusinessDate,
};

/// Length of the public notice where a file does not say: five working days, as most bureaus have it.
const NOTICE_WORKING_DAYS: u32 = 5;

pub(super) fn read_policy(file: &str, root: &Section<'_>) -> Option<Policy> {
    let format = root.require("format", "1").and_then(|entry| entry.integer(1, 1));
    let programme = root.require("programme", "\"city-home-care\"").and_then(|entry| entry.code("a code such as \"city-home-care\""));
    let version = root.require("version", "\"v1\"").and_then(|entry| Some((entry.line(), read_version(&entry)?)));
    let title = read_title(root);
    let division = root.require("division", "\"12\"").and_then(|entry| read_division(&entry));
    let effective = read_effective(root);
    let order_of_use = root.require("order_of_use", "10").and_then(|entry| entry.integer(0, 1_000_000));
    let notice = root.get("notice_working_days").and_then(|entry| entry.count(0, 365));
    let rounding = root.require("rounding", "\"half_up\"").and_then(|entry| read_rounding(&entry));
    let source = root.require("source", "{ name = \"…\", knowledge = \"reported\" }").and_then(|entry| read_source(&entry.section()?));
    let start_rule = read_start(root);
    let end_rule = read_end(root);
    let facts = root.get("facts").and_then(|entry| entry.section()).map(|section| fact::read_declarations(&section)).unwrap_or_default();
    let requires = Condition::read_nested(root, "requires", &facts);
    let classes = read_classes(root, &facts);
    let funds = fund::read_all(root);
    let benefits = read_benefits(root, &facts, &funds);
    root.refuse_unknown_keys();
    let (effective_line, effective_from, effective_until) = effective?;
    let (version_line, version) = version?;
    format?;
    Some(Policy {
        file: file.to_owned(),
        version_line,
        effective_line,
        programme: programme?,
        version,
        title: title?,
        source: source?,
        division: division?,
        effective_from,
        effective_until,
        order_of_use: order_of_use?,
        notice_working_days: notice.unwrap_or(NOTICE_WORKING_DAYS),
        start_rule,
        end_rule,
        rounding: rounding?,
        facts,
        requires,
        classes,
        funds,
        benefits,
    })
}

fn read_version(entry: &Entry<'_>) -> Option<String> {
    let text = entry.text()?;
    let right = text.len() <= 32 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    if !right {
        entry.fault("wrong version name", "write at most 32 small letters, digits, dots and hyphens, such as \"v3\"");
    }
    right.then(|| text.to_owned())
}

/// The names of a thing in both languages.
pub(crate) fn read_title(section: &Section<'_>) -> Option<Title> {
    let table = section.require("title", "{ zh = \"…\", en = \"…\" }")?.section()?;
    let zh = table.require("zh", "\"…\"").and_then(|entry| entry.text());
    let en = table.require("en", "\"…\"").and_then(|entry| entry.text());
    table.refuse_unknown_keys();
    Some(Title { zh: zh?.to_owned(), en: en?.to_owned() })
}

fn read_division(entry: &Entry<'_>) -> Option<String> {
    let text = entry.text()?;
    if !is_division_prefix(text) {
        entry.fault("not a division prefix", PREFIX_CURE);
        return None;
    }
    Some(text.to_owned())
}

/// Line of the first day, the first day, and the first day no longer in force.
fn read_effective(root: &Section<'_>) -> Option<(usize, BusinessDate, Option<BusinessDate>)> {
    let from = root.require("effective_from", "2026-01-01");
    let until = root.get("effective_until");
    let until_date = until.as_ref().and_then(Entry::date);
    let from = from?;
    let from_date = from.date()?;
    if let (Some(until), Some(date)) = (until, until_date)
        && date <= from_date
    {
        until.fault("not after effective_from", "write the first day on which the version is no longer in force");
    }
    Some((from.line(), from_date, until_date))
}

fn read_rounding(entry: &Entry<'_>) -> Option<Rounding> {
    entry.choice(&[("half_up", Rounding::HalfUp), ("half_even", Rounding::HalfEven), ("down", Rounding::Down), ("up", Rounding::Up)])
}

/// Reads a percentage: a whole number, or a text with at most two decimals.
pub(super) fn read_percent(entry: &Entry<'_>) -> Option<BasisPoints> {
    if !entry.is_text() {
        return entry.integer(0, 100).and_then(|percent| BasisPoints::new(percent.checked_mul(100)?).ok());
    }
    // A percentage with two decimals has the form of an amount in yuan: hundredths are basis points.
    let rate = entry.text()?.parse::<crate::money::Fen>().ok().and_then(|hundredths| BasisPoints::new(hundredths.get()).ok());
    if rate.is_none() {
        entry.fault("not a percentage", "write a whole number such as 50, or a text with at most two decimals such as \"33.33\"");
    }
    rate
}

fn read_source(section: &Section<'_>) -> Option<Source> {
    let name = section.require("name", "\"…\"").and_then(|entry| entry.text());
    let number = section.get("number").and_then(|entry| entry.text());
    let date = section.get("date").and_then(|entry| entry.date());
    let knowledge = section.require("knowledge", "\"reported\"").and_then(|entry| entry.code::<Knowledge>("\"confirmed\" or \"reported\""));
    let gaps = section.get("gaps").and_then(|entry| entry.items()).unwrap_or_default();
    let gaps = gaps.iter().filter_map(Entry::text).map(str::to_owned).collect();
    section.refuse_unknown_keys();
    Some(Source { name: name?.to_owned(), number: number.map(str::to_owned), date, knowledge: knowledge?, gaps })
}

/// A file without a start rule starts at once.
fn read_start(root: &Section<'_>) -> StartRule {
    let Some(section) = root.get("start").and_then(|entry| entry.section()) else { return StartRule::AtOnce };
    let rule = section.require("rule", "\"next_month\"");
    let days = section.get("days");
    section.refuse_unknown_keys();
    let kinds = [("at_once", StartRule::AtOnce), ("next_month", StartRule::NextMonth), ("working_days", StartRule::WorkingDays(0))];
    match (rule.and_then(|rule| rule.choice(&kinds)), days) {
        (Some(StartRule::WorkingDays(_)), Some(days)) => StartRule::WorkingDays(days.count(1, 365).unwrap_or_default()),
        (Some(StartRule::WorkingDays(_)), None) => {
            section.fault("days", "missing", "add days = 5");
            StartRule::AtOnce
        }
        (rule, Some(days)) => {
            days.fault("only the rule working_days counts days", "remove the key");
            rule.unwrap_or(StartRule::AtOnce)
        }
        (rule, None) => rule.unwrap_or(StartRule::AtOnce),
    }
}

/// A file without an end rule ends at once.
fn read_end(root: &Section<'_>) -> EndRule {
    let Some(section) = root.get("end").and_then(|entry| entry.section()) else { return EndRule::AtOnce };
    let rule = section.require("rule", "\"next_month\"").and_then(|rule| rule.code("\"at_once\" or \"next_month\""));
    section.refuse_unknown_keys();
    rule.unwrap_or(EndRule::AtOnce)
}

fn read_classes(root: &Section<'_>, facts: &FactDeclarations) -> Vec<Class> {
    let Some(entry) = root.get("eligible") else { return Vec::new() };
    let mut codes = BTreeSet::new();
    let mut classes = Vec::new();
    for section in entry.sections() {
        let code = section.require("class", "\"low-income\"").and_then(|entry| entry.code("a code such as \"low-income\""));
        let effective_from = section.get("effective_from").and_then(|entry| entry.date());
        let when = Condition::read(&section, facts);
        section.refuse_unknown_keys();
        let Some(code) = code else { continue };
        let class = Class { code, effective_from, when };
        if !codes.insert(class.code.clone()) {
            section.fault("class", format!("class {} stands twice", class.code), "give each class its own code");
        }
        classes.push(class);
    }
    classes
}

fn read_benefits(root: &Section<'_>, facts: &FactDeclarations, funds: &[super::Fund]) -> Vec<Benefit> {
    let Some(entry) = root.require("benefits", "[[benefits]] with code, unit, window, items …") else { return Vec::new() };
    let mut benefits: Vec<Benefit> = Vec::new();
    let sections = entry.sections();
    for section in &sections {
        let Some(benefit) = Benefit::read(section, facts) else { continue };
        if benefits.iter().any(|earlier| earlier.code == benefit.code) {
            section.fault("code", format!("benefit {} stands twice", benefit.code), "give each benefit its own code");
        }
        fund::refuse_fixed_parts_that_do_not_fit(section, funds, &benefit);
        benefits.push(benefit);
    }
    if benefits.len() == sections.len() {
        for (section, benefit) in sections.iter().zip(&benefits) {
            for other in benefit.exclusive_with.iter().filter(|other| !benefits.iter().any(|known| known.code == **other)) {
                section.fault("exclusive_with", format!("there is no benefit {other}"), "name another benefit of this file");
            }
        }
    }
    make_exclusion_mutual(&mut benefits);
    benefits
}

/// Writing an exclusion on one side is enough.
fn make_exclusion_mutual(benefits: &mut [Benefit]) {
    let pairs: Vec<_> =
        benefits.iter().flat_map(|benefit| benefit.exclusive_with.iter().map(|other| (other.clone(), benefit.code.clone()))).collect();
    for (of, other) in pairs {
        if let Some(benefit) = benefits.iter_mut().find(|benefit| benefit.code == of) {
            benefit.exclusive_with.insert(other);
        }
    }
}
