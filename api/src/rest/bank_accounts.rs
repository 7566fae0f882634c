//! Where providers are paid. Numbers are answered masked.

use axum::{Json, extract::State};
use domain::{
    error::{Fault, FieldError},
    id::{BankAccountId, ProviderId},
    provider::BankAccount,
    time::BusinessDate,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use store::command::provider::{BankAccountView, DecideBankAccount, RequestBankAccount, WithdrawBankAccount};
use utoipa::ToSchema;
use validator::Validate;

use super::{once::once, provider_profiles::Tagged};
use crate::{
    extract::{IdempotencyKey, IfMatch, PathId, RequestCtx, Valid, etag},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// An account at a bank.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct BankAccountRequest {
    /// In whose name it is held.
    holder: String,
    /// Bank and branch.
    bank: String,
    /// 8 to 32 digits; blanks between them are taken out.
    #[schema(value_type = String)]
    number: SecretString,
}

/// An account of a provider, masked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BankAccountResponse {
    #[schema(value_type = String)]
    bank_account_id: BankAccountId,
    #[schema(value_type = String)]
    provider_id: ProviderId,
    holder: String,
    bank: String,
    /// The last four digits.
    number_masked: String,
    /// `requested`, `approved`, `refused` or `withdrawn`.
    state: String,
    /// First day on which it may take effect: three whole working days after the request.
    #[schema(value_type = String, format = Date)]
    hold_ends_on: BusinessDate,
    /// First day on which it is in force, once approved.
    #[schema(value_type = Option<String>, format = Date)]
    effective_from: Option<BusinessDate>,
    /// Version, for edits.
    version: i64,
}

impl From<BankAccountView> for BankAccountResponse {
    fn from(view: BankAccountView) -> Self {
        Self {
            bank_account_id: view.bank_account_id,
            provider_id: view.provider_id,
            holder: view.holder,
            bank: view.bank,
            number_masked: view.number_masked,
            state: view.state.to_string(),
            hold_ends_on: view.hold_ends_on,
            effective_from: view.effective_from,
            version: view.version,
        }
    }
}

/// Asks for another bank account
///
/// It takes effect after three whole working days and the approval of another person; until then the present one is paid.
#[utoipa::path(post, path = "/providers/{provider_id}/bank_accounts", tag = "providers", params(("provider_id" = String, Path)), request_body = BankAccountRequest, responses((status = CREATED, body = BankAccountResponse)))]
pub(crate) async fn request(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
    key: IdempotencyKey,
    body: Valid<BankAccountRequest>,
) -> Result<Created<BankAccountResponse>, Problem> {
    let given = &body.value;
    let read = BankAccount::new(&given.holder, &given.bank, given.number.expose_secret());
    let account = read.map_err(|faults| {
        let fields: Vec<FieldError> = faults.iter().flat_map(Fault::fields).collect();
        Problem::fields(fields)
    })?;
    let answer = once(&state, who, key, &body, RequestBankAccount { provider, account }).await?;
    Ok(Created::at(|_made: &BankAccountResponse| format!("/providers/{provider}/bank_accounts"), answer))
}

/// Lists the bank accounts of a provider and their changes
#[utoipa::path(get, path = "/providers/{provider_id}/bank_accounts", tag = "providers", params(("provider_id" = String, Path)), responses((status = OK, body = Vec<BankAccountResponse>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
) -> Result<Json<Vec<BankAccountResponse>>, Problem> {
    let accounts = state.store.bank_accounts(&who.ctx.actor, provider).await?;
    Ok(Json(accounts.into_iter().map(BankAccountResponse::from).collect()))
}

/// A decision on a change of the account.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideBankAccountRequest {
    /// Whether the account is the provider's own.
    approve: bool,
}

/// Approves or refuses a bank account that somebody else asked for
#[utoipa::path(post, path = "/bank_accounts/{bank_account_id}/decision", tag = "providers", params(("bank_account_id" = String, Path)), request_body = DecideBankAccountRequest, responses((status = OK, body = BankAccountResponse)))]
pub(crate) async fn decide(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(account): PathId<BankAccountId>,
    IfMatch(version): IfMatch,
    body: Valid<DecideBankAccountRequest>,
) -> Result<Tagged<BankAccountResponse>, Problem> {
    let view = state.store.write(who.ctx, DecideBankAccount { account, version, approve: body.value.approve }).await?;
    Ok((etag(view.version), Json(view.into())))
}

/// Takes a change of the account back that was not decided yet
#[utoipa::path(post, path = "/bank_accounts/{bank_account_id}/withdrawal", tag = "providers", params(("bank_account_id" = String, Path)), responses((status = OK, body = BankAccountResponse)))]
pub(crate) async fn withdraw(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(account): PathId<BankAccountId>,
    IfMatch(version): IfMatch,
) -> Result<Tagged<BankAccountResponse>, Problem> {
    let view = state.store.write(who.ctx, WithdrawBankAccount { account, version }).await?;
    Ok((etag(view.version), Json(view.into())))
}
