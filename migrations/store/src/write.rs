//! The write door. Every change of the database goes through [`Store::write`].
//!
//! The work runs in a task of its own, so that a caller who goes away (a phone that loses its signal drops
//! the request's future) neither cancels a commit half-way nor leaves a transaction open. Together with the
//! rollback that a connection gets when it leaves the pool (see `connect`), this keeps every acknowledged
//! write although `begin()` of sqlx 0.9.0 is not safe to cancel on PostgreSQL.
//!
//! Conflicts between transactions are tried again with the same ids. When the answer to the commit itself is
//! lost, the door looks for the audit row of this very write; only if that cannot be asked either is the
//! outcome reported as unknown.

use std::{future::Future, time::Duration};

use domain::access::Action;
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use uuid::Uuid;

use crate::{
    Store, audit,
    connect::begin_write,
    context::{Ctx, cut, expand},
    entity,
    error::StoreError,
    event_log,
    tx::Tx,
};

/// How often a transaction is tried before the conflict is reported.
const ATTEMPTS: u64 = 6;
/// How long one attempt may take.
const ATTEMPT_LIMIT: Duration = Duration::from_mins(1);

/// When it is asked whether a commit took place whose answer was lost.
const LOOKS_AFTER_COMMIT: [Duration; 4] = [Duration::ZERO, Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

/// One use case: what is to be done, without who asks and when.
pub trait Command: Clone + Send + Sync + 'static {
    /// What the caller learns.
    type Output: Send + 'static;

    /// What the access matrix calls it; `None` for what only the system itself does.
    const ACTION: Option<Action>;

    /// Name in the audit trail and beside idempotency keys.
    const NAME: &'static str;

    /// Whether the work of this command belongs into the audit trail; false for the machinery that moves
    /// events along.
    const AUDITED: bool = true;

    /// Loads, lets the domain decide, and saves, all inside `tx`. May run more than once; only the last run
    /// is kept.
    fn run(&self, tx: &Tx<'_>) -> impl Future<Output = Result<Self::Output, StoreError>> + Send;
}

impl Store {
    /// Runs a use case as one transaction and returns after its commit.
    ///
    /// # Errors
    /// What the use case refuses, and the failures of [`StoreError`].
    pub async fn write<C: Command>(&self, ctx: Ctx, command: C) -> Result<C::Output, StoreError> {
        match C::ACTION {
            Some(action) => ctx.actor.may(action)?,
            None if ctx.actor.person().is_some() => return Err(StoreError::not_found()),
            None => {}
        }
        let store = self.clone();
        let task = tokio::spawn(async move { store.write_with_retries(&ctx, &command).await });
        task.await.unwrap_or(Err(StoreError::Panicked))
    }

    async fn write_with_retries<C: Command>(&self, ctx: &Ctx, command: &C) -> Result<C::Output, StoreError> {
        // Writers of one SQLite process queue here in order, instead of polling the file's lock.
        let _turn = match &self.inner.sqlite_turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let mut attempt = 0;
        loop {
            match self.attempt(ctx, command, attempt).await {
                Err(cause) if cause.is_retryable() && attempt + 1 < ATTEMPTS => {
                    metrics::counter!("store_retries_total", "command" => C::NAME).increment(1);
                    tokio::time::sleep(pause(ctx, attempt)).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt<C: Command>(&self, ctx: &Ctx, command: &C, attempt: u64) -> Result<C::Output, StoreError> {
        let txn = begin_write(&self.inner.db).await?;
        let tx = Tx::new(&txn, &self.inner.keys, &self.inner.reference, ctx, attempt);
        // The limit is on the work before the commit: a commit under way is never given up.
        let worked = tokio::time::timeout(ATTEMPT_LIMIT, command.run(&tx)).await;
        let output = match worked.unwrap_or(Err(StoreError::TimedOut)) {
            Ok(output) => output,
            Err(refused) => {
                drop(tx);
                txn.rollback().await?;
                return Err(refused);
            }
        };
        let write_id = Uuid::from_bytes(cut(expand(&ctx.seed, "write", attempt)));
        let left = std::mem::take(&mut *tx.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        event_log::append(&tx, left.events).await?;
        if C::AUDITED {
            audit::append(&tx, C::NAME, write_id, left.permit, left.audits).await?;
        }
        drop(tx);
        match txn.commit().await {
            Ok(()) => Ok(output),
            Err(cause) => self.resolve(ctx, write_id, cause).await.map(|()| output),
        }
    }

    /// After a failed commit: did it take place? Every audited write leaves at least one row under its own id;
    /// the machinery can simply be run again. A commit that is still under way shows a little later.
    async fn resolve(&self, ctx: &Ctx, write_id: Uuid, cause: sea_orm::DbErr) -> Result<(), StoreError> {
        let mut asked = false;
        for pause in LOOKS_AFTER_COMMIT {
            tokio::time::sleep(pause).await;
            let rows = entity::audit::Entity::find().filter(entity::audit::Column::WriteId.eq(write_id)).count(&self.inner.db).await;
            match rows {
                Ok(0) => asked = true,
                Ok(_) => return Ok(()),
                Err(_unreachable) => {}
            }
        }
        if asked { Err(StoreError::Database(cause)) } else { Err(StoreError::Unknown(ctx.request)) }
    }
}

/// Doubling pauses with jitter that comes from the request's own seed: 5 to 10 ms, 10 to 20 ms, …
fn pause(ctx: &Ctx, attempt: u64) -> Duration {
    let base = 5_000_u64 << attempt.min(6);
    let jitter = u64::from_be_bytes(cut(expand(&ctx.seed, "pause", attempt))) % base;
    Duration::from_micros(base + jitter)
}
