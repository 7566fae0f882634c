//! The service catalogue (服务目录): what can be booked, in which unit, and what it asks of those who serve.

mod book;
mod checklist;
mod item;
mod purchase;
mod quantity;

pub use book::Catalogue;
pub use checklist::{Checklists, Consequence, Measure, MeasureUnit, Question, SafetyRule, Task, ValueRule};
pub use item::{CatalogueItem, CatalogueUnit, StaffRule};
pub use purchase::{PURCHASE_LINES_MAX, Purchase, PurchaseError, PurchaseLine, PurchaseList};
pub use quantity::{CatalogueError, Quantity};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

/// A kind of service.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ItemCode {
    /// 助餐
    Meal,
    /// 助浴
    Bathing,
    /// 助洁
    Cleaning,
    /// 助医
    MedicalEscort,
    /// 助行
    Mobility,
    /// 助急
    Emergency,
    /// 日间照料
    DayCare,
    /// 失能护理
    Nursing,
    /// 康复护理
    Rehabilitation,
    /// 精神慰藉
    Companionship,
    /// 代办
    Errand,
    /// 能力评估
    Assessment,
    /// 长期托养
    LongStay,
    /// 短期托养
    ShortStay,
}

/// Where a service is given; policies set shares and caps by it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ServiceClass {
    /// In the resident's home.
    Home,
    /// In a community facility.
    Community,
    /// In a care institution.
    Institution,
}

/// In what an entitlement is measured.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Unit {
    /// Hundredths of a yuan.
    Fen,
    /// Minutes of service.
    Minutes,
    /// Visits.
    Visits,
    /// Meals.
    Meals,
}

/// Which meal of the day; the fact `meal` of a visit.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MealTime {
    /// 早餐
    Breakfast,
    /// 午餐
    Lunch,
    /// 晚餐
    Dinner,
}

/// What a provider must be licensed or filed for (许可、备案).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LicenceKind {
    /// 居家养老服务: registered as a company or social-service body with home care in its scope.
    HomeService,
    /// 食品经营许可: may prepare and deliver food.
    Catering,
    /// 日间照料: runs a day-care station.
    DayCare,
    /// 养老机构备案: runs a residential care institution.
    Institution,
    /// 护理: may give nursing care.
    Nursing,
    /// 康复: may give rehabilitation.
    Rehabilitation,
    /// 能力评估: may assess older persons.
    Assessment,
}

/// What a carer must hold.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CertificateKind {
    /// 健康证明
    HealthProof,
    /// 养老护理员
    CareWorker,
    /// 执业护士
    Nurse,
    /// 康复治疗师
    Therapist,
    /// 老年人能力评估师
    Assessor,
}
