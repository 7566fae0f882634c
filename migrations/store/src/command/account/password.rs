//! Changing one's own password.

use domain::{
    access::Action,
    id::{AccountId, SessionId},
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Set};
use secrecy::SecretString;

use super::{AccountError, PasswordHashed, session::RecordFailure};
use crate::{
    Store,
    context::Ctx,
    entity::{account, session},
    error::StoreError,
    tx::Tx,
    write::Command,
};

/// A new password for one's own account.
#[derive(Debug, Clone)]
pub struct ChangePassword {
    /// The account.
    pub account: AccountId,
    /// The session that goes on; all others end.
    pub session: SessionId,
    /// The password until now.
    pub current: SecretString,
    /// The new one.
    pub new: PasswordHashed,
}

impl Store {
    /// Changes a password after checking the one until now; every other session of the account ends.
    ///
    /// # Errors
    /// [`AccountError::Wrong`], [`AccountError::Waiting`].
    pub async fn change_password(&self, ctx: Ctx, again: Ctx, change: ChangePassword, real_now: Instant) -> Result<(), StoreError> {
        let _turn = self.hashing_turn().await;
        let row = account::Entity::find_by_id(change.account.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        self.need_patience_over(&row.login, real_now).await?;
        let hash = PasswordHashed(row.password_hash.clone());
        let current = change.current.clone();
        let matches = tokio::task::spawn_blocking(move || hash.matches(&current)).await.unwrap_or(false);
        if !matches {
            self.write(again, RecordFailure { login: row.login, at: real_now }).await?;
            return Err(AccountError::Wrong.into());
        }
        self.write(ctx, SetPassword { account: change.account, session: change.session, new: change.new, version: row.version }).await
    }
}

#[derive(Debug, Clone)]
struct SetPassword {
    account: AccountId,
    session: SessionId,
    new: PasswordHashed,
    version: i64,
}

impl Command for SetPassword {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "change_password";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let change = account::ActiveModel { password_hash: Set(self.new.0.clone()), version: Set(self.version + 1), ..Default::default() };
        let changed = account::Entity::update_many()
            .set(change)
            .filter(account::Column::Id.eq(self.account.uuid()))
            .filter(account::Column::Version.eq(self.version))
            .exec(tx.db)
            .await?;
        if changed.rows_affected == 0 {
            return Err(StoreError::Stale("the account"));
        }
        let end = session::ActiveModel { revoked_at: Set(Some(tx.now())), ..Default::default() };
        session::Entity::update_many()
            .set(end)
            .filter(session::Column::AccountId.eq(self.account.uuid()))
            .filter(session::Column::Id.ne(self.session.uuid()))
            .filter(session::Column::RevokedAt.is_null())
            .exec(tx.db)
            .await?;
        tx.record(&self.account, None, None);
        Ok(())
    }
}
