//! The JSON API, one module per resource. A handler parses, calls one command or query, and answers; it
//! decides nothing.

mod access_keys;
mod accounts;
mod addresses;
mod applications;
mod assessments;
mod bank_accounts;
mod carers;
mod consents;
mod daycare;
mod demo_clock;
mod devices;
mod disputes;
mod divisions;
mod entitlements;
mod facts;
mod family_members;
mod incidents;
mod lists;
mod me;
mod offers;
mod once;
mod orders;
mod policies;
mod prices;
mod provider_profiles;
mod provider_steps;
mod providers;
mod purchases;
mod quotes;
mod residents;
mod respond;
mod reversals;
mod sessions;
mod settlements;
mod sheet_imports;
mod sign_in_codes;
mod statuses;
mod trail;
mod visits;

pub use respond::Created;

use domain::access::Action;
use utoipa_axum::routes;

use crate::{access::Access, router::RouteTable};

/// All routes of the API, relative to its beginning.
pub(crate) fn routes() -> RouteTable {
    RouteTable::default()
        .merge(city())
        .merge(registry())
        .merge(eligibility())
        .merge(providers())
        .merge(service())
        .merge(settlement())
        .merge(listed())
}

fn act(action: Action) -> Access {
    Access::Action(action)
}

/// Signing in, accounts, divisions, policies, the demo's clock.
fn city() -> RouteTable {
    RouteTable::default()
        .route(Access::Public, routes!(sessions::sign_in))
        .route(Access::Session, routes!(sessions::sign_out))
        .route(Access::Session, routes!(sessions::list))
        .route(Access::Session, routes!(sessions::end))
        .route(Access::Session, routes!(sessions::end_others))
        .route(Access::Public, routes!(sign_in_codes::ask))
        .route(Access::Public, routes!(sign_in_codes::sign_in))
        .route(act(Action::IssueCarerCode), routes!(sign_in_codes::issue_for_carer))
        .route(Access::Public, routes!(sign_in_codes::sign_in_carer))
        .route(act(Action::IssueCodeSheet), routes!(sign_in_codes::issue_sheet))
        .route(act(Action::IssueCodeSheet), routes!(sign_in_codes::end_sheet))
        .route(Access::Public, routes!(sign_in_codes::sign_in_by_sheet))
        .route(act(Action::ManageAccounts), routes!(sign_in_codes::set_contact))
        .route(act(Action::ManageAccounts), routes!(accounts::grant_role))
        .route(act(Action::ManageAccounts), routes!(accounts::roles))
        .route(act(Action::ManageAccounts), routes!(accounts::end_role))
        .route(Access::Session, routes!(accounts::change_password))
        .route(act(Action::ManageAccounts), routes!(accounts::propose_reset))
        .route(act(Action::ApproveAuthenticatorReset), routes!(accounts::approve_reset))
        .route(act(Action::ManageKeys), routes!(access_keys::issue))
        .route(act(Action::ManageKeys), routes!(access_keys::list))
        .route(act(Action::ManageKeys), routes!(access_keys::revoke))
        .route(act(Action::ManageAccounts), routes!(access_keys::create_machine))
        .route(act(Action::ManageAccounts), routes!(access_keys::issue_for_machine))
        .route(act(Action::ManageAccounts), routes!(access_keys::list_of_machine))
        .route(act(Action::ManageAccounts), routes!(access_keys::revoke_of_machine))
        .route(Access::SignedIn, routes!(me::read_me))
        .route(act(Action::ManageAccounts), routes!(accounts::create))
        .route(act(Action::ImportDivisions), routes!(divisions::import))
        .route(act(Action::MoveDemoClock), routes!(demo_clock::set))
        .route(Access::SignedIn, routes!(demo_clock::read))
        .route(act(Action::DraftPolicy), routes!(policies::draft))
        .route(act(Action::PublishPolicy), routes!(policies::publish))
        .route(Access::SignedIn, routes!(policies::list))
        .route(Access::SignedIn, routes!(policies::read))
        .route(act(Action::DraftPurchaseList), routes!(purchases::draft))
        .route(act(Action::PublishPurchaseList), routes!(purchases::publish))
        .route(act(Action::ReadPurchaseLists), routes!(purchases::list))
        .route(act(Action::SetBudget), routes!(policies::set_budget))
        .route(act(Action::ReadBudgets), routes!(policies::budgets))
        .route(act(Action::ImportSheet), routes!(sheet_imports::preview))
        .route(act(Action::ImportSheet), routes!(sheet_imports::import))
        .route(act(Action::ApproveImport), routes!(sheet_imports::decide))
}

