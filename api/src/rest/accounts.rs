//! Accounts and roles.

use axum::{Json, extract::State, http::StatusCode};
use domain::{
    access::Role,
    division::Scope,
    id::{AccountId, AuthenticatorResetId, PersonId, ProviderId, RoleGrantId},
    resident::PersonName,
    time::{BusinessDate, Instant},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::command::account::{
    ApproveReset, ApprovedReset, ChangePassword, CreateAccount, CreatedAccount, EndRole, GrantRole, GrantedRole, NewRole, PasswordHashed,
    ProposeReset, ProposedReset, RoleReach,
};
use utoipa::ToSchema;
use validator::Validate;

use super::once::once;
use crate::{
    extract::{IdempotencyKey, PathId, PublicCtx, RequestCtx, Valid},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// A new account of a new natural person.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateAccountRequest {
    /// Name as on the identity document.
    name: String,
    #[validate(length(min = 3, max = 64))]
    login: String,
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 256)]
    password: SecretString,
    #[validate(length(min = 1, max = 8))]
    roles: Vec<RoleRequest>,
}

/// A role with what it reaches: a division prefix, a provider, or neither.
#[derive(Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleRequest {
    #[schema(value_type = String)]
    role: Role,
    /// Division prefix of 2, 4, 6, 9 or 12 digits.
    #[schema(value_type = Option<String>)]
    division: Option<Scope>,
    #[schema(value_type = Option<String>)]
    provider_id: Option<ProviderId>,
}

/// A new account. The authenticator secret is shown this one time.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreateAccountResponse {
    #[schema(value_type = String)]
    account_id: AccountId,
    #[schema(value_type = String)]
    person_id: PersonId,
    /// Base32 secret for an authenticator app; absent when no role needs one.
    totp_secret: Option<String>,
}

impl From<CreatedAccount> for CreateAccountResponse {
    fn from(made: CreatedAccount) -> Self {
        Self { account_id: made.account_id, person_id: made.person_id, totp_secret: made.totp_secret }
    }
}

/// Creates an account
///
/// The answer can hold the secret of an authenticator; it is kept encrypted, and nothing but a repeat under the same
/// Idempotency-Key shows it again.
#[utoipa::path(post, path = "/accounts", tag = "city", request_body = CreateAccountRequest, responses((status = CREATED, body = CreateAccountResponse)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<CreateAccountRequest>,
) -> Result<Created<CreateAccountResponse>, Problem> {
    let CreateAccountRequest { name, login, password, roles } = &body.value;
    let (login, password) = (login.clone(), password.clone());
    let name = PersonName::parse(name).map_err(|fault| Problem::from(store::StoreError::refused(&fault)))?;
    let hashed = tokio::task::spawn_blocking(move || PasswordHashed::new(&password));
    let password = hashed.await.map_err(|_died| store::StoreError::Panicked)??;
    let roles = roles.iter().map(new_role).collect::<Result<_, _>>()?;
    let answer = once(&state, who, key, &body, CreateAccount { name, login, password, roles }).await?;
    Ok(Created::at(|made: &CreateAccountResponse| format!("/people/{}/roles", made.person_id), answer))
}

pub(super) fn new_role(request: &RoleRequest) -> Result<NewRole, Problem> {
    let reach = match (request.division, request.provider_id) {
        (Some(scope), None) => RoleReach::Division(scope),
        (None, Some(provider)) => RoleReach::Provider(provider),
        (None, None) => RoleReach::Bound,
        (Some(_), Some(_)) => {
            let cure = "name a division or a provider, not both";
            return Err(Problem::fields(vec![domain::error::FieldError::new("roles", "role.reach", cure)]));
        }
    };
    Ok(NewRole { role: request.role, reach })
}

/// A role that was given. The authenticator secret is shown this one time.
#[derive(Serialize, ToSchema)]
pub(crate) struct GrantRoleResponse {
    #[schema(value_type = String)]
    role_grant_id: RoleGrantId,
    /// Base32 secret for an authenticator app; present when this is the first role that needs one.
    totp_secret: Option<String>,
}

/// Gives a person one more role
///
/// From today on; nobody gives themselves one. The answer can hold the secret of an authenticator; it is kept
/// encrypted, and nothing but a repeat under the same Idempotency-Key shows it again.
#[utoipa::path(post, path = "/people/{person_id}/roles", tag = "city", params(("person_id" = String, Path)), request_body = RoleRequest, responses((status = CREATED, body = GrantRoleResponse)))]
pub(crate) async fn grant_role(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    PathId(person): PathId<PersonId>,
    body: Valid<RoleRequest>,
) -> Result<Created<GrantRoleResponse>, Problem> {
    let role = new_role(&body.value)?;
    let answer = once(&state, who, key, &body, GrantRole { person, role }).await?;
    Ok(Created::at(|made: &GrantRoleResponse| format!("/role_grants/{}", made.role_grant_id), answer))
}

