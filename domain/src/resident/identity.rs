use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use super::Sex;
use crate::{
    division,
    error::{Fault, FieldError, Kind},
    time::BusinessDate,
};

/// Kinds of identity documents.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum IdentityDocument {
    /// 居民身份证, and 港澳台居民居住证, which bears a number of the same form (GB 11643-1999).
    ResidentId,
    /// 护照
    Passport,
    /// 港澳居民来往内地通行证
    HkMacaoPermit,
    /// 台湾居民来往大陆通行证
    TaiwanPermit,
    /// 外国人永久居留身份证
    ForeignerResidence,
}

/// Why an identity number was refused. The number itself is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Spaces in or around the number.
    #[error("an identity number has no spaces")]
    Spaces,
    /// Full-width characters.
    #[error("an identity number is written in plain (half-width) characters")]
    FullWidth,
    /// A spreadsheet has turned the number into a floating-point number.
    #[error("a spreadsheet has rounded the identity number")]
    Spreadsheet,
    /// The fifteen digits that were issued until 1999.
    #[error("identity numbers of 15 digits are no longer valid")]
    OldForm,
    /// Not the form of a resident number.
    #[error("a resident number has 17 digits and a check character")]
    Form,
    /// Not the form of the document's numbers.
    #[error("not the form of this document's numbers")]
    DocumentForm,
    /// No province has these two digits.
    #[error("the first digits belong to no province")]
    Province,
    /// The birth date does not exist.
    #[error("the birth date in the number does not exist")]
    BirthDate,
    /// The birth date lies in the future.
    #[error("the birth date in the number lies in the future")]
    FutureBirth,
    /// The last character does not belong to the others.
    #[error("the check character does not fit the number")]
    CheckDigit,
    /// The number says another birth date than the form.
    #[error("the number and the form state different birth dates")]
    OtherBirthDate,
    /// The number says another sex than the form.
    #[error("the number and the form state different sexes")]
    OtherSex,
}

impl IdentityError {
    fn cure(self) -> &'static str {
        match self {
            Self::Spaces => "remove the spaces",
            Self::FullWidth => "type the number with half-width characters",
            Self::Spreadsheet => "format the column as text and enter the number again",
            Self::OldForm => "write the 18 characters of the present identity card",
            Self::Form => "write 17 digits and a last digit or X",
            Self::DocumentForm => "write the number as printed on the document, and choose the kind of document to which it belongs",
            Self::Province | Self::BirthDate | Self::FutureBirth | Self::CheckDigit => "compare the number with the document",
            Self::OtherBirthDate => "compare number and birth date with the document",
            Self::OtherSex => "compare number and sex with the document",
        }
    }
}

impl Fault for IdentityError {
    fn code(&self) -> &'static str {
        match self {
            Self::Spaces => "identity.spaces",
            Self::FullWidth => "identity.full_width",
            Self::Spreadsheet => "identity.spreadsheet",
            Self::OldForm => "identity.old_form",
            Self::Form => "identity.form",
            Self::DocumentForm => "identity.document_form",
            Self::Province => "identity.province",
            Self::BirthDate => "identity.birth_date",
            Self::FutureBirth => "identity.future_birth",
            Self::CheckDigit => "identity.check_digit",
            Self::OtherBirthDate => "identity.other_birth_date",
            Self::OtherSex => "identity.other_sex",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        let at = |field: &str| FieldError::new(field, self.code(), self.cure());
        match self {
            Self::OtherBirthDate => vec![at("number"), at("birth_date")],
            Self::OtherSex => vec![at("number"), at("sex")],
            Self::Spaces
            | Self::FullWidth
            | Self::Spreadsheet
            | Self::OldForm
            | Self::Form
            | Self::DocumentForm
            | Self::Province
            | Self::BirthDate
            | Self::FutureBirth
            | Self::CheckDigit => vec![at("number")],
        }
    }
}

/// What a clerk should look at, although the number is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumIter, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Warning {
    /// The county is not in the table: an old code, or a place that the table does not hold.
    UnknownCounty,
    /// Born more than 130 years ago: to review.
    Review,
}

/// Months after which a birth is to be reviewed.
const REVIEW_MONTHS: u32 = 130 * 12;

/// A checked number of an identity document, in its one normal form. It shows only masked; whoever needs the
/// plain value says so by [`IdentityNumber::expose`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdentityNumber {
    document: IdentityDocument,
    text: String,
    birth: Option<(BusinessDate, Sex)>,
}

impl IdentityNumber {
    /// Checks a number: form, province, birth date and check character as far as the document has them.
    /// Lower-case letters become upper-case. `knows_county` tells whether six digits are those of a county.
    ///
    /// # Errors
    /// The first fault that is found, with its cure.
    pub fn parse(
        document: IdentityDocument,
        text: &str,
        today: BusinessDate,
        knows_county: impl Fn(&str) -> bool,
    ) -> Result<(Self, Vec<Warning>), IdentityError> {
        check_characters(text)?;
        let text = text.to_ascii_uppercase();
        let birth = match document {
            IdentityDocument::ResidentId => Some(check_resident(&text, today)?),
            IdentityDocument::ForeignerResidence if text.starts_with('9') => Some(check_foreigner(&text, today)?),
            IdentityDocument::ForeignerResidence
            | IdentityDocument::Passport
            | IdentityDocument::HkMacaoPermit
            | IdentityDocument::TaiwanPermit => {
                if !has_form(document, &text) {
                    return Err(IdentityError::DocumentForm);
                }
                None
            }
        };
        let mut warnings = Vec::new();
        if document == IdentityDocument::ResidentId && !text.get(..6).is_some_and(knows_county) {
            warnings.push(Warning::UnknownCounty);
        }
        if birth.is_some_and(|(born, _)| born.plus_months(REVIEW_MONTHS).is_ok_and(|limit| limit < today)) {
            warnings.push(Warning::Review);
        }
        Ok((Self { document, text, birth }, warnings))
    }