/// Residents: what is stated of them, where they live and are served, who acts for them.
fn registry() -> RouteTable {
    RouteTable::default()
        .route(act(Action::RegisterResident), routes!(residents::register))
        .route(act(Action::ReadResident), routes!(residents::read))
        .route(act(Action::EditContact), routes!(residents::edit))
        .route(act(Action::ReadDuplicates), routes!(residents::duplicates))
        .route(act(Action::EditContact), routes!(addresses::add))
        .route(act(Action::EditContact), routes!(addresses::end))
        .route(act(Action::RecordFact), routes!(facts::record))
        .route(act(Action::ReadFacts), routes!(facts::list))
        .route(act(Action::SettleFact), routes!(facts::settle))
        .route(act(Action::SettleFact), routes!(facts::end))
        .route(act(Action::ReportStatus), routes!(statuses::report))
        .route(act(Action::CorrectDeath), routes!(statuses::correct))
        .route(act(Action::ReadFacts), routes!(statuses::list))
        .route(act(Action::BindFamilyMember), routes!(family_members::bind))
        .route(act(Action::ReadFamilyMembers), routes!(family_members::list))
        .route(act(Action::EndRelation), routes!(family_members::end))
}

/// Assessments, applications, entitlements.
fn eligibility() -> RouteTable {
    RouteTable::default()
        .route(act(Action::ReadEntitlements), routes!(entitlements::entitlements))
        .route(act(Action::ReadApplication), routes!(entitlements::reviews))
        .route(act(Action::ReadOverdueApplications), routes!(applications::overdue))
        .route(act(Action::RecordAssessment), routes!(assessments::record))
        .route(act(Action::ConfirmAssessment), routes!(assessments::confirm))
        .route(act(Action::ReadAssessments), routes!(assessments::list))
        .route(act(Action::Apply), routes!(applications::file))
        .route(act(Action::ReadApplication), routes!(applications::read))
        .route(act(Action::AcceptApplication), routes!(applications::accept))
        .route(act(Action::ReviewApplication), routes!(applications::review))
        .route(act(Action::ApproveApplication), routes!(applications::decide))
        .route(act(Action::ObjectToApplication), routes!(applications::object))
        .route(act(Action::ReopenApplication), routes!(applications::reopen))
}

/// Providers and their carers.
fn providers() -> RouteTable {
    RouteTable::default()
        .route(act(Action::ApplyAsProvider), routes!(providers::apply))
        .route(act(Action::ReviewProvider), routes!(providers::review))
        .route(act(Action::AdmitProvider), routes!(providers::admit))
        .route(act(Action::PublishPrice), routes!(providers::publish_price))
        .route(Access::SignedIn, routes!(prices::list))
        .route(act(Action::RegisterCarer), routes!(providers::register_carer))
        .route(act(Action::ReadProvider), routes!(provider_profiles::read))
        .route(act(Action::ReadProvider), routes!(provider_profiles::read_profile))
        .route(act(Action::EditProvider), routes!(provider_profiles::edit_profile))
        .route(act(Action::RecordAgreement), routes!(provider_profiles::record_agreement))
        .route(act(Action::RecordAgreement), routes!(provider_profiles::end_agreement))
        .route(act(Action::RecordReview), routes!(provider_profiles::record_review))
        .route(act(Action::ReadProvider), routes!(provider_steps::list))
        .route(act(Action::ReviewProvider), routes!(provider_steps::accept_credit_code))
        .route(act(Action::SuspendProvider), routes!(provider_steps::suspend))
        .route(act(Action::DecideProvider), routes!(provider_steps::resume))
        .route(act(Action::DecideProvider), routes!(provider_steps::end))
        .route(act(Action::DecideProvider), routes!(provider_steps::send_back))
        .route(act(Action::RefuseProvider), routes!(provider_steps::refuse))
        .route(act(Action::WithdrawProvider), routes!(provider_steps::withdraw))
        .route(act(Action::RequestLicence), routes!(provider_steps::request_licence))
        .route(act(Action::ReadProvider), routes!(provider_steps::list_licence_requests))
        .route(act(Action::DecideLicence), routes!(provider_steps::decide_licence))
        .route(act(Action::RequestBankAccount), routes!(bank_accounts::request))
        .route(act(Action::ReadProvider), routes!(bank_accounts::list))
        .route(act(Action::DecideBankAccount), routes!(bank_accounts::decide))
        .route(act(Action::RequestBankAccount), routes!(bank_accounts::withdraw))
        .route(act(Action::ReadProvider), routes!(carers::list))
        .route(act(Action::ReadProvider), routes!(carers::read))
        .route(act(Action::EditCarer), routes!(carers::edit))
        .route(act(Action::EditCarer), routes!(carers::add_certificate))
        .route(act(Action::EditCarer), routes!(carers::record_leave))
        .route(act(Action::EditCarer), routes!(carers::end_leave))
}