impl From<GrantedRole> for GrantRoleResponse {
    fn from(made: GrantedRole) -> Self {
        Self { role_grant_id: made.role_grant_id, totp_secret: made.totp_secret }
    }
}

/// A role of a person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleResponse {
    #[schema(value_type = String)]
    role_grant_id: RoleGrantId,
    #[schema(value_type = String)]
    role: Role,
    #[schema(value_type = Option<String>)]
    division: Option<Scope>,
    #[schema(value_type = Option<String>)]
    provider_id: Option<ProviderId>,
    valid_from: String,
}

/// Shows the roles of a person that lie within reach
#[utoipa::path(get, path = "/people/{person_id}/roles", tag = "city", params(("person_id" = String, Path)), responses((status = OK, body = Vec<RoleResponse>)))]
pub(crate) async fn roles(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(person): PathId<PersonId>,
) -> Result<Json<Vec<RoleResponse>>, Problem> {
    let views = state.store.roles_of(&who.ctx.actor, person, BusinessDate::of(who.ctx.now)).await?;
    let responses = views.into_iter().map(|view| RoleResponse {
        role_grant_id: view.role_grant_id,
        role: view.role,
        division: view.scope,
        provider_id: view.provider,
        valid_from: view.valid_from.to_string(),
    });
    Ok(Json(responses.collect()))
}

/// Ends a role of a person at once
#[utoipa::path(delete, path = "/role_grants/{role_grant_id}", tag = "city", params(("role_grant_id" = String, Path)), responses((status = NO_CONTENT)))]
pub(crate) async fn end_role(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(role_grant): PathId<RoleGrantId>,
) -> Result<StatusCode, Problem> {
    state.store.write(who.ctx, EndRole { role_grant }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A request for a new authenticator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProposedResetResponse {
    #[schema(value_type = String)]
    authenticator_reset_id: AuthenticatorResetId,
    /// Until when another person can approve it.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

impl From<ProposedReset> for ProposedResetResponse {
    fn from(made: ProposedReset) -> Self {
        Self { authenticator_reset_id: made.authenticator_reset_id, expires_at: made.expires_at }
    }
}

/// Asks for a new authenticator for somebody who lost theirs
///
/// Nothing changes until another person approves it within a day.
#[utoipa::path(post, path = "/accounts/{account_id}/authenticator_resets", tag = "city", params(("account_id" = String, Path)), responses((status = CREATED, body = ProposedResetResponse)))]
pub(crate) async fn propose_reset(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(account): PathId<AccountId>,
) -> Result<(StatusCode, Json<ProposedResetResponse>), Problem> {
    let made = state.store.write(who.ctx, ProposeReset { account }).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// A new authenticator. It is shown this one time.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApprovedResetResponse {
    /// Base32 secret for the authenticator app. Hand it to the person after seeing who they are.
    totp_secret: String,
}

/// Approves a new authenticator that another person asked for
///
/// The old one, the sessions and the keys of the account end. Neither the one who asked nor the one whose account it is
/// can approve.
#[utoipa::path(post, path = "/authenticator_resets/{authenticator_reset_id}/approval", tag = "city", params(("authenticator_reset_id" = String, Path)), responses((status = OK, body = ApprovedResetResponse)))]
pub(crate) async fn approve_reset(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(reset): PathId<AuthenticatorResetId>,
) -> Result<Json<ApprovedResetResponse>, Problem> {
    let ApprovedReset { totp_secret } = state.store.write(who.ctx, ApproveReset { reset }).await?;
    Ok(Json(ApprovedResetResponse { totp_secret }))
}

/// A change of one's own password.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePasswordRequest {
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 256)]
    current: SecretString,
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 256)]
    password: SecretString,
}

/// Changes one's own password
///
/// All other sessions of the account end.
#[utoipa::path(put, path = "/me/password", tag = "sessions", request_body = ChangePasswordRequest, responses((status = NO_CONTENT)))]
pub(crate) async fn change_password(
    State(state): State<AppState>,
    public: PublicCtx,
    who: RequestCtx,
    body: Valid<ChangePasswordRequest>,
) -> Result<StatusCode, Problem> {
    let ChangePasswordRequest { current, password } = body.value;
    let hashed = tokio::task::spawn_blocking(move || PasswordHashed::new(&password));
    let new = hashed.await.map_err(|_died| store::StoreError::Panicked)??;
    let change = ChangePassword { account: who.signed_in.account, session: who.signed_in.session, current, new };
    let (ctx, again) = (public.as_system("change_password"), public.as_system("change_password"));
    state.store.change_password(ctx, again, change, state.clock.unmoved_now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
