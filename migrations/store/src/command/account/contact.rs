//! Where an account is sent its codes.

use domain::{
    access::{Action, Object},
    contact::Contact,
    division::Scope,
    error::FieldError,
    id::AccountId,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};

use super::AccountKind;
use crate::{
    convert,
    entity::{account, account_contact, city, role_grant},
    error::{StoreError, exists},
    keys::KeyRing,
    tx::Tx,
    write::Command,
};

/// Sets the mail address or mobile number of an account; the one before is replaced.
#[derive(Debug, Clone)]
pub struct SetContact {
    /// The account.
    pub account: AccountId,
    /// The contact.
    pub contact: Contact,
}

impl Command for SetContact {
    type Output = ();
    const ACTION: Option<Action> = Some(Action::ManageAccounts);
    const NAME: &'static str = "set_contact";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let account = account::Entity::find_by_id(self.account.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        permit(tx, Action::ManageAccounts, &account).await?;
        if account.kind != AccountKind::Person.to_string() {
            return Err(StoreError::fields(vec![FieldError::new("account_id", "contact.machine", "a machine signs in by keys alone")]));
        }
        if account.totp_secret_enc.is_some() {
            let cure = "accounts with an authenticator sign in with password and authenticator alone";
            return Err(StoreError::fields(vec![FieldError::new("account_id", "contact.second_factor", cure)]));
        }
        let kind = self.contact.kind().to_string();
        account_contact::Entity::delete_many()
            .filter(account_contact::Column::AccountId.eq(account.id))
            .filter(account_contact::Column::Kind.eq(&kind))
            .exec(tx.db)
            .await?;
        let id = tx.id::<domain::id::Account>().uuid();
        let row = account_contact::ActiveModel {
            id: Set(id),
            account_id: Set(account.id),
            kind: Set(kind),
            address_enc: Set(tx.seal("account_contact", "address_enc", id, self.contact.expose().as_bytes())?),
            address_index: Set(address_index(tx.keys, &self.contact)),
            created_at: Set(tx.now()),
        };
        account_contact::Entity::insert(row).exec_without_returning(tx.db).await.map_err(exists("an account with this contact"))?;
        tx.record(&self.account, None, None);
        Ok(())
    }
}

/// An operator looks after the accounts whose roles lie within reach; those that have a role without a division
/// belong to whoever looks after the whole city.
pub(super) async fn permit(tx: &Tx<'_>, action: Action, account: &account::Model) -> Result<(), StoreError> {
    let grants = role_grant::Entity::find().filter(role_grant::Column::PersonId.eq(account.person_id)).all(tx.db).await?;
    let city = city::Entity::find().one(tx.db).await?.ok_or_else(StoreError::not_found)?.division_prefix;
    let scopes = if grants.is_empty() { vec![city] } else { grants.into_iter().map(|grant| grant.scope.unwrap_or(city.clone())).collect() };
    for scope in scopes {
        let scope: Scope = convert::code("role_grant", "scope", &scope)?;
        tx.permit(action, &Object { division: Some(scope.division()), ..Object::default() })?;
    }
    Ok(())
}

pub(super) fn address_index(keys: &KeyRing, contact: &Contact) -> Vec<u8> {
    keys.blind_index("account_contact.address", contact.expose())
}
