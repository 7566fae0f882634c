//! Committing together on SQLite: the use cases that wait for the file share one transaction and one flush.
//!
//! Whoever has the turn runs what waits, in the order of arrival, each use case in a savepoint of its own. One
//! that is refused, fails, panics or takes too long goes back to its savepoint and no further. All answers, the
//! refusals among them, go out after the commit, because a later use case has seen what an earlier one did. If
//! the commit fails, or the transaction itself is lost, everybody tries again alone and learns of their own
//! failure.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{FutureExt as _, future::BoxFuture};
use sea_orm::{DatabaseTransaction, DbErr, TransactionTrait as _};
use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    time::Instant,
};
use uuid::Uuid;

use super::{Call, Command, Worked};
use crate::{
    Store,
    connect::begin_write,
    error::{StoreError, is_transient_conflict},
};

/// Use cases that are committed together at most.
const GROUP_MAX: usize = 64;
/// How long a transaction takes in further use cases; those that are in it wait for it.
const GROUP_TIME: Duration = Duration::from_millis(20);

/// The writers of one SQLite process: one has the turn, the others wait in order instead of polling the
/// file's lock.
#[derive(Default)]
pub(crate) struct Writers {
    turn: tokio::sync::Mutex<()>,
    waiting: Mutex<VecDeque<Box<dyn Waiting>>>,
}

impl fmt::Debug for Writers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writers").finish_non_exhaustive()
    }
}

impl Writers {
    /// Waits for the turn to write alone.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Box<dyn Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a shared transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is committed and flushed.
    Committed,
    /// Nothing of it is there.
    Undone,
    /// The commit's answer was lost and nobody could be asked.
    Unknown,
}

/// What a use case has left in the shared transaction.
enum Left {
    /// Its changes; under this id in the audit trail, if it left a trace there.
    Changes(Option<Uuid>),
    /// Nothing: it went back to its savepoint.
    Nothing,
}

/// A use case in the queue.
trait Waiting: Send {
    /// Runs in a savepoint. Fails when the shared transaction cannot be used any more.
    fn run<'a>(&'a mut self, store: &'a Store, shared: &'a DatabaseTransaction) -> BoxFuture<'a, Result<Left, DbErr>>;

    /// Answers the caller.
    fn answer(self: Box<Self>, fate: Fate);
}

/// What a caller gets: the answer, or none when the use case has to run alone.
type Answer<C> = Option<Result<<C as Command>::Output, StoreError>>;

struct UseCase<C: Command> {
    call: Arc<Call<C>>,
    outcome: Answer<C>,
    caller: oneshot::Sender<Answer<C>>,
}

impl<C: Command> Waiting for UseCase<C> {
    fn run<'a>(&'a mut self, store: &'a Store, shared: &'a DatabaseTransaction) -> BoxFuture<'a, Result<Left, DbErr>> {
        async move {
            let savepoint = shared.begin().await?;
            match store.work(&savepoint, &self.call, 0).await {
                Ok(Worked { output, kept: true, trace }) => {
                    savepoint.commit().await?;
                    self.outcome = Some(Ok(output));
                    Ok(Left::Changes(trace))
                }
                Ok(Worked { output, .. }) => {
                    savepoint.rollback().await?;
                    self.outcome = Some(Ok(output));
                    Ok(Left::Nothing)
                }
                Err(cause) => {
                    savepoint.rollback().await?;
                    self.outcome = (!cause.is_retryable()).then_some(Err(cause));
                    Ok(Left::Nothing)
                }
            }
        }
        .boxed()
    }

    fn answer(self: Box<Self>, fate: Fate) {
        let answer = match (fate, self.outcome) {
            (Fate::Committed, outcome) => outcome,
            (Fate::Unknown, Some(Ok(_output))) => Some(Err(StoreError::Unknown(self.call.ctx.request))),
            (Fate::Undone, _) | (Fate::Unknown, None | Some(Err(_))) => None,
        };
        // A caller who has gone needs no answer.
        drop(self.caller.send(answer));
    }
}

impl Store {
    /// Runs a use case with those that wait; none when it has to run alone.
    pub(super) async fn write_together<C: Command>(&self, writers: &Writers, call: &Arc<Call<C>>) -> Answer<C> {
        let (caller, mut answered) = oneshot::channel();
        writers.queue().push_back(Box::new(UseCase { call: Arc::clone(call), outcome: None, caller }));
        let _turn = tokio::select! {
            biased;
            answer = &mut answered => return answer.unwrap_or(Some(Err(StoreError::Panicked))),
            turn = writers.turn() => turn,
        };
        // With the turn nobody else empties the queue: the use case is either answered or still in it.
        loop {
            match answered.try_recv() {
                Ok(answer) => return answer,
                Err(TryRecvError::Closed) => return Some(Err(StoreError::Panicked)),
                Err(TryRecvError::Empty) => self.commit_next(writers, GROUP_TIME).await,
            }
        }
    }

    /// Commits the next group of the queue, which takes in use cases for so long.
    async fn commit_next(&self, writers: &Writers, time: Duration) {
        let mut group = Vec::new();
        let fate = self.run_next(writers, time, &mut group).await;
        metrics::histogram!("store_commit_group_size").record(f64::from(u32::try_from(group.len()).unwrap_or(u32::MAX)));
        for use_case in group {
            use_case.answer(fate);
        }
    }

    async fn run_next(&self, writers: &Writers, time: Duration, group: &mut Vec<Box<dyn Waiting>>) -> Fate {
        let begun = Instant::now();
        let Ok(shared) = begin_write(&self.inner.db).await else {
            group.extend(writers.queue().pop_front());
            return Fate::Undone;
        };
        let (mut traces, mut changed) = (Vec::new(), false);
        while group.len() < GROUP_MAX && (group.is_empty() || begun.elapsed() < time) {
            let next = writers.queue().pop_front();
            let Some(mut next) = next else { break };
            let left = next.run(self, &shared).await;
            group.push(next);
            match left {
                Ok(Left::Changes(trace)) => {
                    changed = true;
                    traces.extend(trace);
                }
                Ok(Left::Nothing) => {}
                // SQLite itself undid the transaction (a full disk, a failed read), or the connection is lost.
                Err(_lost) => return Fate::Undone,
            }
        }
        if !changed {
            // Nothing was left that a rollback could fail to undo.
            drop(shared.rollback().await);
            return Fate::Committed;
        }
        match shared.commit().await {
            Ok(()) => Fate::Committed,
            Err(cause) if is_transient_conflict(&cause) => Fate::Undone,
            Err(_cause) => self.fate_of(&traces).await,
        }
    }

    async fn fate_of(&self, traces: &[Uuid]) -> Fate {
        match self.took_place(traces).await {
            Some(true) => Fate::Committed,
            // Without a trace an empty look-up says nothing.
            Some(false) if !traces.is_empty() => Fate::Undone,
            Some(false) | None => Fate::Unknown,
        }
    }
}
