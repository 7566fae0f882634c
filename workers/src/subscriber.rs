//! Who reacts to which event. The match names every event: a new one asks for a decision.

use domain::{access::Actor, consent::ConsentCause, event::Event, id::ProviderId, time::BusinessDate};
use store::{
    Source, Store, StoreError,
    command::{
        consent::ReopenOrders,
        entitlement::RefreshWindows,
        order::OfferOrder,
        provider::TakeOrderAway,
        review::{ReviewEntitlements, ScheduleReviews},
    },
    delivery::Claimed,
    query::work::{orders_not_begun, residents_who_booked_under, rules_of},
};

/// Puts a booked order before its provider.
const OFFER_ORDER: &str = "offer_order";

/// Looks at a resident's windows again after a new assessment.
const REFRESH_WINDOWS: &str = "refresh_windows";

/// Prices booked orders again after the rules of their programme or the facts of their resident changed.
const REOPEN_ORDERS: &str = "reopen_orders";

/// Takes from a suspended provider what it was to serve.
const TAKE_ORDERS_AWAY: &str = "take_orders_away";

/// Residents or orders that one step of a subscriber takes.
const STEP_MAX: u64 = 500;

/// Decides a resident's entitlements anew when their grounds may have changed.
const REVIEW_ENTITLEMENTS: &str = "review_entitlements";

/// Plans the reviews for the first day of a new policy version.
const SCHEDULE_REVIEWS: &str = "schedule_reviews";
/// Sends a code to sign in; the only one that needs a port, see [`crate::message`].
pub(crate) const SEND_SIGN_IN_CODE: &str = "send_sign_in_code";

/// The subscribers of an event.
#[must_use]
pub fn of(event: &Event) -> Vec<&'static str> {
    match event {
        Event::OrderPlaced { .. } => vec![OFFER_ORDER],
        Event::SignInCodeAsked { .. } => vec![SEND_SIGN_IN_CODE],
        Event::ProviderSuspended { .. } => vec![TAKE_ORDERS_AWAY],
        Event::AssessmentConfirmed { .. } => vec![REFRESH_WINDOWS, REVIEW_ENTITLEMENTS],
        Event::ResidentFactsChanged { .. } | Event::ResidentStatusChanged { .. } => vec![REVIEW_ENTITLEMENTS],
        // Only then is it known from which day on the booked orders are concerned.
        Event::EntitlementChanged { .. } => vec![REFRESH_WINDOWS, REOPEN_ORDERS],
        Event::PurchaseListPublished { .. } => vec![REOPEN_ORDERS],
        Event::PolicyPublished { .. } => vec![SCHEDULE_REVIEWS, REOPEN_ORDERS],
        Event::AccountCreated { .. }
        | Event::RoleGranted { .. }
        | Event::RoleEnded { .. }
        | Event::DivisionsImported { .. }
        | Event::DemoClockMoved { .. }
        | Event::ResidentRegistered { .. }
        | Event::FamilyMemberBound { .. }
        | Event::FamilyMemberUnbound { .. }
        | Event::ResidentContactChanged { .. }
        | Event::SheetImported { .. }
        | Event::SheetImportDecided { .. }
        | Event::AssessmentRecorded { .. }
        | Event::PolicyDrafted { .. }
        | Event::BudgetSet { .. }
        | Event::ApplicationFiled { .. }
        | Event::ApplicationMoved { .. }
        | Event::EligibilityDecided { .. }
        | Event::EntitlementOpened { .. }
        | Event::WindowOpened { .. }
        | Event::WindowExpired { .. }
        | Event::ProviderApplied { .. }
        | Event::ProviderReviewed { .. }
        | Event::ProviderAdmitted { .. }
        | Event::ProviderChanged { .. }
        | Event::ProviderMoved { .. }
        | Event::BankAccountMoved { .. }
        | Event::CarerChanged { .. }
        | Event::PricePublished { .. }
        | Event::CarerRegistered { .. }
        | Event::OrderMoved { .. }
        | Event::OfferMade { .. }
        | Event::OfferClosed { .. }
        | Event::OrderCancelled { .. }
        | Event::DayCareCentreOpened { .. }
        | Event::DemandUnmet { .. }
        | Event::OrderEscalated { .. }
        | Event::CarersAssigned { .. }
        | Event::CarerClockedIn { .. }
        | Event::CarerClockedOut { .. }
        | Event::DeviceBound { .. }
        | Event::DeviceRevoked { .. }
        | Event::ClockQuarantined { .. }
        | Event::QuarantineResolved { .. }
        | Event::VisitCorrected { .. }
        | Event::VisitReported { .. }
        | Event::SafetyChecked { .. }
        | Event::IncidentReported { .. }
        | Event::IncidentMoved { .. }
        | Event::ClaimAdjudicated { .. }
        | Event::HeldClaimDecided { .. }
        | Event::OrderRepriced { .. }
        | Event::ConsentRequested { .. }
        | Event::ConsentMoved { .. }
        | Event::ReversalProposed { .. }
        | Event::ReversalDecided { .. }
        | Event::ClaimCorrected { .. }
        | Event::SettlementDrafted { .. }
        | Event::SettlementComputed { .. }
        | Event::SettlementApproved { .. }
        | Event::SettlementReleased { .. } => Vec::new(),
    }
}

