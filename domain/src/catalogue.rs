//! The service catalogue (服务目录): what can be booked, in which unit, and what it asks of those who serve.

use serde::{Deserialize, Serialize};

/// A kind of service.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
    strum::IntoStaticStr,
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
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
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
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
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
