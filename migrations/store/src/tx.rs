//! The only handle that can write: one transaction, its context, and what it will leave behind.

use std::{
    fmt::{Debug, Display},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::{
    access::{Action, Actor, Object, Permit},
    event::Event,
    id::{Id, IdKind},
    ledger::Transfer,
    time::{BusinessDate, Instant},
};
use sea_orm::{ActiveModelTrait, ConnectionTrait as _, DatabaseTransaction, DbBackend, EntityTrait as _, IntoActiveModel, ModelTrait};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    audit::{AuditDraft, row_hash},
    context::{Ctx, cut, expand, milliseconds},
    error::StoreError,
    keys::{Cell, KeyRing},
    ledger_book,
    reference::Reference,
};

/// One transaction in progress. Commands read and write through it; events and audit rows that they leave
/// are written by the door just before the commit.
///
/// Locks are taken in this order, once, late, before the check: resident, application, order, visit, seat, hold,
/// window, budget, claim line, settlement period.
pub struct Tx<'a> {
    pub(crate) db: &'a DatabaseTransaction,
    pub(crate) keys: &'a KeyRing,
    /// Divisions, calendar, catalogue: read at start, the same for every request.
    pub(crate) reference: &'a Reference,
    ctx: &'a Ctx,
    /// Changes with every attempt, so that a repeated attempt never uses a nonce for another text.
    attempt: u64,
    count: AtomicU64,
    pub(crate) left: Mutex<Left>,
}

/// What the transaction leaves behind.
#[derive(Debug, Default)]
pub(crate) struct Left {
    pub(crate) events: Vec<Event>,
    pub(crate) audits: Vec<AuditDraft>,
    pub(crate) permit: Option<Permit>,
}

