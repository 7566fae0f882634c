//! The older person (老年人): who they are, where and how they live, and who acts for them.

mod codes;
mod consent;
mod coordinate;
mod evidence;
mod fact;
mod facts;
mod identity;
mod name;
mod phone;
mod status;

pub use codes::{Category, DisabilityKind, LifeStatus, Living, Sex};
pub use consent::{Consent, ConsentChannel, ConsentPurpose, Relation};
pub use coordinate::{Coordinate, CoordinateSystem};
pub use evidence::{Evidence, EvidenceKind};
pub use fact::{DatedFact, FactHistory, FactState, FactTrigger, KnownFacts, NewFact, Statement};
pub use facts::{CategorySpan, Disability, Resident, ResidentForm};
pub use identity::{IdentityDocument, IdentityError, IdentityNumber, Warning};
pub use name::PersonName;
pub use phone::PhoneNumber;
pub use status::{StatusEntry, StatusHistory, StatusTrigger};

use crate::{
    error::{Fault, FieldError, Kind},
    time::DateRangeError,
};

/// Why a fact about a person was refused. The refused value itself is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResidentError {
    /// Not a name.
    #[error("a name has 1 to 50 characters, without spaces around it and without invisible characters")]
    Name,
    /// Not a telephone number of the mainland.
    #[error("not a mobile or fixed-line number of the Chinese mainland")]
    Phone,
    /// Not degrees of latitude and longitude in China.
    #[error("a position lies in China: latitude 3 to 54, longitude 73 to 136 degrees")]
    Coordinate,
    /// A day that has not come yet, or one before birth.
    #[error("the day lies in the future or before birth")]
    Date,
    /// Not a disability grade.
    #[error("a disability grade is a number from 1 to 4")]
    DisabilityGrade,
    /// One category holds twice on one day.
    #[error("two ranges of one category overlap")]
    CategoryOverlap,
    /// A fact that another authority recognises, without what it rests on.
    #[error("the fact needs evidence")]
    EvidenceMissing,
    /// Evidence without its number.
    #[error("the evidence needs its number, of 1 to 64 characters")]
    EvidenceNumber,
    /// The new status begins before the one that it follows.
    #[error("a status begins on or after the day on which the one before it began")]
    StatusOrder,
    /// A consent that names no purpose or no version of its text.
    #[error("a consent names the version of its text and at least one purpose")]
    Consent,
    /// A range of dates that is empty.
    #[error(transparent)]
    Range(#[from] DateRangeError),
}

impl ResidentError {
    fn place_and_cure(self) -> (&'static str, &'static str) {
        match self {
            Self::Name => ("name", "write the name as on the identity document"),
            Self::Phone => ("phone", "write a mobile number such as 13800001234 or a fixed line with its area code such as 022-23123456"),
            Self::Coordinate => ("position", "write latitude and longitude in decimal degrees, such as 39.117220 and 117.195980"),
            Self::Date => ("date", "write a day from birth to today"),
            Self::DisabilityGrade => ("disability_grade", "write 1, 2, 3 or 4"),
            Self::CategoryOverlap => ("categories", "end the earlier range before the later one begins"),
            Self::EvidenceMissing => ("evidence", "name the paper or register on which the fact rests"),
            Self::EvidenceNumber => ("evidence.number", "write the number as printed on the paper, without spaces around it"),
            Self::StatusOrder => ("since", "write the day on which the present status began, or a later one"),
            Self::Consent => ("consent", "name the version of the text and at least one purpose"),
            Self::Range(_) => ("until", "write a day after the first"),
        }
    }
}

impl Fault for ResidentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Name => "resident.name",
            Self::Phone => "resident.phone",
            Self::Coordinate => "resident.coordinate",
            Self::Date => "resident.date",
            Self::DisabilityGrade => "resident.disability_grade",
            Self::CategoryOverlap => "resident.category_overlap",
            Self::EvidenceMissing => "resident.evidence_missing",
            Self::EvidenceNumber => "resident.evidence_number",
            Self::StatusOrder => "resident.status_order",
            Self::Consent => "resident.consent",
            Self::Range(cause) => cause.code(),
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::StatusOrder => Kind::Conflict,
            Self::Name
            | Self::Phone
            | Self::Coordinate
            | Self::Date
            | Self::DisabilityGrade
            | Self::CategoryOverlap
            | Self::EvidenceMissing
            | Self::EvidenceNumber
            | Self::Consent
            | Self::Range(_) => Kind::Invalid,
        }
    }
    fn fields(&self) -> Vec<FieldError> {
        let (field, cure) = self.place_and_cure();
        vec![FieldError::new(field, self.code(), cure)]
    }
}
