//! Bearer keys: for programs of a person, issued by that person in a session, and for machines, which have an account
//! without any other way to sign in.
//!
//! A key is shown once and stored as a hash; what a list shows of it is how it begins.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::{
    access::{Action, KEY_DAYS_MAX, KEYS_MAX, KeyScope, Role},
    error::FieldError,
    id::{AccessKeyId, AccountId, PersonId},
    resident::PersonName,
    time::Instant,
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, Set};
use serde::{Deserialize, Serialize};

use super::{AccountError, AccountKind, NewAccount, NewRole, RoleReach, contact, insert_account, permit_roles, role_faults, token_hash};
use crate::{
    convert,
    entity::{access_key, account, role_grant},
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// How every key begins, so that people and scanners know one when they see it.
const BEGINNING: &str = "yjk_";
/// Characters of a secret as it is written. A token of a session is one alone, so that none is taken for a key.
const SECRET_LENGTH: usize = 43;
/// Characters of a key that lists show.
const SHOWN: usize = 12;
/// Longest name of a key, in characters.
const NAME_MAX: usize = 80;

/// Whether a token has the form of a key.
pub(crate) fn is_key(token: &str) -> bool {
    token.strip_prefix(BEGINNING).is_some_and(|secret| secret.len() == SECRET_LENGTH)
}

/// What a new key is to be.
#[derive(Debug, Clone)]
pub struct WantedKey {
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub actions: Vec<Action>,
    /// How long it lasts, in days.
    pub days: i64,
    /// The real time: keys end by it, also where the clock of a demo city was moved.
    pub at: Instant,
}

/// A new key. It is shown this one time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IssuedKey {
    /// The key's row.
    pub access_key_id: AccessKeyId,
    /// The key itself.
    pub key: String,
    /// How it begins.
    pub prefix: String,
    /// When it ends.
    pub expires_at: Instant,
}

/// Issues a key for the account of whoever asks.
#[derive(Debug, Clone)]
pub struct IssueOwnKey {
    /// The key.
    pub wanted: WantedKey,
}

impl Command for IssueOwnKey {
    type Output = IssuedKey;
    const ACTION: Option<Action> = Some(Action::ManageKeys);
    const NAME: &'static str = "issue_own_key";

    async fn run(&self, tx: &Tx<'_>) -> Result<IssuedKey, StoreError> {
        tx.permit_anywhere(Action::ManageKeys)?;
        let account = own_account(tx)?;
        let roles = tx.actor().roles();
        self.wanted.issue(tx, account, &roles).await
    }
}

/// Makes an account for a machine. It signs in by keys alone.
#[derive(Debug, Clone)]
pub struct CreateMachine {
    /// What people call it.
    pub name: PersonName,
    /// Its roles, each of which reaches a division or a provider.
    pub roles: Vec<NewRole>,
}

/// A new account of a machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreatedMachine {
    /// The account.
    pub account_id: AccountId,
    /// As what the machine appears where a person would.
    pub person_id: PersonId,
}

impl Command for CreateMachine {
    type Output = CreatedMachine;
    const ACTION: Option<Action> = Some(Action::ManageAccounts);
    const NAME: &'static str = "create_machine";

    async fn run(&self, tx: &Tx<'_>) -> Result<CreatedMachine, StoreError> {
        let mut faults = role_faults(tx, &self.roles).await?;
        if self.roles.is_empty() {
            faults.push(FieldError::new("roles", "roles.empty", "name at least one role"));
        }
        let bound = self.roles.iter().enumerate().filter(|(_, role)| role.reach == RoleReach::Bound);
        faults.extend(bound.map(|(place, _)| {
            FieldError::new(format!("roles.{place}.reach"), "role.machine", "a machine reaches a division or a provider, nobody binds it")
        }));
        if !faults.is_empty() {
            return Err(StoreError::fields(faults));
        }
        permit_roles(tx, &self.roles).await?;
        let account_id: AccountId = tx.id();
        let login = format!("machine-{}", account_id.uuid().simple());
        let new = NewAccount { account_id, name: &self.name, login: &login, kind: AccountKind::Machine, roles: &self.roles };
        let made = insert_account(tx, new, None).await?;
        Ok(CreatedMachine { account_id, person_id: made.person_id })
    }
}

