mod state;

pub use state::{ProviderStatus, ProviderTrigger, SuspensionReason};

use ProviderStatus::{Admitted, Applied, Ended, Reviewed, Suspended};
use ProviderTrigger::{Admit, End, Refuse, Resume, Return, Review, Suspend, Withdraw};

use super::{CreditCode, ProviderError};
use crate::{
    access::Role,
    id::{PersonId, ProviderId},
    state::{StateMachine, Transition},
};

const OFFICER: &[Role] = &[Role::ProviderLicensingOfficer];
const APPROVER: &[Role] = &[Role::Approver];
const MANAGER: &[Role] = &[Role::ProviderManager];

impl StateMachine for ProviderStatus {
    type Trigger = ProviderTrigger;
    const NAME: &'static str = "provider";
    const INITIAL: Self = Applied;
    const STATES: &'static [Self] = &[Applied, Reviewed, Admitted, Suspended, Ended];
    const TABLE: &'static [Transition<Self, ProviderTrigger>] = &[
        Transition { from: Applied, trigger: Review, to: Reviewed, who: OFFICER, why: "the papers are complete and true" },
        Transition { from: Applied, trigger: Refuse, to: Ended, who: OFFICER, why: "the papers cannot be completed" },
        Transition { from: Applied, trigger: Withdraw, to: Ended, who: MANAGER, why: "the provider no longer wants to be admitted" },
        Transition { from: Reviewed, trigger: Admit, to: Admitted, who: APPROVER, why: "a second person agrees with the review" },
        Transition { from: Reviewed, trigger: Return, to: Applied, who: APPROVER, why: "the second person found something missing" },
        Transition { from: Reviewed, trigger: Refuse, to: Ended, who: APPROVER, why: "the second person disagrees with the review" },
        Transition { from: Reviewed, trigger: Withdraw, to: Ended, who: MANAGER, why: "the provider no longer wants to be admitted" },
        Transition {
            from: Admitted,
            trigger: Suspend,
            to: Suspended,
            who: OFFICER,
            why: "a licence ended, the provider closes, or an inspection or complaint is being looked into",
        },
        Transition { from: Suspended, trigger: Resume, to: Admitted, who: APPROVER, why: "the reason of the suspension is gone" },
        Transition { from: Suspended, trigger: End, to: Ended, who: APPROVER, why: "the reason of the suspension stays" },
        Transition { from: Suspended, trigger: Withdraw, to: Ended, who: MANAGER, why: "the provider closes during the suspension" },
    ];
}

/// The stored facts of a provider's admission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderForm {
    /// The provider's id.
    pub id: ProviderId,
    /// Its credit code.
    pub credit_code: CreditCode,
    /// How far it has come.
    pub status: ProviderStatus,
    /// Who applied.
    pub applied_by: PersonId,
    /// Who found the papers complete and true.
    pub reviewed_by: Option<PersonId>,
    /// Who admitted it.
    pub admitted_by: Option<PersonId>,
    /// Who stopped its service last.
    pub suspended_by: Option<PersonId>,
}

/// A provider on its way to admission and after. Reviewer and approver are different persons, and neither is
/// the applicant (two-person rule for public money).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider(ProviderForm);

impl Provider {
    /// Begins an application.
    #[must_use]
    pub const fn apply(id: ProviderId, credit_code: CreditCode, by: PersonId) -> Self {
        Self(ProviderForm { id, credit_code, status: Applied, applied_by: by, reviewed_by: None, admitted_by: None, suspended_by: None })
    }

    /// Takes up a stored provider.
    ///
    /// # Errors
    /// [`ProviderError::ReviewerMissing`] when the status needs a review that is not recorded.
    pub fn restore(form: ProviderForm) -> Result<Self, ProviderError> {
        let needs_review = match form.status {
            Reviewed | Admitted | Suspended => true,
            Applied | Ended => false,
        };
        if needs_review && form.reviewed_by.is_none() { Err(ProviderError::ReviewerMissing(form.status)) } else { Ok(Self(form)) }
    }

