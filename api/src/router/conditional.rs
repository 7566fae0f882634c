//! `ETag` and `If-None-Match`: who has the present answer already is not sent it again.
//!
//! A handler that knows the version of what it answers says so itself, and `If-Match` of an edit means that
//! version. Every other read gets a tag made from the bytes of its answer.

use axum::{
    body::{Body, HttpBody as _},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};

use crate::problem::Problem;

/// Tags the answers of reads, and answers `304 Not Modified` to whoever has the present one.
pub(super) async fn answer_if_changed(request: Request, next: Next) -> Response {
    // The head of an answer alone has no bytes to make a tag of; the same read with its body has.
    let reads = *request.method() == Method::GET;
    let known = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect::<Vec<_>>();
    let response = next.run(request).await;
    if !reads || response.status() != StatusCode::OK {
        return response;
    }
    let response = match tag(response).await {
        Ok(response) => response,
        Err(problem) => return problem.into_response(),
    };
    let Some(present) = response.headers().get(header::ETAG) else { return response };
    if known.iter().any(|listed| names(listed, present)) { not_modified(response.headers()) } else { response }
}

/// Gives an answer that has no tag one of its bytes. Answers of unknown length are streams and stay as they are.
async fn tag(response: Response) -> Result<Response, Problem> {
    if response.headers().contains_key(header::ETAG) || response.size_hint().exact().is_none() {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let bytes = body.collect().await.map_err(|cause| Problem::broken("request.answer", cause.to_string()))?.to_bytes();
    let hash: String = Sha256::digest(&bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    if let Ok(value) = HeaderValue::try_from(format!("\"h{hash}\"")) {
        parts.headers.insert(header::ETAG, value);
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// Whether a list of tags names one, or all. Weak and strong tags of one text are the same here.
fn names(listed: &HeaderValue, present: &HeaderValue) -> bool {
    let (Ok(listed), Ok(present)) = (listed.to_str(), present.to_str()) else { return false };
    let opaque = |tag: &'_ str| tag.trim().trim_start_matches("W/").to_owned();
    listed.trim() == "*" || listed.split(',').any(|tag| opaque(tag) == opaque(present))
}

fn not_modified(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    for name in [header::ETAG, header::CACHE_CONTROL, header::VARY] {
        if let Some(value) = headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::{Router, middleware::from_fn, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    async fn answer(method: &str, path: &str, if_none_match: Option<&str>) -> Response {
        let router = Router::new()
            .route("/text", get(async || "one").post(async || "one"))
            .route("/version", get(async || ([(header::ETAG, "\"3\"")], "three")))
            .route("/gone", get(async || (StatusCode::NOT_FOUND, "none")))
            .layer(from_fn(answer_if_changed));
        let mut request = Request::builder().method(method).uri(path);
        if let Some(value) = if_none_match {
            request = request.header(header::IF_NONE_MATCH, value);
        }
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_read_that_is_known_is_not_sent_again() {
        let first = answer("GET", "/text", None).await;
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let again = answer("GET", "/text", Some(&known)).await;
            assert_eq!((again.status(), again.headers()[header::ETAG].to_str().unwrap()), (StatusCode::NOT_MODIFIED, tag.as_str()));
            assert!(again.into_body().collect().await.unwrap().to_bytes().is_empty());
        }
        assert_eq!(answer("GET", "/text", Some("\"x\"")).await.status(), StatusCode::OK);
        assert_eq!(answer("GET", "/version", Some("\"3\"")).await.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer("GET", "/version", Some("\"2\"")).await.headers()[header::ETAG], "\"3\"");
    }

    #[tokio::test]
    async fn only_reads_that_succeed_have_a_tag() {
        assert!(!answer("POST", "/text", None).await.headers().contains_key(header::ETAG));
        let gone = answer("GET", "/gone", Some("*")).await;
        assert_eq!((gone.status(), gone.headers().contains_key(header::ETAG)), (StatusCode::NOT_FOUND, false));
    }
}
