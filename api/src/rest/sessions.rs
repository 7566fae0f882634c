//! Signing in and out.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use domain::{
    id::{PersonId, SessionId},
    time::Instant,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use store::command::account::{Credentials, EndSession, PASSWORD_LENGTH};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    access::{clear_cookie, set_cookie},
    extract::{PublicCtx, RequestCtx, Valid},
    problem::Problem,
    state::AppState,
};

/// What somebody gives to sign in.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInRequest {
    #[validate(length(min = 1, max = 64))]
    login: String,
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256)]
    password: Password,
    /// Six digits of the authenticator app, for accounts that have one.
    #[validate(length(equal = 6))]
    code: Option<String>,
    /// What the person calls the device.
    #[validate(length(max = 80))]
    device: Option<String>,
}

/// A password as typed. One that no account can have is refused before it costs a hash.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Password(SecretString);

impl TryFrom<String> for Password {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let longest = *PASSWORD_LENGTH.end();
        let fits = (1..=longest).contains(&text.chars().count());
        if fits { Ok(Self(text.into())) } else { Err(format!("use 1 to {longest} characters")) }
    }
}

/// A session that just began. The token is shown this one time; browsers also get it as a cookie.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignInResponse {
    #[schema(value_type = String)]
    session_id: SessionId,
    #[schema(value_type = String)]
    person_id: PersonId,
    /// Send it as `Authorization: Bearer`.
    token: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

/// Signs in
///
/// Begins a session for a login with its password, and the authenticator code where the account has one.
#[utoipa::path(post, path = "/sessions", tag = "sessions", request_body = SignInRequest, responses((status = CREATED, body = SignInResponse)))]
pub(crate) async fn sign_in(State(state): State<AppState>, ctx: PublicCtx, body: Valid<SignInRequest>) -> Result<Response, Problem> {
    let SignInRequest { login, password: Password(password), code, device } = body.value;
    let credentials = Credentials { login, password, code, device: device.unwrap_or_default() };
    let ctx = ctx.as_system("sign_in");
    // An authenticator app follows the real time, even where the clock of a demo city was moved.
    let now = state.clock.unmoved_now();
    let session = state.store.sign_in(ctx, credentials, now).await?;
    let cookie = set_cookie(&state.public_url, &session.token, (session.expires_at - now).num_seconds());
    let cookie = cookie.ok_or_else(|| Problem::broken("account.token", "a session token that no cookie can hold"))?;
    let body = SignInResponse {
        session_id: session.session_id,
        person_id: session.person_id,
        token: session.token.expose_secret().to_owned(),
        expires_at: session.expires_at,
    };
    Ok((StatusCode::CREATED, AppendHeaders([(header::SET_COOKIE, cookie)]), Json(body)).into_response())
}

/// Signs out
///
/// Ends the session that asks.
#[utoipa::path(delete, path = "/sessions/current", tag = "sessions", responses((status = NO_CONTENT)))]
pub(crate) async fn sign_out(State(state): State<AppState>, public: PublicCtx, who: RequestCtx) -> Result<Response, Problem> {
    state.store.write(public.as_system("sign_out"), EndSession { session: who.signed_in.session }).await?;
    let cookie = clear_cookie(&state.public_url).ok_or_else(|| Problem::broken("account.token", "a cookie that no header can hold"))?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])).into_response())
}
