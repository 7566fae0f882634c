//! One row of the catalogue: what a service is counted in and what it asks.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use super::{CertificateKind, ItemCode, LicenceKind, Quantity, ServiceClass};
use crate::{assessment::Level, time::BusinessDate};

/// In what a service is booked and priced.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CatalogueUnit {
    /// 次
    Visit,
    /// 小时
    Hour,
    /// 餐
    Meal,
    /// 天
    Day,
}

/// A case in which a service needs more carers than one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffRule {
    pub(super) class: Option<ServiceClass>,
    pub(super) level_min: Option<Level>,
    pub(super) staff: u32,
}

impl StaffRule {
    /// An unknown level counts as one that needs the carers: a resident must not be served by too few.
    fn applies(&self, class: ServiceClass, level: Option<Level>) -> bool {
        self.class.is_none_or(|wanted| wanted == class) && self.level_min.is_none_or(|min| level.is_none_or(|level| level >= min))
    }
}

/// The rules of one service from a date to a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueItem {
    pub(super) code: ItemCode,
    pub(super) effective_from: BusinessDate,
    pub(super) effective_until: Option<BusinessDate>,
    pub(super) unit: CatalogueUnit,
    pub(super) unit_minutes: u32,
    pub(super) minutes_min: u32,
    pub(super) minutes_max: u32,
    pub(super) minutes_default: u32,
    pub(super) classes: BTreeSet<ServiceClass>,
    pub(super) licences: BTreeSet<LicenceKind>,
    pub(super) certificates: BTreeSet<CertificateKind>,
    pub(super) staff: u32,
    pub(super) staff_rules: Vec<StaffRule>,
    pub(super) may_overlap: BTreeSet<ItemCode>,
}

impl CatalogueItem {
    /// Which service.
    #[must_use]
    pub fn code(&self) -> ItemCode {
        self.code
    }

    /// First day of these rules, and the first day no longer in force.
    #[must_use]
    pub fn effective(&self) -> (BusinessDate, Option<BusinessDate>) {
        (self.effective_from, self.effective_until)
    }

    /// In what it is booked and priced.
    #[must_use]
    pub fn unit(&self) -> CatalogueUnit {
        self.unit
    }

    /// Minutes that one unit stands for.
    #[must_use]
    pub fn unit_minutes(&self) -> u32 {
        self.unit_minutes
    }

    /// Shortest booking in minutes.
    #[must_use]
    pub fn minutes_min(&self) -> u32 {
        self.minutes_min
    }

    /// Longest booking in minutes.
    #[must_use]
    pub fn minutes_max(&self) -> u32 {
        self.minutes_max
    }

    /// Minutes that a form proposes.
    #[must_use]
    pub fn minutes_default(&self) -> u32 {
        self.minutes_default
    }

    /// Where it can be given.
    #[must_use]
    pub fn classes(&self) -> &BTreeSet<ServiceClass> {
        &self.classes
    }

    /// Licences that the provider must all hold.
    #[must_use]
    pub fn licences(&self) -> &BTreeSet<LicenceKind> {
        &self.licences
    }

    /// Certificates that each carer must all hold.
    #[must_use]
    pub fn certificates(&self) -> &BTreeSet<CertificateKind> {
        &self.certificates
    }

    /// Carers needed for a resident of this level in such a place.
    #[must_use]
    pub fn staff_needed(&self, class: ServiceClass, level: Option<Level>) -> u32 {
        let special = self.staff_rules.iter().filter(|rule| rule.applies(class, level)).map(|rule| rule.staff).max();
        special.map_or(self.staff, |staff| staff.max(self.staff))
    }

    /// Whether a visit of this service may lie within one of another for the same resident, such as a meal
    /// inside day care.
    #[must_use]
    pub fn may_overlap(&self, other: ItemCode) -> bool {
        self.may_overlap.contains(&other)
    }

    /// Minutes that count for entitlements: the smaller of the minutes between clock-in and clock-out and
    /// quantity × the unit's minutes.
    #[must_use]
    pub fn minutes_used(&self, minutes_present: u32, quantity: Quantity) -> u32 {
        minutes_present.min(self.minutes_booked(quantity))
    }

    /// Minutes that a quantity stands for, cut to whole minutes.
    #[must_use]
    pub fn minutes_booked(&self, quantity: Quantity) -> u32 {
        let minutes = quantity.hundredths().saturating_mul(i64::from(self.unit_minutes)).div_euclid(100);
        u32::try_from(minutes).unwrap_or(u32::MAX)
    }

    /// Whether these rules are in force on a day.
    #[must_use]
    pub fn is_in_force(&self, date: BusinessDate) -> bool {
        self.effective_from <= date && self.effective_until.is_none_or(|until| date < until)
    }
}
