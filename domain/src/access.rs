//! Who may do what: roles, actions, and the one matrix that joins them.
//!
//! A role is held by a natural person, within a scope (a division prefix, a provider, or the residents the
//! person is bound to), from a date to a date. A decision is: the role allows the action, the object lies
//! in the scope of that role, and it is not the same person where two are needed. Whoever may not see a
//! thing is told that it does not exist.

mod key;
#[cfg(test)]
mod tests;

pub use key::{BY_KEY, KEY_DAYS_MAX, KEYS_MAX, KeyScope};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use crate::{
    division::{DivisionCode, Scope},
    error::{Fault, Kind},
    id::{AccountId, PersonId, ProviderId, ResidentId, SessionId},
};

/// What a person is to the service.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Acts for one or more residents by a recorded relation and consent.
    FamilyMember,
    /// The older person.
    Resident,
    /// Runs a provider.
    ProviderManager,
    /// Serves residents for a provider.
    Carer,
    /// Registers residents, accepts applications, makes check-in visits.
    CommunityWorker,
    /// Helps without pay.
    Volunteer,
    /// Answers the service number.
    HotlineDesk,
    /// Records ability assessments.
    Assessor,
    /// Reviews applications.
    StreetClerk,
    /// Computes settlements, drafts policies.
    CountyClerk,
    /// Approves what others prepared.
    Approver,
    /// Registers and checks providers.
    ProviderLicensingOfficer,
    /// Reads everything with a reason, changes nothing.
    Auditor,
    /// Keeps the system running; sees no personal data.
    SystemOperator,
}

impl Role {
    /// Whether a person in this role must sign in with a second factor.
    #[must_use]
    pub const fn needs_second_factor(self) -> bool {
        match self {
            Self::FamilyMember | Self::Resident | Self::Carer | Self::Volunteer => false,
            Self::ProviderManager
            | Self::CommunityWorker
            | Self::HotlineDesk
            | Self::Assessor
            | Self::StreetClerk
            | Self::CountyClerk
            | Self::Approver
            | Self::ProviderLicensingOfficer
            | Self::Auditor
            | Self::SystemOperator => true,
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident: $($role:ident)|+;)*) => {
        /// Something that a person asks the service to do or show.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumIter, IntoStaticStr)]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// The roles that may take the action: the access matrix.
            #[must_use]
            pub const fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$(Role::$role),+],)* }
            }
        }
    };
}

