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
    /// How far a provider has come.
    ProviderStatus {
        /// Papers are handed in.
        Applied,
        /// A licensing officer found the papers complete and true.
        Reviewed,
        /// May serve.
        Admitted,
        /// May not take new orders for the time being.
        Suspended,
        /// Refused, withdrawn or closed; a new start is a new application.
        Ended,
    }
}

names! {
    /// Why a provider's service was stopped.
    SuspensionReason {
        /// A licence ended or was withdrawn.
        LicenceEnded,
        /// The yearly review was missed or not passed.
        ReviewFailed,
        /// The agreement with the bureau ended or is to end.
        AgreementEnded,
        /// A complaint is being looked into.
        Complaint,
        /// An inspection found something.
        Inspection,
        /// Somebody was harmed or could have been.
        SafetyIncident,
        /// The provider asked for it, or closes.
        OwnRequest,
    }
}

names! {
    /// What moves a provider.
    ProviderTrigger {
        /// The papers are found complete and true.
        Review,
        /// The papers go back to be completed.
        Return,
        /// Admission is granted.
        Admit,
        /// Admission is refused.
        Refuse,
        /// The provider takes the application back.
        Withdraw,
        /// Service is stopped for the time being.
        Suspend,
        /// Service may go on.
        Resume,
        /// Admission ends.
        End,
    }
}
