//! What happens when a deadline passes: the table of the domain says it, this does it.

use chrono::TimeDelta;
use domain::{
    access::Action,
    event::Event,
    id::OrderId,
    order::{DeclineReason, ESCALATED_DAYS, OfferTrigger, OnDeadline, OrderState, OrderTrigger, UnmetReason, escalated},
};

use super::{Locked, advance, lock, offer};
use crate::{
    command::{claim, visit},
    entity::care_order,
    error::StoreError,
    tx::Tx,
    write::Command,
};

/// Moves an order on whose deadline has passed, so that nothing rests for ever.
#[derive(Debug, Clone)]
pub struct PassDeadline {
    /// The order.
    pub order: OrderId,
}

impl Command for PassDeadline {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "pass_deadline";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let locked = lock(tx, self.order).await?;
        if locked.order.deadline_at.is_none_or(|deadline| tx.now() < deadline) {
            return Ok(());
        }
        let state = locked.state()?;
        let Some(rule) = state.deadline_rule() else { return Ok(()) };
        match rule.otherwise {
            OnDeadline::AskNext => ask_next(tx, &locked, state).await,
            OnDeadline::Miss => offer::end_unserved(tx, &locked, OrderTrigger::Miss, UnmetReason::Missed).await.map(drop),
            OnDeadline::CloseVisit => {
                visit::close_forgotten(tx, &locked).await?;
                advance(tx, &locked, OrderTrigger::Complete).await.map(drop)
            }
            OnDeadline::Confirm => {
                advance(tx, &locked, OrderTrigger::Confirm).await?;
                claim::adjudicate(tx, &locked, claim::Confirmation::Deadline).await
            }
            OnDeadline::Escalate => escalate(tx, &locked).await,
        }
    }
}

/// A silence, or an acceptance without carers, is the next candidate's turn.
async fn ask_next(tx: &Tx<'_>, locked: &Locked, state: OrderState) -> Result<(), StoreError> {
    if state == OrderState::Accepted {
        return offer::take_back(tx, locked, DeclineReason::NotAssigned, OrderTrigger::Expire).await.map(drop);
    }
    offer::close_open(tx, locked.id(), OfferTrigger::Expire).await?;
    offer::ask_next(tx, locked, OrderTrigger::Expire).await.map(drop)
}

/// Gives what a person has left overdue to the next owner, with a deadline of their own.
async fn escalate(tx: &Tx<'_>, locked: &Locked) -> Result<(), StoreError> {
    let times = locked.order.escalations + 1;
    let to = escalated(u32::try_from(times).unwrap_or(u32::MAX));
    let row = care_order::Model {
        owner_role: Some(to.to_string()),
        deadline_at: Some(tx.now() + TimeDelta::days(ESCALATED_DAYS)),
        escalations: times,
        version: locked.order.version + 1,
        ..locked.order.clone()
    };
    tx.save(row.clone()).await?;
    tx.emit(Event::OrderEscalated { order: locked.id(), to, times });
    tx.record(&locked.id(), Some(&locked.order), Some(&row));
    Ok(())
}
