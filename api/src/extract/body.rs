//! JSON bodies.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, header},
};
use serde::de::DeserializeOwned;
use utoipa::PartialSchema;
use validator::Validate;

use super::fields;
use crate::problem::{Problem, RequestError};

/// Longest body of a request, in bytes.
pub const BODY_LENGTH_MAX: usize = 1024 * 1024;

/// How long a body may take to arrive: less than a whole request may, so that the caller learns which it was.
const BODY_TIME_LIMIT: Duration = Duration::from_secs(20);

/// A JSON body that has the shape of `T`, and the bytes in which it came.
///
/// Unknown, missing, doubled and mistyped fields and broken shape rules (`validator`) are refused, all of one
/// stage at once. Derive `Deserialize` with `deny_unknown_fields`, `ToSchema` and `Validate` for `T`.
#[derive(Debug, Clone)]
pub struct Valid<T> {
    /// The body.
    pub value: T,
    /// As received; what an idempotency key stands for.
    pub raw: Bytes,
}

impl<T, S> FromRequest<S> for Valid<T>
where
    T: DeserializeOwned + PartialSchema + Validate,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(RequestError::ContentType.into());
        }
        let raw = tokio::time::timeout(BODY_TIME_LIMIT, Bytes::from_request(request, state)).await;
        let raw = raw.map_err(|_elapsed| RequestError::BodyLate)?.map_err(|rejection| refuse_body(&rejection))?;
        let value = fields::read(&raw)?;
        Ok(Self { value, raw })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn refuse_body(rejection: &BytesRejection) -> Problem {
    let too_large = rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE;
    if too_large { RequestError::TooLarge { limit: BODY_LENGTH_MAX }.into() } else { RequestError::Incomplete.into() }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde::Deserialize;
    use utoipa::ToSchema;

    use super::*;

    #[derive(Debug, Deserialize, ToSchema, Validate)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_a_request_timeout() {
        let never = Body::from_stream(futures::stream::pending::<Result<Bytes, std::convert::Infallible>>());
        let request = Request::post("/a").header(header::CONTENT_TYPE, "application/json").body(never).unwrap();
        let problem = Valid::<Nothing>::from_request(request, &()).await.unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.code()), (408, "request.body_late"));
    }

    #[test]
    fn only_json_is_json() {
        let with = |kind: &'static str| HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
        assert!(is_json(&with("application/json")));
        assert!(is_json(&with("Application/JSON; charset=utf-8")));
        assert!(!is_json(&with("text/plain")));
        assert!(!is_json(&with("application/x-www-form-urlencoded")));
        assert!(!is_json(&HeaderMap::new()));
    }
}
