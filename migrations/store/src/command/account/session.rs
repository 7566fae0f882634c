//! Beginning and ending sessions.
//!
//! Failed attempts are counted by login, whether an account has it or not, so that neither the answer nor what
//! is written tells which logins exist.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::{
    access::Action,
    id::{AccountId, PersonId, SessionId},
    time::Instant,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, Set,
    sea_query::{Expr, OnConflict},
};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use totp_rs::{Builder, Secret, Totp};

use super::{AccountError, AccountKind, PasswordHashed};
use crate::{
    Store,
    command::device::{BoundDevice, HeldKey},
    context::Ctx,
    entity::{account, session, sign_in_failure},
    error::StoreError,
    keys::{Cell, KeyRing},
    tx::{Tx, open_text},
    write::Command,
};

/// How long a session of somebody who signs in with a second factor lasts.
const STAFF_SESSION_HOURS: i64 = 12;
/// How long a session of a family or carer lasts.
const FAMILY_SESSION_DAYS: i64 = 30;
/// Failures before a login waits.
const FREE_FAILURES: i64 = 4;
/// Failures are forgotten after a day without another one.
const FAILURES_LAST_HOURS: i64 = 24;
/// Longest name of a device that is kept, in characters.
const DEVICE_NAME_MAX: usize = 80;

/// The device that signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// What the person calls it.
    pub name: String,
    /// The key that it proved to hold, if the session is to be bound to it.
    pub held: Option<HeldKey>,
    /// The address from which the request came; personal.
    pub origin: Option<String>,
}

impl From<&str> for Device {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

/// How a session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum Method {
    /// With a password, and the authenticator where the account has one.
    Password,
    /// With a code sent to a mail address or telephone.
    ContactCode,
    /// With a code that the carer's provider gave.
    CarerCode,
    /// With a code from a paper sheet.
    SheetCode,
}

/// What somebody gives to sign in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Login.
    pub login: String,
    /// Password.
    pub password: SecretString,
    /// Six digits of the authenticator app, if the account has one.
    pub code: Option<String>,
    /// The device.
    pub device: Device,
}

/// A session that just began. The token is shown this one time.
#[derive(Debug, Clone)]
pub struct SignedInSession {
    /// The session.
    pub session_id: SessionId,
    /// The person.
    pub person_id: PersonId,
    /// The secret that the device keeps.
    pub token: SecretString,
    /// When it ends.
    pub expires_at: Instant,
    /// The device to which it is bound.
    pub bound: Option<BoundDevice>,
}

impl Store {
    /// Signs somebody in. `real_now` is the time without the offset of a demo city: authenticator apps follow
    /// it, and sessions and waiting times end by it.
    ///
    /// # Errors
    /// [`AccountError::Wrong`], [`AccountError::Waiting`].
    pub async fn sign_in(&self, ctx: Ctx, credentials: Credentials, real_now: Instant) -> Result<SignedInSession, StoreError> {
        // Hashing takes a core and 19 MiB: whoever comes in numbers waits, and the others keep their cores. The turn
        // lasts until a failure is counted, so that many guesses at one time are no more than one after another.
        let _turn = self.hashing_turn().await;
        self.need_patience_over(&credentials.login, real_now).await?;
        let row = account::Entity::find().filter(account::Column::Login.eq(&credentials.login)).one(self.db()).await?;
        let hash = row.as_ref().map_or_else(|| NOBODY.to_owned(), |row| row.password_hash.clone());
        let password = credentials.password.clone();
        let matches = tokio::task::spawn_blocking(move || PasswordHashed(hash).matches(&password)).await.unwrap_or(false);
        let step = match &row {
            Some(row) => match self.second_factor(row, credentials.code.as_deref(), real_now)? {
                SecondFactor::NotNeeded => Some(None),
                SecondFactor::Step(step) => Some(Some(step)),
                SecondFactor::Wrong => None,
            },
            None => None,
        };
        let (true, Some(row), Some(step)) = (matches, &row, step) else {
            self.write(ctx, RecordFailure { login: credentials.login, at: real_now }).await?;
            return Err(AccountError::Wrong.into());
        };
        let account = AccountId::from_uuid(row.id);
        self.write(ctx, BeginSession { account, login: credentials.login, step, at: real_now, device: credentials.device }).await
    }

