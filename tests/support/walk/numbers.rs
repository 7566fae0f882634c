//! Made-up numbers that pass their checks. County codes of generated people are none that a real number has.

use anyhow::Context as _;
use domain::{
    provider::CreditCode,
    resident::{IdentityDocument, IdentityNumber},
    time::BusinessDate,
};

/// An identity number of somebody born on 29 February 1944.
pub(crate) fn identity_number(serial: u32) -> anyhow::Result<String> {
    let today = BusinessDate::from_ymd(2026, 1, 1)?;
    let county = 129_900 + serial / 500 % 100;
    let body = format!("{county:06}19440229{:03}", serial % 500 * 2 + 1);
    let candidates = "0123456789X".chars().map(|check| format!("{body}{check}"));
    let right = |text: &String| IdentityNumber::parse(IdentityDocument::ResidentId, text, today, |_county| true).is_ok();
    candidates.into_iter().find(right).context("no check character fits")
}

/// A credit code of a social organisation in Tianjin Heping.
pub(crate) fn credit_code(serial: u32) -> anyhow::Result<String> {
    let body = format!("52120101MJ{:07}", serial % 10_000_000);
    let candidates = "0123456789ABCDEFGHJKLMNPQRTUWXY".chars().map(|check| format!("{body}{check}"));
    candidates.into_iter().find(|text| CreditCode::parse(text).is_ok()).context("no check character fits")
}