/// Quotes, orders, visits.
fn service() -> RouteTable {
    RouteTable::default()
        .route(act(Action::OpenDayCareCentre), routes!(daycare::open))
        .route(act(Action::ReadDayCare), routes!(daycare::list))
        .route(act(Action::ReadDayCare), routes!(daycare::seats))
        .route(act(Action::FindCandidates), routes!(offers::candidates))
        .route(act(Action::RequestQuote), routes!(quotes::request))
        .route(act(Action::PlaceOrder), routes!(orders::place))
        .route(act(Action::ReadOrder), routes!(orders::read))
        .route(act(Action::ReadConsent), routes!(consents::list))
        .route(act(Action::ReadConsent), routes!(consents::read))
        .route(act(Action::AnswerConsent), routes!(consents::answer))
        .route(act(Action::AcceptOrder), routes!(orders::accept))
        .route(act(Action::DeclineOrder), routes!(orders::decline))
        .route(act(Action::ReadOffers), routes!(offers::of_order))
        .route(act(Action::ReadOffers), routes!(offers::of_provider))
        .route(act(Action::ReturnOrder), routes!(orders::give_back))
        .route(act(Action::ReadUnmetDemand), routes!(offers::unmet_demand))
        .route(act(Action::AssignOrder), routes!(orders::assign))
        .route(act(Action::CancelOrder), routes!(orders::cancellation_terms))
        .route(act(Action::CancelOrder), routes!(orders::cancel))
        .merge(visits())
        .route(act(Action::ConfirmOrder), routes!(orders::confirm))
        .route(act(Action::DisputeOrder), routes!(disputes::raise))
        .route(act(Action::StateInDispute), routes!(disputes::state_case))
        .route(act(Action::ReadDispute), routes!(disputes::read))
        .route(act(Action::DecideDispute), routes!(disputes::decide))
}

/// Visits, the phones of carers, incidents.
fn visits() -> RouteTable {
    RouteTable::default()
        .route(act(Action::BindDevice), routes!(devices::anchor))
        .route(act(Action::BindDevice), routes!(devices::bind))
        .route(act(Action::ReadDevices), routes!(devices::list))
        .route(act(Action::RevokeDevice), routes!(devices::revoke))
        .route(act(Action::ReadVisit), routes!(visits::view::read))
        .route(act(Action::ReadVisitCode), routes!(visits::code))
        .route(act(Action::ReportVisit), routes!(visits::records::check_safety))
        .route(act(Action::ClockVisit), routes!(visits::clock_in))
        .route(act(Action::ClockVisit), routes!(visits::clock_out))
        .route(act(Action::ReportVisit), routes!(visits::records::report))
        .route(act(Action::CorrectVisit), routes!(visits::corrections::correct))
        .route(act(Action::ReadQuarantine), routes!(visits::corrections::quarantined))
        .route(act(Action::CorrectVisit), routes!(visits::corrections::discard))
        .route(act(Action::ReportIncident), routes!(incidents::report))
        .route(act(Action::ReadIncidents), routes!(incidents::list))
        .route(act(Action::ReadIncidents), routes!(incidents::read))
        .route(act(Action::HandleIncident), routes!(incidents::take_up))
        .route(act(Action::HandleIncident), routes!(incidents::resolve))
        .route(act(Action::ReviewIncident), routes!(incidents::review))
}

/// Claim lines that wait, the monthly close, balances; the audit trail and what waits.
fn settlement() -> RouteTable {
    RouteTable::default()
        .route(act(Action::DecideHeldClaim), routes!(settlements::decide_held_claim))
        .route(act(Action::ComputeSettlement), routes!(settlements::compute))
        .route(act(Action::ReadSettlement), routes!(settlements::read))
        .route(act(Action::ApproveSettlement), routes!(settlements::approve))
        .route(act(Action::ReleaseSettlement), routes!(settlements::release))
        .route(act(Action::ReadSettlement), routes!(settlements::balances))
        .route(act(Action::ReadSettlement), routes!(settlements::months))
        .route(act(Action::ReadSettlement), routes!(settlements::lines))
        .route(act(Action::ProposeReversal), routes!(reversals::propose))
        .route(act(Action::DecideReversal), routes!(reversals::decide))
        .route(act(Action::ReadAudit), routes!(trail::audit))
        .route(act(Action::ReadJobs), routes!(trail::jobs))
}

/// Lists, each within the reach of who asks.
fn listed() -> RouteTable {
    RouteTable::default()
        .route(act(Action::ReadResident), routes!(lists::residents::list))
        .route(act(Action::ReadApplication), routes!(lists::applications::list))
        .route(act(Action::ReadProvider), routes!(lists::providers::list))
        .route(act(Action::ReadOrder), routes!(lists::orders::list))
        .route(act(Action::ReadOrder), routes!(lists::orders::visits))
        .route(act(Action::ReadSettlement), routes!(lists::settlement::held_claims))
        .route(act(Action::ReadSettlement), routes!(lists::settlement::periods))
        .route(act(Action::ReadFlags), routes!(lists::flags::list))
        .route(act(Action::ReadJobs), routes!(lists::deliveries::list))
}