    /// Refuses a login that must wait after its failures.
    pub(super) async fn need_patience_over(&self, login: &str, real_now: Instant) -> Result<(), StoreError> {
        let known = sign_in_failure::Entity::find_by_id(login_index(self.keys(), login)).one(self.db()).await?;
        let waits = known.and_then(|row| row.retry_at).is_some_and(|retry_at| real_now < retry_at);
        if waits { Err(AccountError::Waiting.into()) } else { Ok(()) }
    }

    fn second_factor(&self, row: &account::Model, code: Option<&str>, now: Instant) -> Result<SecondFactor, StoreError> {
        let Some(envelope) = &row.totp_secret_enc else { return Ok(SecondFactor::NotNeeded) };
        let secret = open_text(self.keys(), Cell { table: "account", column: "totp_secret_enc", row: row.id }, envelope)?;
        let totp = authenticator(&secret)?;
        let step =
            code.and_then(|code| totp.check(code, u64::try_from(now.timestamp()).unwrap_or(0))).and_then(|step| i64::try_from(step).ok());
        Ok(match step {
            Some(step) if row.totp_last_step.is_none_or(|last| last < step) => SecondFactor::Step(step),
            Some(_) | None => SecondFactor::Wrong,
        })
    }
}

enum SecondFactor {
    NotNeeded,
    Step(i64),
    Wrong,
}

/// An Argon2id hash that no password is kept under: verifying against it costs what a real one costs.
pub(super) const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keQ$c2l4dGVlbi1ieXRlcy1pcy1ub3QtYS1oYXNoLWF0LWE";

fn authenticator(secret: &str) -> Result<Totp, StoreError> {
    let corrupt = |why: String| StoreError::Corrupt { table: "account", why };
    let secret = Secret::try_from_base32(secret).map_err(|cause| corrupt(cause.to_string()))?;
    Builder::new()
        .with_secret(secret)
        .with_account_name("yijia")
        .with_issuer(Some("Yijia"))
        .build()
        .map_err(|cause| corrupt(cause.to_string()))
}

/// The six digits that an authenticator app shows for a secret at an instant.
///
/// # Errors
/// A secret that is not base32.
pub fn authenticator_code(secret: &str, at: Instant) -> Result<String, StoreError> {
    Ok(authenticator(secret)?.generate(u64::try_from(at.timestamp()).unwrap_or(0)).to_string())
}

fn login_index(keys: &KeyRing, login: &str) -> Vec<u8> {
    keys.blind_index("account.login", login)
}

/// Counts a failed attempt under a login.
#[derive(Debug, Clone)]
pub(super) struct RecordFailure {
    pub(super) login: String,
    pub(super) at: Instant,
}

impl Command for RecordFailure {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "record_sign_in_failure";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let old = self.at - TimeDelta::hours(FAILURES_LAST_HOURS);
        sign_in_failure::Entity::delete_many().filter(sign_in_failure::Column::LastAt.lt(old)).exec(tx.db).await?;
        let index = login_index(tx.keys, &self.login);
        let first =
            sign_in_failure::ActiveModel { login_index: Set(index.clone()), failures: Set(1), last_at: Set(self.at), retry_at: Set(None) };
        let again = OnConflict::column(sign_in_failure::Column::LoginIndex)
            .value(sign_in_failure::Column::Failures, Expr::col((sign_in_failure::Entity, sign_in_failure::Column::Failures)).add(1))
            .update_column(sign_in_failure::Column::LastAt)
            .to_owned();
        sign_in_failure::Entity::insert(first).on_conflict(again).exec_without_returning(tx.db).await?;
        let counted = sign_in_failure::Entity::find_by_id(index.clone()).one(tx.db).await?;
        let failures = counted.map_or(1, |row| row.failures);
        // Free tries, then 1, 2, 4 … minutes, at most about an hour; a stranger cannot lock anybody out for good.
        let wait = (failures > FREE_FAILURES).then(|| TimeDelta::minutes(1_i64 << (failures - FREE_FAILURES - 1).clamp(0, 6)));
        let change = sign_in_failure::ActiveModel { retry_at: Set(wait.map(|wait| self.at + wait)), ..Default::default() };
        sign_in_failure::Entity::update_many().set(change).filter(sign_in_failure::Column::LoginIndex.eq(index)).exec(tx.db).await?;
        tx.record(&"sign_in", None, None);
        Ok(())
    }
}

