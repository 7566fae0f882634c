//! Faults of a request as such, before any rule of the domain is asked.

use domain::error::{Fault, Kind};

/// Why a request could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The body is not JSON.
    #[error("the body is not JSON from line {line}, column {column} on; send one JSON object in UTF-8")]
    Malformed {
        /// Line in the body, from 1.
        line: usize,
        /// Column in the line, from 1; 0 for its end.
        column: usize,
    },
    /// The connection broke while the body arrived.
    #[error("the body did not arrive whole; send it again")]
    Incomplete,
    /// The body did not arrive in time.
    #[error("the body did not arrive in time; send it again")]
    BodyLate,
    /// The body is not sent as JSON.
    #[error("the body must be JSON; send it with Content-Type: application/json")]
    ContentType,
    /// The body is too long.
    #[error("the body is longer than {limit} bytes; send less")]
    TooLarge {
        /// Longest body, in bytes.
        limit: usize,
    },
    /// A creating request without its key.
    #[error("the header Idempotency-Key is missing; send a new random key with each new request, and the same one with its repeats")]
    KeyMissing,
    /// A key that cannot be kept.
    #[error("the header Idempotency-Key must be 1 to 128 visible ASCII characters")]
    KeyForm,
    /// A change without the version that it was made on.
    #[error("the header If-Match is missing; send the ETag of what was read")]
    IfMatchMissing,
    /// A version that this service did not give.
    #[error("the header If-Match must hold one ETag of this service, such as \"3\"")]
    IfMatchForm,
    /// No route.
    #[error("there is no such address")]
    NoRoute,
    /// A route that does not know the method.
    #[error("this address does not know this method; see the header Allow")]
    Method,
    /// A form or script of another site.
    #[error("requests from pages of other sites are refused")]
    CrossOrigin,
    /// The work took longer than a request may.
    #[error("the answer took too long; ask again, with the same Idempotency-Key if there was one")]
    TimedOut,
    /// More requests than one caller may send.
    #[error("too many requests; wait a little and send fewer")]
    TooMany,
    /// Refused by a part that gave no reason of its own.
    #[error("the request could not be read")]
    Refused,
}

impl Fault for RequestError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } | Self::Incomplete => "request.malformed",
            Self::BodyLate => "request.body_late",
            Self::ContentType => "request.content_type",
            Self::TooLarge { .. } => "request.too_large",
            Self::KeyMissing => "request.key_missing",
            Self::KeyForm => "request.key_form",
            Self::IfMatchMissing => "request.if_match_missing",
            Self::IfMatchForm => "request.if_match_form",
            Self::NoRoute => "request.no_route",
            Self::Method => "request.method",
            Self::CrossOrigin => "request.cross_origin",
            Self::TimedOut => "request.timed_out",
            Self::TooMany => "request.too_many",
            Self::Refused => "request.refused",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Malformed { .. }
            | Self::Incomplete
            | Self::ContentType
            | Self::TooLarge { .. }
            | Self::KeyMissing
            | Self::KeyForm
            | Self::IfMatchMissing
            | Self::IfMatchForm
            | Self::Method
            | Self::Refused => Kind::Invalid,
            Self::NoRoute => Kind::NotFound,
            Self::CrossOrigin => Kind::Forbidden,
            Self::BodyLate | Self::TimedOut | Self::TooMany => Kind::Unavailable,
        }
    }
}
