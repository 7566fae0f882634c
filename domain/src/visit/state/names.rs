use serde::{Deserialize, Serialize};

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            strum::Display, strum::EnumString, strum::EnumIter, strum::IntoStaticStr,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }
    };
}

names! {
    /// How far a visit has come.
    VisitStatus {
        /// Nobody has arrived.
        Planned,
        /// A carer has arrived.
        InService,
        /// The carers have left.
        Completed,
        /// Nobody came.
        Missed,
        /// The order ended before the visit.
        Cancelled,
    }
}

names! {
    /// What moves a visit.
    VisitTrigger {
        /// The first carer arrives.
        ClockIn,
        /// The last carer leaves.
        ClockOut,
        /// The departure was not recorded in time.
        CloseForgotten,
        /// The deadline of the arrival passed.
        Miss,
        /// The order is cancelled.
        Cancel,
        /// The check before the service says that it must not begin.
        Stop,
    }
}
