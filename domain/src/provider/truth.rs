//! Whether a provider and a carer may give a service on a day: asked when an order is accepted, when it is
//! assigned, and when the carer clocks in.
//!
//! Each reason has a code of its own, so that whoever is refused knows which paper to bring. All reasons are
//! told at once.

use std::collections::BTreeMap;

use chrono::Datelike as _;

use super::{CarerProfile, Certificate, CredentialKind, Licence, Missing, MissingReason, ProviderStatus, licence_truth};
use crate::{
    catalogue::CertificateKind,
    claim::Block,
    error::{Fault, FieldError, Kind},
    time::{BusinessDate, DateRange, Instant},
};

/// Month from whose first day on a year's review of the qualification must have been passed. The laws name the
/// yearly review and leave its day to the city; this is the product's day.
const REVIEW_DUE_MONTH: u32 = 7;

/// One reason why a provider or carer may not serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The provider is not admitted, or not any more.
    #[error("the provider is {0} and may not serve")]
    ProviderState(ProviderStatus),
    /// Licences that the service needs.
    #[error("the provider lacks a licence at the time of service: {}", list(.0))]
    Licence(Vec<Missing>),
    /// The yearly review did not take place in time.
    #[error("the provider's review of {year} was due on {due_on} and has not taken place")]
    ReviewMissing {
        /// The year.
        year: i32,
        /// From when on it is needed.
        due_on: BusinessDate,
    },
    /// The yearly review was failed.
    #[error("the provider did not pass its review of {year}")]
    ReviewFailed {
        /// The year.
        year: i32,
    },
    /// No agreement with the bureau covers the day of a publicly paid service.
    #[error("the provider has no agreement with the bureau at the time of service")]
    Agreement,
    /// Certificates that the service needs.
    #[error("the carer lacks a certificate at the time of service: {}", list(.0))]
    Certificate(Vec<Missing>),
    /// The proof of health.
    #[error("the carer has no valid proof of health at the time of service")]
    HealthProof(MissingReason),
    /// The carer does not work for the provider on that day.
    #[error("the carer is not employed at the time of service")]
    Employment,
    /// The carer is away.
    #[error("the carer is on leave at the time of service")]
    Leave,
    /// The carer does not work at that time.
    #[error("the service lies outside the carer's working times")]
    WorkingTimes,
}

fn list(missing: &[Missing]) -> String {
    missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Unfit {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ProviderState(_) => "unfit.provider_state",
            Self::Licence(_) => "unfit.licence",
            Self::ReviewMissing { .. } => "unfit.review_missing",
            Self::ReviewFailed { .. } => "unfit.review_failed",
            Self::Agreement => "unfit.agreement",
            Self::Certificate(_) => "unfit.certificate",
            Self::HealthProof(_) => "unfit.health_proof",
            Self::Employment => "unfit.employment",
            Self::Leave => "unfit.leave",
            Self::WorkingTimes => "unfit.working_times",
        }
    }

    /// What stands in the way of payment; none for a reason that lies with a carer, who can be another one.
    #[must_use]
    pub const fn block(&self) -> Option<Block> {
        match self {
            Self::ProviderState(_) | Self::Licence(_) | Self::ReviewMissing { .. } | Self::ReviewFailed { .. } => Some(Block::Licence),
            Self::Agreement => Some(Block::Agreement),
            Self::Certificate(_) | Self::HealthProof(_) | Self::Employment | Self::Leave | Self::WorkingTimes => None,
        }
    }

    fn field(&self) -> FieldError {
        let (field, cure) = match self {
            Self::ProviderState(_) => ("provider_id", "choose a provider that is admitted"),
            Self::Licence(_) => ("provider_id", "let the provider renew its licence, or choose another provider"),
            Self::ReviewMissing { .. } | Self::ReviewFailed { .. } => {
                ("provider_id", "let the bureau review the provider's qualification, or choose another provider")
            }
            Self::Agreement => {
                ("provider_id", "book without public programmes, or choose a provider that has an agreement with the bureau")
            }
            Self::Certificate(_) => ("carer_ids", "name a carer who holds the certificates of this service on that day"),
            Self::HealthProof(_) => ("carer_ids", "renew the carer's proof of health, or name another carer"),
            Self::Employment => ("carer_ids", "name a carer who is employed on that day"),
            Self::Leave => ("carer_ids", "name a carer who is not on leave"),
            Self::WorkingTimes => ("carer_ids", "name a carer who works at that time, or change their working times"),
        };
        FieldError::new(field, self.code(), cure)
    }
}

