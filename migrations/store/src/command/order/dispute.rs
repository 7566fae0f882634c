//! Disputes: raised by the family with a reason, stated by both sides, decided by a clerk who is no party.

use domain::{
    access::{AccessError, Action, Role},
    id::{DisputeStatementId, OrderId, PersonId},
    order::{DisputeError, DisputeOutcome, DisputeReason, DisputeSide, OrderTrigger, STATEMENTS_MAX, check_statement},
    state::StateMachine as _,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, Set};

use super::{Locked, OrderStep, advance, lock, step};
use crate::{
    command::claim::{self, Confirmation},
    entity::{carer, dispute, dispute_statement, relation, role_grant},
    error::StoreError,
    tx::Tx,
    write::Command,
};

/// Says that something was wrong with a completed service.
#[derive(Debug, Clone)]
pub struct DisputeOrder {
    /// The order.
    pub order: OrderId,
    /// What was wrong.
    pub reason: DisputeReason,
    /// In the family's words.
    pub statement: String,
}

impl Command for DisputeOrder {
    type Output = OrderStep;
    const ACTION: Option<Action> = Some(Action::DisputeOrder);
    const NAME: &'static str = "dispute_order";

    async fn run(&self, tx: &Tx<'_>) -> Result<OrderStep, StoreError> {
        check_statement(&self.statement)?;
        let locked = lock(tx, self.order).await?;
        tx.permit(Action::DisputeOrder, &locked.object)?;
        let moved = advance(tx, &locked, OrderTrigger::Dispute).await?;
        let row = dispute::Model {
            order_id: locked.order.id,
            reason: self.reason.to_string(),
            raised_by: tx.actor().need_person()?.uuid(),
            raised_at: tx.now(),
            outcome: None,
            share_points: None,
            decided_by: None,
            decided_at: None,
        };
        dispute::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
        keep(tx, self.order, DisputeSide::Family, &self.statement).await?;
        Ok(moved)
    }
}

/// Adds what one side has to say, while nothing is decided.
#[derive(Debug, Clone)]
pub struct StateInDispute {
    /// The order.
    pub order: OrderId,
    /// In the words of the side.
    pub statement: String,
}

impl Command for StateInDispute {
    type Output = OrderStep;
    const ACTION: Option<Action> = Some(Action::StateInDispute);
    const NAME: &'static str = "state_in_dispute";

    async fn run(&self, tx: &Tx<'_>) -> Result<OrderStep, StoreError> {
        check_statement(&self.statement)?;
        let locked = lock(tx, self.order).await?;
        tx.permit(Action::StateInDispute, &locked.object)?;
        // Only what waits for a decision can be decided; only there is there something to say.
        locked.state()?.on(OrderTrigger::Decide)?;
        let role = tx.actor().permit(Action::StateInDispute, &locked.object)?.role;
        let side = if role == Some(Role::ProviderManager) { DisputeSide::Provider } else { DisputeSide::Family };
        let said = dispute_statement::Entity::find()
            .filter(dispute_statement::Column::OrderId.eq(locked.order.id))
            .filter(dispute_statement::Column::Side.eq(side.to_string()))
            .count(tx.db)
            .await?;
        if said >= STATEMENTS_MAX {
            return Err(DisputeError::TooMany.into());
        }
        keep(tx, self.order, side, &self.statement).await?;
        tx.record(&self.order, None, None);
        step(&locked.order, locked.visit_id())
    }
}

/// Decides a dispute: which part of the service is recognised, as far as it is proven.
#[derive(Debug, Clone)]
pub struct DecideDispute {
    /// The order.
    pub order: OrderId,
    /// Which part.
    pub outcome: DisputeOutcome,
    /// Why, for both sides.
    pub statement: String,
}

impl Command for DecideDispute {
    type Output = OrderStep;
    const ACTION: Option<Action> = Some(Action::DecideDispute);
    const NAME: &'static str = "decide_dispute";

    async fn run(&self, tx: &Tx<'_>) -> Result<OrderStep, StoreError> {
        check_statement(&self.statement)?;
        let mut locked = lock(tx, self.order).await?;
        tx.permit(Action::DecideDispute, &locked.object)?;
        need_turn(tx, &locked)?;
        let decider = tx.actor().need_person()?;
        refuse_party(tx, &locked, decider).await?;
        locked.order.decided_by = Some(decider.uuid());
        let moved = advance(tx, &locked, OrderTrigger::Decide).await?;
        let row = dispute::ActiveModel {
            order_id: Set(locked.order.id),
            outcome: Set(Some(self.outcome.name().to_owned())),
            share_points: Set(Some(self.outcome.share().get())),
            decided_by: Set(Some(decider.uuid())),
            decided_at: Set(Some(tx.now())),
            ..Default::default()
        };
        dispute::Entity::update(row).exec_without_returning(tx.db).await?;
        keep(tx, self.order, DisputeSide::Bureau, &self.statement).await?;
        let confirmation = match self.outcome {
            DisputeOutcome::Full => Confirmation::Decided,
            DisputeOutcome::Part(_) => Confirmation::Partly(self.outcome),
            DisputeOutcome::Nothing => Confirmation::Rejected,
        };
        claim::adjudicate(tx, &locked, confirmation).await?;
        Ok(moved)
    }
}

/// An approver decides only what the clerk has left overdue.
fn need_turn(tx: &Tx<'_>, locked: &Locked) -> Result<(), StoreError> {
    let permit = tx.actor().permit(Action::DecideDispute, &locked.object)?;
    let waits_for_clerk = permit.role == Some(Role::Approver) && locked.order.escalations == 0;
    if waits_for_clerk { Err(AccessError::Role(Action::DecideDispute).into()) } else { Ok(()) }
}

/// Whoever booked, belongs to the family or works for the provider is a party, whatever office they hold.
async fn refuse_party(tx: &Tx<'_>, locked: &Locked, decider: PersonId) -> Result<(), StoreError> {
    let (person, order) = (decider.uuid(), &locked.order);
    let booked = order.placed_by == person;
    let family = relation::Entity::find_by_id((person, order.resident_id)).one(tx.db).await?.is_some();
    let manages = role_grant::Entity::find()
        .filter(role_grant::Column::PersonId.eq(person))
        .filter(role_grant::Column::ProviderId.eq(order.provider_id))
        .count(tx.db)
        .await?;
    let serves = carer::Entity::find()
        .filter(carer::Column::PersonId.eq(person))
        .filter(carer::Column::ProviderId.eq(order.provider_id))
        .count(tx.db)
        .await?;
    if booked || family || manages > 0 || serves > 0 { Err(DisputeError::Party.into()) } else { Ok(()) }
}

/// Keeps what one side said, encrypted: it may name health and persons.
async fn keep(tx: &Tx<'_>, order: OrderId, side: DisputeSide, text: &str) -> Result<(), StoreError> {
    let id: DisputeStatementId = tx.id();
    let row = dispute_statement::Model {
        id: id.uuid(),
        order_id: order.uuid(),
        side: side.to_string(),
        person_id: tx.actor().need_person()?.uuid(),
        text_enc: tx.seal("dispute_statement", "text_enc", id.uuid(), text.as_bytes())?,
        made_at: tx.now(),
    };
    dispute_statement::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
    Ok(())
}
