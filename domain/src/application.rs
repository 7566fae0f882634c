//! An application for a programme, from the community's desk to the first day of the entitlement.
//!
//! Acceptance, review and approval are three persons' steps; a public notice follows, during which an
//! objection suspends the case. Each waiting state has an owner and a deadline in working days.

use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    error::{Fault, Kind},
    state::{StateMachine, Transition},
    time::{BusinessDate, TimeError, WorkingCalendar},
};

/// Why a step of an application was refused, beside its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApplicationError {
    /// Claims about the resident that nobody has compared with the papers.
    #[error("{0} facts that the resident or the family stated are not verified yet")]
    FactsUnverified(usize),
}

impl Fault for ApplicationError {
    fn code(&self) -> &'static str {
        match self {
            Self::FactsUnverified(_) => "application.facts_unverified",
        }
    }
    fn kind(&self) -> Kind {
        Kind::Conflict
    }
}

/// Where an application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ApplicationState {
    /// Filed; the community must accept it.
    Filed,
    /// Accepted; the street must review it.
    Accepted,
    /// Reviewed; the county must decide it.
    Reviewed,
    /// Approved; the public notice runs.
    OnNotice,
    /// An objection was raised; the county must look again.
    Suspended,
    /// The notice has passed; the entitlement is open.
    Effective,
    /// The decision is no.
    Refused,
}

/// What moves an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ApplicationTrigger {
    /// The community worker accepts the papers.
    Accept,
    /// The street clerk finds the facts right.
    Review,
    /// The approver grants.
    Approve,
    /// The approver refuses, or the rules do.
    Refuse,
    /// Somebody objects during the notice.
    Object,
    /// The county takes the case up again.
    Reopen,
    /// The notice ends without objection.
    EndNotice,
    /// An entitlement that ran before is taken over from a sheet that another person handed in.
    TakeOver,
}

impl StateMachine for ApplicationState {
    type Trigger = ApplicationTrigger;
    const NAME: &'static str = "application";
    const INITIAL: Self = Self::Filed;
    const STATES: &'static [Self] =
        &[Self::Filed, Self::Accepted, Self::Reviewed, Self::OnNotice, Self::Suspended, Self::Effective, Self::Refused];
    const TABLE: &'static [Transition<Self, ApplicationTrigger>] = {
        use ApplicationState::{Accepted, Effective, Filed, OnNotice, Refused, Reviewed, Suspended};
        use ApplicationTrigger as T;
        &[
            Transition { from: Filed, trigger: T::Accept, to: Accepted, who: &[Role::CommunityWorker], why: "the papers are complete" },
            Transition {
                from: Accepted,
                trigger: T::Review,
                to: Reviewed,
                who: &[Role::StreetClerk],
                why: "the street has checked the facts",
            },
            Transition {
                from: Reviewed,
                trigger: T::Approve,
                to: OnNotice,
                who: &[Role::Approver],
                why: "another person grants; neighbours may object",
            },
            Transition {
                from: Reviewed,
                trigger: T::Refuse,
                to: Refused,
                who: &[Role::Approver],
                why: "the rules or the facts do not allow it",
            },
            Transition {
                from: OnNotice,
                trigger: T::Object,
                to: Suspended,
                who: &[Role::CommunityWorker, Role::HotlineDesk],
                why: "an objection stops the clock",
            },
            Transition {
                from: Suspended,
                trigger: T::Reopen,
                to: Reviewed,
                who: &[Role::CountyClerk],
                why: "the objection was looked into; the county decides again",
            },
            Transition { from: OnNotice, trigger: T::EndNotice, to: Effective, who: &[], why: "nobody objected in time" },
            Transition {
                from: Filed,
                trigger: T::TakeOver,
                to: Effective,
                who: &[Role::Approver],
                why: "it ran before; another person handed the sheet in and the rules still grant it",
            },
        ]
    };
}

impl ApplicationState {
    /// Who must act next, and within how many working days; none when nobody waits.
    #[must_use]
    pub const fn waits_for(self) -> Option<(Role, u32)> {
        match self {
            Self::Filed => Some((Role::CommunityWorker, 3)),
            Self::Accepted => Some((Role::StreetClerk, 5)),
            Self::Reviewed => Some((Role::Approver, 5)),
            Self::Suspended => Some((Role::CountyClerk, 10)),
            Self::OnNotice | Self::Effective | Self::Refused => None,
        }
    }

    /// Who answers for the public notice, which ends by itself.
    pub const NOTICE_OWNER: Role = Role::CountyClerk;

    /// The day by which the owner must have acted, counted from the day the state began.
    ///
    /// # Errors
    /// [`TimeError::Range`] beyond the calendar.
    pub fn deadline(self, since: BusinessDate, calendar: &WorkingCalendar) -> Result<Option<BusinessDate>, TimeError> {
        self.waits_for().map(|(_, days)| calendar.add_working_days(since, days)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        crate::state::tests::check::<ApplicationState>();
    }

    #[test]
    fn deadlines_skip_official_rest_days() {
        let calendar = WorkingCalendar::shipped().unwrap();
        let filed: BusinessDate = "2026-09-30".parse().unwrap();
        let deadline = ApplicationState::Filed.deadline(filed, &calendar).unwrap();
        assert_eq!(deadline, Some("2026-10-10".parse().unwrap()), "1 to 7 October are rest days, Saturday the 10th is worked");
    }
}
