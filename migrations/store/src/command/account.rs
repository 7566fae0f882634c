//! Accounts, roles and sessions.
//!
//! Passwords are hashed with Argon2id, session tokens are stored as hashes only, authenticator codes are
//! accepted once. An unknown login costs as much time as a known one and gets the same answer.

mod code;
mod contact;
mod key;
mod password;
mod reset;
mod role;
mod session;
mod session_end;
mod sheet;

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _, password_hash::phc::PasswordHash};
use domain::{
    access::{Action, KEYS_MAX, Object, Role},
    division::Scope,
    error::{Fault, FieldError, Kind},
    event::Event,
    id::{AccountId, PersonId, ProviderId, RoleGrantId},
    resident::PersonName,
};
use sea_orm::{EntityTrait as _, Set};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use totp_rs::Secret;

use crate::{
    entity::{account, person, provider, role_grant},
    error::{StoreError, exists},
    tx::Tx,
    write::Command,
};

pub use code::{AskSignInCode, AskedCode, CarerCode, CloseSignInCode, CodeMessage, IssueCarerCode};
pub use contact::SetContact;
pub use domain::password::LENGTH as PASSWORD_LENGTH;
pub(crate) use key::is_key;
pub use key::{
    CreateMachine, CreatedMachine, IssueMachineKey, IssueOwnKey, IssuedKey, RevokeMachineKey, RevokeOwnKey, TouchKey, WantedKey,
};
pub use password::ChangePassword;
pub use reset::{ApproveReset, ApprovedReset, ProposeReset, ProposedReset};
pub use role::{EndRole, GrantRole, GrantedRole};
pub(crate) use session::token_hash;
pub use session::{Credentials, Device, Method, SignedInSession, authenticator_code};
pub use session_end::{EndOwnSessions, EndSession, Ending, TouchSession};
pub use sheet::{CodeSheet, EndCodeSheet, IssueCodeSheet, SheetCode};

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
    /// The session is bound to a device that did not sign the request.
    #[error("this session is bound to a device, and its signature is missing, too old or not right")]
    DeviceProof,
    /// The account has an authenticator, which no code replaces.
    #[error("this account signs in with password and authenticator")]
    SecondFactor,
    /// There is no authenticator to replace.
    #[error("the account has no authenticator")]
    NoAuthenticator,
    /// The account has as many keys in force as allowed.
    #[error("an account has at most {KEYS_MAX} keys in force; revoke one first")]
    TooManyKeys,
    /// There is no account to sign in with.
    #[error("the person has no account yet; make and bind it first")]
    NoAccount,
}

impl Fault for AccountError {
    fn code(&self) -> &'static str {
        match self {
            Self::Wrong => "account.wrong",
            Self::Waiting => "account.waiting",
            Self::NotSignedIn => "account.not_signed_in",
            Self::DeviceProof => "account.device_proof",
            Self::SecondFactor => "account.second_factor",
            Self::NoAuthenticator => "account.no_authenticator",
            Self::TooManyKeys => "account.too_many_keys",
            Self::NoAccount => "account.none",
        }
    }
    fn kind(&self) -> Kind {
        match self {
            Self::Wrong | Self::NotSignedIn | Self::DeviceProof => Kind::Unauthenticated,
            Self::Waiting => Kind::Unavailable,
            Self::SecondFactor | Self::NoAuthenticator | Self::TooManyKeys | Self::NoAccount => Kind::Conflict,
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
    /// Checks and hashes; takes some tens of milliseconds, so call it off the async threads.
    ///
    /// # Errors
    /// A password that is too short, too long, or one of those that are tried first.
    pub fn new(password: &SecretString) -> Result<Self, StoreError> {
        domain::password::check(password.expose_secret()).map_err(|fault| StoreError::fields(fault.fields()))?;
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
        permit_roles(tx, &self.roles).await?;
        self.insert(tx).await
    }
}

impl CreateAccount {
    /// Makes the account without asking who does it: the caller has, and has checked it.
    pub(crate) async fn insert(&self, tx: &Tx<'_>) -> Result<CreatedAccount, StoreError> {
        let new = NewAccount { account_id: tx.id(), name: &self.name, login: &self.login, kind: AccountKind::Person, roles: &self.roles };
        insert_account(tx, new, Some(&self.password)).await
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
        faults.extend(role_faults(tx, &self.roles).await?);
        if faults.is_empty() { Ok(()) } else { Err(StoreError::fields(faults)) }
    }
}

/// Whose account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum AccountKind {
    /// A natural person's.
    Person,
    /// A program's: it has keys and signs in in no other way.
    Machine,
}

