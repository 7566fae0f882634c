//! The licensed organisation that serves (服务机构): its code, its credentials, its admission, where and when
//! it serves, where it is paid, and whether it may serve on a day.

mod admission;
mod area;
mod bank_account;
mod credential;
mod credit_code;
mod profile;
mod truth;
mod week;

pub use admission::{Provider, ProviderForm, ProviderStatus, ProviderTrigger, SuspensionReason};
pub use area::{AreaFit, Reach, ServiceArea};
pub use bank_account::{BankAccount, BankAccountError, BankAccountState, BankAccountTrigger, HOLD_WORKING_DAYS, PayoutError, hold_ends_on};
pub use credential::{Certificate, Credential, CredentialKind, Licence, Missing, MissingReason, licence_truth};
pub use credit_code::{CreditCode, CreditCodeError};
pub use profile::{Agreement, CarerProfile, Dialect, ProfileError, ProviderProfile};
pub use truth::{CarerStanding, ProviderStanding, Unfit, UnfitError};
pub use week::{TimeOfDay, WeekHours, WeekRange};

use crate::{
    error::{Fault, FieldError, Kind},
    time::DateRangeError,
};

/// Why something about a provider was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The status does not allow the step.
    #[error("a provider that is {from} cannot be moved by {trigger}")]
    Transition {
        /// The present status.
        from: ProviderStatus,
        /// The step that was tried.
        trigger: ProviderTrigger,
    },
    /// Four eyes: somebody who took part before must not decide now.
    #[error("{trigger} needs a person who did not apply for or review this provider")]
    SamePerson {
        /// The step that was tried.
        trigger: ProviderTrigger,
    },
    /// Stored facts that contradict the status.
    #[error("a provider that is {0} has been reviewed")]
    ReviewerMissing(ProviderStatus),
    /// Not the name of a kind of credential.
    #[error("a kind of credential has 1 to 64 lower-case letters, digits and underscores, and begins with a letter")]
    CredentialKind,
    /// Not the number of a credential.
    #[error("the number of a credential has 1 to 64 visible characters")]
    CredentialNumber,
    /// The check character of the credit code is wrong, and nobody has said why it is accepted.
    #[error("the check character of the credit code is wrong; say why it is accepted all the same")]
    CreditCodeUnreviewed,
    /// The check character is right: nothing has to be accepted.
    #[error("the check character of the credit code is right; no reason is needed")]
    CreditCodeRight,
    /// The validity is empty.
    #[error(transparent)]
    Validity(#[from] DateRangeError),
}

impl Fault for ProviderError {
    fn code(&self) -> &'static str {
        match self {
            Self::Transition { .. } => "provider.transition",
            Self::SamePerson { .. } => "provider.same_person",
            Self::ReviewerMissing(_) => "provider.reviewer_missing",
            Self::CredentialKind => "provider.credential_kind",
            Self::CredentialNumber => "provider.credential_number",
            Self::CreditCodeUnreviewed => "provider.credit_code_unreviewed",
            Self::CreditCodeRight => "provider.credit_code_right",
            Self::Validity(cause) => cause.code(),
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Transition { .. } | Self::CreditCodeRight => Kind::Conflict,
            Self::SamePerson { .. } => Kind::Forbidden,
            Self::ReviewerMissing(_) => Kind::Broken,
            Self::CredentialKind | Self::CredentialNumber | Self::CreditCodeUnreviewed | Self::Validity(_) => Kind::Invalid,
        }
    }
    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Transition { .. } | Self::SamePerson { .. } | Self::ReviewerMissing(_) | Self::CreditCodeRight => Vec::new(),
            Self::CredentialKind => vec![FieldError::new("kind", self.code(), "write a kind of the catalogue")],
            Self::CredentialNumber => vec![FieldError::new("number", self.code(), "write the number as printed, without spaces around it")],
            Self::CreditCodeUnreviewed => {
                vec![FieldError::new("credit_code_reason", self.code(), "compare the code with the certificate and write what you found")]
            }
            Self::Validity(cause) => cause.fields(),
        }
    }
}