    /// The kind of document.
    #[must_use]
    pub const fn document(&self) -> IdentityDocument {
        self.document
    }

    /// The plain number, for encryption, the blind index and the official purpose only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The birth date, where the number states it.
    #[must_use]
    pub fn birth_date(&self) -> Option<BusinessDate> {
        self.birth.map(|(date, _)| date)
    }

    /// The sex, where the number states it.
    #[must_use]
    pub fn sex(&self) -> Option<Sex> {
        self.birth.map(|(_, sex)| sex)
    }

    /// Every way in which the number contradicts a stated birth date and sex.
    #[must_use]
    pub fn contradictions(&self, birth_date: BusinessDate, sex: Sex) -> Vec<IdentityError> {
        let date = self.birth_date().is_some_and(|own| own != birth_date).then_some(IdentityError::OtherBirthDate);
        let sex = self.sex().is_some_and(|own| own != sex).then_some(IdentityError::OtherSex);
        date.into_iter().chain(sex).collect()
    }
}

/// The first and last characters, at most four each and never more than half, with stars between them.
impl fmt::Display for IdentityNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.text.len();
        let kept = (length / 4).min(4);
        for (place, character) in self.text.chars().enumerate() {
            let shown = place < kept || place + kept >= length;
            fmt::Write::write_char(f, if shown { character } else { '*' })?;
        }
        Ok(())
    }
}
impl fmt::Debug for IdentityNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn check_characters(text: &str) -> Result<(), IdentityError> {
    if text.contains(char::is_whitespace) {
        Err(IdentityError::Spaces)
    } else if text.contains(|character| ('\u{ff01}'..='\u{ff5e}').contains(&character)) {
        Err(IdentityError::FullWidth)
    } else if text.contains("E+") || text.contains("e+") {
        Err(IdentityError::Spreadsheet)
    } else {
        Ok(())
    }
}

/// GB 11643-1999: region 6, birth date 8, sequence 3 (odd for men), check character.
fn check_resident(text: &str, today: BusinessDate) -> Result<(BusinessDate, Sex), IdentityError> {
    if text.len() == 15 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(IdentityError::OldForm);
    }
    check_eighteen(text, 0, today)
}

/// The number of the cards issued since 2023: 9, province 2, nationality 3, then as a resident number.
fn check_foreigner(text: &str, today: BusinessDate) -> Result<(BusinessDate, Sex), IdentityError> {
    check_eighteen(text, 1, today)
}

fn check_eighteen(text: &str, province_at: usize, today: BusinessDate) -> Result<(BusinessDate, Sex), IdentityError> {
    let (body, check) = text.split_at_checked(17).ok_or(IdentityError::Form)?;
    let digits = body.bytes().all(|byte| byte.is_ascii_digit());
    let [check @ (b'0'..=b'9' | b'X')] = check.as_bytes() else { return Err(IdentityError::Form) };
    if !digits {
        return Err(IdentityError::Form);
    }
    let province = number(body, province_at, 2).and_then(|number| u8::try_from(number).ok());
    if !province.is_some_and(division::is_province) {
        return Err(IdentityError::Province);
    }
    let birth = birth_date(body).ok_or(IdentityError::BirthDate)?;
    if birth > today {
        return Err(IdentityError::FutureBirth);
    }
    if check_character(body) != Some(*check) {
        return Err(IdentityError::CheckDigit);
    }
    let odd = number(body, 16, 1).is_some_and(|digit| digit % 2 == 1);
    Ok((birth, if odd { Sex::Male } else { Sex::Female }))
}

fn number(digits: &str, from: usize, length: usize) -> Option<u32> {
    digits.get(from..from + length).and_then(|part| part.parse().ok())
}

fn birth_date(body: &str) -> Option<BusinessDate> {
    let year = i32::try_from(number(body, 6, 4)?).ok()?;
    BusinessDate::from_ymd(year, number(body, 10, 2)?, number(body, 12, 2)?).ok()
}

/// ISO 7064 MOD 11-2 over seventeen digits.
fn check_character(body: &str) -> Option<u8> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHARACTERS: &[u8; 11] = b"10X98765432";
    let sum: u32 = body.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit.saturating_sub(b'0')) * weight).sum();
    usize::try_from(sum % 11).ok().and_then(|place| CHARACTERS.get(place)).copied()
}

/// The printed forms of numbers that bear neither birth date nor a check that we could confirm.
fn has_form(document: IdentityDocument, text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    match document {
        IdentityDocument::ResidentId => false,
        IdentityDocument::Passport => (5..=15).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_alphanumeric),
        // The letter of the region and eight digits; older permits add two for the edition.
        IdentityDocument::HkMacaoPermit => {
            matches!(bytes.split_first(), Some((b'H' | b'M', rest)) if matches!(rest.len(), 8 | 10) && digits(rest))
        }
        // Eight digits; older permits had ten.
        IdentityDocument::TaiwanPermit => matches!(bytes.len(), 8 | 10) && digits(bytes),
        // Cards issued before 2023: three letters of the nationality and twelve digits.
        IdentityDocument::ForeignerResidence => {
            matches!(bytes.split_at_checked(3), Some((nation, rest)) if rest.len() == 12 && nation.iter().all(u8::is_ascii_uppercase) && digits(rest))
        }
    }
}

#[cfg(test)]
mod tests;
