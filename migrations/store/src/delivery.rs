//! Events on their way to subscribers.
//!
//! Each event is committed with a row that says it is pending. The dispatcher takes such rows (never "numbers
//! above the last seen": transactions commit out of order) and writes, in one transaction, one delivery per
//! subscriber. So the work of a round grows with what waits, not with what has ever happened. A
//! delivery is claimed with a lease and an epoch; attempts are counted at the claim, so that work which
//! kills its process still ends among the dead. A completion under an old epoch changes nothing.

use chrono::TimeDelta;
use domain::{
    access::Action,
    event::Event,
    id::{DeliveryId, EventId},
    time::Instant,
};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait as _, ExprTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set,
    sea_query::{Expr, LockBehavior, LockType},
};

use crate::{
    Store,
    entity::{delivery, event, event_pending, job_tick},
    error::StoreError,
    event_log,
    tx::Tx,
    write::Command,
};

/// How long a claimed delivery may take before somebody else may claim it.
pub const LEASE_SECONDS: i64 = 60;
/// How often a delivery is tried before it is dead.
pub const ATTEMPTS_MAX: i64 = 8;
/// How many rows one step takes.
const BATCH: u64 = 50;

/// Names the subscribers of an event.
pub type Subscribers = fn(&Event) -> Vec<&'static str>;

/// Writes the deliveries of events that have none yet; answers how many events were looked at.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// Who wants which event.
    pub subscribers: Subscribers,
}

impl Command for Dispatch {
    type Output = usize;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "dispatch_events";
    const AUDITED: bool = false;

    async fn run(&self, tx: &Tx<'_>) -> Result<usize, StoreError> {
        let mut select = event_pending::Entity::find().order_by_asc(event_pending::Column::EventId).limit(BATCH);
        if tx.db.get_database_backend() == DbBackend::Postgres {
            select = select.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        }
        let ids: Vec<_> = select.all(tx.db).await?.into_iter().map(|row| row.event_id).collect();
        let rows = event::Entity::find().filter(event::Column::Id.is_in(ids.clone())).order_by_asc(event::Column::Id).all(tx.db).await?;
        let mut deliveries = Vec::new();
        for row in &rows {
            let (_, event) = event_log::decode(row)?;
            for subscriber in (self.subscribers)(&event) {
                deliveries.push(delivery::ActiveModel {
                    id: Set(tx.id::<domain::id::Delivery>().uuid()),
                    event_id: Set(row.id),
                    subscriber: Set(subscriber.to_owned()),
                    state: Set("pending".to_owned()),
                    attempts: Set(0),
                    epoch: Set(0),
                    due_at: Set(tx.now()),
                    lease_until: Set(None),
                    last_error: Set(None),
                });
            }
        }
        event_pending::Entity::delete_many().filter(event_pending::Column::EventId.is_in(ids)).exec(tx.db).await?;
        delivery::Entity::insert_many(deliveries).exec_without_returning(tx.db).await?;
        Ok(rows.len())
    }
}

/// A delivery that this process may work on until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The delivery.
    pub id: DeliveryId,
    /// Which claim this is; completions under an older one change nothing.
    pub epoch: i64,
    /// How often it has been claimed, this time included.
    pub attempts: i64,
    /// Who is to receive it.
    pub subscriber: String,
    /// Id of the event.
    pub event_id: EventId,
    /// The event.
    pub event: Event,
}

/// Claims deliveries that are due.
#[derive(Debug, Clone)]
pub struct Claim;

impl Command for Claim {
    type Output = Vec<Claimed>;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "claim_deliveries";
    const AUDITED: bool = false;

    async fn run(&self, tx: &Tx<'_>) -> Result<Vec<Claimed>, StoreError> {
        let free = Condition::any().add(delivery::Column::LeaseUntil.is_null()).add(delivery::Column::LeaseUntil.lt(tx.now()));
        let mut select = delivery::Entity::find()
            .filter(delivery::Column::State.eq("pending"))
            .filter(delivery::Column::DueAt.lte(tx.now()))
            .filter(free)
            .order_by_asc(delivery::Column::DueAt)
            .order_by_asc(delivery::Column::Id)
            .limit(BATCH);
        if tx.db.get_database_backend() == DbBackend::Postgres {
            select = select.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        }
        let mut claimed = Vec::new();
        for row in select.all(tx.db).await? {
            let event = event::Entity::find_by_id(row.event_id).one(tx.db).await?;
            let event = event.ok_or_else(|| StoreError::Corrupt { table: "delivery", why: "its event is missing".to_owned() })?;
            let (event_id, event) = event_log::decode(&event)?;
            let lease = tx.now() + TimeDelta::seconds(LEASE_SECONDS);
            let change = delivery::ActiveModel {
                attempts: Set(row.attempts + 1),
                epoch: Set(row.epoch + 1),
                lease_until: Set(Some(lease)),
                ..Default::default()
            };
            delivery::Entity::update_many().set(change).filter(delivery::Column::Id.eq(row.id)).exec(tx.db).await?;
            let id = DeliveryId::from_uuid(row.id);
            claimed.push(Claimed { id, epoch: row.epoch + 1, attempts: row.attempts + 1, subscriber: row.subscriber, event_id, event });
        }
        Ok(claimed)
    }
}

