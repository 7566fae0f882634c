//! Who is behind a session token, with the roles they hold today.

use chrono::TimeDelta;
use domain::{
    access::{Action, Actor, Grant, Object, Reach, Role, SignedIn},
    device::RequestProof,
    division::Scope,
    id::{AccessKeyId, AccountId, DeviceId, PersonId, ProviderId, ResidentId, RoleGrantId, SessionId},
    resident::{Consent, ConsentPurpose},
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::{
    Store,
    command::{
        account::{AccountError, Method, is_key, token_hash},
        device::key_of,
    },
    convert,
    entity::{device, relation, role_grant, session},
    error::StoreError,
    keys::Cell,
    signature,
    tx::open_text,
};

/// Sessions that a list of one's own shows at most.
const SESSIONS_MAX: u64 = 100;
/// The use of a session is noted at most so often, so that reading does not become writing.
pub(super) const TOUCHED_EVERY_MINUTES: i64 = 5;

/// Who a token belongs to.
#[derive(Debug, Clone)]
pub struct Recognised {
    /// The person with their roles.
    pub actor: Actor,
    /// What they showed, when it is time to note that it is in use.
    pub touch: Option<Touched>,
}

/// What somebody showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touched {
    /// The token of a session.
    Session(SessionId),
    /// A bearer key.
    Key(AccessKeyId),
}

/// A role of a person.
#[derive(Debug, Clone)]
pub struct RoleView {
    /// The role of the person.
    pub role_grant_id: RoleGrantId,
    /// The role.
    pub role: Role,
    /// The divisions that it reaches, if it reaches divisions.
    pub scope: Option<Scope>,
    /// The provider that it reaches, if it reaches one.
    pub provider: Option<ProviderId>,
    /// First day.
    pub valid_from: BusinessDate,
}

/// One of a person's own sessions.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// The session.
    pub session_id: SessionId,
    /// What the person calls the device.
    pub device: String,
    /// How it began.
    pub method: Method,
    /// The phone to which it is bound.
    pub device_id: Option<DeviceId>,
    /// The address from which it began.
    pub origin: Option<String>,
    /// When it began.
    pub created_at: Instant,
    /// When it was last used, to some minutes.
    pub last_used_at: Option<Instant>,
    /// When it ends.
    pub expires_at: Instant,
}

impl Store {
    /// The person behind a session token or a bearer key, with their roles of `today`. Sessions end by the real time, also
    /// where the clock of a demo city was moved.
    ///
    /// # Errors
    /// [`AccountError::NotSignedIn`] for a token that is unknown, expired or revoked.
    pub async fn actor_by_token(
        &self,
        token: &str,
        proof: Option<&RequestProof>,
        real_now: Instant,
        today: BusinessDate,
    ) -> Result<Recognised, StoreError> {
        if is_key(token) {
            return self.actor_by_key(token, real_now, today).await;
        }
        let row = session::Entity::find()
            .filter(session::Column::TokenHash.eq(token_hash(token)))
            .filter(session::Column::RevokedAt.is_null())
            .filter(session::Column::ExpiresAt.gt(real_now))
            .one(self.db())
            .await?
            .ok_or(AccountError::NotSignedIn)?;
        // A token that was carried to another device is worth nothing there.
        if let Some(device) = row.device_id {
            self.check_device(device, token, proof, real_now).await?;
        }
        let session = SessionId::from_uuid(row.id);
        let long_ago = row.last_used_at.is_none_or(|last| last + TimeDelta::minutes(TOUCHED_EVERY_MINUTES) <= real_now);
        let signed_in = SignedIn {
            person: PersonId::from_uuid(row.person_id),
            account: AccountId::from_uuid(row.account_id),
            session,
            grants: self.grants(row.person_id, today).await?,
            key: None,
        };
        Ok(Recognised { actor: Actor::Person(signed_in), touch: long_ago.then_some(Touched::Session(session)) })
    }

    /// A revoked device ends the sessions that are bound to it.
    async fn check_device(&self, id: uuid::Uuid, token: &str, proof: Option<&RequestProof>, real_now: Instant) -> Result<(), StoreError> {
        let row = device::Entity::find_by_id(id).one(self.db()).await?;
        let row = row.filter(|row| row.revoked_at.is_none()).ok_or(AccountError::NotSignedIn)?;
        let key = key_of(&row)?;
        let proven = proof.is_some_and(|proof| proof.is_fresh(real_now) && signature::is_of(&key, &proof.text(token), &proof.signature));
        if proven { Ok(()) } else { Err(AccountError::DeviceProof.into()) }
    }

