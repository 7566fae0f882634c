//! Signing in without a password: codes sent to a contact, codes from a provider, codes on paper.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use domain::{
    contact::Contact,
    device::{KeyAlgorithm, sign_in_statement},
    id::{AccountId, CarerId, CodeSheetId, ResidentId, SignInCodeId},
    time::Instant,
};
use i18n::Locale;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use store::command::{
    account::{AskSignInCode, CarerCode, CodeSheet, Device, EndCodeSheet, IssueCarerCode, IssueCodeSheet, SetContact},
    device::HeldKey,
};
use utoipa::ToSchema;
use validator::Validate;

use super::{
    devices::read_key,
    sessions::{SignInResponse, begun},
};
use crate::{
    extract::{ClientAddress, PathId, PublicCtx, RequestCtx, Valid},
    pages,
    problem::Problem,
    state::AppState,
};

/// Where a code is to go.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskSignInCodeRequest {
    /// Mobile number or mail address of the account.
    #[validate(length(min = 1, max = 320))]
    contact: String,
}

/// A code is on its way, if somebody has that contact; nobody is told whether.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AskSignInCodeResponse {
    /// Show it together with the code.
    #[schema(value_type = String)]
    sign_in_code_id: SignInCodeId,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

/// Asks for a one-time code
///
/// It is sent by mail or text message to the contact, if an account without an authenticator has it; the answer is
/// always the same. Three an hour for one contact.
#[utoipa::path(post, path = "/sign_in_codes", tag = "sessions", request_body = AskSignInCodeRequest, responses((status = ACCEPTED, body = AskSignInCodeResponse)))]
pub(crate) async fn ask(
    State(state): State<AppState>,
    ctx: PublicCtx,
    uri: Uri,
    headers: HeaderMap,
    body: Valid<AskSignInCodeRequest>,
) -> Result<(StatusCode, Json<AskSignInCodeResponse>), Problem> {
    let contact = Contact::parse(&body.value.contact).map_err(|fault| Problem::of(&fault))?;
    let locale = pages::locale_of(&uri, &headers).tag();
    let asked = state.store.write(ctx.as_system("sign_in"), AskSignInCode { contact, locale }).await?;
    let answer = AskSignInCodeResponse { sign_in_code_id: asked.code_id, expires_at: asked.expires_at };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// A code as it was read.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct UseCodeRequest {
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 16)]
    code: Code,
    /// What the person calls the device.
    #[validate(length(max = 80))]
    device: Option<String>,
}

/// A code as typed.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Code(SecretString);

impl TryFrom<String> for Code {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        // People copy the gaps that paper and messages show.
        let digits: String = text.chars().filter(|character| !character.is_whitespace() && *character != '-').collect();
        let fits = (1..=16).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if fits { Ok(Self(digits.into())) } else { Err("write the digits of the code".to_owned()) }
    }
}

/// Signs in with a code that was sent
///
/// Five tries; then ask for another one.
#[utoipa::path(post, path = "/sign_in_codes/{sign_in_code_id}/session", tag = "sessions", params(("sign_in_code_id" = String, Path)), request_body = UseCodeRequest, responses((status = CREATED, body = SignInResponse)))]
pub(crate) async fn sign_in(
    State(state): State<AppState>,
    ctx: PublicCtx,
    origin: ClientAddress,
    PathId(id): PathId<SignInCodeId>,
    body: Valid<UseCodeRequest>,
) -> Result<Response, Problem> {
    let UseCodeRequest { code: Code(code), device } = body.value;
    let device = Device { name: device.unwrap_or_default(), held: None, origin: origin.text() };
    let session = state.store.sign_in_by_code(ctx.as_system("sign_in"), id, code, device, state.clock.unmoved_now()).await?;
    begun(&state, session)
}

