//! The routes, and the layers around all of them.
//!
//! From the outside in: request id, span and metrics, compression, problem bodies, security headers, panics,
//! time limit, rates, same-origin check, body limit, tags of answers, access. What a layer refuses, the ones further out describe and
//! measure like any other answer.

mod conditional;
mod describe;
mod layers;
mod rates;
mod table;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, header},
    middleware::{from_fn, from_fn_with_state},
    response::IntoResponse,
    routing::get,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    csrf::{CsrfLayer, ProtectionError},
};
use utoipa::openapi::OpenApi;

use crate::{
    access::{self, Access, Guard, Rules},
    extract::BODY_LENGTH_MAX,
    health, pages,
    problem::{self, Problem, RequestError},
    rest,
    state::AppState,
    telemetry,
};

pub use table::RouteTable;

/// Where the JSON API begins.
pub const API: &str = "/api/v1";

/// Why the router could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// Routes of the API's description without a rule.
    #[error("these routes have no access rule: {0}; register them with RouteTable::route")]
    RouteWithoutRule(String),
    /// Rules without a route in the API's description.
    #[error("these access rules have no route: {0}; remove them")]
    RuleWithoutRoute(String),
    /// Routes that were registered twice.
    #[error("these routes are registered twice: {0}; remove one of each")]
    Doubled(String),
    /// The description of the API cannot be written.
    #[error("the description of the API cannot be written: {0}")]
    Description(String),
    /// The public address is no origin.
    #[error("the public address cannot be used: {0}; set YIJIA_PUBLIC_URL to scheme and server alone")]
    PublicUrl(String),
}

/// The routes with what is known about them, before they are given a city.
#[derive(Debug)]
pub struct Parts {
    /// The routes.
    pub router: Router<AppState>,
    /// The description of the API.
    pub openapi: OpenApi,
    /// Who may use which route.
    pub rules: Rules,
}

/// All routes, checked against their rules. Needs no city; drift tests and the access matrix start here.
///
/// # Errors
/// Routes without a rule, rules without a route, doubled routes.
pub fn parts() -> Result<Parts, StartError> {
    let table =
        RouteTable::new(describe::document()).nest(API, rest::routes()).page(Method::GET, "/livez", Access::Public, get(health::livez));
    let table = table.page(Method::GET, "/readyz", Access::Public, get(health::readyz));
    let table = table.page(Method::GET, DESCRIPTION, Access::Public, get(describe::openapi)).merge(pages::routes());
    let mut parts = table.finish()?;
    describe::complete(&mut parts.openapi, &parts.rules);
    Ok(parts)
}

/// Where the description of the API is.
pub const DESCRIPTION: &str = "/api/v1/openapi.json";

/// The whole service of one city.
///
/// # Errors
/// See [`StartError`]; nothing is served then.
pub fn build(state: AppState) -> Result<Router, StartError> {
    let Parts { router, openapi, rules } = parts()?;
    let description = describe::Description::new(&openapi)?;
    let reference = pages::Reference::new(&openapi, &rules).map_err(StartError::Description)?;
    let rules = Arc::new(rules);
    let origin = state.public_url.as_str();
    let csrf = CsrfLayer::new().add_trusted_origin(origin).map_err(|cause| StartError::PublicUrl(cause.to_string()))?;
    let csrf = csrf.with_rejection_response(|_cause: ProtectionError| Problem::from(RequestError::CrossOrigin).into_response());
    let rates = Arc::new(rates::Rates::new(Arc::clone(&state.trusted_proxies)));
    let guard = Guard { state: state.clone(), rules: Arc::clone(&rules) };
    let router = router
        .fallback(async || Problem::from(RequestError::NoRoute))
        .method_not_allowed_fallback(async || Problem::from(RequestError::Method))
        .layer(axum::Extension(description))
        .layer(axum::Extension(reference))
        .layer(axum::Extension(rules))
        .layer(from_fn_with_state(guard, access::guard))
        .layer(from_fn(conditional::answer_if_changed))
        .layer(DefaultBodyLimit::max(BODY_LENGTH_MAX))
        .layer(csrf)
        .layer(from_fn_with_state(rates, rates::limit))
        .layer(from_fn(layers::limit_time))
        .layer(CatchPanicLayer::custom(layers::describe_panic))
        .layer(from_fn_with_state(Arc::clone(&state.public_url), layers::secure))
        .layer(from_fn(problem::render))
        .layer(CompressionLayer::new())
        .layer(from_fn(telemetry::observe))
        .layer(from_fn_with_state(state.source.clone(), layers::identify));
    Ok(router.with_state(state))
}

/// The type under which the description of the API is sent.
fn json_type() -> [(header::HeaderName, &'static str); 1] {
    [(header::CONTENT_TYPE, "application/json")]
}
