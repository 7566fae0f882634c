//! Who is behind a session token, with the roles they hold today.

use domain::{
    access::{Actor, Grant, Reach, Role, SignedIn},
    id::{AccountId, PersonId, ProviderId, ResidentId, SessionId},
    resident::{Consent, ConsentPurpose},
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{
    Store,
    command::account::{AccountError, token_hash},
    convert,
    entity::{relation, role_grant, session},
    error::StoreError,
};

impl Store {
    /// The person behind a session token, with their roles of `today`. Sessions end by the real time, also
    /// where the clock of a demo city was moved.
    ///
    /// # Errors
    /// [`AccountError::NotSignedIn`] for a token that is unknown, expired or revoked.
    pub async fn actor_by_token(&self, token: &str, real_now: Instant, today: BusinessDate) -> Result<Actor, StoreError> {
        let row = session::Entity::find()
            .filter(session::Column::TokenHash.eq(token_hash(token)))
            .filter(session::Column::RevokedAt.is_null())
            .filter(session::Column::ExpiresAt.gt(real_now))
            .one(self.db())
            .await?
            .ok_or(AccountError::NotSignedIn)?;
        Ok(Actor::Person(SignedIn {
            person: PersonId::from_uuid(row.person_id),
            account: AccountId::from_uuid(row.account_id),
            session: SessionId::from_uuid(row.id),
            grants: self.grants(row.person_id, today).await?,
        }))
    }

    /// A person with their roles of a day, for commands that are given on the machine itself and for seeds:
    /// there is no session.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn actor_of(&self, person: PersonId, account: AccountId, today: BusinessDate) -> Result<Actor, StoreError> {
        let session = SessionId::from_uuid(uuid::Uuid::nil());
        Ok(Actor::Person(SignedIn { person, account, session, grants: self.grants(person.uuid(), today).await? }))
    }

    async fn grants(&self, person: uuid::Uuid, today: BusinessDate) -> Result<Vec<Grant>, StoreError> {
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
