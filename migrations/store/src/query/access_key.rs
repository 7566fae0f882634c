//! Bearer keys: which an account has, and who is behind one.

use chrono::TimeDelta;
use domain::{
    access::{Action, Actor, KeyScope, Object, SignedIn},
    division::Scope,
    id::{AccessKeyId, AccountId, PersonId, SessionId},
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::session::{Recognised, TOUCHED_EVERY_MINUTES, Touched};
use crate::{
    Store,
    command::account::{AccountError, AccountKind, token_hash},
    convert,
    entity::{access_key, account, role_grant},
    error::StoreError,
};

/// Keys that a list shows at most, ended ones among them.
const LISTED_MAX: u64 = 100;

/// A key, without its secret.
#[derive(Debug, Clone)]
pub struct KeyView {
    /// The key.
    pub access_key_id: AccessKeyId,
    /// What its owner calls it.
    pub name: String,
    /// How it begins.
    pub prefix: String,
    /// What it may do.
    pub scope: KeyScope,
    /// When it was issued.
    pub created_at: Instant,
    /// When it ends.
    pub expires_at: Instant,
    /// When it was last used, to some minutes.
    pub last_used_at: Option<Instant>,
    /// Since when it counts no more.
    pub revoked_at: Option<Instant>,
}

impl Store {
    /// Who asks with a key, with the roles of its account today.
    ///
    /// # Errors
    /// [`AccountError::NotSignedIn`] for a key that is unknown, expired or revoked.
    pub(super) async fn actor_by_key(&self, key: &str, real_now: Instant, today: BusinessDate) -> Result<Recognised, StoreError> {
        let row = access_key::Entity::find()
            .filter(access_key::Column::SecretHash.eq(token_hash(key)))
            .filter(access_key::Column::RevokedAt.is_null())
            .filter(access_key::Column::ExpiresAt.gt(real_now))
            .one(self.db())
            .await?
            .ok_or(AccountError::NotSignedIn)?;
        let account = account::Entity::find_by_id(row.account_id).one(self.db()).await?.ok_or(AccountError::NotSignedIn)?;
        let scope: KeyScope = convert::json("access_key", "actions", &row.actions)?;
        let long_ago = row.last_used_at.is_none_or(|last| last + TimeDelta::minutes(TOUCHED_EVERY_MINUTES) <= real_now);
        let signed_in = SignedIn {
            person: PersonId::from_uuid(account.person_id),
            account: AccountId::from_uuid(account.id),
            session: SessionId::from_uuid(uuid::Uuid::nil()),
            grants: self.grants(account.person_id, today).await?,
            key: Some(scope),
        };
        let touch = long_ago.then_some(Touched::Key(AccessKeyId::from_uuid(row.id)));
        Ok(Recognised { actor: Actor::Person(signed_in), touch })
    }

    /// One's own keys, the newest first.
    ///
    /// # Errors
    /// A role that has none.
    pub async fn own_keys(&self, actor: &Actor) -> Result<Vec<KeyView>, StoreError> {
        actor.permit_anywhere(Action::ManageKeys)?;
        let account = actor.account().ok_or_else(StoreError::not_found)?;
        self.keys_of(account).await
    }

    /// The keys of a machine, the newest first.
    ///
    /// # Errors
    /// Not found for the account of a person, and out of reach.
    pub async fn machine_keys(&self, actor: &Actor, account: AccountId) -> Result<Vec<KeyView>, StoreError> {
        actor.may(Action::ManageAccounts)?;
        let row = account::Entity::find_by_id(account.uuid()).one(self.db()).await?;
        let row = row.filter(|row| row.kind == AccountKind::Machine.to_string()).ok_or_else(StoreError::not_found)?;
        // As the commands do: a machine belongs to whoever reaches all its roles, one without roles to the whole city.
        let grants = role_grant::Entity::find().filter(role_grant::Column::PersonId.eq(row.person_id)).all(self.db()).await?;
        let city = self.whole_city().await?;
        if grants.is_empty() || grants.iter().any(|grant| grant.scope.is_none()) {
            actor.permit(Action::ManageAccounts, &city)?;
        }
        for scope in grants.iter().filter_map(|grant| grant.scope.as_deref()) {
            let scope: Scope = convert::code("role_grant", "scope", scope)?;
            actor.permit(Action::ManageAccounts, &Object { division: Some(scope.division()), ..Object::default() })?;
        }
        self.keys_of(account).await
    }

    async fn keys_of(&self, account: AccountId) -> Result<Vec<KeyView>, StoreError> {
        let rows = access_key::Entity::find()
            .filter(access_key::Column::AccountId.eq(account.uuid()))
            .order_by_desc(access_key::Column::CreatedAt)
            .order_by_desc(access_key::Column::Id)
            .limit(LISTED_MAX)
            .all(self.db())
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(KeyView {
                    access_key_id: AccessKeyId::from_uuid(row.id),
                    scope: convert::json("access_key", "actions", &row.actions)?,
                    name: row.name,
                    prefix: row.prefix,
                    created_at: row.created_at,
                    expires_at: row.expires_at,
                    last_used_at: row.last_used_at,
                    revoked_at: row.revoked_at,
                })
            })
            .collect()
    }
}
