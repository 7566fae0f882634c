//! What the recorded and corrected times make of a visit. The same rows always give the same visit, in
//! whatever order they came.

use chrono::TimeDelta;
use domain::{
    event::Event,
    id::{CarerId, OrderId},
    order::{OrderState, OrderTrigger},
    time::Instant,
    visit::{ClockKind, VisitStatus, VisitTrigger, forgotten_clock_out},
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use uuid::Uuid;

use super::assignments;
use crate::{
    command::order,
    convert,
    entity::{assignment, carer, visit},
    error::StoreError,
    seats,
    tx::{Tx, for_update},
    visit_record::VisitRecord,
};

/// Brings assignments, visit and order up to what is recorded.
pub(super) async fn settle(tx: &Tx<'_>, order: OrderId) -> Result<(VisitStatus, OrderState), StoreError> {
    let locked = order::lock(tx, order).await?;
    let record = VisitRecord::load(tx.db, tx.keys, locked.visit.id).await?;
    let team = settle_team(tx, &locked, &record).await?;
    let Some(start) = team.iter().filter_map(|member| member.clock_in_at).min() else { return states(&locked) };
    let locked = if locked.state()? == OrderState::Assigned { begin(tx, &locked, start).await? } else { locked };
    let all_left = team.iter().all(|member| member.clock_out_at.is_some());
    match locked.state()? {
        OrderState::InService if all_left => {
            let end = team.iter().filter_map(|member| member.clock_out_at).max();
            let timed = |row| visit::Model { actual_start: Some(start), actual_end: end, ..row };
            order::move_visit(tx, &locked.visit, VisitTrigger::ClockOut, timed).await?;
            order::advance(tx, &locked, OrderTrigger::Complete).await?;
        }
        OrderState::InService => keep_times(tx, &locked.visit, (Some(start), None)).await?,
        OrderState::Completed => {
            let end = last_end(tx, &locked, &team).await?;
            keep_times(tx, &locked.visit, (Some(start), end)).await?;
        }
        OrderState::Requested
        | OrderState::Offered
        | OrderState::Accepted
        | OrderState::Assigned
        | OrderState::Confirmed
        | OrderState::Disputed
        | OrderState::DisputeDecided
        | OrderState::Declined
        | OrderState::Expired
        | OrderState::Cancelled
        | OrderState::Missed => {}
    }
    states(&order::lock(tx, order).await?)
}

fn states(locked: &order::Locked) -> Result<(VisitStatus, OrderState), StoreError> {
    Ok((convert::code("visit", "state", &locked.visit.state)?, locked.state()?))
}

/// Writes each carer's times; a departure without an arrival waits.
async fn settle_team(tx: &Tx<'_>, locked: &order::Locked, record: &VisitRecord) -> Result<Vec<assignment::Model>, StoreError> {
    let visit = locked.visit_id();
    let mut team = assignments(tx, visit).await?;
    for member in &mut team {
        let carer = CarerId::from_uuid(member.carer_id);
        let arrival = record.time(carer, ClockKind::ClockIn);
        let departure = arrival.and_then(|arrival| record.time(carer, ClockKind::ClockOut).filter(|departure| *departure >= arrival));
        if (member.clock_in_at, member.clock_out_at) == (arrival, departure) {
            continue;
        }
        if member.clock_in_at.is_none() && arrival.is_some() {
            tx.emit(Event::CarerClockedIn { visit, carer });
        }
        if member.clock_out_at.is_none() && departure.is_some() {
            tx.emit(Event::CarerClockedOut { visit, carer });
        }
        (member.clock_in_at, member.clock_out_at) = (arrival, departure);
        tx.save(member.clone()).await?;
    }
    Ok(team)
}

async fn begin(tx: &Tx<'_>, locked: &order::Locked, start: Instant) -> Result<order::Locked, StoreError> {
    order::advance(tx, locked, OrderTrigger::ClockIn).await?;
    order::move_visit(tx, &locked.visit, VisitTrigger::ClockIn, |row| visit::Model { actual_start: Some(start), ..row }).await?;
    order::lock(tx, locked.id()).await
}

async fn keep_times(tx: &Tx<'_>, row: &visit::Model, times: (Option<Instant>, Option<Instant>)) -> Result<(), StoreError> {
    if (row.actual_start, row.actual_end) == times {
        return Ok(());
    }
    tx.save(visit::Model { actual_start: times.0, actual_end: times.1, version: row.version + 1, ..row.clone() }).await
}

/// Closes a visit whose departure nobody recorded in time: it ended as planned, at the latest.
pub(crate) async fn close_forgotten(tx: &Tx<'_>, locked: &order::Locked) -> Result<(), StoreError> {
    let last = last_end(tx, locked, &assignments(tx, locked.visit_id()).await?).await?;
    order::move_visit(tx, &locked.visit, VisitTrigger::CloseForgotten, |row| visit::Model { actual_end: last, ..row }).await?;
    Ok(())
}

/// When the last of the carers who arrived left, or would have by the plan. Whoever never arrived has no
/// departure; the grade shows the missing arrival.
async fn last_end(tx: &Tx<'_>, locked: &order::Locked, team: &[assignment::Model]) -> Result<Option<Instant>, StoreError> {
    let mut last = None;
    let beside = seats::visits_beside(tx, locked.id()).await?;
    for row in team {
        let Some(clock_in) = row.clock_in_at else { continue };
        let next = next_clock_in(tx, row, clock_in, &beside).await?;
        let end = row.clock_out_at.unwrap_or_else(|| forgotten_clock_out(clock_in, locked.order.ends_at, next));
        last = last.max(Some(end));
    }
    Ok(last)
}

/// When the carer arrived somewhere else after this arrival.
/// Whoever came to another seat of the same day-care centre has not left.
async fn next_clock_in(tx: &Tx<'_>, row: &assignment::Model, after: Instant, beside: &[Uuid]) -> Result<Option<Instant>, StoreError> {
    let next = assignment::Entity::find()
        .filter(assignment::Column::CarerId.eq(row.carer_id))
        .filter(assignment::Column::VisitId.ne(row.visit_id))
        .filter(assignment::Column::VisitId.is_not_in(beside.iter().copied()))
        .filter(assignment::Column::ClockInAt.gt(after))
        .order_by_asc(assignment::Column::ClockInAt)
        .one(tx.db)
        .await?;
    Ok(next.and_then(|next| next.clock_in_at))
}

/// Whether the person behind a carer was clocked in elsewhere between two instants, whatever provider they work
/// for: nobody is in two homes at once. The lock on the person's rows makes two phones take turns.
pub(super) async fn is_elsewhere(tx: &Tx<'_>, row: &assignment::Model, between: (Instant, Instant)) -> Result<bool, StoreError> {
    let served = carer::Entity::find_by_id(row.carer_id).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let own = carer::Entity::find().filter(carer::Column::PersonId.eq(served.person_id)).order_by_asc(carer::Column::Id);
    let own: Vec<_> = for_update!(tx, own).all(tx.db).await?.into_iter().map(|carer| carer.id).collect();
    let visited = visit::Entity::find_by_id(row.visit_id).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let beside = seats::visits_beside(tx, OrderId::from_uuid(visited.order_id)).await?;
    let not_out = Condition::any().add(assignment::Column::ClockOutAt.is_null()).add(assignment::Column::ClockOutAt.gt(between.0));
    let elsewhere = assignment::Entity::find()
        .filter(assignment::Column::CarerId.is_in(own))
        .filter(assignment::Column::VisitId.ne(row.visit_id))
        .filter(assignment::Column::VisitId.is_not_in(beside))
        .filter(assignment::Column::Active.eq(true))
        .filter(assignment::Column::ClockInAt.lt(between.1.max(between.0 + TimeDelta::microseconds(1))))
        // A departure that nobody recorded ends with the visit at the latest.
        .filter(assignment::Column::EndsAt.gt(between.0))
        .filter(not_out)
        .one(tx.db)
        .await?;
    Ok(elsewhere.is_some())
}
