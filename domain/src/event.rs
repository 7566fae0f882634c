//! What has happened, as other parts of the product learn of it.
//!
//! Events carry ids, codes and amounts, never names, numbers or health facts, so that a person can be
//! erased without touching the log. Every event has a version from the first day: a reader that meets a
//! kind or version it does not know leaves it alone.

use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    application::ApplicationState,
    claim::ReversalState,
    consent::ConsentState,
    entitlement::EntitlementChange,
    id::{
        AccountId, ApplicationId, AssessmentId, BankAccountId, CarerId, ClaimLineId, ConsentRequestId, CorrectionId, DayCareCentreId,
        DecisionId, DeviceId, EntitlementId, EntitlementWindowId, IncidentId, OfferId, OrderId, PersonId, PolicyVersionId, PriceId,
        ProviderId, PurchaseListId, QuarantinedEventId, ResidentId, ReversalId, SettlementPeriodId, SheetImportId, SignInCodeId,
        VisitCorrectionId, VisitId,
    },
    money::Fen,
    order::{CancelReason, OfferState, OrderState, UnmetReason},
    provider::{BankAccountState, ProviderStatus},
    time::BusinessDate,
    visit::{IncidentState, QuarantineState},
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are the ids of what the variant names")]
pub enum Event {
    /// An account was made for a person.
    AccountCreated { account: AccountId, person: PersonId },
    /// A person received a role.
    RoleGranted { person: PersonId, role: Role },
    /// A role of a person ended.
    RoleEnded { person: PersonId, role: Role },
    /// Somebody asked for a code to sign in, whether anybody has the address or not.
    SignInCodeAsked { code: SignInCodeId },
    /// The division table was imported.
    DivisionsImported { rows: u64 },
    /// The clock of a demo city was moved.
    DemoClockMoved { offset_seconds: i64 },
    /// A resident was registered.
    ResidentRegistered { resident: ResidentId },
    /// A family member was bound to a resident.
    FamilyMemberBound { resident: ResidentId, person: PersonId },
    /// A relation has ended, or the consent to it was withdrawn.
    FamilyMemberUnbound { resident: ResidentId, person: PersonId },
    /// Telephone or service addresses of a resident were changed.
    ResidentContactChanged { resident: ResidentId },
    /// Something else is known of a resident than before.
    ResidentFactsChanged { resident: ResidentId },
    /// The life status of a resident was changed.
    ResidentStatusChanged { resident: ResidentId },
    /// A sheet was taken over, or handed in for approval.
    SheetImported { import: SheetImportId },
    /// Another person decided about a sheet.
    SheetImportDecided { import: SheetImportId, applied: bool },
    /// A first assessor recorded an assessment.
    AssessmentRecorded { assessment: AssessmentId, resident: ResidentId },
    /// A second assessor confirmed it.
    AssessmentConfirmed { assessment: AssessmentId, resident: ResidentId },
    /// A policy version was drafted.
    PolicyDrafted { policy: PolicyVersionId, programme: String },
    /// A policy version was published.
    PolicyPublished { policy: PolicyVersionId, programme: String },
    /// A purchase list was published: from its day on it says what the programme may pay.
    PurchaseListPublished { list: PurchaseListId, programme: String, effective_from: BusinessDate },
    /// A programme fund received its budget of a year.
    BudgetSet { programme: String, fund: String, year: i32, amount: Fen },
    /// An application was filed.
    ApplicationFiled { application: ApplicationId, resident: ResidentId, programme: String },
    /// An application moved on.
    ApplicationMoved { application: ApplicationId, to: ApplicationState },
    /// The rules were applied to an application.
    EligibilityDecided { decision: DecisionId, application: ApplicationId, granted: bool },
    /// A resident's right to a benefit began.
    EntitlementOpened { entitlement: EntitlementId, resident: ResidentId },
    /// An entitlement stopped, rests, began again or gives another amount, from a day on.
    EntitlementChanged {
        entitlement: EntitlementId,
        resident: ResidentId,
        programme: String,
        change: EntitlementChange,
        from: BusinessDate,
    },
    /// A window of an entitlement opened.
    WindowOpened { window: EntitlementWindowId, entitlement: EntitlementId },
    /// What a window had left has lapsed.
    WindowExpired { window: EntitlementWindowId },
    /// A provider applied for admission.
    ProviderApplied { provider: ProviderId },
    /// Its papers were found right.
    ProviderReviewed { provider: ProviderId },
    /// A provider was admitted.
    ProviderAdmitted { provider: ProviderId },
    /// A provider's profile, agreement, review or licence changed.
    ProviderChanged { provider: ProviderId },
    /// A provider may serve no more for the time being.
    ProviderSuspended { provider: ProviderId },
    /// A provider went another step.
    ProviderMoved { provider: ProviderId, to: ProviderStatus },
    /// A change of a provider's bank account was asked for or decided.
    BankAccountMoved { provider: ProviderId, account: BankAccountId, to: BankAccountState },
    /// A provider published a price.
    PricePublished { provider: ProviderId, price: PriceId },
    /// A provider registered a carer.
    CarerRegistered { provider: ProviderId, carer: CarerId },
    /// A carer's profile, leave or certificates changed.
    CarerChanged { provider: ProviderId, carer: CarerId },
    /// A provider opened a day-care centre.
    DayCareCentreOpened { centre: DayCareCentreId, provider: ProviderId },
    /// A service was booked.
    OrderPlaced { order: OrderId, resident: ResidentId, provider: ProviderId },
    /// An order moved on.
    OrderMoved { order: OrderId, from: OrderState, to: OrderState },
    /// A provider was asked to serve an order.
    OfferMade { offer: OfferId, order: OrderId, provider: ProviderId, round: i64 },
    /// An offer was answered, ran out or was taken back.
    OfferClosed { offer: OfferId, order: OrderId, provider: ProviderId, state: OfferState },
    /// An order was called off; the fee is the family's.
    OrderCancelled { order: OrderId, reason: CancelReason, fee: Fen },
    /// An order that was wanted ended without service.
    DemandUnmet { order: OrderId, reason: UnmetReason },
    /// What was overdue went to the next owner.
    OrderEscalated { order: OrderId, to: Role, times: i64 },
    /// Carers were assigned to a visit.
    CarersAssigned { visit: VisitId, carers: Vec<CarerId> },
    /// A carer clocked in.
    CarerClockedIn { visit: VisitId, carer: CarerId },
    /// A carer clocked out.
    CarerClockedOut { visit: VisitId, carer: CarerId },
    /// A carer bound a phone by its key.
    DeviceBound { device: DeviceId, person: PersonId },
    /// A phone was revoked.
    DeviceRevoked { device: DeviceId },
    /// A clock event came that does not fit its visit.
    ClockQuarantined { visit: VisitId, event: QuarantinedEventId },
    /// A person decided about such an event.
    QuarantineResolved { visit: VisitId, event: QuarantinedEventId, to: QuarantineState },
    /// Somebody else than the carer corrected a clock time.
    VisitCorrected { visit: VisitId, carer: CarerId, correction: VisitCorrectionId },
    /// A carer reported the tasks of a visit.
    VisitReported { visit: VisitId, carer: CarerId },
    /// A check before the service was recorded.
    SafetyChecked { visit: VisitId, carer: CarerId },
    /// An incident was reported from a visit.
    IncidentReported { incident: IncidentId, visit: VisitId },
    /// An incident moved on.
    IncidentMoved { incident: IncidentId, from: IncidentState, to: IncidentState },
    /// A confirmed visit was judged against one benefit.
    ClaimAdjudicated { claim: ClaimLineId, order: OrderId, subsidy: Fen },
    /// The programmes' part of a booked order was worked out anew.
    OrderRepriced { order: OrderId, family: Fen },
    /// The family is asked whether it pays a larger share.
    ConsentRequested { request: ConsentRequestId, order: OrderId, resident: ResidentId },
    /// The question to the family came to an end.
    ConsentMoved { request: ConsentRequestId, to: ConsentState },
    /// It was proposed to take back what was posted for an order.
    ReversalProposed { reversal: ReversalId, order: OrderId },
    /// Another person decided on it.
    ReversalDecided { reversal: ReversalId, to: ReversalState },
    /// What was posted on a claim line was taken back.
    ClaimCorrected { correction: CorrectionId, claim: ClaimLineId, subsidy: Fen },
    /// A held claim line was decided.
    HeldClaimDecided { claim: ClaimLineId, paid: bool },
    /// The content of a month was worked out for the clerk.
    SettlementDrafted { programme: String, bureau: String, month: String, total: Fen },
    /// A settlement period was computed.
    SettlementComputed { period: SettlementPeriodId, total: Fen },
    /// A settlement period was approved.
    SettlementApproved { period: SettlementPeriodId },
    /// A settlement period was released.
    SettlementReleased { period: SettlementPeriodId, total: Fen },
}

