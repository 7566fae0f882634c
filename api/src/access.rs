//! Who may use which route.
//!
//! Each route is registered with its [`Access`] (see [`crate::router::RouteTable`]); [`guard`] asks the table
//! before any handler runs and lets nothing through that the table does not name. Commands then check the
//! object: a route says which roles may ask, the store says about whom.

mod rules;
mod session;

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, OriginalUri, Request, State},
    http::{HeaderMap, HeaderName, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use axum_extra::extract::CookieJar;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    access::{AccessError, Actor},
    device::RequestProof,
    time::{BusinessDate, Instant},
};
use store::{
    command::account::{AccountError, TouchKey, TouchSession},
    query::session::{Recognised, Touched},
};

use crate::{problem::Problem, state::AppState};

pub use rules::{Access, Found, Rule, Rules, matrix};
pub use session::{clear_cookie, set_cookie};

/// The header with the signature of the device to which a session is bound: microseconds since 1970, a point, and
/// the signature in base64url.
const DEVICE_PROOF: HeaderName = HeaderName::from_static("yijia-device");
/// Longest session token that is looked up, in bytes.
const TOKEN_LENGTH_MAX: usize = 128;

/// What the guard needs.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The city.
    pub state: AppState,
    /// The table.
    pub rules: Arc<Rules>,
}

/// Finds out who asks and whether one of their roles may use this route; handlers find the actor in the
/// request's extensions.
pub async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    match admit(&guard, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admit(guard: &Guard, request: &mut Request) -> Result<(), Problem> {
    // Without a route the router's own answer follows: there is no such address.
    let Some(path) = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()) else { return Ok(()) };
    let access = match guard.rules.find(request.method(), &path) {
        Found::Access(access) => access,
        Found::OtherMethods => return Ok(()),
        Found::Nothing => return Err(Problem::broken("access.no_rule", format!("the route {path} has no access rule"))),
    };
    let action = match access {
        Access::Public => return Ok(()),
        Access::SignedIn | Access::Session => None,
        Access::Action(action) => Some(action),
    };
    let token = token(guard, request.headers()).ok_or(AccountError::NotSignedIn)?;
    let today = BusinessDate::of(guard.state.source.now());
    let (now, proof) = (guard.state.clock.unmoved_now(), device_proof(request));
    let Recognised { actor, touch } = guard.state.store.actor_by_token(&token, proof.as_ref(), now, today).await?;
    if let Some(shown) = touch {
        note_use(guard, shown, now).await?;
    }
    let by_key = matches!(&actor, Actor::Person(signed_in) if signed_in.key.is_some());
    if by_key && access == Access::Session {
        return Err(AccessError::SessionNeeded.into());
    }
    if let Some(action) = action {
        actor.may(action)?;
    }
    request.extensions_mut().insert(actor);
    Ok(())
}

async fn note_use(guard: &Guard, shown: Touched, at: Instant) -> Result<(), Problem> {
    let ctx = guard.state.source.context(Actor::System("session"));
    match shown {
        Touched::Session(session) => guard.state.store.write(ctx, TouchSession { session, at }).await?,
        Touched::Key(key) => guard.state.store.write(ctx, TouchKey { key, at }).await?,
    }
    Ok(())
}

/// What the device shows for a session that is bound to it.
fn device_proof(request: &Request) -> Option<RequestProof> {
    let (micros, signature) = request.headers().get(DEVICE_PROOF)?.to_str().ok()?.split_once('.')?;
    let uri = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri(), |original| &original.0);
    Some(RequestProof {
        method: request.method().to_string(),
        target: uri.path_and_query()?.to_string(),
        signed_at: Instant::from_timestamp_micros(micros.parse().ok()?)?,
        signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
    })
}

/// The session's token: from `Authorization: Bearer`, or else from the cookie.
fn token(guard: &Guard, headers: &HeaderMap) -> Option<String> {
    let token = match headers.get(header::AUTHORIZATION) {
        Some(value) => {
            let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())?
        }
        None => CookieJar::from_headers(headers).get(session::cookie_name(&guard.state.public_url))?.value().to_owned(),
    };
    let fits = (1..=TOKEN_LENGTH_MAX).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(token)
}
