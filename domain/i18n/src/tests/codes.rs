//! The codes of the domain and their texts: each code has a text in both languages, and each text a code.

use domain::{
    access::{Action, Role},
    application::ApplicationState,
    assessment::Level,
    catalogue::{CatalogueUnit, CertificateKind, ItemCode, LicenceKind, MealTime, ServiceClass, Unit},
    claim::{AdjustmentCode, Block, ClaimLineState, ReversalCause, ReversalState},
    consent::{ConsentCause, ConsentState},
    daycare::Half,
    device::{KeyAlgorithm, SignatureFinding},
    entitlement::{EntitlementChange, Standing, WindowState},
    matching::Nearness,
    order::{CancelReason, DeclineReason, DisputeReason, DisputeSide, FeeReason, OfferMode, OfferState, OrderState, UnmetReason},
    provider::ProviderStatus,
    resident::{
        Category, ConsentChannel, ConsentPurpose, CoordinateSystem, DisabilityKind, EvidenceKind, FactState, IdentityDocument, LifeStatus,
        Living, Relation, Sex, Warning,
    },
    settlement::PeriodState,
    time::WindowKind,
    visit::{
        CorrectionReason, Explanation, Grade, IncidentKind, IncidentState, NotDoneReason, QuarantineReason, QuarantineState, SafetyOutcome,
        Severity, Signal, VisitStatus,
    },
};
use strum::IntoEnumIterator;

use super::*;

/// Asserts that each code of an area has a text, and each text of the area a code.
fn check_area(area: &str, codes: impl IntoIterator<Item = impl ToString>) {
    let prefix = format!("{area}.");
    let wanted: BTreeSet<String> = codes.into_iter().map(|code| prefix.clone() + &code.to_string()).collect();
    for locale in Locale::ALL {
        let found: BTreeSet<String> = keys(locale).into_iter().filter(|key| key.starts_with(&prefix)).collect();
        let lacking: Vec<_> = wanted.difference(&found).collect();
        assert!(lacking.is_empty(), "{locale}: write the texts of {lacking:?}");
        let surplus: Vec<_> = found.difference(&wanted).collect();
        assert!(surplus.is_empty(), "{locale}: no code has the keys {surplus:?}; rename or remove them");
    }
}

/// Checks an area whose codes are the names of an enum.
fn check<C: IntoEnumIterator + ToString>(area: &str) {
    check_area(area, C::iter());
}

#[test]
fn every_state_has_a_text() {
    check::<ApplicationState>("application.state");
    check::<FactState>("fact.state");
    check::<Standing>("standing");
    check::<EntitlementChange>("entitlement_change");
    check::<OrderState>("order.state");
    check::<OfferState>("offer.state");
    check::<VisitStatus>("visit.state");
    check::<ClaimLineState>("claim.state");
    check::<PeriodState>("settlement.state");
    check::<ConsentState>("consent.state");
    check::<ReversalState>("reversal.state");
    check::<WindowState>("entitlement.state");
    check::<ProviderStatus>("provider.state");
    check::<QuarantineState>("quarantined_event.state");
    check::<IncidentState>("incident.state");
}

#[test]
fn states_are_those_of_the_machines_alone() {
    let machines = [
        "application",
        "fact",
        "order",
        "visit",
        "claim",
        "settlement",
        "provider",
        "consent",
        "reversal",
        "entitlement",
        "quarantined_event",
        "incident",
        "offer",
    ];
    for key in keys(Locale::ZhCn) {
        let machine = key.split_once(".state.").map(|(machine, _)| machine);
        let known = machine.is_none_or(|name| name == "problem" || machines.contains(&name));
        assert!(known, "{key}: no machine has this state");
    }
}

#[test]
fn every_code_of_a_resident_has_a_text() {
    check_area("category", Category::iter().map(|code| code.to_string()).chain(["none".to_owned()]));
    check::<Living>("living");
    check::<LifeStatus>("status");
    check::<Sex>("sex");
    check::<DisabilityKind>("disability_kind");
    check_area("disability_grade", 1..=4);
    check_area("level", Level::ALL.map(Level::number));
    check::<IdentityDocument>("identity_document");
    check::<EvidenceKind>("evidence");
    check::<Relation>("relation");
    check::<ConsentPurpose>("consent_purpose");
    check::<ConsentChannel>("consent_channel");
    check::<Warning>("warning");
    check::<CoordinateSystem>("coordinate_system");
}

#[test]
fn every_code_of_the_catalogue_has_a_text() {
    check::<ItemCode>("item");
    check::<MealTime>("meal");
    check::<ServiceClass>("class");
    check::<Unit>("unit");
    check::<CatalogueUnit>("catalogue_unit");
    check::<LicenceKind>("licence");
    check::<CertificateKind>("certificate");
}

#[test]
fn every_code_of_an_offer_has_a_text() {
    check::<OfferMode>("offer_mode");
    check::<DeclineReason>("decline_reason");
    check::<UnmetReason>("unmet_reason");
    check::<CancelReason>("cancel_reason");
    check::<FeeReason>("fee_reason");
    check::<Half>("half");
    check::<DisputeReason>("dispute_reason");
    check::<DisputeSide>("dispute_side");
    check::<Nearness>("nearness");
}

#[test]
fn every_code_of_a_visit_and_its_claim_has_a_text() {
    check::<Grade>("grade");
    check::<Signal>("signal");
    check::<Explanation>("explanation");
    check::<KeyAlgorithm>("key_algorithm");
    check::<SignatureFinding>("signature_finding");
    check::<QuarantineReason>("quarantine_reason");
    check::<CorrectionReason>("correction_reason");
    check::<NotDoneReason>("not_done_reason");
    check::<SafetyOutcome>("safety_outcome");
    check::<IncidentKind>("incident_kind");
    check::<Severity>("severity");
    check::<AdjustmentCode>("adjustment");
    check::<Block>("block");
    check::<ConsentCause>("consent_cause");
    check::<ReversalCause>("reversal_cause");
}

#[test]
fn every_role_and_action_has_a_text() {
    check::<Role>("role");
    check::<Action>("action");
}

#[test]
fn every_window_has_a_text() {
    use WindowKind::{Day, Month, Never, Quarter, Week, Year};
    let kinds = [Day, Week, Month, Quarter, Year, Never];
    // This enum cannot be iterated: the match stops compiling when a variant is added.
    for kind in kinds {
        match kind {
            Day | Week | Month | Quarter | Year | Never => (),
        }
    }
    check_area("window", codes_of(&kinds));
}
