use super::SampleError;
use crate::{
    provider::CreditCode,
    resident::{IdentityDocument, IdentityNumber, Sex},
    time::BusinessDate,
};

/// Counties of made-up numbers begin so: no county of Tianjin has ever had a code above 129,900 (GB/T 2260).
const COUNTY_FIRST: u32 = 129_900;
/// How many people of one birth day and sex a county has numbers for.
const PER_COUNTY: u32 = 500;

/// A number that passes every check of GB 11643-1999 and that no real person has. People of different serials get
/// different numbers, up to 50,000 for one birth day and sex.
///
/// # Errors
/// [`SampleError::Number`] when no check character fits, which the standard excludes.
pub fn identity_number(birth: BusinessDate, sex: Sex, serial: u32) -> Result<String, SampleError> {
    let county = COUNTY_FIRST + serial / PER_COUNTY % 100;
    let odd = match sex {
        Sex::Male => 1,
        Sex::Female => 0,
    };
    let body = format!("{county:06}{}{:03}", birth.get().format("%Y%m%d"), serial % PER_COUNTY * 2 + odd);
    let right = |text: &String| IdentityNumber::parse(IdentityDocument::ResidentId, text, birth, |_county| true).is_ok();
    "0123456789X".chars().map(|check| format!("{body}{check}")).find(right).ok_or(SampleError::Number)
}

/// Whether a resident number is one of [`identity_number`].
#[must_use]
pub fn is_synthetic(number: &str) -> bool {
    number.get(..6).and_then(|county| county.parse::<u32>().ok()).is_some_and(|county| (COUNTY_FIRST..130_000).contains(&county))
}

/// A unified social credit code (GB 32100-2015) of a social-service body with a right check character, in a registration
/// county that does not exist.
///
/// # Errors
/// [`SampleError::Number`] when no check character fits, which the standard excludes.
pub fn credit_code(serial: u32) -> Result<CreditCode, SampleError> {
    let body = format!("52129900MJ{:07}", serial % 10_000_000);
    let candidates = "0123456789ABCDEFGHJKLMNPQRTUWXY".chars().map(|check| format!("{body}{check}"));
    candidates.into_iter().find_map(|text| CreditCode::parse(&text).ok()).ok_or(SampleError::Number)
}
