use std::collections::BTreeSet;

use super::{LifeStatus, ResidentError};
use crate::{
    access::Role,
    state::{StateMachine, Transition, TransitionError},
    time::BusinessDate,
};

/// What changes where and whether a resident lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum StatusTrigger {
    /// Taken into a hospital.
    EnterHospital,
    /// Taken into an institution.
    EnterInstitution,
    /// Back at home.
    ComeHome,
    /// Gone from the city.
    MoveAway,
    /// Died.
    Die,
    /// The record of a death was wrong.
    CorrectDeath,
}

/// Who may tell that the resident needs less: whoever is near.
const NEAR: &[Role] = &[Role::FamilyMember, Role::Resident, Role::CommunityWorker];
/// Who may tell that service and money can begin again.
const COMMUNITY: &[Role] = &[Role::CommunityWorker];
/// Who may tell of a death.
const KIN: &[Role] = &[Role::FamilyMember, Role::CommunityWorker];

const fn row(
    from: LifeStatus,
    trigger: StatusTrigger,
    to: LifeStatus,
    who: &'static [Role],
    why: &'static str,
) -> Transition<LifeStatus, StatusTrigger> {
    Transition { from, trigger, to, who, why }
}

impl StateMachine for LifeStatus {
    type Trigger = StatusTrigger;
    const NAME: &'static str = "resident";
    const INITIAL: Self = Self::Alive;
    const STATES: &'static [Self] = &[Self::Alive, Self::Hospital, Self::Institution, Self::Moved, Self::Dead];
    const TABLE: &'static [Transition<Self, StatusTrigger>] = {
        use LifeStatus::{Alive, Dead, Hospital, Institution, Moved};
        use StatusTrigger as T;
        &[
            row(Alive, T::EnterHospital, Hospital, NEAR, "cannot be served at home for a time"),
            row(Alive, T::EnterInstitution, Institution, NEAR, "lives in an institution"),
            row(Alive, T::MoveAway, Moved, NEAR, "another city is responsible"),
            row(Alive, T::Die, Dead, KIN, "everything stops"),
            row(Hospital, T::ComeHome, Alive, COMMUNITY, "the community has seen the resident at home"),
            row(Hospital, T::EnterInstitution, Institution, NEAR, "went from the hospital into an institution"),
            row(Hospital, T::MoveAway, Moved, NEAR, "another city is responsible"),
            row(Hospital, T::Die, Dead, KIN, "everything stops"),
            row(Institution, T::ComeHome, Alive, COMMUNITY, "the community has seen the resident at home"),
            row(Institution, T::EnterHospital, Hospital, NEAR, "went from the institution into a hospital"),
            row(Institution, T::MoveAway, Moved, NEAR, "another city is responsible"),
            row(Institution, T::Die, Dead, KIN, "everything stops"),
            row(Moved, T::ComeHome, Alive, COMMUNITY, "lives in the city again"),
            row(Moved, T::Die, Dead, KIN, "everything stops"),
            row(
                Dead,
                T::CorrectDeath,
                Alive,
                &[Role::StreetClerk, Role::CountyClerk],
                "another person found the record of the death wrong",
            ),
        ]
    };
}

impl LifeStatus {
    /// The move that leads from this status to another one, as it is reported. A death is not followed by
    /// reports; it is corrected.
    ///
    /// # Errors
    /// [`TransitionError`] when there is none.
    pub fn toward(self, to: Self) -> Result<&'static Transition<Self, StatusTrigger>, TransitionError> {
        let reported =
            |row: &&Transition<Self, StatusTrigger>| row.from == self && row.to == to && row.trigger != StatusTrigger::CorrectDeath;
        Self::TABLE.iter().find(reported).ok_or_else(|| TransitionError {
            machine: Self::NAME,
            from: self.to_string(),
            trigger: format!("becoming {to}"),
        })
    }
}

/// A status with its first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusEntry {
    /// The status.
    pub status: LifeStatus,
    /// Its first day.
    pub since: BusinessDate,
}