/// A code for a carer's device. It is shown this one time.
#[derive(Serialize, ToSchema)]
pub(crate) struct CarerCodeResponse {
    /// What the carer types beside the code.
    login: String,
    code: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

impl From<CarerCode> for CarerCodeResponse {
    fn from(made: CarerCode) -> Self {
        Self { login: made.login, code: made.code.expose_secret().to_owned(), expires_at: made.expires_at }
    }
}

/// Gives a carer a code that signs in their device
///
/// It holds for an hour and ends the one before. The answer holds a secret and is not kept under a key.
#[utoipa::path(post, path = "/carers/{carer_id}/sign_in_code", tag = "sessions", params(("carer_id" = String, Path)), responses((status = CREATED, body = CarerCodeResponse)))]
pub(crate) async fn issue_for_carer(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(carer): PathId<CarerId>,
) -> Result<(StatusCode, Json<CarerCodeResponse>), Problem> {
    let made = state.store.write(who.ctx, IssueCarerCode { carer }).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// A carer's code, with the key of the phone. The phone signs these lines, each ended by a line feed: `yijia device
/// sign-in 1`, `algorithm:…`, `public_key:` in hexadecimal digits, `login:…`, `code:` without gaps.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CarerSignInRequest {
    #[validate(length(min = 1, max = 64))]
    login: String,
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 16)]
    code: Code,
    /// `ed25519` or `p256`.
    #[schema(value_type = String)]
    algorithm: KeyAlgorithm,
    /// In base64url: 32 bytes for ed25519, 65 bytes for p256.
    #[validate(length(min = 1, max = 100))]
    public_key: String,
    /// In base64url.
    #[validate(length(min = 1, max = 100))]
    signature: String,
    /// What the person calls the device.
    #[validate(length(max = 80))]
    device: Option<String>,
}
/// Signs in a carer's phone
///
/// The phone becomes one of the carer's own devices, and the session is bound to it: each of its requests carries the
/// header `Yijia-Device`, with the microseconds since 1970, a point, and the signature in base64url over these lines,
/// each ended by a line feed: `yijia device request 1`, `method:…`, `target:` with path and query, `signed_at:` with the
/// microseconds, `token:` with the SHA-256 of the token in hexadecimal digits. The clock of the phone may be off by
/// five minutes; the header `Date` of each answer tells the time.
#[utoipa::path(post, path = "/sessions/carer", tag = "sessions", request_body = CarerSignInRequest, responses((status = CREATED, body = SignInResponse)))]
pub(crate) async fn sign_in_carer(
    State(state): State<AppState>,
    ctx: PublicCtx,
    origin: ClientAddress,
    body: Valid<CarerSignInRequest>,
) -> Result<Response, Problem> {
    let CarerSignInRequest { login, code: Code(code), algorithm, public_key, signature, device } = body.value;
    let (key, signature) = read_key(algorithm, &public_key, &signature)?;
    let statement = sign_in_statement(&key, &login, code.expose_secret());
    let held = HeldKey::proven(key, &statement, &signature).map_err(|fault| Problem::of(&fault))?;
    let device = Device { name: device.unwrap_or_default(), held: Some(held), origin: origin.text() };
    let (ctx, again) = (ctx.as_system("sign_in"), ctx.as_system("sign_in"));
    let session = state.store.sign_in_carer(again, ctx, (login, code), device, state.clock.unmoved_now()).await?;
    begun(&state, session)
}

/// A sheet of codes. They are shown this one time: print it.
#[derive(Serialize, ToSchema)]
pub(crate) struct CodeSheetResponse {
    #[schema(value_type = String)]
    code_sheet_id: CodeSheetId,
    /// Names the sheet when signing in.
    serial: String,
    codes: Vec<SheetCodeResponse>,
}

/// One code of a sheet.
#[derive(Serialize, ToSchema)]
pub(crate) struct SheetCodeResponse {
    number: i64,
    code: String,
}

impl From<CodeSheet> for CodeSheetResponse {
    fn from(sheet: CodeSheet) -> Self {
        let codes = sheet.codes.iter().map(|line| SheetCodeResponse { number: line.number, code: line.code.expose_secret().to_owned() });
        Self { code_sheet_id: sheet.sheet_id, codes: codes.collect(), serial: sheet.serial }
    }
}