/// Every reason why a provider or carer may not serve; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfitError {
    first: Unfit,
    others: Vec<Unfit>,
}

impl UnfitError {
    /// Nothing when there is no reason.
    ///
    /// # Errors
    /// All reasons at once.
    pub fn check(reasons: impl IntoIterator<Item = Unfit>) -> Result<(), Self> {
        let mut reasons = reasons.into_iter();
        reasons.next().map_or(Ok(()), |first| Err(Self { first, others: reasons.collect() }))
    }

    /// The reasons, the weightiest first.
    pub fn reasons(&self) -> impl Iterator<Item = &Unfit> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl std::fmt::Display for UnfitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.first.fmt(f)?;
        self.others.iter().try_for_each(|other| write!(f, "; {other}"))
    }
}
impl std::error::Error for UnfitError {}
impl Fault for UnfitError {
    fn code(&self) -> &'static str {
        self.first.code()
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        self.reasons().map(Unfit::field).collect()
    }
}

/// What the city knows of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderStanding {
    /// How far it has come.
    pub status: ProviderStatus,
    /// Since when it is admitted.
    pub admitted_on: BusinessDate,
    /// Its licences.
    pub licences: Vec<Licence>,
    /// When its agreements with the bureau hold.
    pub agreements: Vec<DateRange>,
    /// Whether the last review of each year was passed.
    pub reviews: BTreeMap<i32, bool>,
}

impl ProviderStanding {
    /// Every reason why the provider may not give a service on a day. Only a publicly paid service needs an
    /// agreement with the bureau.
    #[must_use]
    pub fn unfit(&self, licences: &[CredentialKind], publicly_paid: bool, day: BusinessDate) -> Vec<Unfit> {
        let mut reasons = Vec::new();
        if self.status != ProviderStatus::Admitted {
            reasons.push(Unfit::ProviderState(self.status));
        }
        reasons.extend(licence_truth(licences, &self.licences, day).err().map(Unfit::Licence));
        reasons.extend(self.review(day));
        if publicly_paid && !self.agreements.iter().any(|valid| valid.contains(day)) {
            reasons.push(Unfit::Agreement);
        }
        reasons
    }

    /// A provider needs the review of the last year whose due day has passed, from the year after its admission on.
    fn review(&self, day: BusinessDate) -> Option<Unfit> {
        let year = if day.get().month() >= REVIEW_DUE_MONTH { day.get().year() } else { day.get().year() - 1 };
        if year <= self.admitted_on.get().year() {
            return None;
        }
        match self.reviews.get(&year) {
            Some(true) => None,
            Some(false) => Some(Unfit::ReviewFailed { year }),
            None => BusinessDate::from_ymd(year, REVIEW_DUE_MONTH, 1).ok().map(|due_on| Unfit::ReviewMissing { year, due_on }),
        }
    }
}

/// What the city knows of a carer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarerStanding {
    /// What they can do and when they work; none for one who was entered without.
    pub profile: Option<CarerProfile>,
    /// Their certificates.
    pub certificates: Vec<Certificate>,
    /// When they are away.
    pub leave: Vec<DateRange>,
}

