//! Accounts, roles and sessions.
//!
//! Passwords are hashed with Argon2id, session tokens are stored as hashes only, authenticator codes are
//! accepted once. An unknown login costs as much time as a known one and gets the same answer.

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _, password_hash::phc::PasswordHash};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::{
    access::{Action, Object, Role},
    division::Scope,
    error::{Fault, FieldError, Kind},
    event::Event,
    id::{AccountId, PersonId, ProviderId, SessionId},
    resident::PersonName,
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, Set, sea_query::Expr};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use totp_rs::{Builder, Secret, Totp};

use crate::{
    Store,
    context::Ctx,
    entity::{account, person, provider, role_grant, session},
    error::{StoreError, exists},
    keys::Cell,
    tx::{Tx, open_text},
    write::Command,
};

/// Shortest and longest password, in characters.
pub const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=256;
/// How long a session of somebody who signs in with a second factor lasts.
const STAFF_SESSION_HOURS: i64 = 12;
/// How long a session of a family or carer lasts.
const FAMILY_SESSION_DAYS: i64 = 30;
/// Wrong passwords before the account waits.
const FREE_FAILURES: i64 = 4;

/// Why somebody could not sign in, or an account could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Login, password or code is wrong; which one is not said.
    #[error("login, password or code is not right")]
    Wrong,
    /// Too many failures.
    #[error("too many failed attempts; wait a few minutes")]
    Waiting,
    /// No valid session.
    #[error("sign in first")]
    NotSignedIn,
}

impl Fault for AccountError {
    fn code(&self) -> &'static str {
        match self {
            Self::Wrong => "account.wrong",
            Self::Waiting => "account.waiting",
            Self::NotSignedIn => "account.not_signed_in",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Wrong | Self::NotSignedIn => Kind::Unauthenticated,
            Self::Waiting => Kind::Unavailable,
        }
    }
}

impl From<AccountError> for StoreError {
    fn from(fault: AccountError) -> Self {
        Self::refused(&fault)
    }
}

/// What a role is to reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleReach {
    /// A division prefix.
    Division(Scope),
    /// A provider.
    Provider(ProviderId),
    /// Whatever residents the person is bound to.
    Bound,
}

/// A role for a new account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRole {
    /// The role.
    pub role: Role,
    /// Its reach.
    pub reach: RoleReach,
}

/// A password that was checked and hashed; the text is gone.
#[derive(Debug, Clone)]
pub struct PasswordHashed(String);

impl PasswordHashed {
    /// Checks the length and hashes; takes some tens of milliseconds, so call it off the async threads.
    ///
    /// # Errors
    /// A password outside [`PASSWORD_LENGTH`].
    pub fn new(password: &SecretString) -> Result<Self, StoreError> {
        if !PASSWORD_LENGTH.contains(&password.expose_secret().chars().count()) {
            let cure = format!("use {} to {} characters", PASSWORD_LENGTH.start(), PASSWORD_LENGTH.end());
            return Err(StoreError::fields(vec![FieldError::new("password", "password.length", cure)]));
        }
        let hash = Argon2::default().hash_password(password.expose_secret().as_bytes());
        Ok(Self(hash.map_err(|cause| StoreError::Corrupt { table: "account", why: cause.to_string() })?.to_string()))
    }

    fn matches(&self, password: &SecretString) -> bool {
        PasswordHash::new(&self.0).is_ok_and(|hash| Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
    }
}

/// Makes an account for a new natural person.
#[derive(Debug, Clone)]
pub struct CreateAccount {
    /// Name of the person.
    pub name: PersonName,
    /// What they type to sign in.
    pub login: String,
    /// Their password.
    pub password: PasswordHashed,
    /// Their roles.
    pub roles: Vec<NewRole>,
}

/// A new account. The authenticator secret is shown this one time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreatedAccount {
    /// The person.
    pub person_id: PersonId,
    /// The account.
    pub account_id: AccountId,
    /// Base32 secret for an authenticator app, if a role needs one.
    pub totp_secret: Option<String>,
}

impl Command for CreateAccount {
    type Output = CreatedAccount;
    const ACTION: Option<Action> = Some(Action::ManageAccounts);
    const NAME: &'static str = "create_account";

    async fn run(&self, tx: &Tx<'_>) -> Result<CreatedAccount, StoreError> {
        self.check(tx).await?;
        self.permit(tx).await?;
        self.insert(tx).await
    }
}

