//! What a programme gives: benefits with their unit, window, amounts, payment and limits.

use std::collections::BTreeSet;

use super::{
    BenefitCode, Title,
    condition::Condition,
    document::{Entry, Section},
    fact::FactDeclarations,
    load,
};
use crate::{
    catalogue::{ItemCode, MealTime, ServiceClass, Unit},
    money::{BasisPoints, FEN_MAX, Fen},
    time::WindowKind,
};

/// One benefit of a programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Benefit {
    pub(super) code: BenefitCode,
    pub(super) title: Title,
    pub(super) unit: Unit,
    pub(super) window: WindowKind,
    pub(super) items: BTreeSet<ItemCode>,
    pub(super) classes: BTreeSet<ServiceClass>,
    pub(super) requires: Condition,
    pub(super) amounts: Vec<AmountRow>,
    pub(super) payment: Payment,
    pub(super) use_cap: Option<Fen>,
    pub(super) limits: UseLimits,
    pub(super) exclusive_with: BTreeSet<BenefitCode>,
}

/// One row of the table of amounts: the first row whose condition passes decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmountRow {
    pub(super) when: Condition,
    pub(super) amount: i64,
    pub(super) line: usize,
}

impl AmountRow {
    /// To whom the row applies.
    #[must_use]
    pub fn when(&self) -> &Condition {
        &self.when
    }

    /// The amount of one window, in the benefit's unit.
    #[must_use]
    pub fn amount(&self) -> i64 {
        self.amount
    }
}

/// What a benefit pays for one use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    /// A share of a price.
    Share {
        /// The share.
        rate: BasisPoints,
        /// Of what.
        base: ShareBase,
    },
    /// A fixed amount for each meal or visit.
    PerUnit(Fen),
}

/// Of what a share is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ShareBase {
    /// The whole price.
    Price,
    /// What programmes used before have left to the resident (自付金额).
    OwnPaid,
}

/// Which uses a benefit pays for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UseLimits {
    /// At most so many meals or visits a day.
    pub per_day_max: Option<u32>,
    /// At most so many meals or visits from Monday to Sunday.
    pub per_week_max: Option<u32>,
    /// Only these meals; empty = any.
    pub meals: BTreeSet<MealTime>,
    /// Only on working days of the official calendar.
    pub working_days_only: bool,
    /// Only when one catalogue unit costs at least this much.
    pub unit_price_min: Option<Fen>,
    /// Only when one catalogue unit costs at least the district's standard price, the visit's fact
    /// `standard_price_fen`.
    pub standard_price: bool,
}

impl Benefit {
    /// Key within the programme.
    #[must_use]
    pub fn code(&self) -> &BenefitCode {
        &self.code
    }

    /// Name for people.
    #[must_use]
    pub fn title(&self) -> &Title {
        &self.title
    }

    /// In what the entitlement is measured.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The length of time over which the amount may be used.
    #[must_use]
    pub fn window(&self) -> WindowKind {
        self.window
    }

    /// The services it pays for.
    #[must_use]
    pub fn items(&self) -> &BTreeSet<ItemCode> {
        &self.items
    }

    /// Where those services may be given.
    #[must_use]
    pub fn classes(&self) -> &BTreeSet<ServiceClass> {
        &self.classes
    }

    /// What it asks beyond the programme's own conditions.
    #[must_use]
    pub fn requires(&self) -> &Condition {
        &self.requires
    }

    /// Table of amounts of one window.
    #[must_use]
    pub fn amounts(&self) -> &[AmountRow] {
        &self.amounts
    }

    /// What it pays for one use.
    #[must_use]
    pub fn payment(&self) -> Payment {
        self.payment
    }

    /// The most it pays for one use.
    #[must_use]
    pub fn use_cap(&self) -> Option<Fen> {
        self.use_cap
    }

    /// Which uses it pays for.
    #[must_use]
    pub fn limits(&self) -> &UseLimits {
        &self.limits
    }

    /// Benefits of the same programme that cannot be used in the same window: the first used wins.
    #[must_use]
    pub fn exclusive_with(&self) -> &BTreeSet<BenefitCode> {
        &self.exclusive_with
    }

    /// Whether it pays for a service given in such a place at all.
    #[must_use]
    pub fn covers(&self, item: ItemCode, class: ServiceClass) -> bool {
        self.items.contains(&item) && self.classes.contains(&class)
    }

