//! What can go wrong between a command and its commit.

use domain::{
    access::AccessError,
    error::{Fault, FieldError, Kind},
    id::RequestId,
};
use sea_orm::{DbErr, RuntimeErr, SqlErr};

use crate::keys::KeyError;

/// A refusal of the domain, flattened to what every border needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable code.
    pub code: &'static str,
    /// How the caller should react.
    pub kind: Kind,
    /// Text in English, without personal values.
    pub detail: String,
    /// Faulty fields.
    pub fields: Vec<FieldError>,
}

/// Why a command or query did not give its answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The rules refuse.
    #[error("{}", .0.detail)]
    Refused(Refusal),
    /// Somebody else changed the row since it was read.
    #[error("{0} was changed by somebody else; read it again")]
    Stale(&'static str),
    /// Something with the same unique mark exists.
    #[error("{what} exists already")]
    Exists {
        /// What exists.
        what: &'static str,
    },
    /// A key was used for another request.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// A stored row breaks a rule of its type.
    #[error("a row of {table} is corrupt: {why}")]
    Corrupt {
        /// Table.
        table: &'static str,
        /// Which rule.
        why: String,
    },
    /// Keys or ciphertexts.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database refused or failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// It is not known whether the commit took place.
    #[error("it is not known whether request {0} took effect; ask again with the same key")]
    Unknown(RequestId),
    /// The work took longer than it may.
    #[error("the work took too long and was undone")]
    TimedOut,
    /// The task that wrote died.
    #[error("the work failed and was undone")]
    Panicked,
    /// The database or its settings cannot be used.
    #[error("{0}")]
    Configuration(String),
}

impl StoreError {
    /// Flattens a domain error.
    pub fn refused(fault: &impl Fault) -> Self {
        Self::Refused(Refusal { code: fault.code(), kind: fault.kind(), detail: fault.to_string(), fields: fault.fields() })
    }

    /// A refusal of one or more fields.
    #[must_use]
    pub fn fields(fields: Vec<FieldError>) -> Self {
        Self::Refused(Refusal { code: "input.invalid", kind: Kind::Invalid, detail: "some fields are not usable".to_owned(), fields })
    }

    /// There is no such thing within the caller's reach.
    #[must_use]
    pub fn not_found() -> Self {
        Self::refused(&AccessError::NotFound)
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code,
            Self::Stale(_) => "store.stale",
            Self::Exists { .. } => "store.exists",
            Self::KeyReused => "idempotency.key_reused",
            Self::Corrupt { .. } => "store.corrupt",
            Self::Key(_) => "store.key",
            Self::Database(_) => "store.database",
            Self::Unknown(_) => "store.unknown_outcome",
            Self::TimedOut => "store.timed_out",
            Self::Panicked => "store.panicked",
            Self::Configuration(_) => "store.configuration",
        }
    }

    /// How the caller should react.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Refused(refusal) => refusal.kind,
            Self::Stale(_) => Kind::Stale,
            Self::Exists { .. } => Kind::Conflict,
            Self::KeyReused => Kind::Invalid,
            Self::Database(cause) if is_transient(cause) => Kind::Unavailable,
            Self::Unknown(_) | Self::TimedOut => Kind::Unavailable,
            Self::Corrupt { .. } | Self::Key(_) | Self::Database(_) | Self::Panicked | Self::Configuration(_) => Kind::Broken,
        }
    }

    /// Whether running the same transaction again can succeed.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Database(cause) => is_transient_conflict(cause),
            Self::Refused(_)
            | Self::Stale(_)
            | Self::Exists { .. }
            | Self::KeyReused
            | Self::Corrupt { .. }
            | Self::Key(_)
            | Self::Unknown(_)
            | Self::TimedOut
            | Self::Panicked
            | Self::Configuration(_) => false,
        }
    }
}

macro_rules! faults {
    ($($fault:ty),* $(,)?) => {$(
        impl From<$fault> for StoreError {
            fn from(fault: $fault) -> Self {
                Self::refused(&fault)
            }
        }
    )*};
}

faults!(
    AccessError,
    domain::application::ApplicationError,
    domain::assessment::AssessmentError,
    domain::entitlement::EntitlementError,
    domain::claim::ClaimError,
    domain::claim::CorrectionError,
    domain::consent::ConsentError,
    domain::device::DeviceError,
    domain::ledger::LedgerError,
    domain::money::MoneyError,
    domain::daycare::DayCareError,
    domain::order::CancelError,
    domain::order::DisputeError,
    domain::order::OfferError,
    domain::order::OrderError,
    domain::provider::PayoutError,
    domain::provider::ProviderError,
    domain::provider::UnfitError,
    domain::sample::SampleError,
    domain::settlement::SettlementError,
    domain::state::TransitionError,
    domain::tariff::TariffError,
    domain::time::TimeError,
    domain::visit::VisitError,
);

/// The database's own code of an error: SQLSTATE on PostgreSQL, the extended result code on SQLite.
fn native_code(cause: &DbErr) -> Option<String> {
    let (DbErr::Conn(runtime) | DbErr::Exec(runtime) | DbErr::Query(runtime)) = cause else { return None };
    match runtime {
        RuntimeErr::SqlxError(sqlx) => {
            sqlx.as_database_error().and_then(sea_orm::sqlx::error::DatabaseError::code).map(std::borrow::Cow::into_owned)
        }
        RuntimeErr::Internal(_) => None,
    }
}

/// Serialization failure, deadlock, a busy or stale SQLite snapshot: the same work can be done again. So can
/// a doubled idempotency key, event number or tick: the second try finds what the first one wrote.
pub(crate) fn is_transient_conflict(cause: &DbErr) -> bool {
    if let Some(SqlErr::UniqueConstraintViolation(text)) = cause.sql_err() {
        return ["idempotency_key", "event_stream", "event.stream", "job_tick"].iter().any(|name| text.contains(name));
    }
    matches!(native_code(cause).as_deref(), Some("40001" | "40P01" | "5" | "261" | "517"))
}

/// Failures that pass: conflicts, lock and statement limits, a lost or exhausted connection.
fn is_transient(cause: &DbErr) -> bool {
    is_transient_conflict(cause)
        || matches!(cause, DbErr::ConnectionAcquire(_) | DbErr::Conn(_))
        || matches!(native_code(cause).as_deref(), Some("55P03" | "57014" | "57P01" | "57P02" | "57P03" | "53300"))
}

/// Turns a doubled unique mark into a refusal that names what exists.
pub(crate) fn exists(what: &'static str) -> impl Fn(DbErr) -> StoreError {
    move |cause| match cause.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::Exists { what },
        _ => StoreError::Database(cause),
    }
}
