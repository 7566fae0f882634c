//! A new authenticator for somebody who lost theirs: one person asks for it, another one approves.
//!
//! Until the approval nothing changes. With it the old authenticator, the sessions and the keys of the account end; the
//! new secret is shown to the approver this one time, who hands it to the person after seeing who they are.

use chrono::TimeDelta;
use domain::{
    access::Action,
    id::{AccountId, AuthenticatorResetId, PersonId},
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use serde::{Deserialize, Serialize};

use super::{AccountError, authenticator_secret, contact, key, session_end};
use crate::{
    entity::{account, authenticator_reset},
    error::StoreError,
    tx::{Tx, for_update},
    write::Command,
};

/// How long an approval is waited for.
const OPEN_HOURS: i64 = 24;

/// Asks for a new authenticator for an account; a request that is open is replaced.
#[derive(Debug, Clone)]
pub struct ProposeReset {
    /// The account.
    pub account: AccountId,
}

/// A request for a new authenticator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProposedReset {
    /// The request.
    pub authenticator_reset_id: AuthenticatorResetId,
    /// Until when it can be approved.
    pub expires_at: Instant,
}

impl Command for ProposeReset {
    type Output = ProposedReset;
    const ACTION: Option<Action> = Some(Action::ManageAccounts);
    const NAME: &'static str = "propose_authenticator_reset";

    async fn run(&self, tx: &Tx<'_>) -> Result<ProposedReset, StoreError> {
        let account = for_update!(tx, account::Entity::find_by_id(self.account.uuid())).one(tx.db).await?;
        let account = account.ok_or_else(StoreError::not_found)?;
        contact::permit(tx, Action::ManageAccounts, &account).await?;
        let by = refuse_own(tx, &account)?;
        if account.totp_secret_enc.is_none() {
            return Err(AccountError::NoAuthenticator.into());
        }
        authenticator_reset::Entity::delete_many()
            .filter(authenticator_reset::Column::AccountId.eq(account.id))
            .filter(authenticator_reset::Column::ApprovedAt.is_null())
            .exec(tx.db)
            .await?;
        let id: AuthenticatorResetId = tx.id();
        let expires_at = tx.now() + TimeDelta::hours(OPEN_HOURS);
        let row = authenticator_reset::ActiveModel {
            id: Set(id.uuid()),
            account_id: Set(account.id),
            proposed_by: Set(by.uuid()),
            proposed_at: Set(tx.now()),
            expires_at: Set(expires_at),
            approved_by: Set(None),
            approved_at: Set(None),
        };
        authenticator_reset::Entity::insert(row).exec_without_returning(tx.db).await?;
        tx.record(&id, None, None);
        Ok(ProposedReset { authenticator_reset_id: id, expires_at })
    }
}

/// Approves a request of another person.
#[derive(Debug, Clone)]
pub struct ApproveReset {
    /// The request.
    pub reset: AuthenticatorResetId,
}

/// A new authenticator. It is shown this one time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApprovedReset {
    /// Base32 secret for the authenticator app.
    pub totp_secret: String,
}

impl Command for ApproveReset {
    type Output = ApprovedReset;
    const ACTION: Option<Action> = Some(Action::ApproveAuthenticatorReset);
    const NAME: &'static str = "approve_authenticator_reset";

    async fn run(&self, tx: &Tx<'_>) -> Result<ApprovedReset, StoreError> {
        let found = authenticator_reset::Entity::find_by_id(self.reset.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let account = for_update!(tx, account::Entity::find_by_id(found.account_id)).one(tx.db).await?;
        let account = account.ok_or_else(StoreError::not_found)?;
        // Read again under the lock of the account: of two approvals the second finds none open.
        let open = authenticator_reset::Entity::find_by_id(found.id).one(tx.db).await?;
        let open = open.filter(|row| row.approved_at.is_none() && tx.now() < row.expires_at).ok_or_else(StoreError::not_found)?;
        contact::permit(tx, Action::ApproveAuthenticatorReset, &account).await?;
        tx.actor().other_than(PersonId::from_uuid(open.proposed_by), "the one who asked for the reset")?;
        let by = refuse_own(tx, &account)?;
        let secret = authenticator_secret(tx);
        let sealed = tx.seal("account", "totp_secret_enc", account.id, secret.as_bytes())?;
        session_end::end_all(tx, account.id).await?;
        key::revoke_all(tx, account.id).await?;
        let version = account.version + 1;
        tx.save(account::Model { totp_secret_enc: Some(sealed), totp_last_step: None, version, ..account }).await?;
        tx.save(authenticator_reset::Model { approved_by: Some(by.uuid()), approved_at: Some(tx.now()), ..open }).await?;
        tx.record(&self.reset, None, None);
        Ok(ApprovedReset { totp_secret: secret })
    }
}

/// Nobody has a hand in the reset of their own authenticator: whoever holds a stolen session would.
fn refuse_own(tx: &Tx<'_>, account: &account::Model) -> Result<PersonId, StoreError> {
    Ok(tx.actor().other_than(PersonId::from_uuid(account.person_id), "the one whose account it is")?)
}