impl CarerStanding {
    /// Every reason why the carer may not give a service on a day, whenever on that day.
    #[must_use]
    pub fn unfit(&self, certificates: &[CredentialKind], day: BusinessDate) -> Vec<Unfit> {
        let mut reasons = Vec::new();
        let missing = licence_truth(certificates, &self.certificates, day).err().unwrap_or_default();
        let (health, others): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|missing| missing.kind.as_str() == <&str>::from(CertificateKind::HealthProof));
        reasons.extend(health.into_iter().map(|missing| Unfit::HealthProof(missing.reason)));
        if !others.is_empty() {
            reasons.push(Unfit::Certificate(others));
        }
        if self.profile.as_ref().is_some_and(|profile| !profile.is_employed(day)) {
            reasons.push(Unfit::Employment);
        }
        reasons
    }

    /// Every reason why the carer cannot be sent to a service from an instant up to another.
    #[must_use]
    pub fn unavailable(&self, start: Instant, end: Instant) -> Vec<Unfit> {
        let mut reasons = Vec::new();
        let (first, last) = (BusinessDate::of(start), BusinessDate::of(end));
        let away = |leave: &DateRange| leave.contains(first) || leave.contains(last) || (first < leave.from() && leave.from() < last);
        if self.leave.iter().any(away) {
            reasons.push(Unfit::Leave);
        }
        if self.profile.as_ref().is_some_and(|profile| !profile.working_times.covers(start, end)) {
            reasons.push(Unfit::WorkingTimes);
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Credential;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    fn held(kind: &str, from: &str, until: &str) -> Credential {
        Credential::new(kind.parse().unwrap(), "7", DateRange::new(date(from), Some(date(until))).unwrap()).unwrap()
    }

    fn standing() -> ProviderStanding {
        ProviderStanding {
            status: ProviderStatus::Admitted,
            admitted_on: date("2025-03-01"),
            licences: vec![held("home_service", "2025-01-01", "2027-01-01")],
            agreements: vec![DateRange::new(date("2025-03-01"), Some(date("2027-03-01"))).unwrap()],
            reviews: BTreeMap::from([(2026, true)]),
        }
    }

    fn codes(standing: &ProviderStanding, day: &str) -> Vec<&'static str> {
        standing.unfit(&["home_service".parse().unwrap()], true, date(day)).iter().map(Unfit::code).collect()
    }

    #[test]
    fn every_reason_has_its_code_and_all_are_told_at_once() {
        assert!(codes(&standing(), "2026-11-23").is_empty());
        let fallen = ProviderStanding { status: ProviderStatus::Suspended, reviews: BTreeMap::new(), ..standing() };
        assert_eq!(codes(&fallen, "2027-03-01"), ["unfit.provider_state", "unfit.licence", "unfit.review_missing", "unfit.agreement"]);
        let error = UnfitError::check(fallen.unfit(&[], true, date("2026-11-23"))).unwrap_err();
        assert_eq!((error.code(), error.fields().len()), ("unfit.provider_state", 2));
    }

    #[test]
    fn a_service_that_the_family_pays_needs_no_agreement() {
        let without = ProviderStanding { agreements: Vec::new(), ..standing() };
        assert!(without.unfit(&[], false, date("2026-11-23")).is_empty());
        assert_eq!(without.unfit(&[], true, date("2026-11-23")), [Unfit::Agreement]);
    }

    #[test]
    fn a_review_is_needed_from_its_due_day_on_and_not_in_the_year_of_admission() {
        let none = ProviderStanding { reviews: BTreeMap::new(), ..standing() };
        assert!(codes(&none, "2025-12-31").is_empty() && codes(&none, "2026-06-30").is_empty());
        assert_eq!(codes(&none, "2026-07-01"), ["unfit.review_missing"]);
        let failed = ProviderStanding { reviews: BTreeMap::from([(2026, false)]), ..standing() };
        assert!(codes(&failed, "2026-06-30").is_empty(), "a failed review blocks from its due day on");
        assert_eq!(codes(&failed, "2026-07-01"), ["unfit.review_failed"]);
        assert_eq!(codes(&standing(), "2026-12-31"), Vec::<&str>::new());
    }

    #[test]
    fn health_proof_certificates_employment_leave_and_working_times_have_their_own_codes() {
        let profile = CarerProfile {
            sex: crate::resident::Sex::Male,
            skills: [].into(),
            dialects: [].into(),
            working_times: super::super::WeekHours::default(),
            employed_from: date("2026-01-01"),
            employed_until: Some(date("2026-11-23")),
        };
        let leave = vec![DateRange::new(date("2026-11-23"), Some(date("2026-11-24"))).unwrap()];
        let carer = CarerStanding { profile: Some(profile), certificates: vec![held("health_proof", "2025-01-01", "2026-01-01")], leave };
        let needed = ["health_proof".parse().unwrap(), "care_worker".parse().unwrap()];
        let reasons: Vec<_> = carer.unfit(&needed, date("2026-11-23")).iter().map(Unfit::code).collect();
        assert_eq!(reasons, ["unfit.health_proof", "unfit.certificate", "unfit.employment"]);
        let at = |text: &str| crate::time::parse_instant(text).unwrap();
        let reasons: Vec<_> = carer.unavailable(at("2026-11-23T09:00:00+08:00"), at("2026-11-23T10:00:00+08:00"));
        assert_eq!(reasons, [Unfit::Leave, Unfit::WorkingTimes]);
        assert_eq!(carer.unavailable(at("2026-11-22T09:00:00+08:00"), at("2026-11-22T10:00:00+08:00")), [Unfit::WorkingTimes]);
    }
}