impl CreateAccount {
    /// Makes the account without asking who does it: the caller has, and has checked it.
    pub(crate) async fn insert(&self, tx: &Tx<'_>) -> Result<CreatedAccount, StoreError> {
        let person_id: PersonId = tx.id();
        let account_id: AccountId = tx.id();
        let row = person::ActiveModel {
            id: Set(person_id.uuid()),
            name_enc: Set(tx.seal("person", "name_enc", person_id.uuid(), self.name.expose().as_bytes())?),
            phone_enc: Set(None),
            created_at: Set(tx.now()),
        };
        person::Entity::insert(row).exec_without_returning(tx.db).await?;
        let second_factor = self.roles.iter().any(|role| role.role.needs_second_factor());
        let totp_secret = second_factor.then(|| Secret::from(tx.secret().into_iter().take(20).collect::<Vec<u8>>()).to_base32());
        let totp_secret_enc = match &totp_secret {
            Some(secret) => Some(tx.seal("account", "totp_secret_enc", account_id.uuid(), secret.as_bytes())?),
            None => None,
        };
        let row = account::ActiveModel {
            id: Set(account_id.uuid()),
            person_id: Set(person_id.uuid()),
            login: Set(self.login.clone()),
            password_hash: Set(self.password.0.clone()),
            totp_secret_enc: Set(totp_secret_enc),
            totp_last_step: Set(None),
            failed_count: Set(0),
            retry_at: Set(None),
            created_at: Set(tx.now()),
            version: Set(1),
        };
        account::Entity::insert(row).exec_without_returning(tx.db).await.map_err(exists("an account with this login"))?;
        for role in &self.roles {
            insert_grant(tx, person_id, role).await?;
        }
        tx.emit(Event::AccountCreated { account: account_id, person: person_id });
        tx.record(&account_id, None, None);
        Ok(CreatedAccount { person_id, account_id, totp_secret })
    }