impl Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").field("request", &self.ctx.request).finish_non_exhaustive()
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn new(db: &'a DatabaseTransaction, keys: &'a KeyRing, reference: &'a Reference, ctx: &'a Ctx, attempt: u64) -> Self {
        Self { db, keys, reference, ctx, attempt, count: AtomicU64::new(0), left: Mutex::default() }
    }

    /// Who asks.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.ctx.actor
    }

    /// The instant of the whole transaction.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.ctx.now
    }

    /// The business date of the whole transaction.
    #[must_use]
    pub fn today(&self) -> BusinessDate {
        BusinessDate::of(self.ctx.now)
    }

    pub(crate) const fn ctx(&self) -> &Ctx {
        self.ctx
    }

    /// The next id; the same one when the transaction is tried again.
    pub(crate) fn id<K: IdKind>(&self) -> Id<K> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        Id::from_parts(milliseconds(self.ctx.now), cut(expand(&self.ctx.seed, "id", number)))
    }

    /// The next secret of 32 bytes.
    pub(crate) fn secret(&self) -> [u8; 32] {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        expand(&self.ctx.seed, "secret", number)
    }

    /// Encrypts a value for its place.
    pub(crate) fn seal(&self, table: &'static str, column: &'static str, row: Uuid, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let nonce = cut(expand(&self.ctx.seed, &format!("nonce/{}", self.attempt), number));
        Ok(self.keys.seal(Cell { table, column, row }, nonce, plain)?)
    }

    /// Encrypts a ciphertext anew, in the same place, under the active key.
    pub(crate) fn seal_anew(&self, place: &str, envelope: &[u8]) -> Result<Vec<u8>, StoreError> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let nonce = cut(expand(&self.ctx.seed, &format!("nonce/{}", self.attempt), number));
        Ok(self.keys.seal_anew(place, nonce, envelope)?)
    }

    /// Encrypts a value as JSON for its place.
    pub(crate) fn seal_json(
        &self,
        table: &'static str,
        column: &'static str,
        row: Uuid,
        value: &impl Serialize,
    ) -> Result<Vec<u8>, StoreError> {
        let plain = serde_json::to_vec(value).map_err(|cause| StoreError::Corrupt { table, why: cause.to_string() })?;
        self.seal(table, column, row, &plain)
    }

    /// Decrypts a value in its place.
    pub(crate) fn open_json<T: DeserializeOwned>(
        &self,
        table: &'static str,
        column: &'static str,
        row: Uuid,
        envelope: &[u8],
    ) -> Result<T, StoreError> {
        open_json(self.keys, Cell { table, column, row }, envelope)
    }

    /// Checks that the actor may take this action on this object, and keeps the proof for the audit.
    ///
    /// # Errors
    /// A role that may not, or an object out of reach.
    pub(crate) fn permit(&self, action: Action, object: &Object) -> Result<(), StoreError> {
        let permit = self.ctx.actor.permit(action, object)?;
        self.left().permit = Some(permit);
        Ok(())
    }

    /// As [`Tx::permit`], for what has no object yet: the role alone decides.
    pub(crate) fn permit_anywhere(&self, action: Action) -> Result<(), StoreError> {
        let permit = self.ctx.actor.permit_anywhere(action)?;
        self.left().permit = Some(permit);
        Ok(())
    }

    /// Leaves an event.
    pub(crate) fn emit(&self, event: Event) {
        self.left().events.push(event);
    }

    /// Leaves an audit row: what was changed, with hashes of the rows before and after.
    pub(crate) fn record(&self, object: &impl Display, before: Option<&dyn Debug>, after: Option<&dyn Debug>) {
        let (before_hash, after_hash) = (before.map(row_hash), after.map(row_hash));
        let draft = AuditDraft { object: object.to_string(), purpose: None, before_hash, after_hash };
        self.left().audits.push(draft);
    }

    /// Writes all columns of a row that exists. The row must have been locked, or read under the lock of the
    /// thing that it belongs to.
    pub(crate) async fn save<M, A>(&self, row: M) -> Result<(), StoreError>
    where
        M: ModelTrait + IntoActiveModel<A>,
        A: ActiveModelTrait<Entity = M::Entity> + Send,
    {
        A::Entity::update(row.into_active_model().reset_all()).exec_without_returning(self.db).await?;
        Ok(())
    }

    /// Records a ledger transfer. Recording the same fact again with the same entries changes nothing.
    pub(crate) async fn transfer(&self, transfer: &Transfer) -> Result<(), StoreError> {
        ledger_book::record(self, transfer).await
    }

    /// Whether rows must be locked one by one; on SQLite the transaction already excludes other writers.
    pub(crate) fn locks_rows(&self) -> bool {
        self.db.get_database_backend() == DbBackend::Postgres
    }

    fn left(&self) -> std::sync::MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

pub(crate) fn open_text(keys: &KeyRing, cell: Cell, envelope: &[u8]) -> Result<String, StoreError> {
    let plain = keys.open(cell, envelope)?;
    String::from_utf8(plain).map_err(|_cause| StoreError::Corrupt { table: cell.table, why: format!("{} is not text", cell.column) })
}

pub(crate) fn open_json<T: DeserializeOwned>(keys: &KeyRing, cell: Cell, envelope: &[u8]) -> Result<T, StoreError> {
    let plain = keys.open(cell, envelope)?;
    // The cause could quote the value; only the place is named.
    serde_json::from_slice(&plain)
        .map_err(|_cause| StoreError::Corrupt { table: cell.table, why: format!("{} has another form", cell.column) })
}

/// Selects rows for change: locked on PostgreSQL, as they are on SQLite.
macro_rules! for_update {
    ($tx:expr, $select:expr) => {{
        let select = $select;
        if $tx.locks_rows() { sea_orm::QuerySelect::lock_exclusive(select) } else { select }
    }};
}
pub(crate) use for_update;

/// Selects rows that nobody may change before the commit, while others may read them too.
macro_rules! for_share {
    ($tx:expr, $select:expr) => {{
        let select = $select;
        if $tx.locks_rows() { sea_orm::QuerySelect::lock_shared(select) } else { select }
    }};
}
pub(crate) use for_share;