struct NewAccount<'a> {
    account_id: AccountId,
    name: &'a PersonName,
    login: &'a str,
    kind: AccountKind,
    roles: &'a [NewRole],
}

/// Writes a person with account and roles. Without a password nobody signs in to it.
async fn insert_account(tx: &Tx<'_>, new: NewAccount<'_>, password: Option<&PasswordHashed>) -> Result<CreatedAccount, StoreError> {
    let NewAccount { account_id, name, login, kind, roles } = new;
    let person_id: PersonId = tx.id();
    let row = person::ActiveModel {
        id: Set(person_id.uuid()),
        name_enc: Set(tx.seal("person", "name_enc", person_id.uuid(), name.expose().as_bytes())?),
        phone_enc: Set(None),
        created_at: Set(tx.now()),
    };
    person::Entity::insert(row).exec_without_returning(tx.db).await?;
    let second_factor = password.is_some() && roles.iter().any(|role| role.role.needs_second_factor());
    let totp_secret = second_factor.then(|| authenticator_secret(tx));
    let totp_secret_enc = match &totp_secret {
        Some(secret) => Some(tx.seal("account", "totp_secret_enc", account_id.uuid(), secret.as_bytes())?),
        None => None,
    };
    let row = account::ActiveModel {
        id: Set(account_id.uuid()),
        person_id: Set(person_id.uuid()),
        login: Set(login.to_owned()),
        password_hash: Set(password.map_or_else(|| session::NOBODY.to_owned(), |password| password.0.clone())),
        totp_secret_enc: Set(totp_secret_enc),
        totp_last_step: Set(None),
        failed_count: Set(0),
        retry_at: Set(None),
        created_at: Set(tx.now()),
        kind: Set(kind.to_string()),
        version: Set(1),
    };
    account::Entity::insert(row).exec_without_returning(tx.db).await.map_err(exists("an account with this login"))?;
    for role in roles {
        insert_grant(tx, person_id, role).await?;
    }
    tx.emit(Event::AccountCreated { account: account_id, person: person_id });
    tx.record(&account_id, None, None);
    Ok(CreatedAccount { person_id, account_id, totp_secret })
}

/// A new secret for an authenticator app, in base32.
fn authenticator_secret(tx: &Tx<'_>) -> String {
    Secret::from(tx.secret().into_iter().take(20).collect::<Vec<u8>>()).to_base32()
}

/// Nobody hands out roles beyond their own reach.
async fn permit_roles(tx: &Tx<'_>, roles: &[NewRole]) -> Result<(), StoreError> {
    for role in roles {
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

/// What is wrong with roles that are to be given.
async fn role_faults(tx: &Tx<'_>, roles: &[NewRole]) -> Result<Vec<FieldError>, StoreError> {
    let mut faults = Vec::new();
    for (place, role) in roles.iter().enumerate() {
        if roles.iter().take(place).any(|earlier| earlier == role) {
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
    Ok(faults)
}

async fn insert_grant(tx: &Tx<'_>, person: PersonId, role: &NewRole) -> Result<RoleGrantId, StoreError> {
    let id: RoleGrantId = tx.id();
    let (scope, provider) = match &role.reach {
        RoleReach::Division(scope) => (Some(scope.to_string()), None),
        RoleReach::Provider(provider) => (None, Some(provider.uuid())),
        RoleReach::Bound => (None, None),
    };
    let row = role_grant::ActiveModel {
        id: Set(id.uuid()),
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
    Ok(id)
}
