//! Rows to domain types, through their checked constructors: what is asserted before writing is asserted
//! again after reading.

use std::{fmt::Display, str::FromStr};

use domain::{money::Fen, time::BusinessDate};
use serde::de::DeserializeOwned;

use crate::{City, entity, error::StoreError};

/// Reads a stored code.
pub(crate) fn code<T: FromStr>(table: &'static str, column: &str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_cause| StoreError::Corrupt { table, why: format!("{column} has an unknown code") })
}

/// Reads a stored amount.
pub(crate) fn fen(table: &'static str, column: &str, amount: i64) -> Result<Fen, StoreError> {
    Fen::new(amount).map_err(|cause| corrupt(table, column, &cause))
}

/// Reads stored JSON.
pub(crate) fn json<T: DeserializeOwned>(table: &'static str, column: &str, value: &serde_json::Value) -> Result<T, StoreError> {
    T::deserialize(value).map_err(|cause| corrupt(table, column, &cause))
}

/// Writes a value as JSON.
pub(crate) fn to_json(table: &'static str, value: &impl serde::Serialize) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(value).map_err(|cause| StoreError::Corrupt { table, why: cause.to_string() })
}

pub(crate) fn corrupt(table: &'static str, column: &str, cause: &impl Display) -> StoreError {
    StoreError::Corrupt { table, why: format!("{column}: {cause}") }
}

/// Reads a stored date.
pub(crate) fn date(date: chrono::NaiveDate) -> BusinessDate {
    BusinessDate::new(date)
}

pub(crate) fn city(row: &entity::city::Model) -> Result<City, StoreError> {
    Ok(City {
        scope: code("city", "division_prefix", &row.division_prefix)?,
        mode: code("city", "mode", &row.mode)?,
        clock_offset_seconds: row.clock_offset_seconds,
    })
}
