//! Administrative divisions (行政区划): province, city, county, street, community.
//!
//! Codes are the twelve-digit statistical division codes (统计用区划代码); their first six digits are those
//! of GB/T 2260, except for statistical zones such as 320371. The shipped table holds Tianjin, Xuzhou and
//! Zibo as published by the National Bureau of Statistics, as of 2023-06-30.

mod code;
mod table;

pub use code::{DivisionCode, DivisionError, DivisionLevel, Scope, is_province};
pub use table::{Division, DivisionTable, parse_table, shipped};
