//! Our own layers.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::{access::Actor, id::RequestId};
use store::Source;

use crate::{
    problem::{Problem, RequestError},
    settings::PublicUrl,
};

/// How long a request may take. Commands run detached and have limits of their own.
const TIME_LIMIT: Duration = Duration::from_secs(30);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Pages take everything from this server and run no script that stands in the page.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// Gives the request its id: the caller's, if it has the form of ours, else a new one. The answer repeats it.
pub(super) async fn identify(State(source): State<Source>, mut request: Request, next: Next) -> Response {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<RequestId>().ok());
    let id = given.unwrap_or_else(|| source.context(Actor::System("request")).request);
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Ends requests that take too long.
pub(super) async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_elapsed) => Problem::from(RequestError::TimedOut).into_response(),
    }
}

/// Answers for a handler that panicked; the hook has logged where.
pub(super) fn describe_panic(_payload: Box<dyn Any + Send>) -> Response {
    Problem::broken("request.panicked", "a handler panicked").into_response()
}

/// Headers that keep browsers careful. Nothing is kept in caches unless a handler says so.
pub(super) async fn secure(State(public_url): State<Arc<PublicUrl>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if public_url.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::StatusCode, middleware::from_fn, routing::get};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;
    use crate::problem;

    async fn panics() -> &'static str {
        panic!("{} has no value", "110105194912310021")
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing() {
        let router = Router::new().route("/", get(panics)).layer(CatchPanicLayer::custom(describe_panic)).layer(from_fn(problem::render));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("request.panicked") && !text.contains("110105"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_without_end_is_put_off() {
        let router = Router::new().route("/", get(std::future::pending::<()>)).layer(from_fn(limit_time));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "5");
    }

    #[tokio::test]
    async fn only_a_request_id_of_our_form_is_taken_over() {
        let source = Source::fixed(Arc::new(store::SystemClock::default()), 1);
        let id = async |given: &str| {
            let router = Router::new().route("/", get(async || ())).layer(axum::middleware::from_fn_with_state(source.clone(), identify));
            let request = Request::builder().header(REQUEST_ID, given).body(Body::empty()).unwrap();
            let response = router.oneshot(request).await.unwrap();
            response.headers()[REQUEST_ID].to_str().unwrap().to_owned()
        };
        let ours = "req_018bcfe5680070000707070707070707";
        assert_eq!(id(ours).await, ours);
        for foreign in ["1", "ord_018bcfe5680070000707070707070707", "110105194912310021"] {
            let new = id(foreign).await;
            assert!(new.starts_with("req_") && new != foreign, "{new}");
        }
    }
}
