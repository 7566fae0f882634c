mod names;

pub use names::{VisitStatus, VisitTrigger};

use crate::{
    access::Role,
    state::{StateMachine, Transition},
};

impl StateMachine for VisitStatus {
    type Trigger = VisitTrigger;
    const NAME: &'static str = "visit";
    const INITIAL: Self = Self::Planned;
    const STATES: &'static [Self] = &[Self::Planned, Self::InService, Self::Completed, Self::Missed, Self::Cancelled];
    const TABLE: &'static [Transition<Self, VisitTrigger>] = {
        use VisitStatus::{Cancelled, Completed, InService, Missed, Planned};
        use VisitTrigger as T;
        // The carer's phone, or a correction by the provider.
        const CLOCK: &[Role] = &[Role::Carer, Role::ProviderManager];
        const BOOKERS: &[Role] = &[Role::FamilyMember, Role::Resident, Role::CommunityWorker, Role::ProviderManager];
        &[
            Transition { from: Planned, trigger: T::ClockIn, to: InService, who: CLOCK, why: "the first assigned carer arrives" },
            Transition {
                from: Planned,
                trigger: T::Stop,
                to: Cancelled,
                who: &[Role::Carer],
                why: "the check before the service forbids it",
            },
            Transition { from: Planned, trigger: T::Cancel, to: Cancelled, who: BOOKERS, why: "the order ends before the visit" },
            Transition { from: Planned, trigger: T::Miss, to: Missed, who: &[], why: "nobody arrived by the deadline" },
            Transition { from: InService, trigger: T::ClockOut, to: Completed, who: CLOCK, why: "the last carer who arrived leaves" },
            Transition {
                from: InService,
                trigger: T::CloseForgotten,
                to: Completed,
                who: &[],
                why: "nobody recorded the departure by the deadline",
            },
        ]
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        crate::state::tests::check::<VisitStatus>();
    }

    #[test]
    fn a_visit_is_planned_served_and_completed() {
        let after = |from: VisitStatus, trigger| from.on(trigger).unwrap().to;
        assert_eq!(after(VisitStatus::Planned, VisitTrigger::ClockIn), VisitStatus::InService);
        assert_eq!(after(VisitStatus::InService, VisitTrigger::ClockOut), VisitStatus::Completed);
        assert_eq!(after(VisitStatus::InService, VisitTrigger::CloseForgotten), VisitStatus::Completed);
    }
}