#[derive(Debug, Clone)]
struct BeginSession {
    account: AccountId,
    login: String,
    at: Instant,
    step: Option<i64>,
    device: Device,
}

impl Command for BeginSession {
    type Output = SignedInSession;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "begin_session";

    async fn run(&self, tx: &Tx<'_>) -> Result<SignedInSession, StoreError> {
        let row = account::Entity::find_by_id(self.account.uuid()).one(tx.db).await?.ok_or(AccountError::Wrong)?;
        let mut change = account::ActiveModel { version: Set(row.version + 1), ..Default::default() };
        if self.step.is_some() {
            change.totp_last_step = Set(self.step);
        }
        // The version makes sure that one authenticator code opens one session.
        let changed = account::Entity::update_many()
            .set(change)
            .filter(account::Column::Id.eq(row.id))
            .filter(account::Column::Version.eq(row.version))
            .exec(tx.db)
            .await?;
        let code_used = self.step.is_some_and(|step| row.totp_last_step.is_some_and(|last| step <= last));
        if changed.rows_affected == 0 || code_used {
            return Err(AccountError::Wrong.into());
        }
        forget_failures(tx, &self.login).await?;
        begin(tx, &row, Method::Password, &self.device, self.at).await
    }
}

pub(super) async fn forget_failures(tx: &Tx<'_>, login: &str) -> Result<(), StoreError> {
    sign_in_failure::Entity::delete_by_id(login_index(tx.keys, login)).exec(tx.db).await?;
    Ok(())
}

/// Begins a session of an account. `at` is the real time.
pub(super) async fn begin(
    tx: &Tx<'_>,
    row: &account::Model,
    method: Method,
    device: &Device,
    at: Instant,
) -> Result<SignedInSession, StoreError> {
    if row.kind != AccountKind::Person.to_string() {
        return Err(AccountError::Wrong.into());
    }
    // No code stands in for an authenticator, also where it was given before the account had one.
    if row.totp_secret_enc.is_some() && method != Method::Password {
        return Err(AccountError::SecondFactor.into());
    }
    let person_id = PersonId::from_uuid(row.person_id);
    let bound = match &device.held {
        Some(held) => Some(held.bind_or_find(tx, person_id).await?),
        None => None,
    };
    let lasts = if row.totp_secret_enc.is_some() { TimeDelta::hours(STAFF_SESSION_HOURS) } else { TimeDelta::days(FAMILY_SESSION_DAYS) };
    let token = URL_SAFE_NO_PAD.encode(tx.secret());
    let session_id: SessionId = tx.id();
    let expires_at = at + lasts;
    let origin_enc = match &device.origin {
        Some(origin) => Some(tx.seal("session", "origin_enc", session_id.uuid(), origin.as_bytes())?),
        None => None,
    };
    let new = session::ActiveModel {
        id: Set(session_id.uuid()),
        token_hash: Set(token_hash(&token)),
        account_id: Set(row.id),
        person_id: Set(row.person_id),
        device: Set(device.name.chars().take(DEVICE_NAME_MAX).collect()),
        created_at: Set(at),
        expires_at: Set(expires_at),
        revoked_at: Set(None),
        method: Set(method.to_string()),
        device_id: Set(bound.as_ref().map(|bound| bound.device_id.uuid())),
        origin_enc: Set(origin_enc),
        last_used_at: Set(Some(at)),
    };
    session::Entity::insert(new).exec_without_returning(tx.db).await?;
    tx.record(&session_id, None, None);
    Ok(SignedInSession { session_id, person_id, token: token.into(), expires_at, bound })
}

pub(crate) fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}
