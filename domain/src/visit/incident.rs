//! Incidents: what went wrong at a visit, who must act on it and by when.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use crate::{
    access::Role,
    state::{StateMachine, Transition},
    time::Instant,
};

/// What went wrong.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum IncidentKind {
    /// 跌倒
    Fall,
    /// 烫伤
    Scald,
    /// 噎食、误吸
    Choking,
    /// 皮肤损伤、压疮
    SkinInjury,
    /// 突发疾病
    SuddenIllness,
    /// 用药差错
    Medication,
    /// 走失
    Missing,
    /// 无人应门
    NobodyAnswered,
    /// 冲突、侵害
    Aggression,
    /// 财物损失
    Property,
    /// 其他
    Other,
}

/// How bad it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Severity {
    /// No harm to anybody.
    Minor,
    /// Harm that heals, or a loss.
    Serious,
    /// Danger to life, or lasting harm.
    Critical,
}

impl Severity {
    /// How long the provider has to take it up, in hours.
    #[must_use]
    pub const fn take_up_hours(self) -> i64 {
        match self {
            Self::Minor => 72,
            Self::Serious => 24,
            Self::Critical => 2,
        }
    }

    /// How long the provider has to settle it after taking it up, and the bureau to look at it then, in days.
    #[must_use]
    pub const fn settle_days(self) -> i64 {
        match self {
            Self::Minor => 14,
            Self::Serious => 7,
            Self::Critical => 3,
        }
    }
}

/// Where an incident stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum IncidentState {
    /// Reported from the visit.
    Reported,
    /// The provider acts on it.
    InHandling,
    /// The provider says what was done.
    Resolved,
    /// The bureau has looked at it.
    Closed,
}

/// What moves an incident.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum IncidentTrigger {
    /// The provider takes it up.
    TakeUp,
    /// The provider states the measures taken.
    Resolve,
    /// The bureau wants more.
    Return,
    /// The bureau is content.
    Close,
}

impl StateMachine for IncidentState {
    type Trigger = IncidentTrigger;
    const NAME: &'static str = "incident";
    const INITIAL: Self = Self::Reported;
    const STATES: &'static [Self] = &[Self::Reported, Self::InHandling, Self::Resolved, Self::Closed];
    const TABLE: &'static [Transition<Self, IncidentTrigger>] = &[
        Transition {
            from: Self::Reported,
            trigger: IncidentTrigger::TakeUp,
            to: Self::InHandling,
            who: &[Role::ProviderManager],
            why: "somebody at the provider is answerable for it",
        },
        Transition {
            from: Self::InHandling,
            trigger: IncidentTrigger::Resolve,
            to: Self::Resolved,
            who: &[Role::ProviderManager],
            why: "the measures are stated",
        },
        Transition {
            from: Self::Resolved,
            trigger: IncidentTrigger::Return,
            to: Self::InHandling,
            who: &[Role::CountyClerk],
            why: "the measures are not enough",
        },
        Transition {
            from: Self::Resolved,
            trigger: IncidentTrigger::Close,
            to: Self::Closed,
            who: &[Role::CountyClerk],
            why: "the bureau has looked at it",
        },
    ];
}

impl IncidentState {
    /// Who must act next and until when, for an incident of this severity that entered the state at `since`;
    /// none when nobody waits.
    #[must_use]
    pub fn waits_for(self, severity: Severity, since: Instant) -> Option<(Role, Instant)> {
        match self {
            Self::Reported => Some((Role::ProviderManager, since + TimeDelta::hours(severity.take_up_hours()))),
            Self::InHandling => Some((Role::ProviderManager, since + TimeDelta::days(severity.settle_days()))),
            Self::Resolved => Some((Role::CountyClerk, since + TimeDelta::days(severity.settle_days()))),
            Self::Closed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn the_table_is_sound() {
        crate::state::tests::check::<IncidentState>();
    }

    #[test]
    fn every_state_that_is_not_final_has_an_owner_who_may_act_and_less_time_the_worse_it_is() {
        let since: Instant = "2026-12-01T09:00:00Z".parse().unwrap();
        for state in IncidentState::iter() {
            let waits = |severity| state.waits_for(severity, since);
            let Some((owner, deadline)) = waits(Severity::Critical) else {
                assert!(state.is_final(), "{state}");
                continue;
            };
            let may_act = IncidentState::TABLE.iter().filter(|row| row.from == state).all(|row| row.who.contains(&owner));
            assert!(may_act, "{state} waits for somebody who cannot act");
            assert!(deadline < waits(Severity::Serious).unwrap().1 && waits(Severity::Serious) < waits(Severity::Minor));
        }
    }
}
