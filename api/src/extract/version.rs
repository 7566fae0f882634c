//! `ETag` and `If-Match`: which version of a thing was read, and on which one a change was made.

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, HeaderValue, header, request::Parts},
};

use crate::problem::{Problem, RequestError};

/// The header that tells the version of what is answered.
#[must_use]
pub fn etag(version: i64) -> [(HeaderName, HeaderValue); 1] {
    // Digits and quotes always make a header value; the fallback cannot be reached.
    let value = HeaderValue::try_from(format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"0\""));
    [(header::ETAG, value)]
}

/// The version on which a change was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let value = parts.headers.get(header::IF_MATCH).ok_or(RequestError::IfMatchMissing)?;
        let digits = value.to_str().ok().and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
        let digits = digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
        let version = digits.and_then(|digits| digits.parse().ok()).ok_or(RequestError::IfMatchForm)?;
        Ok(Self(version))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[tokio::test]
    async fn a_version_is_a_quoted_number() {
        let read = async |value: Option<&str>| {
            let request = value.iter().fold(Request::put("/a"), |request, value| request.header(header::IF_MATCH, *value));
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            IfMatch::from_request_parts(&mut parts, &()).await.map_err(|problem| problem.code())
        };
        assert_eq!(read(Some("\"3\"")).await, Ok(IfMatch(3)));
        assert_eq!(read(None).await, Err("request.if_match_missing"));
        for wrong in ["3", "W/\"3\"", "*", "\"\"", "\"-1\"", "\"3\", \"4\"", "\"99999999999999999999\""] {
            assert_eq!(read(Some(wrong)).await, Err("request.if_match_form"), "{wrong}");
        }
        assert_eq!(etag(3)[0].1, "\"3\"");
    }
}