    /// All facts as they stand.
    #[must_use]
    pub const fn facts(&self) -> &ProviderForm {
        &self.0
    }

    /// How far it has come.
    #[must_use]
    pub const fn status(&self) -> ProviderStatus {
        self.0.status
    }

    /// Whether it may take orders.
    #[must_use]
    pub fn may_serve(&self) -> bool {
        self.0.status == Admitted
    }

    /// Finds the papers complete and true.
    ///
    /// # Errors
    /// An illegal move; [`ProviderError::SamePerson`] when the applicant reviews.
    pub fn review(self, by: PersonId) -> Result<Self, ProviderError> {
        let mut moved = self.step(Review)?;
        if by == moved.0.applied_by {
            return Err(ProviderError::SamePerson { trigger: Review });
        }
        moved.0.reviewed_by = Some(by);
        Ok(moved)
    }

    /// Grants admission.
    ///
    /// # Errors
    /// An illegal move; [`ProviderError::SamePerson`] when the applicant or the reviewer approves.
    pub fn admit(self, by: PersonId) -> Result<Self, ProviderError> {
        let mut moved = self.step(Admit)?.guard_approver(by, Admit)?;
        moved.0.admitted_by = Some(by);
        Ok(moved)
    }

    /// Sends the papers back; they will be reviewed anew.
    ///
    /// # Errors
    /// An illegal move; [`ProviderError::SamePerson`] when the applicant or the reviewer decides.
    pub fn send_back(self, by: PersonId) -> Result<Self, ProviderError> {
        let mut moved = self.step(Return)?.guard_approver(by, Return)?;
        moved.0.reviewed_by = None;
        Ok(moved)
    }

    /// Refuses admission, on the application or after the review.
    ///
    /// # Errors
    /// An illegal move; [`ProviderError::SamePerson`] when the applicant or the reviewer decides.
    pub fn refuse(self, by: PersonId) -> Result<Self, ProviderError> {
        self.step(Refuse)?.guard_approver(by, Refuse)
    }

    /// Takes the application back, or closes during a suspension.
    ///
    /// # Errors
    /// An illegal move.
    pub fn withdraw(self) -> Result<Self, ProviderError> {
        self.step(Withdraw)
    }

    /// Stops service for the time being. One person is enough, because residents must be protected at once;
    /// lifting or ending it needs another.
    ///
    /// # Errors
    /// An illegal move.
    pub fn suspend(self, by: PersonId) -> Result<Self, ProviderError> {
        let mut moved = self.step(Suspend)?;
        moved.0.suspended_by = Some(by);
        Ok(moved)
    }

    /// Lets service go on.
    ///
    /// # Errors
    /// An illegal move; [`ProviderError::SamePerson`] when the applicant, the reviewer or whoever suspended decides.
    pub fn resume(self, by: PersonId) -> Result<Self, ProviderError> {
        self.step(Resume)?.guard_approver(by, Resume)
    }

    /// Ends the admission.
    ///
    /// # Errors
    /// An illegal move; [`ProviderError::SamePerson`] when the applicant, the reviewer or whoever suspended decides.
    pub fn end(self, by: PersonId) -> Result<Self, ProviderError> {
        self.step(End)?.guard_approver(by, End)
    }

    fn step(mut self, trigger: ProviderTrigger) -> Result<Self, ProviderError> {
        self.0.status = self.0.status.on(trigger).map_err(|_refused| ProviderError::Transition { from: self.0.status, trigger })?.to;
        Ok(self)
    }

    fn guard_approver(self, by: PersonId, trigger: ProviderTrigger) -> Result<Self, ProviderError> {
        let took_part = by == self.0.applied_by || Some(by) == self.0.reviewed_by || Some(by) == self.0.suspended_by;
        if took_part { Err(ProviderError::SamePerson { trigger }) } else { Ok(self) }
    }
}

#[cfg(test)]
mod tests;
