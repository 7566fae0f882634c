//! Signing in and out.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use domain::{
    id::{DeviceId, PersonId, SessionId},
    time::Instant,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use store::{
    command::account::{Credentials, Device, EndOwnSessions, EndSession, Ending, PASSWORD_LENGTH, SignedInSession},
    query::session::SessionView,
};
use utoipa::ToSchema;
use validator::Validate;

use super::devices::BoundDeviceResponse;
use crate::{
    access::{clear_cookie, set_cookie},
    extract::{ClientAddress, PathId, PublicCtx, RequestCtx, Valid},
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
    /// The phone to which the session is bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    bound_device: Option<BoundDeviceResponse>,
}

/// Signs in
///
/// Begins a session for a login with its password, and the authenticator code where the account has one.
#[utoipa::path(post, path = "/sessions", tag = "sessions", request_body = SignInRequest, responses((status = CREATED, body = SignInResponse)))]
pub(crate) async fn sign_in(
    State(state): State<AppState>,
    ctx: PublicCtx,
    origin: ClientAddress,
    body: Valid<SignInRequest>,
) -> Result<Response, Problem> {
    let SignInRequest { login, password: Password(password), code, device } = body.value;
    let device = Device { name: device.unwrap_or_default(), held: None, origin: origin.text() };
    let credentials = Credentials { login, password, code, device };
    let ctx = ctx.as_system("sign_in");
    // An authenticator app follows the real time, even where the clock of a demo city was moved.
    let now = state.clock.unmoved_now();
    let session = state.store.sign_in(ctx, credentials, now).await?;
    begun(&state, session)
}

/// The answer to whoever has just signed in.
pub(super) fn begun(state: &AppState, session: SignedInSession) -> Result<Response, Problem> {
    let now = state.clock.unmoved_now();
    let cookie = set_cookie(&state.public_url, &session.token, (session.expires_at - now).num_seconds());
    let cookie = cookie.ok_or_else(|| Problem::broken("account.token", "a session token that no cookie can hold"))?;
    let body = SignInResponse {
        session_id: session.session_id,
        person_id: session.person_id,
        token: session.token.expose_secret().to_owned(),
        expires_at: session.expires_at,
        bound_device: session.bound.map(BoundDeviceResponse::from),
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

/// One of one's own sessions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionResponse {
    #[schema(value_type = String)]
    session_id: SessionId,
    /// Whether it is the one that asks.
    current: bool,
    /// What the person calls the device.
    device: String,
    /// `password`, `contact_code`, `carer_code` or `sheet_code`.
    method: String,
    /// The phone to which it is bound.
    #[schema(value_type = Option<String>)]
    device_id: Option<DeviceId>,
    /// Network address from which it began.
    origin: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// To some minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Instant>,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

impl SessionResponse {
    fn new(view: SessionView, current: SessionId) -> Self {
        Self {
            session_id: view.session_id,
            current: view.session_id == current,
            device: view.device,
            method: view.method.to_string(),
            device_id: view.device_id,
            origin: view.origin,
            created_at: view.created_at,
            last_used_at: view.last_used_at,
            expires_at: view.expires_at,
        }
    }
}

/// Lists one's own sessions, the one used last first
///
/// At most a hundred.
#[utoipa::path(get, path = "/me/sessions", tag = "sessions", responses((status = OK, body = Vec<SessionResponse>)))]
pub(crate) async fn list(State(state): State<AppState>, who: RequestCtx) -> Result<Json<Vec<SessionResponse>>, Problem> {
    let views = state.store.sessions_of(who.signed_in.person, state.clock.unmoved_now()).await?;
    Ok(Json(views.into_iter().map(|view| SessionResponse::new(view, who.signed_in.session)).collect()))
}

/// Ends one of one's own sessions
#[utoipa::path(delete, path = "/me/sessions/{session_id}", tag = "sessions", params(("session_id" = String, Path)), responses((status = NO_CONTENT)))]
pub(crate) async fn end(
    State(state): State<AppState>,
    public: PublicCtx,
    who: RequestCtx,
    PathId(session): PathId<SessionId>,
) -> Result<StatusCode, Problem> {
    let command = EndOwnSessions { person: who.signed_in.person, ending: Ending::One(session) };
    state.store.write(public.as_system("end_session"), command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all of one's own sessions but the one that asks
#[utoipa::path(delete, path = "/me/sessions", tag = "sessions", responses((status = NO_CONTENT)))]
pub(crate) async fn end_others(State(state): State<AppState>, public: PublicCtx, who: RequestCtx) -> Result<StatusCode, Problem> {
    let command = EndOwnSessions { person: who.signed_in.person, ending: Ending::OthersThan(who.signed_in.session) };
    state.store.write(public.as_system("end_session"), command).await?;
    Ok(StatusCode::NO_CONTENT)
}
