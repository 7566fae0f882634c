//! Accounts and roles.

use axum::{Json, extract::State, http::StatusCode};
use domain::{
    access::Role,
    division::Scope,
    id::{AccountId, PersonId, ProviderId},
    resident::PersonName,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::command::account::{CreateAccount, CreatedAccount, NewRole, PasswordHashed, RoleReach};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    extract::{RequestCtx, Valid},
    problem::Problem,
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
#[derive(Debug, Serialize, Deserialize, ToSchema)]
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
/// The login is unique, so that a repeat is refused; the answer holds a secret and is not kept under a key.
#[utoipa::path(post, path = "/accounts", tag = "city", request_body = CreateAccountRequest, responses((status = CREATED, body = CreateAccountResponse)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    who: RequestCtx,
    body: Valid<CreateAccountRequest>,
) -> Result<(StatusCode, Json<CreateAccountResponse>), Problem> {
    let CreateAccountRequest { name, login, password, roles } = body.value;
    let name = PersonName::parse(&name).map_err(|fault| Problem::from(store::StoreError::refused(&fault)))?;
    let hashed = tokio::task::spawn_blocking(move || PasswordHashed::new(&password));
    let password = hashed.await.map_err(|_died| store::StoreError::Panicked)??;
    let roles = roles.iter().map(new_role).collect::<Result<_, _>>()?;
    let made = state.store.write(who.ctx, CreateAccount { name, login, password, roles }).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

fn new_role(request: &RoleRequest) -> Result<NewRole, Problem> {
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