actions! {
    /// Create accounts and grant roles.
    ManageAccounts: SystemOperator;
    /// Approve a new authenticator that another person asked for.
    ApproveAuthenticatorReset: SystemOperator | Approver;
    /// Issue, see and revoke keys of one's own account.
    ManageKeys: FamilyMember | Resident | ProviderManager | CommunityWorker | StreetClerk | CountyClerk | ProviderLicensingOfficer | SystemOperator;
    /// Move the clock of a demo city.
    MoveDemoClock: SystemOperator;
    /// Import the division table.
    ImportDivisions: SystemOperator;
    /// Register an older person: a worker in the own area, others as below.
    RegisterResident: FamilyMember | Resident | CommunityWorker;
    /// Register an older relative.
    RegisterRelative: FamilyMember;
    /// Register oneself.
    RegisterSelf: Resident;
    /// Change how a resident is reached: telephone, service addresses.
    EditContact: FamilyMember | Resident | CommunityWorker;
    /// See what is stated of a resident, on which evidence.
    ReadFacts: FamilyMember | Resident | CommunityWorker | StreetClerk | CountyClerk | Approver;
    /// State a fact about a resident.
    RecordFact: FamilyMember | Resident | CommunityWorker | StreetClerk;
    /// Compare a claimed fact with the papers, or end one.
    SettleFact: CommunityWorker | StreetClerk;
    /// Report that a resident went into a hospital or an institution, or moved away.
    ReportStatus: FamilyMember | Resident | CommunityWorker;
    /// Report that a resident lives at home again.
    ReportReturn: CommunityWorker;
    /// Report a death.
    ReportDeath: FamilyMember | CommunityWorker;
    /// Correct a death that another person recorded wrongly.
    CorrectDeath: StreetClerk | CountyClerk;
    /// See who may be registered twice.
    ReadDuplicates: CommunityWorker | StreetClerk;
    /// Bind a family member to a resident.
    BindFamilyMember: CommunityWorker;
    /// See who acts for a resident, with which consent.
    ReadFamilyMembers: FamilyMember | Resident | CommunityWorker | StreetClerk;
    /// End a relation, or withdraw the consent to it.
    EndRelation: FamilyMember | Resident | CommunityWorker;
    /// See a resident's record.
    ReadResident: FamilyMember | Resident | CommunityWorker | Assessor | StreetClerk | CountyClerk | Approver;
    /// Record an ability assessment as the first assessor.
    RecordAssessment: Assessor;
    /// Confirm another assessor's assessment.
    ConfirmAssessment: Assessor;
    /// See the assessments of a resident.
    ReadAssessments: FamilyMember | Resident | CommunityWorker | Assessor | StreetClerk | CountyClerk | Approver;
    /// Apply for a programme.
    Apply: FamilyMember | Resident | CommunityWorker;
    /// Accept an application at the community.
    AcceptApplication: CommunityWorker;
    /// Review an application at the street.
    ReviewApplication: StreetClerk;
    /// Approve or refuse a reviewed application.
    ApproveApplication: Approver;
    /// Raise an objection during the public notice.
    ObjectToApplication: CommunityWorker | HotlineDesk;
    /// See what was objected and what looking into it has shown.
    ReadApplicationNotes: CommunityWorker | StreetClerk | CountyClerk | Approver;
    /// See which applications wait beyond their deadline.
    ReadOverdueApplications: CommunityWorker | StreetClerk | CountyClerk | Approver;
    /// Reopen an application after an objection.
    ReopenApplication: CountyClerk;
    /// See an application and its decision.
    ReadApplication: FamilyMember | Resident | CommunityWorker | StreetClerk | CountyClerk | Approver;
    /// See what a resident may use.
    ReadEntitlements: FamilyMember | Resident | CommunityWorker | StreetClerk | CountyClerk | Approver;
    /// Draft a policy version.
    DraftPolicy: CountyClerk;
    /// Publish a policy version that somebody else drafted.
    PublishPolicy: Approver;
    /// Draft which services a programme may pay.
    DraftPurchaseList: CountyClerk;
    /// Publish a purchase list that somebody else drafted.
    PublishPurchaseList: Approver;
    /// See the purchase lists.
    ReadPurchaseLists: CountyClerk | Approver | ProviderManager | Auditor;
    /// Give a programme its yearly budget.
    SetBudget: CountyClerk;
    /// See what the programmes' funds were given, have reserved and spent.
    ReadBudgets: CountyClerk | Approver | Auditor;
    /// Apply for admission as a provider.
    ApplyAsProvider: ProviderManager;
    /// Check a provider's papers.
    ReviewProvider: ProviderLicensingOfficer;
    /// Admit a reviewed provider.
    AdmitProvider: Approver;
    /// See a provider's record, its carers and its bank account, masked.
    ReadProvider: ProviderManager | CountyClerk | Approver | ProviderLicensingOfficer | Auditor;
    /// Say where and when a provider serves.
    EditProvider: ProviderManager;
    /// Record and end a provider's agreement with the bureau.
    RecordAgreement: ProviderLicensingOfficer;
    /// Record the yearly review of a provider's qualification.
    RecordReview: ProviderLicensingOfficer;
    /// Ask for another bank account, or take the request back.
    RequestBankAccount: ProviderManager;
    /// Approve or refuse a bank account that somebody else asked for.
    DecideBankAccount: Approver | ProviderLicensingOfficer;
    /// Ask for a new or renewed licence to be looked at.
    RequestLicence: ProviderManager;
    /// Confirm or refuse a licence.
    DecideLicence: ProviderLicensingOfficer;
    /// Stop a provider's service for the time being.
    SuspendProvider: ProviderLicensingOfficer;
    /// Send papers back, lift a suspension, end an admission.
    DecideProvider: Approver;
    /// Refuse admission.
    RefuseProvider: Approver | ProviderLicensingOfficer;
    /// Take an application back, or close during a suspension.
    WithdrawProvider: ProviderManager;
    /// Publish a provider's price.
    PublishPrice: ProviderManager;
    /// Enter a carer with certificates.
    RegisterCarer: ProviderManager;
    /// Say what a carer can do, when they work and when they are away.
    EditCarer: ProviderManager;
    /// Give a carer a code that signs in their device.
    IssueCarerCode: ProviderManager;
    /// Print codes on paper for a resident without a telephone.
    IssueCodeSheet: CommunityWorker;
    /// Open a day-care centre.
    OpenDayCareCentre: ProviderManager;
    /// See day-care centres and how many seats are free.
    ReadDayCare: FamilyMember | Resident | ProviderManager | CommunityWorker | StreetClerk | CountyClerk;
    /// See which providers could serve, and why the others could not.
    FindCandidates: FamilyMember | Resident | CommunityWorker;
    /// Ask for a quote.
    RequestQuote: FamilyMember | Resident | CommunityWorker;
    /// Book a quoted service.
    PlaceOrder: FamilyMember | Resident | CommunityWorker;
    /// See an order with its visit.
    ReadOrder: FamilyMember | Resident | ProviderManager | Carer | CommunityWorker | CountyClerk | Approver;
    /// See who was asked to serve an order; a provider sees its own offers.
    ReadOffers: FamilyMember | Resident | ProviderManager | CommunityWorker | CountyClerk;
    /// Accept an offered order.
    AcceptOrder: ProviderManager;
    /// Decline an offered order.
    DeclineOrder: ProviderManager;
    /// Give an accepted order back.
    ReturnOrder: ProviderManager;
    /// Assign carers to an accepted order.
    AssignOrder: ProviderManager;
    /// Cancel an order.
    CancelOrder: FamilyMember | Resident | CommunityWorker | HotlineDesk;
    /// See the code that proves presence at a visit.
    ReadVisitCode: FamilyMember | Resident;
    /// Clock in and out.
    ClockVisit: Carer;
    /// Bind one's own phone by its key.
    BindDevice: Carer;
    /// See the phones of a carer.
    ReadDevices: Carer | ProviderManager;
    /// Revoke a phone that is lost or replaced.
    RevokeDevice: Carer | ProviderManager;
    /// Report the tasks of a visit, and the check before it.
    ReportVisit: Carer;
    /// See a visit with its evidence.
    ReadVisit: FamilyMember | Resident | ProviderManager | Carer | CountyClerk | Approver | Auditor;
    /// Correct the times of a visit, or decide about an event that does not fit.
    CorrectVisit: ProviderManager;
    /// See the events that do not fit their visits.
    ReadQuarantine: ProviderManager;
    /// Report an incident from a visit.
    ReportIncident: Carer;
    /// See incidents.
    ReadIncidents: ProviderManager | CountyClerk;
    /// Take up an incident and state the measures.
    HandleIncident: ProviderManager;
    /// Return or close a resolved incident.
    ReviewIncident: CountyClerk;
    /// Confirm a completed service.
    ConfirmOrder: FamilyMember | Resident;
    /// Dispute a completed service.
    DisputeOrder: FamilyMember | Resident;
    /// Say something about a dispute that is not decided yet.
    StateInDispute: FamilyMember | Resident | ProviderManager;
    /// See a dispute with what both sides say.
    ReadDispute: FamilyMember | Resident | ProviderManager | CountyClerk | Approver;
    /// Decide a dispute; an approver only one that the clerk has left overdue.
    DecideDispute: CountyClerk | Approver;
    /// See which wanted services nobody gave.
    ReadUnmetDemand: CountyClerk | StreetClerk;
    /// Approve or refuse a claim line that is held for missing evidence.
    DecideHeldClaim: CountyClerk | Approver;
    /// Answer a request for consent to a larger share.
    AnswerConsent: FamilyMember | Resident;
    /// See requests for consent.
    ReadConsent: FamilyMember | Resident | CommunityWorker;
    /// Propose to take back what was posted for an order.
    ProposeReversal: CountyClerk;
    /// Decide on taking back what was posted.
    DecideReversal: Approver;
    /// See claim lines and settlement periods.
    ReadSettlement: CountyClerk | Approver | Auditor;
    /// Compute a settlement period.
    ComputeSettlement: CountyClerk;
    /// Approve a computed settlement period.
    ApproveSettlement: Approver;
    /// Release an approved settlement period.
    ReleaseSettlement: CountyClerk;
    /// Take over a sheet of what the city has already.
    ImportSheet: CountyClerk;
    /// Approve a sheet that another person handed in.
    ApproveImport: Approver;
    /// See the findings of supervision.
    ReadFlags: CountyClerk | Approver | Auditor;
    /// Read the audit trail.
    ReadAudit: Auditor;
    /// See the state of events and deliveries.
    ReadJobs: SystemOperator;
}

