//! Who reacts to which event. The match names every event: a new one asks for a decision.

use domain::event::Event;
use store::{
    Ctx, Store, StoreError,
    command::{entitlement::RefreshWindows, order::OfferOrder},
    delivery::Claimed,
};

/// Puts a booked order before its provider.
const OFFER_ORDER: &str = "offer_order";

/// Looks at a resident's windows again after a new assessment.
const REFRESH_WINDOWS: &str = "refresh_windows";

/// The subscribers of an event.
#[must_use]
pub fn of(event: &Event) -> Vec<&'static str> {
    match event {
        Event::OrderPlaced { .. } => vec![OFFER_ORDER],
        Event::AssessmentConfirmed { .. } => vec![REFRESH_WINDOWS],
        Event::AccountCreated { .. }
        | Event::RoleGranted { .. }
        | Event::DivisionsImported { .. }
        | Event::DemoClockMoved { .. }
        | Event::ResidentRegistered { .. }
        | Event::FamilyMemberBound { .. }
        | Event::FamilyMemberUnbound { .. }
        | Event::ResidentContactChanged { .. }
        | Event::ResidentFactsChanged { .. }
        | Event::ResidentStatusChanged { .. }
        | Event::AssessmentRecorded { .. }
        | Event::PolicyDrafted { .. }
        | Event::PolicyPublished { .. }
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
        | Event::PricePublished { .. }
        | Event::CarerRegistered { .. }
        | Event::OrderMoved { .. }
        | Event::CarersAssigned { .. }
        | Event::CarerClockedIn { .. }
        | Event::CarerClockedOut { .. }
        | Event::ClaimAdjudicated { .. }
        | Event::HeldClaimDecided { .. }
        | Event::SettlementComputed { .. }
        | Event::SettlementApproved { .. }
        | Event::SettlementReleased { .. } => Vec::new(),
    }
}

/// Does the work of one delivery. A subscriber or event that this version does not know is an error, so
/// that it waits for a version that does.
pub(crate) async fn handle(store: &Store, ctx: Ctx, claimed: &Claimed) -> Result<(), StoreError> {
    match (claimed.subscriber.as_str(), &claimed.event) {
        (OFFER_ORDER, Event::OrderPlaced { order, .. }) => store.write(ctx, OfferOrder { order: *order }).await,
        (REFRESH_WINDOWS, Event::AssessmentConfirmed { resident, .. }) => store.write(ctx, RefreshWindows { resident: *resident }).await,
        (subscriber, event) => {
            Err(StoreError::Configuration(format!("this version does not know subscriber {subscriber} of {}", event.kind())))
        }
    }
}