    pub(super) fn read(section: &Section<'_>, declarations: &FactDeclarations) -> Option<Self> {
        let code = section.require("code", "\"home-care\"").and_then(|entry| entry.code("a code such as \"home-care\""));
        let title = load::read_title(section);
        let unit = section.require("unit", "\"fen\"").and_then(|entry| entry.code("\"fen\", \"minutes\", \"visits\" or \"meals\""));
        let window = section.require("window", "\"month\"").and_then(|entry| read_window(&entry));
        let items = section.require("items", "[\"bathing\"]").and_then(|entry| entry.codes("an item code such as \"bathing\""));
        let classes = section.require("classes", "[\"home\"]").and_then(|entry| entry.codes("\"home\", \"community\" or \"institution\""));
        let requires = Condition::read_nested(section, "requires", declarations);
        let amounts = read_amounts(section, declarations);
        let payment = read_payment(section);
        let use_cap = section.get("use_cap_fen").and_then(|entry| read_fen(&entry));
        let limits = read_limits(section);
        let exclusive_with = section.get("exclusive_with").and_then(|entry| entry.codes("a code of another benefit")).unwrap_or_default();
        section.refuse_unknown_keys();
        let benefit = Self {
            code: code?,
            title: title?,
            unit: unit?,
            window: window?,
            items: items?,
            classes: classes?,
            requires,
            amounts,
            payment: payment?,
            use_cap,
            limits,
            exclusive_with,
        };
        benefit.refuse_contradictions(section, declarations);
        Some(benefit)
    }

    fn refuse_contradictions(&self, section: &Section<'_>, declarations: &FactDeclarations) {
        let only_meals = self.items.iter().all(|item| *item == ItemCode::Meal);
        if self.unit == Unit::Meals && !only_meals {
            section.fault("items", "a benefit counted in meals pays for other items", "write items = [\"meal\"]");
        }
        if self.unit == Unit::Minutes && matches!(self.payment, Payment::PerUnit(_)) {
            section.fault("per_unit_fen", "a benefit counted in minutes pays for each unit", "write share_percent, or count visits");
        }
        if self.unit == Unit::Minutes && self.items.contains(&ItemCode::Meal) {
            section.fault("items", "a benefit counted in minutes pays for meals", "take \"meal\" out, or count meals or fen");
        }
        let (meal_rules, pays_meals) = (!self.limits.meals.is_empty(), self.items.contains(&ItemCode::Meal));
        if meal_rules && !pays_meals {
            section.fault("meals", "the benefit does not pay for meals", "remove the key, or add \"meal\" to items");
        }
        let visit_fact = |needed: bool, name: &str, key: &str| {
            if needed && !declarations.get(name).is_some_and(|fact| fact.subject == super::FactSubject::Visit) {
                let cure = format!("add {name} = {{ of = \"visit\", kind = … }} under [facts]");
                section.fault(key, format!("fact {name} of the visit is not declared"), cure);
            }
        };
        visit_fact(meal_rules && pays_meals, "meal", "meals");
        visit_fact(self.limits.standard_price, "standard_price_fen", "standard_price");
        if self.exclusive_with.contains(&self.code) {
            section.fault("exclusive_with", "the benefit excludes itself", "name another benefit of this file");
        }
        self.refuse_unreachable_rows(section);
        self.refuse_amounts_that_do_not_fit(section);
    }

    fn refuse_unreachable_rows(&self, section: &Section<'_>) {
        for (place, row) in self.amounts.iter().enumerate() {
            let earlier = self.amounts.iter().take(place).find(|earlier| row.when.implies(&earlier.when));
            if let Some(earlier) = earlier {
                let message = format!("row {} can never decide: the row in line {} passes first", place.saturating_add(1), earlier.line);
                section.fault_at(row.line, "amounts", message, "remove it, or write it before the wider row");
            }
        }
    }

    fn refuse_amounts_that_do_not_fit(&self, section: &Section<'_>) {
        let Some(days) = longest_days(self.window) else { return };
        let most = match self.unit {
            Unit::Fen | Unit::Visits => None,
            Unit::Minutes => days.checked_mul(24 * 60),
            Unit::Meals => self.limits.per_day_max.and_then(|meals| days.checked_mul(i64::from(meals))),
        };
        for row in &self.amounts {
            if let Some(most) = most.filter(|most| row.amount > *most) {
                let message = format!("the window cannot hold {} {}", row.amount, self.unit);
                section.fault_at(row.line, "amount", message, format!("write at most {most}, or choose a longer window"));
            }
        }
    }
}

