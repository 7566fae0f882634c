//! Who asks, when, under which request id.

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::{
    access::{Actor, SignedIn},
    id::RequestId,
};
use store::{Ctx, command::account::AccountError};

use crate::{problem::Problem, state::AppState};

/// The context of a signed-in person's request.
#[derive(Debug, Clone)]
pub struct RequestCtx {
    /// What commands and queries take.
    pub ctx: Ctx,
    /// Who asks.
    pub signed_in: SignedIn,
}

impl FromRequestParts<AppState> for RequestCtx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let Some(Actor::Person(signed_in)) = parts.extensions.get::<Actor>().cloned() else {
            return Err(AccountError::NotSignedIn.into());
        };
        let ctx = state.source.context(Actor::Person(signed_in.clone())).with_request(request_id(parts)?);
        Ok(Self { ctx, signed_in })
    }
}

/// The context of a request for which nobody needs to be signed in.
#[derive(Debug, Clone)]
pub struct PublicCtx {
    state: AppState,
    request: RequestId,
}

impl PublicCtx {
    /// A context for what the service itself does because of this request, such as beginning a session.
    #[must_use]
    pub fn as_system(&self, purpose: &'static str) -> Ctx {
        self.state.source.context(Actor::System(purpose)).with_request(self.request)
    }
}

impl FromRequestParts<AppState> for PublicCtx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        Ok(Self { state: state.clone(), request: request_id(parts)? })
    }
}

fn request_id(parts: &Parts) -> Result<RequestId, Problem> {
    let id = parts.extensions.get::<RequestId>().copied();
    id.ok_or_else(|| Problem::broken("request.no_id", "a handler runs without the layer that gives request ids"))
}