impl CodeSheetResponse {
    /// The sheet as it is printed: large gaps, one code a line.
    fn print(&self, locale: Locale) -> String {
        let word = |key: &str| i18n::text(locale, &format!("code_sheet.{key}")).unwrap_or_default();
        let halves = |digits: &str| digits.split_at_checked(4).map_or_else(|| digits.to_owned(), |(one, two)| format!("{one} {two}"));
        let mut lines =
            vec![word("title").into_owned(), String::new(), format!("{} {}", word("serial"), halves(&self.serial)), String::new()];
        lines.extend(self.codes.iter().map(|line| format!("{:>4}.  {}  [ ]", line.number, halves(&line.code))));
        lines.extend([String::new(), word("use").into_owned(), word("keep").into_owned(), String::new()]);
        lines.join("\n")
    }
}

/// Prints a sheet of codes for a resident without a telephone
///
/// Ten numbered codes, each of which signs in once; the sheet before ends. As JSON, or as plain text to print with
/// `Accept: text/plain`. The answer holds secrets and is not kept under a key.
#[utoipa::path(post, path = "/residents/{resident_id}/code_sheets", tag = "sessions", params(("resident_id" = String, Path)), responses((status = CREATED, body = CodeSheetResponse)))]
pub(crate) async fn issue_sheet(
    State(state): State<AppState>,
    who: RequestCtx,
    uri: Uri,
    headers: HeaderMap,
    PathId(resident): PathId<ResidentId>,
) -> Result<Response, Problem> {
    let sheet: CodeSheetResponse = state.store.write(who.ctx, IssueCodeSheet { resident }).await?.into();
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.trim().starts_with("text/plain") {
        let text = sheet.print(pages::locale_of(&uri, &headers));
        return Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response());
    }
    Ok((StatusCode::CREATED, Json(sheet)).into_response())
}

/// Ends a sheet of codes
#[utoipa::path(delete, path = "/code_sheets/{code_sheet_id}", tag = "sessions", params(("code_sheet_id" = String, Path)), responses((status = NO_CONTENT)))]
pub(crate) async fn end_sheet(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(sheet): PathId<CodeSheetId>,
) -> Result<StatusCode, Problem> {
    state.store.write(who.ctx, EndCodeSheet { sheet }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A code from a sheet.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SheetSignInRequest {
    /// The number of the sheet itself.
    #[schema(value_type = String, min_length = 1, max_length = 16)]
    serial: Code,
    /// The number before the code.
    #[validate(range(min = 1, max = 100))]
    number: i64,
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 16)]
    code: Code,
    /// What the person calls the device.
    #[validate(length(max = 80))]
    device: Option<String>,
}

/// Signs in with a code from a paper sheet
#[utoipa::path(post, path = "/sessions/sheet", tag = "sessions", request_body = SheetSignInRequest, responses((status = CREATED, body = SignInResponse)))]
pub(crate) async fn sign_in_by_sheet(
    State(state): State<AppState>,
    ctx: PublicCtx,
    origin: ClientAddress,
    body: Valid<SheetSignInRequest>,
) -> Result<Response, Problem> {
    let SheetSignInRequest { serial: Code(serial), number, code: Code(code), device } = body.value;
    let device = Device { name: device.unwrap_or_default(), held: None, origin: origin.text() };
    let line = (serial.expose_secret().to_owned(), number, code);
    let session = state.store.sign_in_by_sheet(ctx.as_system("sign_in"), line, device, state.clock.unmoved_now()).await?;
    begun(&state, session)
}

/// A contact of an account.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetContactRequest {
    /// Mobile number or mail address; one of each kind.
    #[validate(length(min = 1, max = 320))]
    contact: String,
}

/// Sets the mail address or mobile number to which an account is sent its codes
#[utoipa::path(put, path = "/accounts/{account_id}/contact", tag = "city", params(("account_id" = String, Path)), request_body = SetContactRequest, responses((status = NO_CONTENT)))]
pub(crate) async fn set_contact(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(account): PathId<AccountId>,
    body: Valid<SetContactRequest>,
) -> Result<StatusCode, Problem> {
    let contact = Contact::parse(&body.value.contact).map_err(|fault| Problem::of(&fault))?;
    state.store.write(who.ctx, SetContact { account, contact }).await?;
    Ok(StatusCode::NO_CONTENT)
}