/// Days of the longest window of a kind.
fn longest_days(window: WindowKind) -> Option<i64> {
    match window {
        WindowKind::Day => Some(1),
        WindowKind::Week => Some(7),
        WindowKind::Month => Some(31),
        WindowKind::Quarter => Some(92),
        WindowKind::Year => Some(366),
        WindowKind::Never => None,
    }
}

fn read_window(entry: &Entry<'_>) -> Option<WindowKind> {
    let kinds = [
        ("day", WindowKind::Day),
        ("week", WindowKind::Week),
        ("month", WindowKind::Month),
        ("quarter", WindowKind::Quarter),
        ("year", WindowKind::Year),
        ("never", WindowKind::Never),
    ];
    entry.choice(&kinds)
}

fn read_amounts(section: &Section<'_>, declarations: &FactDeclarations) -> Vec<AmountRow> {
    match (section.get("amount"), section.get("amounts")) {
        (Some(one), None) => {
            read_amount(&one).map(|amount| AmountRow { when: Condition::default(), amount, line: one.line() }).into_iter().collect()
        }
        (None, Some(many)) => many.sections().iter().filter_map(|row| read_row(row, declarations)).collect(),
        (Some(one), Some(_)) => {
            one.fault("one amount beside a table of amounts", "keep either amount or amounts");
            Vec::new()
        }
        (None, None) => {
            section.fault("amount", "missing", "add amount = the amount of one window in the benefit's unit, or a table amounts");
            Vec::new()
        }
    }
}

fn read_row(row: &Section<'_>, declarations: &FactDeclarations) -> Option<AmountRow> {
    let amount = row.require("amount", "20000").and_then(|entry| read_amount(&entry));
    let when = Condition::read(row, declarations);
    row.refuse_unknown_keys();
    Some(AmountRow { when, amount: amount?, line: row.line() })
}

fn read_amount(entry: &Entry<'_>) -> Option<i64> {
    entry.integer(1, FEN_MAX)
}

pub(super) fn read_fen(entry: &Entry<'_>) -> Option<Fen> {
    entry.integer(1, FEN_MAX).and_then(|fen| Fen::new(fen).ok())
}

fn read_payment(section: &Section<'_>) -> Option<Payment> {
    let share = section.get("share_percent");
    let base = section.get("share_of");
    let per_unit = section.get("per_unit_fen");
    match (share, per_unit) {
        (Some(share), None) => {
            let Some(base) = base else {
                section.fault("share_of", "missing", "add share_of = \"price\" or share_of = \"own_paid\"");
                return None;
            };
            let (rate, base) = (load::read_percent(&share), base.code("\"price\" or \"own_paid\""));
            Some(Payment::Share { rate: rate?, base: base? })
        }
        (None, Some(per_unit)) => {
            if let Some(base) = base {
                base.fault("the benefit pays no share", "remove the key");
            }
            read_fen(&per_unit).map(Payment::PerUnit)
        }
        (Some(share), Some(_)) => {
            share.fault("a share beside a fixed amount", "keep either share_percent or per_unit_fen");
            None
        }
        (None, None) => {
            section.fault("share_percent", "missing", "add share_percent = 50 with share_of, or per_unit_fen = 300");
            None
        }
    }
}

fn read_limits(section: &Section<'_>) -> UseLimits {
    let count = |key| section.get(key).and_then(|entry| entry.count(1, 1_000));
    let truth = |key| section.get(key).and_then(|entry| entry.boolean()).unwrap_or(false);
    UseLimits {
        per_day_max: count("per_day_max"),
        per_week_max: count("per_week_max"),
        meals: section.get("meals").and_then(|entry| entry.codes("\"breakfast\", \"lunch\" or \"dinner\"")).unwrap_or_default(),
        working_days_only: truth("working_days_only"),
        unit_price_min: section.get("unit_price_min_fen").and_then(|entry| read_fen(&entry)),
        standard_price: truth("standard_price"),
    }
}