/// Issues a key for the account of a machine.
#[derive(Debug, Clone)]
pub struct IssueMachineKey {
    /// The account.
    pub account: AccountId,
    /// The key.
    pub wanted: WantedKey,
}

impl Command for IssueMachineKey {
    type Output = IssuedKey;
    const ACTION: Option<Action> = Some(Action::ManageAccounts);
    const NAME: &'static str = "issue_machine_key";

    async fn run(&self, tx: &Tx<'_>) -> Result<IssuedKey, StoreError> {
        let account = machine(tx, self.account).await?;
        let today = tx.today().get();
        let roles: Vec<Role> = role_grant::Entity::find()
            .filter(role_grant::Column::PersonId.eq(account.person_id))
            .filter(role_grant::Column::ValidFrom.lte(today))
            .filter(Condition::any().add(role_grant::Column::ValidUntil.is_null()).add(role_grant::Column::ValidUntil.gt(today)))
            .all(tx.db)
            .await?
            .iter()
            .map(|row| convert::code("role_grant", "role", &row.role))
            .collect::<Result<_, _>>()?;
        self.wanted.issue(tx, self.account, &roles).await
    }
}

/// The account of a machine that the operator looks after. No operator issues keys for the account of a person.
async fn machine(tx: &Tx<'_>, id: AccountId) -> Result<account::Model, StoreError> {
    let row = account::Entity::find_by_id(id.uuid()).one(tx.db).await?;
    let row = row.filter(|row| row.kind == AccountKind::Machine.to_string()).ok_or_else(StoreError::not_found)?;
    contact::permit(tx, Action::ManageAccounts, &row).await?;
    Ok(row)
}

fn own_account(tx: &Tx<'_>) -> Result<AccountId, StoreError> {
    tx.actor().account().ok_or_else(|| domain::access::AccessError::PersonNeeded.into())
}