/// What a role grant reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Everything inside a division prefix.
    Division(Scope),
    /// One provider.
    Provider(ProviderId),
    /// The residents that the person is bound to.
    Bound(Vec<ResidentId>),
}

/// One role that a person holds now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// What it reaches.
    pub reach: Reach,
}

/// Who asks: a natural person with the roles they hold now, or the system itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in person.
    Person(SignedIn),
    /// A worker, a command of the operator on the machine itself, or the seed.
    System(&'static str),
}

/// A signed-in person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The natural person.
    pub person: PersonId,
    /// The account they signed in with.
    pub account: AccountId,
    /// The device they use.
    pub session: SessionId,
    /// The roles they hold now.
    pub grants: Vec<Grant>,
    /// What the bearer key that asks was given; none in a session.
    pub key: Option<KeyScope>,
}

/// What an action is about, as far as scope is concerned. A thing may offer several handles: an order is
/// reached through its resident's division, the resident, or its provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object {
    /// Division in which the thing lies.
    pub division: Option<DivisionCode>,
    /// Provider that it belongs to.
    pub provider: Option<ProviderId>,
    /// Resident that it is about.
    pub resident: Option<ResidentId>,
}

/// Why something was not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// None of the person's roles may take the action.
    #[error("none of your roles may {0}")]
    Role(Action),
    /// The thing lies outside the scope, or does not exist; the answer is the same.
    #[error("there is no such thing within your reach")]
    NotFound,
    /// The action needs another person than the one who did the step before.
    #[error("this step must be taken by another person than {0}")]
    SamePerson(&'static str),
    /// The bearer key was not given the action.
    #[error("this key may not {0}")]
    Key(Action),
    /// A bearer key cannot do what a person does in a session.
    #[error("no key can do this; sign in")]
    SessionNeeded,
    /// Only a person can do this, not the system.
    #[error("this step must be taken by a person")]
    PersonNeeded,
}

