//! Bearer keys: one's own, and those of machines.

use axum::{Json, extract::State, http::StatusCode};
use domain::{
    access::{Action, KeyScope},
    id::{AccessKeyId, AccountId, PersonId},
    resident::PersonName,
    time::Instant,
};
use serde::{Deserialize, Serialize};
use store::{
    StoreError,
    command::account::{CreateMachine, CreatedMachine, IssueMachineKey, IssueOwnKey, IssuedKey, RevokeMachineKey, RevokeOwnKey, WantedKey},
    query::access_key::KeyView,
};
use utoipa::ToSchema;
use validator::Validate;

use super::{
    accounts::{RoleRequest, new_role},
    once::once,
};
use crate::{
    extract::{IdempotencyKey, PathId, RequestCtx, Valid},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// A key that is wanted.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueKeyRequest {
    /// What its owner calls it.
    #[validate(length(min = 1, max = 80))]
    name: String,
    /// What it may do, as the table of access calls it; only what the roles of the account may, and nothing that
    /// judges, approves or shows presence.
    #[schema(value_type = Vec<String>)]
    #[validate(length(min = 1, max = 64))]
    actions: Vec<Action>,
    /// How long it lasts, in days.
    #[validate(range(min = 1, max = 366))]
    days: i64,
}

impl IssueKeyRequest {
    fn wanted(&self, at: Instant) -> WantedKey {
        WantedKey { name: self.name.clone(), actions: self.actions.clone(), days: self.days, at }
    }
}

/// A new key.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedKeyResponse {
    #[schema(value_type = String)]
    access_key_id: AccessKeyId,
    /// Send it as `Authorization: Bearer`. Nothing but a repeat under the same Idempotency-Key shows it again.
    key: String,
    /// How it begins, as lists show it.
    prefix: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

impl From<IssuedKey> for IssuedKeyResponse {
    fn from(made: IssuedKey) -> Self {
        Self { access_key_id: made.access_key_id, key: made.key, prefix: made.prefix, expires_at: made.expires_at }
    }
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyResponse {
    #[schema(value_type = String)]
    access_key_id: AccessKeyId,
    name: String,
    /// How it begins.
    prefix: String,
    #[schema(value_type = Vec<String>)]
    actions: KeyScope,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    /// To some minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Instant>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Instant>,
}

impl From<KeyView> for KeyResponse {
    fn from(view: KeyView) -> Self {
        Self {
            access_key_id: view.access_key_id,
            name: view.name,
            prefix: view.prefix,
            actions: view.scope,
            created_at: view.created_at,
            expires_at: view.expires_at,
            last_used_at: view.last_used_at,
            revoked_at: view.revoked_at,
        }
    }
}

fn listed(views: Vec<KeyView>) -> Json<Vec<KeyResponse>> {
    Json(views.into_iter().map(KeyResponse::from).collect())
}

/// Issues a bearer key for one's own account
///
/// A key reaches what the roles of the account reach when it is used, and does of that only the actions that it was
/// given. Keys issue no keys.
#[utoipa::path(post, path = "/me/keys", tag = "sessions", request_body = IssueKeyRequest, responses((status = CREATED, body = IssuedKeyResponse)))]
pub(crate) async fn issue(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<IssueKeyRequest>,
) -> Result<Created<IssuedKeyResponse>, Problem> {
    let command = IssueOwnKey { wanted: body.value.wanted(state.clock.unmoved_now()) };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &IssuedKeyResponse| format!("/me/keys/{}", made.access_key_id), answer))
}

/// Shows one's own bearer keys, the newest first
///
/// At most a hundred.
#[utoipa::path(get, path = "/me/keys", tag = "sessions", responses((status = OK, body = Vec<KeyResponse>)))]
pub(crate) async fn list(State(state): State<AppState>, who: RequestCtx) -> Result<Json<Vec<KeyResponse>>, Problem> {
    Ok(listed(state.store.own_keys(&who.ctx.actor).await?))
}

/// Revokes one of one's own bearer keys
#[utoipa::path(delete, path = "/me/keys/{access_key_id}", tag = "sessions", params(("access_key_id" = String, Path)), responses((status = NO_CONTENT)))]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(key): PathId<AccessKeyId>,
) -> Result<StatusCode, Problem> {
    state.store.write(who.ctx, RevokeOwnKey { key, at: state.clock.unmoved_now() }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A machine that is to have an account.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateMachineRequest {
    /// What people call it.
    #[validate(length(min = 1, max = 100))]
    name: String,
    /// Each with a division or a provider.
    #[validate(length(min = 1, max = 8))]
    roles: Vec<RoleRequest>,
}

/// A new account of a machine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreateMachineResponse {
    #[schema(value_type = String)]
    account_id: AccountId,
    /// As what the machine appears where a person would, and under which its roles are given and ended.
    #[schema(value_type = String)]
    person_id: PersonId,
}

impl From<CreatedMachine> for CreateMachineResponse {
    fn from(made: CreatedMachine) -> Self {
        Self { account_id: made.account_id, person_id: made.person_id }
    }
}

/// Creates an account for a machine
///
/// It signs in by bearer keys alone: no password, no code, no authenticator.
#[utoipa::path(post, path = "/machines", tag = "city", request_body = CreateMachineRequest, responses((status = CREATED, body = CreateMachineResponse)))]
pub(crate) async fn create_machine(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<CreateMachineRequest>,
) -> Result<Created<CreateMachineResponse>, Problem> {
    let name = PersonName::parse(&body.value.name).map_err(|fault| Problem::from(StoreError::refused(&fault)))?;
    let roles = body.value.roles.iter().map(new_role).collect::<Result<_, _>>()?;
    let answer = once(&state, who, key, &body, CreateMachine { name, roles }).await?;
    Ok(Created::at(|made: &CreateMachineResponse| format!("/machines/{}/keys", made.account_id), answer))
}

/// Issues a bearer key for the account of a machine
#[utoipa::path(post, path = "/machines/{account_id}/keys", tag = "city", params(("account_id" = String, Path)), request_body = IssueKeyRequest, responses((status = CREATED, body = IssuedKeyResponse)))]
pub(crate) async fn issue_for_machine(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    PathId(account): PathId<AccountId>,
    body: Valid<IssueKeyRequest>,
) -> Result<Created<IssuedKeyResponse>, Problem> {
    let command = IssueMachineKey { account, wanted: body.value.wanted(state.clock.unmoved_now()) };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(move |made: &IssuedKeyResponse| format!("/machines/{account}/keys/{}", made.access_key_id), answer))
}

/// Shows the bearer keys of a machine, the newest first
///
/// At most a hundred.
#[utoipa::path(get, path = "/machines/{account_id}/keys", tag = "city", params(("account_id" = String, Path)), responses((status = OK, body = Vec<KeyResponse>)))]
pub(crate) async fn list_of_machine(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(account): PathId<AccountId>,
) -> Result<Json<Vec<KeyResponse>>, Problem> {
    Ok(listed(state.store.machine_keys(&who.ctx.actor, account).await?))
}

/// Revokes a bearer key of a machine
#[utoipa::path(delete, path = "/machines/{account_id}/keys/{access_key_id}", tag = "city", params(("account_id" = String, Path), ("access_key_id" = String, Path)), responses((status = NO_CONTENT)))]
pub(crate) async fn revoke_of_machine(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId((account, key)): PathId<(AccountId, AccessKeyId)>,
) -> Result<StatusCode, Problem> {
    state.store.write(who.ctx, RevokeMachineKey { account, key, at: state.clock.unmoved_now() }).await?;
    Ok(StatusCode::NO_CONTENT)
}
