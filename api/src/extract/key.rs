//! `Idempotency-Key`.

use axum::{extract::FromRequestParts, http::request::Parts};
use store::KEY_LENGTH_MAX;

use crate::problem::{Problem, RequestError};

/// The key under which a creating request takes effect once.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    key: String,
    target: String,
}

impl IdempotencyKey {
    /// The key and the request that it stands for, as [`store::Store::write_once`] takes them. The request is
    /// method, path and body, so that one key cannot be used for two addresses.
    #[must_use]
    pub fn stand_for(self, body: &[u8]) -> (String, Vec<u8>) {
        let mut request = self.target.into_bytes();
        request.push(b'\n');
        request.extend_from_slice(body);
        (self.key, request)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let value = values.next().ok_or(RequestError::KeyMissing)?;
        let bytes = value.as_bytes();
        let fits = (1..=KEY_LENGTH_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        if !fits || values.next().is_some() {
            return Err(RequestError::KeyForm.into());
        }
        let key = value.to_str().map_err(|_cause| RequestError::KeyForm)?.to_owned();
        // A nested router sees a shortened address; the full one is what the caller sent.
        let path = parts.extensions.get::<axum::extract::OriginalUri>().map_or_else(|| parts.uri.path(), |original| original.path());
        Ok(Self { key, target: format!("{} {path}", parts.method) })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn extract(keys: &[&[u8]], path: &str) -> Result<IdempotencyKey, Problem> {
        let mut request = Request::post(path);
        for key in keys {
            request = request.header("Idempotency-Key", *key);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        IdempotencyKey::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_key_is_one_header_of_visible_ascii() {
        let code = |result: Result<IdempotencyKey, Problem>| result.map_err(|problem| problem.code()).err();
        assert_eq!(code(extract(&[], "/a").await), Some("request.key_missing"));
        for wrong in [&b""[..], b"a b", "键".as_bytes(), &[b'x'; KEY_LENGTH_MAX + 1]] {
            assert_eq!(code(extract(&[wrong], "/a").await), Some("request.key_form"), "{wrong:?}");
        }
        assert_eq!(code(extract(&[b"a", b"b"], "/a").await), Some("request.key_form"));
        assert_eq!(code(extract(&[&[b'x'; KEY_LENGTH_MAX]], "/a").await), None);
    }

    #[tokio::test]
    async fn one_key_stands_for_one_address_and_body() {
        let request = async |path: &str, body: &[u8]| extract(&[b"k"], path).await.unwrap().stand_for(body);
        assert_eq!(request("/a", b"1").await, ("k".to_owned(), b"POST /a\n1".to_vec()));
        assert_ne!(request("/a", b"1").await, request("/b", b"1").await);
        assert_ne!(request("/a", b"1").await, request("/a", b"2").await);
    }
}