impl Fault for AccessError {
    fn code(&self) -> &'static str {
        match self {
            Self::Role(_) => "access.role",
            Self::NotFound => "access.not_found",
            Self::SamePerson(_) => "access.same_person",
            Self::Key(_) => "access.key",
            Self::SessionNeeded => "access.session_needed",
            Self::PersonNeeded => "access.person_needed",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Role(_) | Self::SamePerson(_) | Self::Key(_) | Self::SessionNeeded | Self::PersonNeeded => Kind::Forbidden,
            Self::NotFound => Kind::NotFound,
        }
    }
}

/// Proof that an action was allowed, with the role that allowed it; the audit row keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    /// The action.
    pub action: Action,
    /// The role under which it was allowed; none for the system itself.
    pub role: Option<Role>,
}

impl Actor {
    /// The natural person, if there is one.
    #[must_use]
    pub const fn person(&self) -> Option<PersonId> {
        match self {
            Self::Person(signed_in) => Some(signed_in.person),
            Self::System(_) => None,
        }
    }

    /// The natural person.
    ///
    /// # Errors
    /// [`AccessError::PersonNeeded`] for the system.
    pub fn need_person(&self) -> Result<PersonId, AccessError> {
        self.person().ok_or(AccessError::PersonNeeded)
    }

    /// The account of the person, if there is one.
    #[must_use]
    pub const fn account(&self) -> Option<AccountId> {
        match self {
            Self::Person(signed_in) => Some(signed_in.account),
            Self::System(_) => None,
        }
    }

