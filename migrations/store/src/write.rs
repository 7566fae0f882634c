//! The write door. Every change of the database goes through [`Store::write`].
//!
//! The work runs in a task of its own, so that a caller who goes away (a phone that loses its signal drops
//! the request's future) neither cancels a commit half-way nor leaves a transaction open. Together with the
//! rollback that a connection gets when it leaves the pool (see `connect`), this keeps every acknowledged
//! write although `begin()` of sqlx 0.9.0 is not safe to cancel on PostgreSQL.
//!
//! On SQLite the use cases that wait are committed together (see [`group`]); on PostgreSQL each one has a
//! transaction of its own. Conflicts between transactions are tried again with the same ids. When the answer to the commit itself is
//! lost, the door looks for the audit row of this very write; only if that cannot be asked either is the
//! outcome reported as unknown.

pub(crate) mod group;

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use domain::access::Action;
use futures::FutureExt as _;
use sea_orm::{ColumnTrait as _, DatabaseTransaction, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
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

    /// How long one attempt may take before its commit.
    const LIMIT: Duration = Duration::from_mins(1);

    /// Whether the work is kept. If not it is rolled back and its answer alone remains: a rehearsal, or a report
    /// of faults.
    fn keeps(&self, _output: &Self::Output) -> bool {
        true
    }

    /// Loads, lets the domain decide, and saves, all inside `tx`. May run more than once; only the last run
    /// is kept.
    fn run(&self, tx: &Tx<'_>) -> impl Future<Output = Result<Self::Output, StoreError>> + Send;
}

/// A use case with who asks and when.
pub(crate) struct Call<C> {
    ctx: Ctx,
    command: C,
}

/// What a use case answers before its commit.
struct Worked<T> {
    output: T,
    /// Whether it is to be committed.
    kept: bool,
    /// The id of its rows in the audit trail, if it left any.
    trace: Option<Uuid>,
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
        let task = tokio::spawn(async move { store.write_with_retries(Arc::new(Call { ctx, command })).await });
        task.await.unwrap_or(Err(StoreError::Panicked))
    }

    async fn write_with_retries<C: Command>(&self, call: Arc<Call<C>>) -> Result<C::Output, StoreError> {
        let Some(writers) = &self.inner.writers else { return self.write_alone(&call, 0).await };
        if let Some(outcome) = self.write_together(writers, &call).await {
            return outcome;
        }
        metrics::counter!("store_retries_total", "command" => C::NAME).increment(1);
        let _turn = writers.turn().await;
        self.write_alone(&call, 1).await
    }

    /// Runs a use case in a transaction of its own, from this attempt on.
    async fn write_alone<C: Command>(&self, call: &Call<C>, mut attempt: u64) -> Result<C::Output, StoreError> {
        loop {
            match self.attempt(call, attempt).await {
                Err(cause) if cause.is_retryable() && attempt + 1 < ATTEMPTS => {
                    metrics::counter!("store_retries_total", "command" => C::NAME).increment(1);
                    tokio::time::sleep(pause(&call.ctx, attempt)).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt<C: Command>(&self, call: &Call<C>, attempt: u64) -> Result<C::Output, StoreError> {
        let txn = begin_write(&self.inner.db).await?;
        let Worked { output, trace, .. } = match self.work(&txn, call, attempt).await {
            Ok(worked) if worked.kept => worked,
            Ok(worked) => {
                txn.rollback().await?;
                return Ok(worked.output);
            }
            Err(refused) => {
                txn.rollback().await?;
                return Err(refused);
            }
        };
        let Err(cause) = txn.commit().await else { return Ok(output) };
        match self.took_place(trace.as_slice()).await {
            Some(true) => Ok(output),
            Some(false) => Err(StoreError::Database(cause)),
            None => Err(StoreError::Unknown(call.ctx.request)),
        }
    }

    /// Runs a use case inside a transaction or savepoint, and writes the events and audit rows that it left.
    /// Whatever becomes of it, the transaction can go on or be rolled back.
    async fn work<C: Command>(&self, txn: &DatabaseTransaction, call: &Call<C>, attempt: u64) -> Result<Worked<C::Output>, StoreError> {
        let ctx = &call.ctx;
        let tx = Tx::new(txn, &self.inner.keys, &self.inner.reference, ctx, attempt);
        // The limit is on the work before the commit: a commit under way is never given up.
        let worked = tokio::time::timeout(C::LIMIT, AssertUnwindSafe(call.command.run(&tx)).catch_unwind()).await;
        let output = worked.map_err(|_elapsed| StoreError::TimedOut)?.map_err(|_panic| StoreError::Panicked)??;
        if !call.command.keeps(&output) {
            return Ok(Worked { output, kept: false, trace: None });
        }
        let write_id = Uuid::from_bytes(cut(expand(&ctx.seed, "write", attempt)));
        let left = std::mem::take(&mut *tx.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        event_log::append(&tx, left.events).await?;
        let traced = C::AUDITED && audit::append(&tx, C::NAME, write_id, left.permit, left.audits).await?;
        Ok(Worked { output, kept: true, trace: traced.then_some(write_id) })
    }

    /// After a failed commit: did it take place? Audited writes leave at least one row under their own ids, and
    /// what was committed together took place together; the machinery can simply be run again. A commit that is
    /// still under way shows a little later. None when nobody could be asked.
    async fn took_place(&self, write_ids: &[Uuid]) -> Option<bool> {
        let mut asked = None;
        for pause in LOOKS_AFTER_COMMIT {
            tokio::time::sleep(pause).await;
            let written = entity::audit::Column::WriteId.is_in(write_ids.iter().copied());
            match entity::audit::Entity::find().filter(written).count(&self.inner.db).await {
                Ok(0) => asked = Some(false),
                Ok(_) => return Some(true),
                Err(_unreachable) => {}
            }
        }
        asked
    }
}

/// Doubling pauses with jitter that comes from the request's own seed: 5 to 10 ms, 10 to 20 ms, …
fn pause(ctx: &Ctx, attempt: u64) -> Duration {
    let base = 5_000_u64 << attempt.min(6);
    let jitter = u64::from_be_bytes(cut(expand(&ctx.seed, "pause", attempt))) % base;
    Duration::from_micros(base + jitter)
}