/// Does the work of one delivery. A subscriber or event that this version does not know is an error, so
/// that it waits for a version that does.
pub(crate) async fn handle(store: &Store, source: &Source, claimed: &Claimed) -> Result<(), StoreError> {
    let ctx = source.context(Actor::System("subscriber"));
    match (claimed.subscriber.as_str(), &claimed.event) {
        (OFFER_ORDER, Event::OrderPlaced { order, .. }) => store.write(ctx, OfferOrder { order: *order }).await,
        (REOPEN_ORDERS, Event::EntitlementChanged { resident, .. }) => {
            store.write(ctx, ReopenOrders { resident: *resident, cause: ConsentCause::EntitlementChanged }).await
        }
        (REOPEN_ORDERS, Event::PolicyPublished { policy, .. }) => match rules_of(store, *policy).await? {
            Some((programme, from)) => reopen_orders(store, source, (programme.as_str(), from)).await,
            None => Ok(()),
        },
        (REOPEN_ORDERS, Event::PurchaseListPublished { programme, effective_from, .. }) => {
            reopen_orders(store, source, (programme.as_str(), *effective_from)).await
        }
        (REFRESH_WINDOWS, Event::AssessmentConfirmed { resident, .. } | Event::EntitlementChanged { resident, .. }) => {
            store.write(ctx, RefreshWindows { resident: *resident }).await
        }
        (
            REVIEW_ENTITLEMENTS,
            Event::AssessmentConfirmed { resident, .. }
            | Event::ResidentFactsChanged { resident }
            | Event::ResidentStatusChanged { resident },
        ) => store.write(ctx, ReviewEntitlements { resident: *resident }).await.map(drop),
        (TAKE_ORDERS_AWAY, Event::ProviderSuspended { provider }) => take_orders_away(store, source, *provider).await,
        (SCHEDULE_REVIEWS, Event::PolicyPublished { policy, .. }) => store.write(ctx, ScheduleReviews { policy: *policy }).await,
        (subscriber, event) => {
            Err(StoreError::Configuration(format!("this version does not know subscriber {subscriber} of {}", event.kind())))
        }
    }
}

/// One command for each resident, so that a long list holds no lock for long; a repeat finds nothing to change.
async fn reopen_orders(store: &Store, source: &Source, rules: (&str, BusinessDate)) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let residents = residents_who_booked_under(store, rules, after, STEP_MAX).await?;
        let Some(last) = residents.last().copied() else { return Ok(()) };
        for resident in residents {
            let reopen = ReopenOrders { resident, cause: ConsentCause::PolicyChanged };
            store.write(source.context(Actor::System(REOPEN_ORDERS)), reopen).await?;
        }
        after = Some(last);
    }
}

/// One command for each order: a repeat finds those that are left.
async fn take_orders_away(store: &Store, source: &Source, provider: ProviderId) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let orders = orders_not_begun(store, provider, after, STEP_MAX).await?;
        let Some(last) = orders.last().copied() else { return Ok(()) };
        for order in orders {
            store.write(source.context(Actor::System(TAKE_ORDERS_AWAY)), TakeOrderAway { order, provider }).await?;
        }
        after = Some(last);
    }
}