    /// The roles that the person holds now; none for the system.
    #[must_use]
    pub fn roles(&self) -> Vec<Role> {
        match self {
            Self::Person(signed_in) => signed_in.grants.iter().map(|grant| grant.role).collect(),
            Self::System(_) => Vec::new(),
        }
    }

    /// Whether one of the actor's roles may take the action at all. Checked before anything is loaded.
    ///
    /// # Errors
    /// [`AccessError::Role`]; [`AccessError::Key`] for a bearer key that was not given the action.
    pub fn may(&self, action: Action) -> Result<(), AccessError> {
        match self {
            Self::System(_) => Ok(()),
            Self::Person(signed_in) if signed_in.key.as_ref().is_some_and(|scope| !scope.covers(action)) => Err(AccessError::Key(action)),
            Self::Person(signed_in) if signed_in.grants.iter().any(|grant| action.roles().contains(&grant.role)) => Ok(()),
            Self::Person(_) => Err(AccessError::Role(action)),
        }
    }

    /// Whether one of the actor's roles may take the action on this object.
    ///
    /// # Errors
    /// As [`Actor::may`]; [`AccessError::NotFound`] when the object lies outside the reach of all roles that allow
    /// the action.
    pub fn permit(&self, action: Action, object: &Object) -> Result<Permit, AccessError> {
        self.may(action)?;
        let signed_in = match self {
            Self::System(_) => return Ok(Permit { action, role: None }),
            Self::Person(signed_in) => signed_in,
        };
        let reaching = signed_in.grants.iter().find(|grant| action.roles().contains(&grant.role) && grant.reach.covers(object));
        reaching.map(|grant| Permit { action, role: Some(grant.role) }).ok_or(AccessError::NotFound)
    }

    /// Whether one of the actor's roles may take an action that has no object yet, such as an application by
    /// somebody who has nothing so far.
    ///
    /// # Errors
    /// As [`Actor::may`].
    pub fn permit_anywhere(&self, action: Action) -> Result<Permit, AccessError> {
        self.may(action)?;
        match self {
            Self::System(_) => Ok(Permit { action, role: None }),
            Self::Person(signed_in) => {
                let role = signed_in.grants.iter().map(|grant| grant.role).find(|role| action.roles().contains(role));
                role.map(|role| Permit { action, role: Some(role) }).ok_or(AccessError::Role(action))
            }
        }
    }

    /// The same person without the grants of a role, for actions that the role may take on some objects only.
    #[must_use]
    pub fn without(&self, role: Role) -> Self {
        match self {
            Self::System(name) => Self::System(name),
            Self::Person(signed_in) => {
                let grants = signed_in.grants.iter().filter(|grant| grant.role != role).cloned().collect();
                Self::Person(SignedIn { grants, ..signed_in.clone() })
            }
        }
    }

    /// Checks that this is another person than the one who took an earlier step.
    ///
    /// # Errors
    /// [`AccessError::SamePerson`], or [`AccessError::PersonNeeded`] for the system.
    pub fn other_than(&self, earlier: PersonId, step: &'static str) -> Result<PersonId, AccessError> {
        let person = self.need_person()?;
        if person == earlier { Err(AccessError::SamePerson(step)) } else { Ok(person) }
    }
}

impl Reach {
    /// Whether an object lies inside.
    #[must_use]
    pub fn covers(&self, object: &Object) -> bool {
        match self {
            Self::Division(scope) => object.division.as_ref().is_some_and(|division| scope.covers(*division)),
            Self::Provider(provider) => object.provider == Some(*provider),
            Self::Bound(residents) => object.resident.is_some_and(|resident| residents.contains(&resident)),
        }
    }
}

/// The access matrix as text: one line per action, one column per role. A snapshot keeps it reviewed.
#[must_use]
pub fn matrix() -> String {
    use strum::IntoEnumIterator as _;
    let mut lines = Vec::new();
    for action in Action::iter() {
        let roles: Vec<_> = action.roles().iter().map(|role| <&'static str>::from(*role)).collect();
        lines.push(format!("{action}: {}", roles.join(" ")));
    }
    lines.join("\n") + "\n"
}
