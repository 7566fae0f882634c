//! Typed identifiers. Every kind of thing has its own type, so that an order's id cannot be passed for a
//! resident's.
//!
//! An id is a UUID version 7 built from an instant and random bits that the shell passes in; its text form
//! carries the kind as a prefix (`ord_0198…`), which people can read out and a parser checks strictly.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// A kind of thing that has ids.
pub trait IdKind: 'static {
    /// Prefix of the text form, without the underscore.
    const PREFIX: &'static str;
}

/// Identifier of one thing of kind `K`.
pub struct Id<K: IdKind>(Uuid, PhantomData<fn() -> K>);

/// The text was not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {prefix}_<32 hexadecimal digits>")]
pub struct ParseIdError {
    /// Prefix of the kind that was wanted.
    pub prefix: &'static str,
}

impl<K: IdKind> Id<K> {
    /// Wraps a stored UUID.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// Builds a version 7 id from an instant in milliseconds and ten random bytes.
    #[must_use]
    pub fn from_parts(unix_milliseconds: u64, random: [u8; 10]) -> Self {
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(unix_milliseconds, &random).into_uuid())
    }

    /// The bare UUID, as it is stored.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl<K: IdKind> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: IdKind> Copy for Id<K> {}
impl<K: IdKind> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K: IdKind> Eq for Id<K> {}
impl<K: IdKind> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: IdKind> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K: IdKind> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K: IdKind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.0.simple())
    }
}
impl<K: IdKind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<K: IdKind> FromStr for Id<K> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = ParseIdError { prefix: K::PREFIX };
        let digits = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(wrong.clone())?;
        let canonical = digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !canonical {
            return Err(wrong);
        }
        Uuid::try_parse(digits).map(Self::from_uuid).map_err(|_cause| wrong)
    }
}
impl<K: IdKind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $alias:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $kind {}
        impl IdKind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $alias = Id<$kind>;
    )*};
}