/// How a claimed delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its effect is there.
    Done,
    /// It failed and is tried again later.
    Retry {
        /// When.
        due_at: Instant,
        /// Why it failed; no personal values.
        error: String,
    },
    /// It failed for good.
    Dead {
        /// Why.
        error: String,
    },
}

/// Writes how a claimed delivery ended; answers false when the claim was no longer the latest.
#[derive(Debug, Clone)]
pub struct Complete {
    /// The delivery.
    pub id: DeliveryId,
    /// The claim.
    pub epoch: i64,
    /// How it ended.
    pub outcome: Outcome,
}

impl Command for Complete {
    type Output = bool;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "complete_delivery";
    const AUDITED: bool = false;

    async fn run(&self, tx: &Tx<'_>) -> Result<bool, StoreError> {
        let (state, due_at, error) = match &self.outcome {
            Outcome::Done => ("done", None, None),
            Outcome::Retry { due_at, error } => ("pending", Some(*due_at), Some(error.clone())),
            Outcome::Dead { error } => ("dead", None, Some(error.clone())),
        };
        let mut change =
            delivery::ActiveModel { state: Set(state.to_owned()), lease_until: Set(None), last_error: Set(error), ..Default::default() };
        if let Some(due_at) = due_at {
            change.due_at = Set(due_at);
        }
        let done = delivery::Entity::update_many()
            .set(change)
            .filter(delivery::Column::Id.eq(self.id.uuid()))
            .filter(delivery::Column::Epoch.eq(self.epoch))
            .filter(delivery::Column::State.eq("pending"))
            .exec(tx.db)
            .await?;
        Ok(done.rows_affected == 1)
    }
}

/// Takes the tick of a periodic job for a period; answers false when it, or a later one, was taken
/// before. Only the last tick of a job is kept.
#[derive(Debug, Clone)]
pub struct TakeTick {
    /// Job.
    pub job: &'static str,
    /// Period, such as an instant of its schedule.
    pub period: String,
}

impl Command for TakeTick {
    type Output = bool;
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "take_tick";
    const AUDITED: bool = false;

    async fn run(&self, tx: &Tx<'_>) -> Result<bool, StoreError> {
        let later =
            job_tick::Entity::find().filter(job_tick::Column::Job.eq(self.job)).filter(job_tick::Column::Period.gte(self.period.as_str()));
        if later.one(tx.db).await?.is_some() {
            return Ok(false);
        }
        let row = job_tick::ActiveModel { job: Set(self.job.to_owned()), period: Set(self.period.clone()), at: Set(tx.now()) };
        job_tick::Entity::insert(row).exec_without_returning(tx.db).await?;
        job_tick::Entity::delete_many()
            .filter(job_tick::Column::Job.eq(self.job))
            .filter(job_tick::Column::Period.lt(self.period.as_str()))
            .exec(tx.db)
            .await?;
        Ok(true)
    }
}

/// How many events and deliveries wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Backlog {
    /// Events whose deliveries are not written yet.
    pub undispatched: u64,
    /// Deliveries that are neither done nor dead.
    pub pending: u64,
    /// Deliveries that were given up.
    pub dead: u64,
}

impl Store {
    /// How many events and deliveries wait.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        let undispatched = event_pending::Entity::find().count(self.db()).await?;
        let count = |state: &'static str| delivery::Entity::find().filter(delivery::Column::State.eq(state)).count(self.db());
        Ok(Backlog { undispatched, pending: count("pending").await?, dead: count("dead").await? })
    }

    /// Whether a step of the dispatcher or of a subscriber would find work now.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn has_work(&self, now: Instant) -> Result<bool, StoreError> {
        if event_pending::Entity::find().one(self.db()).await?.is_some() {
            return Ok(true);
        }
        let free = Condition::any().add(delivery::Column::LeaseUntil.is_null()).add(delivery::Column::LeaseUntil.lt(now));
        let due = delivery::Entity::find()
            .filter(delivery::Column::State.eq("pending"))
            .filter(delivery::Column::DueAt.lte(now))
            .filter(free)
            .one(self.db())
            .await?;
        Ok(due.is_some())
    }

    /// The oldest due instant of a waiting delivery.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn oldest_due(&self) -> Result<Option<Instant>, StoreError> {
        let row = delivery::Entity::find()
            .filter(Expr::col(delivery::Column::State).eq("pending"))
            .order_by_asc(delivery::Column::DueAt)
            .one(self.db())
            .await?;
        Ok(row.map(|row| row.due_at))
    }
}