/// The statuses of one resident, in the order in which they began. A death that was recorded wrongly is left
/// out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusHistory {
    first: StatusEntry,
    later: Vec<StatusEntry>,
}

impl StatusHistory {
    /// A history from its first entry and those that followed.
    #[must_use]
    pub const fn new(first: StatusEntry, later: Vec<StatusEntry>) -> Self {
        Self { first, later }
    }

    /// The entry at registration.
    #[must_use]
    pub const fn first(&self) -> StatusEntry {
        self.first
    }

    /// The last entry.
    #[must_use]
    pub fn current(&self) -> StatusEntry {
        self.later.last().copied().unwrap_or(self.first)
    }

    /// The status on a day; before the first entry, the first.
    #[must_use]
    pub fn on(&self, day: BusinessDate) -> LifeStatus {
        let last = self.later.iter().rfind(|entry| entry.since <= day);
        last.map_or(self.first.status, |entry| entry.status)
    }

    /// Whether a status that begins on a day can follow.
    ///
    /// # Errors
    /// [`ResidentError::StatusOrder`] before the present status began, [`ResidentError::Date`] for a day to
    /// come.
    pub fn check(&self, since: BusinessDate, today: BusinessDate) -> Result<(), ResidentError> {
        if since < self.current().since {
            return Err(ResidentError::StatusOrder);
        }
        if since > today { Err(ResidentError::Date) } else { Ok(()) }
    }

    /// The days on which the status changes.
    #[must_use]
    pub fn change_days(&self) -> BTreeSet<BusinessDate> {
        self.later.iter().map(|entry| entry.since).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    fn entry(status: LifeStatus, since: &str) -> StatusEntry {
        StatusEntry { status, since: date(since) }
    }

    #[test]
    fn the_table_is_sound_and_a_death_can_only_be_corrected() {
        crate::state::tests::check_moves::<LifeStatus>();
        let after_death: Vec<_> = LifeStatus::TABLE.iter().filter(|row| row.from == LifeStatus::Dead).map(|row| row.trigger).collect();
        assert_eq!(after_death, [StatusTrigger::CorrectDeath]);
        assert!(LifeStatus::Dead.toward(LifeStatus::Alive).is_err());
        for row in LifeStatus::TABLE.iter().filter(|row| row.trigger == StatusTrigger::CorrectDeath) {
            assert!(row.who.iter().all(|role| !KIN.contains(role)), "whoever reports a death does not correct it");
        }
    }

    #[test]
    fn the_return_from_a_hospital_is_the_communitys_to_tell() {
        let back = LifeStatus::Hospital.toward(LifeStatus::Alive).unwrap();
        assert_eq!((back.trigger, back.who), (StatusTrigger::ComeHome, COMMUNITY));
        assert!(LifeStatus::Alive.toward(LifeStatus::Alive).is_err());
    }

    #[test]
    fn a_status_holds_from_its_day_until_the_next() {
        let later = vec![entry(LifeStatus::Hospital, "2026-11-10"), entry(LifeStatus::Alive, "2026-11-20")];
        let history = StatusHistory::new(entry(LifeStatus::Alive, "2026-11-01"), later);
        let on = |day: &str| history.on(date(day));
        assert_eq!((on("2026-10-01"), on("2026-11-09")), (LifeStatus::Alive, LifeStatus::Alive));
        assert_eq!((on("2026-11-10"), on("2026-11-19"), on("2026-11-20")), (LifeStatus::Hospital, LifeStatus::Hospital, LifeStatus::Alive));
        assert_eq!(history.check(date("2026-11-19"), date("2026-11-23")), Err(ResidentError::StatusOrder));
        assert_eq!(history.check(date("2026-11-24"), date("2026-11-23")), Err(ResidentError::Date));
        assert_eq!(history.check(date("2026-11-23"), date("2026-11-23")), Ok(()));
    }
}
