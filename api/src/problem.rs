//! Refusals and failures as the caller sees them: RFC 9457, `application/problem+json`.
//!
//! This is the only place that turns an error into a status. A handler answers with a [`Problem`]; the
//! middleware [`render`] then writes it, once, in the reader's language and under the request's id, as JSON
//! for programs and as a page for people, and logs what is not for the caller's eyes.

mod cause;
mod render;
mod request;
#[cfg(test)]
mod tests;
mod wording;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    access::AccessError,
    error::{Fault, FieldError, Kind},
};
use i18n::Locale;
use serde::{Deserialize, Serialize};
use store::{StoreError, command::account::AccountError};
use utoipa::ToSchema;

pub use render::render;
pub use request::RequestError;

/// What the caller is told when something of ours is broken.
const HIDDEN: &str = "an internal error; quote the request id";
/// Most faulty fields that one answer lists; the rest are counted.
const FIELDS_MAX: usize = 100;
/// When to try again after a refusal that passes, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");
/// When to try again after too many wrong passwords, in seconds.
const RETRY_AFTER_SIGN_IN: HeaderValue = HeaderValue::from_static("60");

/// A refusal or failure on its way to the caller.
#[derive(Debug, Clone)]
pub struct Problem(Box<Content>);

#[derive(Debug, Clone)]
struct Content {
    code: &'static str,
    kind: Kind,
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// For the log alone.
    cause: Option<String>,
}

/// The body of every refusal and failure (RFC 9457).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Address of the description of this kind of problem, relative to the service.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// The problem in the reader's language.
    pub title: String,
    /// Status of the answer.
    pub status: u16,
    /// What happened this time, in English; for a Chinese reader the title again, since details are English.
    pub detail: String,
    /// Id of the request; quote it when asking for help.
    pub instance: String,
    /// Stable code, `module.fault`.
    pub code: String,
    /// Every faulty field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldFault>,
}

/// A faulty field. The faulty value is never repeated.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FieldFault {
    /// Path of the field, such as `items.0.quantity`; empty for the whole body.
    pub field: String,
    /// Stable code of the fault.
    pub code: String,
    /// What to do, in the reader's language where its code has a text there, else in English.
    pub cure: String,
}

impl Problem {
    /// A refusal by the rules of any package.
    pub fn of(fault: &impl Fault) -> Self {
        Self::new(fault.code(), fault.kind(), fault.to_string(), fault.fields(), None)
    }

    /// Faulty input, all fields at once.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        StoreError::fields(errors).into()
    }

    /// There is no such thing within the caller's reach.
    #[must_use]
    pub fn not_found() -> Self {
        Self::of(&AccessError::NotFound)
    }

    /// Something of ours is broken; `cause` goes to the log and must not hold personal values.
    pub fn broken(code: &'static str, cause: impl Into<String>) -> Self {
        Self::new(code, Kind::Broken, HIDDEN.to_owned(), Vec::new(), Some(cause.into()))
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The faulty fields.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    fn new(code: &'static str, kind: Kind, detail: String, errors: Vec<FieldError>, cause: Option<String>) -> Self {
        let status = status(code, kind);
        let mut headers = Vec::new();
        match status {
            StatusCode::UNAUTHORIZED => headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::SERVICE_UNAVAILABLE => headers.push((header::RETRY_AFTER, RETRY_AFTER)),
            StatusCode::TOO_MANY_REQUESTS if code == "request.too_many" => headers.push((header::RETRY_AFTER, RETRY_AFTER)),
            StatusCode::TOO_MANY_REQUESTS => headers.push((header::RETRY_AFTER, RETRY_AFTER_SIGN_IN)),
            _ => {}
        }
        Self(Box::new(Content { code, kind, status, detail, errors: shorten(errors), headers, cause }))
    }

    /// The description in the reader's language; `detailed_in` is the language of its detail.
    fn body(&self, locale: Locale, detailed_in: Locale, instance: String) -> ProblemBody {
        let title = wording::title(locale, &self.0);
        ProblemBody {
            problem_type: format!("/problems/{}", self.0.code),
            detail: wording::detail(detailed_in, &title, &self.0.detail),
            title,
            status: self.0.status.as_u16(),
            instance,
            code: self.0.code.to_owned(),
            errors: self.0.errors.iter().map(|fault| wording::field(locale, fault)).collect(),
        }
    }
}

/// The first faults, and one entry that counts the others.
fn shorten(mut errors: Vec<FieldError>) -> Vec<FieldError> {
    let more = errors.len().saturating_sub(FIELDS_MAX);
    if more > 0 {
        errors.truncate(FIELDS_MAX);
        errors.push(FieldError::new("", "field.more", format!("and {more} more; cure the fields above first")));
    }
    errors
}

/// The status of a refusal: that of its kind, unless HTTP has a closer one for its code.
fn status(code: &str, kind: Kind) -> StatusCode {
    match code {
        "request.malformed" | "request.key_missing" | "request.key_form" | "request.if_match_form" | "request.refused" => {
            StatusCode::BAD_REQUEST
        }
        "request.if_match_missing" => StatusCode::PRECONDITION_REQUIRED,
        "request.body_late" => StatusCode::REQUEST_TIMEOUT,
        "request.too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        "request.content_type" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "request.method" => StatusCode::METHOD_NOT_ALLOWED,
        "account.waiting" | "request.too_many" => StatusCode::TOO_MANY_REQUESTS,
        _ => match kind {
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Stale => StatusCode::PRECONDITION_FAILED,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let (code, kind) = (error.code(), error.kind());
        let cause = matches!(kind, Kind::Broken | Kind::Unavailable).then(|| cause::log_text(&error));
        let detail = if kind == Kind::Broken { HIDDEN.to_owned() } else { error.to_string() };
        let errors = if let StoreError::Refused(refusal) = error { refusal.fields } else { Vec::new() };
        Self::new(code, kind, detail, errors, cause)
    }
}

macro_rules! faults {
    ($($fault:ty),* $(,)?) => {$(
        impl From<$fault> for Problem {
            fn from(fault: $fault) -> Self {
                Self::of(&fault)
            }
        }
    )*};
}

faults!(AccessError, AccountError, RequestError, domain::money::MoneyError, domain::time::TimeError);

/// An answer without body that carries the problem; [`render`] writes the body.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.headers_mut().extend(self.0.headers.clone());
        response.extensions_mut().insert(self);
        response
    }
}