kinds! {
    /// One natural person, whatever accounts and roles they hold.
    Person PersonId "per";
    /// One way to sign in, held by one person.
    Account AccountId "acc";
    /// One signed-in device.
    Session SessionId "ses";
    /// One code that signs in once.
    SignInCode SignInCodeId "sic";
    /// One paper sheet of codes.
    CodeSheet CodeSheetId "sht";
    /// One request for a new authenticator.
    AuthenticatorReset AuthenticatorResetId "atr";
    /// One bearer key of an account.
    AccessKey AccessKeyId "key";
    /// One role of one person, from a date to a date.
    RoleGrant RoleGrantId "rol";
    /// An older person who may receive service.
    Resident ResidentId "res";
    /// One statement about a resident, with its days and its evidence.
    ResidentFact ResidentFactId "fct";
    /// One status of a resident with its first day.
    ResidentStatus ResidentStatusId "sts";
    /// One relation that has ended.
    PastRelation PastRelationId "rel";
    /// A place where a resident is served.
    ServiceAddress ServiceAddressId "adr";
    /// One ability assessment.
    Assessment AssessmentId "asm";
    /// One version of one programme's rules.
    PolicyVersion PolicyVersionId "pol";
    /// One application for one programme.
    Application ApplicationId "app";
    /// One eligibility decision.
    Decision DecisionId "dec";
    /// One entitlement decided anew after its grounds changed.
    EntitlementReview EntitlementReviewId "rev";
    /// What somebody wrote about a step of an application.
    ApplicationNote ApplicationNoteId "apn";
    /// The right of one resident to one benefit, over its windows.
    Entitlement EntitlementId "ent";
    /// What one entitlement grants in one window.
    EntitlementWindow EntitlementWindowId "win";
    /// A licensed organisation that serves.
    Provider ProviderId "prv";
    /// A worker of a provider.
    Carer CarerId "car";
    /// A licence of a provider or a certificate of a carer.
    Credential CredentialId "crd";
    /// An agreement of a provider with the bureau.
    Agreement AgreementId "agr";
    /// A yearly review of a provider's qualification.
    QualificationReview QualificationReviewId "qre";
    /// A new or renewed licence on its way.
    LicenceRequest LicenceRequestId "lrq";
    /// Why a credit code with a wrong check character was accepted.
    CreditCodeReview CreditCodeReviewId "ccr";
    /// Where a provider is paid.
    BankAccount BankAccountId "bnk";
    /// Days on which a carer is away.
    CarerLeave CarerLeaveId "lea";
    /// A step of a provider's admission or suspension.
    ProviderStep ProviderStepId "stp";
    /// An edition of the service catalogue.
    CatalogueEdition CatalogueEditionId "ced";
    /// Which items a programme may pay, from a day on.
    PurchaseList PurchaseListId "pur";
    /// One row of a provider's price list.
    Price PriceId "pri";
    /// A stored quote with its expiry.
    Quote QuoteId "quo";
    /// One booked service.
    Order OrderId "ord";
    /// A day-care centre.
    DayCareCentre DayCareCentreId "dcc";
    /// A room of a day-care centre.
    DayCareRoom DayCareRoomId "dcr";
    /// What one side of a dispute says.
    DisputeStatement DisputeStatementId "dst";
    /// One provider asked to serve one order.
    Offer OfferId "off";
    /// One delivery of an order.
    Visit VisitId "vis";
    /// One phone of a carer, known by its key.
    Device DeviceId "dev";
    /// One clock event that a phone sent.
    VisitEvent VisitEventId "vev";
    /// One clock event that does not fit its visit and waits for a person.
    QuarantinedEvent QuarantinedEventId "qev";
    /// One correction of a clock time by another person.
    VisitCorrection VisitCorrectionId "vco";
    /// What one carer reports of the tasks of a visit.
    VisitReport VisitReportId "rep";
    /// One check before a service that can harm.
    SafetyCheck SafetyCheckId "saf";
    /// Something that went wrong at a visit.
    Incident IncidentId "inc";
    /// An amount reserved by an order.
    Hold HoldId "hld";
    /// One visit judged against one benefit.
    ClaimLine ClaimLineId "cla";
    /// A question to the family about a larger share.
    ConsentRequest ConsentRequestId "csr";
    /// A proposal to take back what was posted for an order.
    Reversal ReversalId "rev";
    /// What is taken back of one claim line.
    Correction CorrectionId "cor";
    /// A ledger account.
    LedgerAccount LedgerAccountId "lac";
    /// A ledger transfer.
    Transfer TransferId "ltr";
    /// One month of one programme and bureau.
    SettlementPeriod SettlementPeriodId "set";
    /// What one provider is paid in one settlement period.
    Statement StatementId "sta";
    /// A sheet that was handed in.
    SheetImport SheetImportId "imp";
    /// One thing that happened.
    Event EventId "evt";
    /// One event on its way to one subscriber.
    Delivery DeliveryId "dlv";
    /// One row of the audit trail.
    Audit AuditId "aud";
    /// One finding of supervision.
    Flag FlagId "flg";
    /// One request, from its first log line to its answer.
    Request RequestId "req";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_names_its_kind() {
        let id = OrderId::from_parts(1_700_000_000_000, [7; 10]);
        let text = id.to_string();
        assert!(text.starts_with("ord_018bcfe5"), "{text}");
        assert_eq!(text.parse::<OrderId>(), Ok(id));
        assert_eq!(text.parse::<VisitId>(), Err(ParseIdError { prefix: "vis" }));
    }

    #[test]
    fn only_the_canonical_text_is_accepted() {
        for text in [
            "",
            "ord_",
            "ord_018BCFE5680070000707070707070707",
            "ord_018bcfe5-6800-7000-8707-070707070707",
            "018bcfe5680070000707070707070707",
        ] {
            assert!(text.parse::<OrderId>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_sort_by_the_instant_they_were_made() {
        assert!(OrderId::from_parts(1, [0xff; 10]) < OrderId::from_parts(2, [0; 10]));
    }
}