    /// Nobody hands out roles beyond their own reach.
    async fn permit(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        for role in &self.roles {
            match &role.reach {
                RoleReach::Division(scope) => {
                    tx.permit(Action::ManageAccounts, &Object { division: Some(scope.division()), ..Object::default() })?;
                }
                RoleReach::Provider(provider) => {
                    let row = provider::Entity::find_by_id(provider.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
                    tx.permit(Action::ManageAccounts, &super::provider::object(&row)?)?;
                }
                // It reaches nobody until somebody else binds it.
                RoleReach::Bound => tx.permit_anywhere(Action::ManageAccounts)?,
            }
        }
        Ok(())
    }

    /// Checks login and roles.
    pub(crate) async fn check(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let mut faults = Vec::new();
        let shape = (3..=64).contains(&self.login.len())
            && self.login.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.@+".contains(&b));
        if !shape {
            faults.push(FieldError::new("login", "login.form", "use 3 to 64 of a-z, 0-9 and - _ . @ +"));
        }
        if self.roles.is_empty() {
            faults.push(FieldError::new("roles", "roles.empty", "name at least one role"));
        }
        for (place, role) in self.roles.iter().enumerate() {
            if self.roles.iter().take(place).any(|earlier| earlier == role) {
                faults.push(FieldError::new(format!("roles.{place}"), "role.doubled", "name each role once"));
            }
            if let RoleReach::Provider(provider) = &role.reach
                && provider::Entity::find_by_id(provider.uuid()).one(tx.db).await?.is_none()
            {
                faults.push(FieldError::new(format!("roles.{place}.reach"), "provider.unknown", "register the provider first"));
            }
            let fits = match (role.role, &role.reach) {
                (Role::FamilyMember | Role::Resident | Role::ProviderManager, RoleReach::Bound)
                | (Role::ProviderManager | Role::Carer, RoleReach::Provider(_)) => true,
                (Role::FamilyMember | Role::Resident | Role::ProviderManager | Role::Carer, _) => false,
                (_, reach) => matches!(reach, RoleReach::Division(_)),
            };
            if !fits {
                faults.push(FieldError::new(
                    format!("roles.{place}.reach"),
                    "role.reach",
                    "families and residents reach whom they are bound to, carers a provider, managers a provider or (before they apply) none, all others a division prefix",
                ));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(StoreError::fields(faults)) }
    }
}

async fn insert_grant(tx: &Tx<'_>, person: PersonId, role: &NewRole) -> Result<(), StoreError> {
    let (scope, provider) = match &role.reach {
        RoleReach::Division(scope) => (Some(scope.to_string()), None),
        RoleReach::Provider(provider) => (None, Some(provider.uuid())),
        RoleReach::Bound => (None, None),
    };
    let row = role_grant::ActiveModel {
        id: Set(tx.id::<domain::id::RoleGrant>().uuid()),
        person_id: Set(person.uuid()),
        role: Set(role.role.to_string()),
        scope: Set(scope),
        provider_id: Set(provider),
        valid_from: Set(tx.today().get()),
        valid_until: Set(None),
        granted_by: Set(tx.actor().person().map(domain::id::Id::uuid)),
        created_at: Set(tx.now()),
    };
    role_grant::Entity::insert(row).exec_without_returning(tx.db).await?;
    tx.emit(Event::RoleGranted { person, role: role.role });
    Ok(())
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
    /// What the person calls the device.
    pub device: String,
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
        let row = account::Entity::find().filter(account::Column::Login.eq(&credentials.login)).one(self.db()).await?;
        if row.as_ref().and_then(|row| row.retry_at).is_some_and(|retry_at| real_now < retry_at) {
            return Err(AccountError::Waiting.into());
        }
        let hash = row.as_ref().map_or_else(|| NOBODY.to_owned(), |row| row.password_hash.clone());
        let password = credentials.password.clone();
        let matches = tokio::task::spawn_blocking(move || PasswordHashed(hash).matches(&password)).await.unwrap_or(false);
        let Some(row) = row else { return Err(AccountError::Wrong.into()) };
        let step = match self.second_factor(&row, credentials.code.as_deref(), real_now)? {
            SecondFactor::NotNeeded => Some(None),
            SecondFactor::Step(step) => Some(Some(step)),
            SecondFactor::Wrong => None,
        };
        let (true, Some(step)) = (matches, step) else {
            self.write(ctx, RecordFailure { account: row.id, at: real_now }).await?;
            return Err(AccountError::Wrong.into());
        };
        let account = AccountId::from_uuid(row.id);
        self.write(ctx, BeginSession { account, step, at: real_now, device: credentials.device.chars().take(80).collect() }).await
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
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keQ$c2l4dGVlbi1ieXRlcy1pcy1ub3QtYS1oYXNoLWF0LWE";

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

#[derive(Debug, Clone)]
struct RecordFailure {
    account: uuid::Uuid,
    at: Instant,
}

impl Command for RecordFailure {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "record_sign_in_failure";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let Some(row) = account::Entity::find_by_id(self.account).one(tx.db).await? else { return Ok(()) };
        let failures = row.failed_count + 1;
        // Five free tries, then 1, 2, 4 … minutes, at most about an hour; a stranger cannot lock anybody out for good.
        let wait = (failures > FREE_FAILURES).then(|| TimeDelta::minutes(1_i64 << (failures - FREE_FAILURES - 1).clamp(0, 6)));
        account::Entity::update_many()
            .col_expr(account::Column::FailedCount, Expr::col(account::Column::FailedCount).add(1))
            .col_expr(account::Column::RetryAt, Expr::value(wait.map(|wait| self.at + wait)))
            .filter(account::Column::Id.eq(self.account))
            .exec(tx.db)
            .await?;
        tx.record(&AccountId::from_uuid(self.account), None, None);
        Ok(())
    }
}

#[derive(Debug, Clone)]
struct BeginSession {
    account: AccountId,
    at: Instant,
    step: Option<i64>,
    device: String,
}

impl Command for BeginSession {
    type Output = SignedInSession;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "begin_session";

    async fn run(&self, tx: &Tx<'_>) -> Result<SignedInSession, StoreError> {
        let row = account::Entity::find_by_id(self.account.uuid()).one(tx.db).await?.ok_or(AccountError::Wrong)?;
        let mut change =
            account::ActiveModel { failed_count: Set(0), retry_at: Set(None), version: Set(row.version + 1), ..Default::default() };
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
        let lasts =
            if row.totp_secret_enc.is_some() { TimeDelta::hours(STAFF_SESSION_HOURS) } else { TimeDelta::days(FAMILY_SESSION_DAYS) };
        let token = URL_SAFE_NO_PAD.encode(tx.secret());
        let session_id: SessionId = tx.id();
        let expires_at = self.at + lasts;
        let new = session::ActiveModel {
            id: Set(session_id.uuid()),
            token_hash: Set(token_hash(&token)),
            account_id: Set(row.id),
            person_id: Set(row.person_id),
            device: Set(self.device.clone()),
            created_at: Set(self.at),
            expires_at: Set(expires_at),
            revoked_at: Set(None),
        };
        session::Entity::insert(new).exec_without_returning(tx.db).await?;
        tx.record(&session_id, None, None);
        Ok(SignedInSession { session_id, person_id: PersonId::from_uuid(row.person_id), token: token.into(), expires_at })
    }
}

pub(crate) fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

/// Ends a session.
#[derive(Debug, Clone)]
pub struct EndSession {
    /// The session.
    pub session: SessionId,
}

impl Command for EndSession {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "end_session";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let change = session::ActiveModel { revoked_at: Set(Some(tx.now())), ..Default::default() };
        session::Entity::update_many().set(change).filter(session::Column::Id.eq(self.session.uuid())).exec(tx.db).await?;
        tx.record(&self.session, None, None);
        Ok(())
    }
}