impl Event {
    /// Version of the form of this event; it grows when a field changes its meaning.
    #[must_use]
    pub const fn version(&self) -> u32 {
        1
    }

    /// Stable name of the kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The stream to which the event belongs: the text form of the id of the thing that changed. Events of
    /// one stream are numbered without gaps.
    #[must_use]
    pub fn stream(&self) -> String {
        match self {
            Self::AccountCreated { account, .. } => account.to_string(),
            Self::RoleGranted { person, .. } | Self::RoleEnded { person, .. } => person.to_string(),
            Self::SignInCodeAsked { code } => code.to_string(),
            Self::DivisionsImported { .. } | Self::DemoClockMoved { .. } => "city".to_owned(),
            Self::ResidentRegistered { resident }
            | Self::FamilyMemberBound { resident, .. }
            | Self::FamilyMemberUnbound { resident, .. }
            | Self::ResidentContactChanged { resident }
            | Self::ResidentFactsChanged { resident }
            | Self::ResidentStatusChanged { resident } => resident.to_string(),
            Self::SheetImported { import } | Self::SheetImportDecided { import, .. } => import.to_string(),
            Self::AssessmentRecorded { assessment, .. } | Self::AssessmentConfirmed { assessment, .. } => assessment.to_string(),
            Self::PolicyDrafted { policy, .. } | Self::PolicyPublished { policy, .. } => policy.to_string(),
            Self::PurchaseListPublished { list, .. } => list.to_string(),
            Self::BudgetSet { programme, fund, year, .. } => format!("budget/{programme}/{fund}/{year}"),
            Self::ApplicationFiled { application, .. }
            | Self::ApplicationMoved { application, .. }
            | Self::EligibilityDecided { application, .. } => application.to_string(),
            Self::EntitlementOpened { entitlement, .. }
            | Self::EntitlementChanged { entitlement, .. }
            | Self::WindowOpened { entitlement, .. } => entitlement.to_string(),
            Self::WindowExpired { window } => window.to_string(),
            Self::DayCareCentreOpened { centre, .. } => centre.to_string(),
            Self::ProviderApplied { provider }
            | Self::ProviderReviewed { provider }
            | Self::ProviderAdmitted { provider }
            | Self::ProviderChanged { provider }
            | Self::ProviderSuspended { provider }
            | Self::ProviderMoved { provider, .. }
            | Self::BankAccountMoved { provider, .. }
            | Self::CarerChanged { provider, .. }
            | Self::PricePublished { provider, .. }
            | Self::CarerRegistered { provider, .. } => provider.to_string(),
            Self::OrderPlaced { order, .. }
            | Self::OrderMoved { order, .. }
            | Self::OrderRepriced { order, .. }
            | Self::OfferMade { order, .. }
            | Self::OfferClosed { order, .. }
            | Self::OrderCancelled { order, .. }
            | Self::DemandUnmet { order, .. }
            | Self::OrderEscalated { order, .. }
            | Self::ClaimAdjudicated { order, .. } => order.to_string(),
            Self::DeviceBound { device, .. } | Self::DeviceRevoked { device } => device.to_string(),
            Self::CarersAssigned { visit, .. }
            | Self::CarerClockedIn { visit, .. }
            | Self::CarerClockedOut { visit, .. }
            | Self::ClockQuarantined { visit, .. }
            | Self::QuarantineResolved { visit, .. }
            | Self::VisitCorrected { visit, .. }
            | Self::VisitReported { visit, .. }
            | Self::SafetyChecked { visit, .. } => visit.to_string(),
            Self::IncidentReported { incident, .. } | Self::IncidentMoved { incident, .. } => incident.to_string(),
            Self::HeldClaimDecided { claim, .. } | Self::ClaimCorrected { claim, .. } => claim.to_string(),
            Self::ConsentRequested { request, .. } | Self::ConsentMoved { request, .. } => request.to_string(),
            Self::ReversalProposed { reversal, .. } | Self::ReversalDecided { reversal, .. } => reversal.to_string(),
            Self::SettlementDrafted { programme, bureau, month, .. } => format!("settlement/{programme}/{bureau}/{month}"),
            Self::SettlementComputed { period, .. } | Self::SettlementApproved { period } | Self::SettlementReleased { period, .. } => {
                period.to_string()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_names_the_kind_and_round_trips() {
        let event = Event::OrderMoved { order: OrderId::from_parts(1, [1; 10]), from: OrderState::Requested, to: OrderState::Offered };
        let text = serde_json::to_string(&event).unwrap();
        assert!(text.contains(r#""kind":"order_moved""#), "{text}");
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        assert_eq!(event.kind(), "order_moved");
    }
}
