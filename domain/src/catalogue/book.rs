//! The catalogue file: every service with its rules, effective-dated.

use strum::IntoEnumIterator;

use super::{CatalogueItem, CatalogueUnit, ItemCode, StaffRule};
use crate::{
    assessment::Level,
    policy::{
        PolicyFault,
        document::{self, Entry, Section},
    },
    time::BusinessDate,
};

const FILE: &str = "catalogue.toml";
const TEXT: &str = include_str!("../../data/catalogue.toml");
/// The longest month: no booking of one order is longer.
const MINUTES_MAX: u32 = 31 * 24 * 60;
const STAFF_MAX: u32 = 8;

/// All services with their rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    items: Vec<CatalogueItem>,
}

impl Catalogue {
    /// Reads and checks a catalogue file completely.
    ///
    /// # Errors
    /// Every fault of the file, in order of line: what is not TOML of this form, a service without rules,
    /// and rules of one service that overlap.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<PolicyFault>> {
        document::read(file, text, read_catalogue)
    }

    /// The shipped catalogue.
    ///
    /// # Errors
    /// Every fault of the shipped file; a test keeps it clean.
    pub fn shipped() -> Result<Self, Vec<PolicyFault>> {
        Self::parse(FILE, TEXT)
    }

    /// The rules of a service that are in force on a day.
    #[must_use]
    pub fn item(&self, code: ItemCode, date: BusinessDate) -> Option<&CatalogueItem> {
        self.items.iter().find(|item| item.code() == code && item.is_in_force(date))
    }

    /// Whether visits of two services to the same resident may lie in the same time on a day.
    #[must_use]
    pub fn may_overlap(&self, one: ItemCode, other: ItemCode, date: BusinessDate) -> bool {
        let allows = |inner, outer| self.item(inner, date).is_some_and(|item| item.may_overlap(outer));
        allows(one, other) || allows(other, one)
    }

    /// All rows in file order.
    #[must_use]
    pub fn items(&self) -> &[CatalogueItem] {
        &self.items
    }
}

fn read_catalogue(root: &Section<'_>) -> Option<Catalogue> {
    let format = root.require("format", "1").and_then(|entry| entry.integer(1, 1));
    let sections = root.require("items", "[[items]] with code, unit, …").map(|entry| entry.sections()).unwrap_or_default();
    root.refuse_unknown_keys();
    let mut items: Vec<CatalogueItem> = Vec::new();
    for section in &sections {
        let Some(item) = read_item(section) else { continue };
        if items.iter().any(|earlier| overlap(earlier, &item)) {
            section.fault(
                "effective_from",
                format!("rules of {} overlap earlier ones", item.code),
                "end the earlier ones with effective_until",
            );
        }
        items.push(item);
    }
    if items.len() == sections.len() {
        for code in ItemCode::iter().filter(|code| !items.iter().any(|item| item.code == *code)) {
            root.fault("items", format!("no rules for {code}"), format!("add [[items]] with code = \"{code}\""));
        }
    }
    format?;
    Some(Catalogue { items })
}

fn overlap(earlier: &CatalogueItem, later: &CatalogueItem) -> bool {
    let begins_before = |a: BusinessDate, until: Option<BusinessDate>| until.is_none_or(|until| a < until);
    earlier.code == later.code
        && begins_before(later.effective_from, earlier.effective_until)
        && begins_before(earlier.effective_from, later.effective_until)
}

fn read_item(section: &Section<'_>) -> Option<CatalogueItem> {
    let minutes = |key, example| section.require(key, example).and_then(|entry| entry.count(1, MINUTES_MAX));
    let code = section.require("code", "\"bathing\"").and_then(|entry| entry.code("an item code such as \"bathing\""));
    let effective_from = section.require("effective_from", "2026-01-01").and_then(|entry| entry.date());
    let effective_until = section.get("effective_until").and_then(|entry| entry.date());
    let unit =
        section.require("unit", "\"visit\"").and_then(|entry| entry.code::<CatalogueUnit>("\"visit\", \"hour\", \"meal\" or \"day\""));
    let unit_minutes = minutes("unit_minutes", "60");
    let minutes_min = minutes("minutes_min", "30");
    let minutes_max = minutes("minutes_max", "120");
    let minutes_default = minutes("minutes_default", "60");
    let classes = section.require("classes", "[\"home\"]").and_then(|entry| entry.codes("\"home\", \"community\" or \"institution\""));
    let licences = section.require("licences", "[\"home_service\"]").and_then(|entry| entry.codes("a licence such as \"home_service\""));
    let certificates = section.get("certificates").and_then(|entry| entry.codes("a certificate such as \"health_proof\""));
    let staff = section.require("staff", "1").and_then(|entry| entry.count(1, STAFF_MAX));
    let staff_rules = section.get("staff_rules").map(|entry| entry.sections().iter().filter_map(read_staff_rule).collect());
    let may_overlap = section.get("may_overlap").and_then(|entry| entry.codes("an item code such as \"day_care\""));
    section.refuse_unknown_keys();
    let item = CatalogueItem {
        code: code?,
        effective_from: effective_from?,
        effective_until,
        unit: unit?,
        unit_minutes: unit_minutes?,
        minutes_min: minutes_min?,
        minutes_max: minutes_max?,
        minutes_default: minutes_default?,
        classes: classes?,
        licences: licences?,
        certificates: certificates.unwrap_or_default(),
        staff: staff?,
        staff_rules: staff_rules.unwrap_or_default(),
        may_overlap: may_overlap.unwrap_or_default(),
    };
    refuse_contradictions(section, &item);
    Some(item)
}

fn refuse_contradictions(section: &Section<'_>, item: &CatalogueItem) {
    if item.minutes_min > item.minutes_default || item.minutes_default > item.minutes_max {
        section.fault("minutes_default", "not between minutes_min and minutes_max", "write minutes_min <= minutes_default <= minutes_max");
    }
    if item.effective_until.is_some_and(|until| until <= item.effective_from) {
        section.fault("effective_until", "not after effective_from", "write the first day on which the rules are no longer in force");
    }
}

fn read_staff_rule(section: &Section<'_>) -> Option<StaffRule> {
    let class = section.get("class").and_then(|entry| entry.code("\"home\", \"community\" or \"institution\""));
    let level_min = section.get("level_min").and_then(|entry: Entry<'_>| entry.integer(0, 4));
    let level_min = level_min.and_then(|number| u8::try_from(number).ok()).and_then(|number| Level::try_from(number).ok());
    let staff = section.require("staff", "2").and_then(|entry| entry.count(2, STAFF_MAX));
    section.refuse_unknown_keys();
    if class.is_none() && level_min.is_none() {
        section.fault("staff", "a case that always applies", "write class or level_min, or raise the staff of the item");
    }
    Some(StaffRule { class, level_min, staff: staff? })
}

#[cfg(test)]
mod tests;
