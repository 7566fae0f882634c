//! Roles of a person who has an account already: one person, one account, many roles with dates.

use domain::{
    access::{AccessError, Action},
    division::Scope,
    error::FieldError,
    event::Event,
    id::{PersonId, ProviderId, RoleGrantId},
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _};
use serde::{Deserialize, Serialize};

use super::{AccountKind, NewRole, RoleReach, authenticator_secret, contact, insert_grant, key, permit_roles, role_faults, session_end};
use crate::{
    convert,
    entity::{account, role_grant},
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// Gives a person one more role from today on.
#[derive(Debug, Clone)]
pub struct GrantRole {
    /// The person.
    pub person: PersonId,
    /// The role.
    pub role: NewRole,
}

/// A role that was given. The authenticator secret is shown this one time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GrantedRole {
    /// The role of the person.
    pub role_grant_id: RoleGrantId,
    /// Base32 secret for an authenticator app, if this is the first role that needs one.
    pub totp_secret: Option<String>,
}

impl Command for GrantRole {
    type Output = GrantedRole;
    const ACTION: Option<Action> = Some(Action::ManageAccounts);
    const NAME: &'static str = "grant_role";

    async fn run(&self, tx: &Tx<'_>) -> Result<GrantedRole, StoreError> {
        let account = account_of(tx, self.person).await?;
        let faults = role_faults(tx, std::slice::from_ref(&self.role)).await?;
        if !faults.is_empty() {
            return Err(StoreError::fields(faults));
        }
        permit_roles(tx, std::slice::from_ref(&self.role)).await?;
        refuse_own(tx, self.person)?;
        self.refuse_twice(tx).await?;
        let role_grant_id = insert_grant(tx, self.person, &self.role).await?;
        let person = account.kind == AccountKind::Person.to_string();
        let first = person && self.role.role.needs_second_factor() && account.totp_secret_enc.is_none();
        let totp_secret = first.then(|| authenticator_secret(tx));
        if let Some(secret) = &totp_secret {
            // Codes sent to a contact must not stand in for the authenticator from now on: they look for this column.
            let sealed = tx.seal("account", "totp_secret_enc", account.id, secret.as_bytes())?;
            // The sessions that began without it end, and so do the keys that were issued from them.
            session_end::end_all(tx, account.id).await?;
            key::revoke_all(tx, account.id).await?;
            tx.save(account::Model { totp_secret_enc: Some(sealed), version: account.version + 1, ..account }).await?;
        }
        tx.record(&role_grant_id, None, None);
        Ok(GrantedRole { role_grant_id, totp_secret })
    }
}

impl GrantRole {
    async fn refuse_twice(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let held = role_grant::Entity::find()
            .filter(role_grant::Column::PersonId.eq(self.person.uuid()))
            .filter(role_grant::Column::Role.eq(self.role.role.to_string()))
            .filter(Condition::any().add(role_grant::Column::ValidUntil.is_null()).add(role_grant::Column::ValidUntil.gt(tx.today().get())))
            .all(tx.db)
            .await?;
        let (scope, provider) = match &self.role.reach {
            RoleReach::Division(scope) => (Some(scope.to_string()), None),
            RoleReach::Provider(provider) => (None, Some(provider.uuid())),
            RoleReach::Bound => (None, None),
        };
        if held.iter().any(|row| row.scope == scope && row.provider_id == provider) {
            return Err(StoreError::fields(vec![FieldError::new("role", "role.doubled", "name each role once")]));
        }
        Ok(())
    }
}

/// Ends a role of a person at once.
#[derive(Debug, Clone)]
pub struct EndRole {
    /// The role of the person.
    pub role_grant: RoleGrantId,
}

impl Command for EndRole {
    type Output = ();
    const ACTION: Option<Action> = Some(Action::ManageAccounts);
    const NAME: &'static str = "end_role";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let row = for_update!(tx, role_grant::Entity::find_by_id(self.role_grant.uuid())).one(tx.db).await?;
        let row = row.filter(|row| row.valid_until.is_none_or(|end| tx.today().get() < end)).ok_or_else(StoreError::not_found)?;
        let person = PersonId::from_uuid(row.person_id);
        let reach = match (&row.scope, row.provider_id) {
            (Some(scope), _) => RoleReach::Division(convert::code::<Scope>("role_grant", "scope", scope)?),
            (None, Some(provider)) => RoleReach::Provider(ProviderId::from_uuid(provider)),
            (None, None) => {
                contact::permit(tx, Action::ManageAccounts, &account_of(tx, person).await?).await?;
                RoleReach::Bound
            }
        };
        let role = convert::code("role_grant", "role", &row.role)?;
        permit_roles(tx, &[NewRole { role, reach }]).await?;
        refuse_own(tx, person)?;
        // A role that began today never was; the others end with yesterday.
        if tx.today().get() <= row.valid_from {
            role_grant::Entity::delete_by_id(row.id).exec(tx.db).await?;
        } else {
            tx.save(role_grant::Model { valid_until: Some(tx.today().get()), ..row }).await?;
        }
        tx.emit(Event::RoleEnded { person, role });
        tx.record(&self.role_grant, None, None);
        Ok(())
    }
}

/// Nobody gives themselves a role, nor takes the last operator away by ending their own.
fn refuse_own(tx: &Tx<'_>, person: PersonId) -> Result<(), StoreError> {
    if tx.actor().person() == Some(person) { Err(AccessError::SamePerson("the one whose roles these are").into()) } else { Ok(()) }
}

async fn account_of(tx: &Tx<'_>, person: PersonId) -> Result<account::Model, StoreError> {
    let row = account::Entity::find().filter(account::Column::PersonId.eq(person.uuid()));
    for_update!(tx, row).one(tx.db).await?.ok_or_else(StoreError::not_found)
}