    /// The sessions of a person that have not ended, the one used last first.
    ///
    /// # Errors
    /// Failures of the database or of its keys.
    pub async fn sessions_of(&self, person: PersonId, real_now: Instant) -> Result<Vec<SessionView>, StoreError> {
        let rows = session::Entity::find()
            .filter(session::Column::PersonId.eq(person.uuid()))
            .filter(session::Column::RevokedAt.is_null())
            .filter(session::Column::ExpiresAt.gt(real_now))
            .order_by_desc(session::Column::LastUsedAt)
            .order_by_desc(session::Column::Id)
            .limit(SESSIONS_MAX)
            .all(self.db())
            .await?;
        rows.into_iter().map(|row| self.session_view(row)).collect()
    }

    fn session_view(&self, row: session::Model) -> Result<SessionView, StoreError> {
        let cell = Cell { table: "session", column: "origin_enc", row: row.id };
        Ok(SessionView {
            session_id: SessionId::from_uuid(row.id),
            method: convert::code("session", "method", &row.method)?,
            origin: row.origin_enc.as_deref().map(|envelope| open_text(self.keys(), cell, envelope)).transpose()?,
            device: row.device,
            device_id: row.device_id.map(DeviceId::from_uuid),
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        })
    }

    /// A person with their roles of a day, for commands that are given on the machine itself and for seeds:
    /// there is no session.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn actor_of(&self, person: PersonId, account: AccountId, today: BusinessDate) -> Result<Actor, StoreError> {
        let session = SessionId::from_uuid(uuid::Uuid::nil());
        let grants = self.grants(person.uuid(), today).await?;
        Ok(Actor::Person(SignedIn { person, account, session, grants, key: None }))
    }

    /// The roles of a person that have not ended, as far as the operator who asks looks after them.
    ///
    /// # Errors
    /// A role that may not.
    pub async fn roles_of(&self, actor: &Actor, person: PersonId, today: BusinessDate) -> Result<Vec<RoleView>, StoreError> {
        actor.may(Action::ManageAccounts)?;
        let city = self.whole_city().await?;
        let rows = role_grant::Entity::find()
            .filter(role_grant::Column::PersonId.eq(person.uuid()))
            .filter(Condition::any().add(role_grant::Column::ValidUntil.is_null()).add(role_grant::Column::ValidUntil.gt(today.get())))
            .order_by_asc(role_grant::Column::Id)
            .all(self.db())
            .await?;
        let mut views = Vec::new();
        for row in rows {
            let scope: Option<Scope> = row.scope.as_deref().map(|scope| convert::code("role_grant", "scope", scope)).transpose()?;
            let object = scope.map_or_else(|| city.clone(), |scope| Object { division: Some(scope.division()), ..Object::default() });
            if actor.permit(Action::ManageAccounts, &object).is_ok() {
                views.push(RoleView {
                    role_grant_id: RoleGrantId::from_uuid(row.id),
                    role: convert::code("role_grant", "role", &row.role)?,
                    scope,
                    provider: row.provider_id.map(ProviderId::from_uuid),
                    valid_from: convert::date(row.valid_from),
                });
            }
        }
        if views.is_empty() { Err(StoreError::not_found()) } else { Ok(views) }
    }

    pub(super) async fn grants(&self, person: uuid::Uuid, today: BusinessDate) -> Result<Vec<Grant>, StoreError> {
        let rows = role_grant::Entity::find()
            .filter(role_grant::Column::PersonId.eq(person))
            .filter(role_grant::Column::ValidFrom.lte(today.get()))
            .filter(Condition::any().add(role_grant::Column::ValidUntil.is_null()).add(role_grant::Column::ValidUntil.gt(today.get())))
            .order_by_asc(role_grant::Column::Id)
            .all(self.db())
            .await?;
        let mut grants = Vec::new();
        for row in rows {
            let role: Role = convert::code("role_grant", "role", &row.role)?;
            let reach = match (row.scope, row.provider_id) {
                (Some(scope), _) => Reach::Division(convert::code("role_grant", "scope", &scope)?),
                (None, Some(provider)) => Reach::Provider(ProviderId::from_uuid(provider)),
                (None, None) => Reach::Bound(self.bound(person, today).await?),
            };
            grants.push(Grant { role, reach });
        }
        Ok(grants)
    }

    async fn bound(&self, person: uuid::Uuid, today: BusinessDate) -> Result<Vec<ResidentId>, StoreError> {
        let rows = relation::Entity::find()
            .filter(relation::Column::PersonId.eq(person))
            .filter(relation::Column::ValidFrom.lte(today.get()))
            .filter(Condition::any().add(relation::Column::ValidUntil.is_null()).add(relation::Column::ValidUntil.gt(today.get())))
            .all(self.db())
            .await?;
        let mut residents = Vec::new();
        for row in rows {
            let consent: Consent = convert::json("relation", "consent", &row.consent)?;
            // Nobody acts for a resident who no longer consents.
            if consent.covers(ConsentPurpose::Service, today) {
                residents.push(ResidentId::from_uuid(row.resident_id));
            }
        }
        Ok(residents)
    }
}
