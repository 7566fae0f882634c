//! What every part of the seed leaves behind: ids, encrypted cells, events, audit rows, transfers.

use std::collections::BTreeMap;

use domain::{
    access::Role,
    event::Event,
    id::{Audit, Event as EventKind, Id, IdKind, PersonId, Request},
    ledger::Transfer,
    sample::Draw,
    time::{BusinessDate, Instant},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    audit,
    context::{cut, milliseconds},
    convert,
    entity::{audit as audit_row, event, event_pending, ledger_entry, ledger_transfer},
    error::StoreError,
    keys::{Cell, KeyError},
    seed::{Answer, Batch, Moved, World, rows::Rows, seal::Leaf},
};

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// A person in a role.
    Person(PersonId, Role),
    /// The system, by the name of its worker.
    System(&'static str),
}

impl Who {
    pub(super) const fn person(self) -> Option<PersonId> {
        match self {
            Self::Person(person, _) => Some(person),
            Self::System(_) => None,
        }
    }
}

/// One use case as the door would have run it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) at: Instant,
    pub(super) who: Who,
    command: &'static str,
    request: Uuid,
    write: Uuid,
}

/// Makes the rows of one neighbourhood.
pub(super) struct Maker<'a> {
    pub(super) world: &'a World,
    pub(super) draw: Draw,
    rows: Rows,
    leaves: Vec<Leaf>,
    numbers: BTreeMap<String, i64>,
    pub(super) budgets: BTreeMap<super::BudgetKey, Moved>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(world: &'a World, number: u32) -> Self {
        let draw = Draw::branch(world.plan.seed, "rows", u64::from(number));
        Self { world, draw, rows: Rows::new(), leaves: Vec::new(), numbers: BTreeMap::new(), budgets: BTreeMap::new() }
    }

    pub(super) fn into_batch(self, answers: Vec<Answer>) -> Batch {
        Batch { rows: self.rows, leaves: self.leaves, budgets: self.budgets, answers }
    }

    /// The city's present instant.
    pub(super) fn now(&self) -> Instant {
        self.world.plan.period.now
    }

    /// Whether something has happened by now.
    pub(super) fn is_past(&self, at: Instant) -> bool {
        at <= self.now()
    }

    /// A new id, made at an instant.
    pub(super) fn id<K: IdKind>(&mut self, at: Instant) -> Id<K> {
        Id::from_parts(milliseconds(at), self.draw.ten_bytes())
    }

    pub(super) fn push<M, A>(&mut self, row: M) -> Result<(), StoreError>
    where
        M: sea_orm::ModelTrait + sea_orm::IntoActiveModel<A>,
        A: sea_orm::ActiveModelTrait<Entity = M::Entity>,
    {
        self.rows.push(row)
    }

    /// Encrypts a value for its place. Number and text of a nonce belong together: it follows from key, place and
    /// text, so that no two texts of a place ever share one, whatever is seeded again.
    pub(super) fn seal(&self, table: &'static str, column: &'static str, row: Uuid, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce = self.derive("seed_nonce", &[table.as_bytes(), column.as_bytes(), row.as_bytes(), plain])?;
        Ok(self.world.store.keys().seal(Cell { table, column, row }, cut(nonce), plain)?)
    }

    /// As [`Maker::seal`], of a value as JSON.
    pub(super) fn seal_json(
        &self,
        table: &'static str,
        column: &'static str,
        row: Uuid,
        value: &impl Serialize,
    ) -> Result<Vec<u8>, StoreError> {
        let plain = serde_json::to_vec(value).map_err(|cause| StoreError::Corrupt { table, why: cause.to_string() })?;
        self.seal(table, column, row, &plain)
    }

    /// A secret that follows from the keys of the city, not from the seed, which everybody may know.
    pub(super) fn derive(&self, purpose: &str, parts: &[&[u8]]) -> Result<[u8; 32], StoreError> {
        let keys = self.world.store.keys();
        let active = keys.active();
        let derived = keys.authenticate_under(&active, purpose, parts);
        Ok(derived.ok_or(KeyError::UnknownKey(active))?)
    }

    /// Begins a use case.
    pub(super) fn step(&mut self, at: Instant, who: Who, command: &'static str) -> Step {
        let request = self.id::<Request>(at).uuid();
        let write = self.id::<Request>(at).uuid();
        Step { at, who, command, request, write }
    }

    /// Leaves an event.
    pub(super) fn event(&mut self, step: &Step, event: &Event) -> Result<Uuid, StoreError> {
        let stream = event.stream();
        let number = self.numbers.entry(stream.clone()).or_insert(0);
        *number += 1;
        let seq = *number;
        let id = self.id::<EventKind>(step.at).uuid();
        let row = event::Model {
            id,
            stream,
            seq,
            kind: event.kind().to_owned(),
            version: i64::from(event.version()),
            payload: convert::to_json("event", event)?,
            at: step.at,
            person_id: step.who.person().map(Id::uuid),
            request_id: step.request,
        };
        self.push(row)?;
        Ok(id)
    }

    /// Leaves an event to the workers of the living city.
    pub(super) fn leave_to_workers(&mut self, event_id: Uuid) -> Result<(), StoreError> {
        self.push(event_pending::Model { event_id })
    }

    /// Forgets the numbers of streams that get no further event.
    pub(super) fn forget_streams(&mut self) {
        self.numbers.clear();
    }

    /// Leaves an audit row.
    pub(super) fn audit(
        &mut self,
        step: &Step,
        object: &impl std::fmt::Display,
        hashes: (Option<String>, Option<String>),
    ) -> Result<(), StoreError> {
        let (role, actor) = match step.who {
            Who::Person(_, role) => (Some(role.to_string()), "person".to_owned()),
            Who::System(name) => (None, format!("system/{name}")),
        };
        let row = audit_row::Model {
            id: self.id::<Audit>(step.at).uuid(),
            at: step.at,
            person_id: step.who.person().map(Id::uuid),
            account_id: None,
            session_id: None,
            role,
            actor,
            action: step.command.to_owned(),
            object: object.to_string(),
            purpose: None,
            before_hash: hashes.0,
            after_hash: hashes.1,
            request_id: step.request,
            write_id: step.write,
        };
        self.leaves.push((row.id, audit::leaf(&row)));
        self.push(row)
    }

    /// Records a ledger transfer.
    pub(super) fn transfer(&mut self, at: Instant, transfer: &Transfer) -> Result<(), StoreError> {
        if transfer.is_empty() {
            return Ok(());
        }
        let id = transfer.id().uuid();
        self.push(ledger_transfer::Model {
            id,
            book: transfer.book().to_string(),
            kind: transfer.kind().to_string(),
            unit: transfer.unit().to_string(),
            fact: transfer.key().to_owned(),
            effective_on: transfer.effective_on().get(),
            booked_at: at,
            reverses: None,
        })?;
        for (entry, line) in transfer.entries().iter().zip(1_i64..) {
            self.push(ledger_entry::Model {
                transfer_id: id,
                line,
                account: entry.account.as_str().to_owned(),
                side: entry.side.to_string(),
                amount: entry.amount,
            })?;
        }
        Ok(())
    }

    /// The city's business date.
    pub(super) fn today(&self) -> BusinessDate {
        BusinessDate::of(self.now())
    }
}