impl WantedKey {
    async fn issue(&self, tx: &Tx<'_>, account: AccountId, roles: &[Role]) -> Result<IssuedKey, StoreError> {
        let scope = self.check(roles)?;
        // The account's row is locked, so that keys issued at one time are counted one after the other.
        let row = for_update!(tx, account::Entity::find_by_id(account.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let in_force = access_key::Entity::find()
            .filter(access_key::Column::AccountId.eq(row.id))
            .filter(access_key::Column::RevokedAt.is_null())
            .filter(access_key::Column::ExpiresAt.gt(self.at))
            .count(tx.db)
            .await?;
        if usize::try_from(in_force).is_ok_and(|count| count >= KEYS_MAX) {
            return Err(AccountError::TooManyKeys.into());
        }
        let key = format!("{BEGINNING}{}", URL_SAFE_NO_PAD.encode(tx.secret()));
        let prefix: String = key.chars().take(SHOWN).collect();
        let access_key_id: AccessKeyId = tx.id();
        let expires_at = self.at + TimeDelta::days(self.days);
        let new = access_key::ActiveModel {
            id: Set(access_key_id.uuid()),
            account_id: Set(row.id),
            name: Set(self.name.clone()),
            prefix: Set(prefix.clone()),
            secret_hash: Set(token_hash(&key)),
            actions: Set(convert::to_json("access_key", &scope)?),
            issued_by: Set(tx.actor().need_person()?.uuid()),
            created_at: Set(self.at),
            expires_at: Set(expires_at),
            last_used_at: Set(None),
            revoked_at: Set(None),
            revoked_by: Set(None),
        };
        access_key::Entity::insert(new).exec_without_returning(tx.db).await?;
        tx.record(&access_key_id, None, None);
        Ok(IssuedKey { access_key_id, key, prefix, expires_at })
    }

    /// All that is wrong at once.
    fn check(&self, roles: &[Role]) -> Result<KeyScope, StoreError> {
        let mut faults = Vec::new();
        let length = self.name.chars().count();
        if !(1..=NAME_MAX).contains(&length) || self.name.trim() != self.name || self.name.contains(char::is_control) {
            faults.push(FieldError::new("name", "key.name", "write 1 to 80 characters without spaces around them"));
        }
        if !(1..=KEY_DAYS_MAX).contains(&self.days) {
            faults.push(FieldError::new("days", "key.days", "a key lasts 1 to 366 days"));
        }
        match KeyScope::new(self.actions.clone(), roles) {
            Ok(scope) if faults.is_empty() => Ok(scope),
            Ok(_scope) => Err(StoreError::fields(faults)),
            Err(more) => Err(StoreError::fields(faults.into_iter().chain(more).collect())),
        }
    }
}

/// Revokes one of one's own keys.
#[derive(Debug, Clone)]
pub struct RevokeOwnKey {
    /// The key.
    pub key: AccessKeyId,
    /// The real time.
    pub at: Instant,
}

impl Command for RevokeOwnKey {
    type Output = ();
    const ACTION: Option<Action> = Some(Action::ManageKeys);
    const NAME: &'static str = "revoke_own_key";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        tx.permit_anywhere(Action::ManageKeys)?;
        revoke(tx, own_account(tx)?, self.key, self.at).await
    }
}

/// Revokes a key of a machine.
#[derive(Debug, Clone)]
pub struct RevokeMachineKey {
    /// The account.
    pub account: AccountId,
    /// The key.
    pub key: AccessKeyId,
    /// The real time.
    pub at: Instant,
}

impl Command for RevokeMachineKey {
    type Output = ();
    const ACTION: Option<Action> = Some(Action::ManageAccounts);
    const NAME: &'static str = "revoke_machine_key";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        machine(tx, self.account).await?;
        revoke(tx, self.account, self.key, self.at).await
    }
}

async fn revoke(tx: &Tx<'_>, account: AccountId, key: AccessKeyId, at: Instant) -> Result<(), StoreError> {
    let row = for_update!(tx, access_key::Entity::find_by_id(key.uuid())).one(tx.db).await?;
    let row = row.filter(|row| row.account_id == account.uuid() && row.revoked_at.is_none()).ok_or_else(StoreError::not_found)?;
    let by = tx.actor().need_person()?.uuid();
    tx.save(access_key::Model { revoked_at: Some(at), revoked_by: Some(by), ..row }).await?;
    tx.record(&key, None, None);
    Ok(())
}

/// Revokes all keys of an account whose way to sign in has changed.
pub(super) async fn revoke_all(tx: &Tx<'_>, account: uuid::Uuid) -> Result<(), StoreError> {
    let by = tx.actor().need_person()?.uuid();
    let change = access_key::ActiveModel { revoked_at: Set(Some(tx.now())), revoked_by: Set(Some(by)), ..Default::default() };
    let open = access_key::Column::RevokedAt.is_null();
    access_key::Entity::update_many().set(change).filter(access_key::Column::AccountId.eq(account)).filter(open).exec(tx.db).await?;
    Ok(())
}

/// Notes that a key is in use.
#[derive(Debug, Clone)]
pub struct TouchKey {
    /// The key.
    pub key: AccessKeyId,
    /// When, in real time.
    pub at: Instant,
}

impl Command for TouchKey {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "touch_key";
    const AUDITED: bool = false;

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let change = access_key::ActiveModel { last_used_at: Set(Some(self.at)), ..Default::default() };
        access_key::Entity::update_many().set(change).filter(access_key::Column::Id.eq(self.key.uuid())).exec(tx.db).await?;
        Ok(())
    }
}
