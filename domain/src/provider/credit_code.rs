use std::fmt;

use crate::error::{Fault, FieldError, Kind};

/// Why a unified social credit code was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreditCodeError {
    /// Not eighteen characters of the right kinds.
    #[error("a credit code has 18 characters: two, six digits, and ten; digits and capital letters without I, O, S, V and Z")]
    Form,
    /// The first two characters belong to no registration authority and class.
    #[error("the first two characters belong to no registration authority")]
    Authority,
    /// The last character does not belong to the others.
    #[error("the check character does not fit the credit code")]
    CheckCharacter,
}

impl Fault for CreditCodeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Form => "credit_code.form",
            Self::Authority => "credit_code.authority",
            Self::CheckCharacter => "credit_code.check_character",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        let cure = match self {
            Self::Form => "write the 18 characters of the certificate, without spaces, in half-width characters",
            Self::Authority => "compare the code with the certificate",
            Self::CheckCharacter => {
                "compare the code with the certificate; if it is printed so, a licensing officer can accept it after review"
            }
        };
        vec![FieldError::new("credit_code", self.code(), cure)]
    }
}

/// The characters of GB 32100-2015; their place is their value.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Powers of 3 modulo 31.
const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/// Registration authority and class, with amendment 1 of 2016.
const AUTHORITIES: [&str; 36] = [
    "11", "12", "13", "19", "21", "29", "31", "32", "33", "34", "35", "39", "41", "49", "51", "52", "53", "59", "61", "62", "69", "71",
    "72", "79", "81", "89", "91", "92", "93", "A1", "A9", "N1", "N2", "N3", "N9", "Y1",
];

/// A unified social credit code (统一社会信用代码, GB 32100-2015). A few codes were issued with a wrong check
/// character; such a code is accepted only after review, and remembers that.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode {
    text: String,
    overridden: bool,
}

impl CreditCode {
    /// Checks a code. Lower-case letters become upper-case.
    ///
    /// # Errors
    /// Another form, an unknown authority, a wrong check character.
    pub fn parse(text: &str) -> Result<Self, CreditCodeError> {
        Self::parse_with_override(text, false)
    }

    /// Checks a code whose certificate may have been reviewed: then a wrong check character is accepted and
    /// remembered. A code that is right is never marked.
    ///
    /// # Errors
    /// As [`CreditCode::parse`]; a review cures the check character alone.
    pub fn parse_with_override(text: &str, reviewed: bool) -> Result<Self, CreditCodeError> {
        let text = text.to_ascii_uppercase();
        let values = values(&text).ok_or(CreditCodeError::Form)?;
        if !text.get(..2).is_some_and(|authority| AUTHORITIES.contains(&authority)) {
            return Err(CreditCodeError::Authority);
        }
        match (is_right(&values), reviewed) {
            (true, _) => Ok(Self { text, overridden: false }),
            (false, true) => Ok(Self { text, overridden: true }),
            (false, false) => Err(CreditCodeError::CheckCharacter),
        }
    }

    /// The eighteen characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether its check character is wrong and was accepted after review.
    #[must_use]
    pub const fn is_overridden(&self) -> bool {
        self.overridden
    }
}

/// The values of the eighteen characters, if all are of the alphabet and the region is written in digits.
fn values(text: &str) -> Option<Vec<usize>> {
    let bytes = text.as_bytes();
    let region = bytes.get(2..8)?.iter().all(u8::is_ascii_digit);
    let values: Option<Vec<usize>> = bytes.iter().map(|byte| ALPHABET.iter().position(|letter| letter == byte)).collect();
    values.filter(|values| region && values.len() == 18)
}

/// The weighted sum with the check character is a multiple of 31. Stated so, there is no special case for the
/// remainder 0, which widely copied code forgets.
fn is_right(values: &[usize]) -> bool {
    let body: usize = values.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    values.last().is_some_and(|check| (body + check).is_multiple_of(31))
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl fmt::Debug for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RIGHT: [&str; 11] = [
        "91350100M000100Y43",
        "51610700305332460K",
        "91110000101623741K",
        "91440300708461136T",
        "911101066976941872",
        "52120101MJ0000018L",
        "52320311MJ0000026N",
        "52370303MJ0000034K",
        "91120101MA0000015R",
        // The remainders 0 and 1, whose check characters are 0 and Y.
        "91120101M000001070",
        "91120101M00000297Y",
    ];

    #[test]
    fn right_codes_are_accepted_and_never_marked() {
        for text in RIGHT {
            let code = CreditCode::parse(text).unwrap();
            assert_eq!((code.as_str(), code.is_overridden()), (text, false));
            assert!(!CreditCode::parse_with_override(text, true).unwrap().is_overridden());
            assert_eq!(CreditCode::parse(&text.to_ascii_lowercase()), Ok(code));
        }
    }

    #[test]
    fn a_wrong_check_character_needs_a_review() {
        for text in ["91350211M0000XUF46", "91310115MA1H8R7C6D", "91350200M000000510"] {
            assert_eq!(CreditCode::parse(text), Err(CreditCodeError::CheckCharacter), "{text}");
            assert!(CreditCode::parse_with_override(text, true).unwrap().is_overridden());
        }
        for right in ["91350211M0000XUF4R", "91310115MA1H8R7C67", "91350200M00000051D"] {
            assert!(CreditCode::parse(right).is_ok(), "{right}");
        }
    }

    #[test]
    fn a_review_cures_neither_form_nor_authority() {
        let cases = [
            ("", CreditCodeError::Form),
            ("91350100M000100Y4", CreditCodeError::Form),
            ("91350100M000100Y433", CreditCodeError::Form),
            ("91350100I000100Y43", CreditCodeError::Form),
            ("9135010AM000100Y43", CreditCodeError::Form),
            ("91350100M000100Y4 ", CreditCodeError::Form),
            ("９1350100M000100Y4", CreditCodeError::Form),
            ("22350100M000100Y43", CreditCodeError::Authority),
            ("Y2350100M000100Y43", CreditCodeError::Authority),
        ];
        for (text, error) in cases {
            assert_eq!(CreditCode::parse_with_override(text, true), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn exactly_one_check_character_fits(body in "(91|52|Y1)[0-9]{6}[0-9A-HJ-NP-RTUWXY]{9}") {
            let fits = ALPHABET.iter().filter(|check| CreditCode::parse(&format!("{body}{}", char::from(**check))).is_ok());
            prop_assert_eq!(fits.count(), 1);
        }
    }
}
