//! I6: nothing waits for ever.

use chrono::TimeDelta;
use domain::{
    application::ApplicationState,
    claim::ReversalState,
    consent::ConsentState,
    id::{ApplicationId, ConsentRequestId, OrderId, ReversalId},
    order::OrderState,
    state::StateMachine as _,
    time::BusinessDate,
};
use sea_orm::EntityTrait as _;

use super::{Check, Snapshot, pages::Pages};
use crate::{
    entity::{application, care_order, consent_request, reversal},
    error::StoreError,
};

/// How long after a deadline the sweep must have moved a thing on, in days.
const SWEEP_DAYS: u64 = 1;

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check = Check::new("I6", "whatever waits has a deadline, and what the system must move on is not a day past it");
    let mut pages = Pages::new(care_order::Entity::find(), care_order::Column::Id, |row| row.id);
    while let Some(orders) = pages.next(snapshot.db).await? {
        check.count(orders.len());
        for order in &orders {
            check_order(snapshot, &mut check, order);
        }
    }
    let mut pages = Pages::new(application::Entity::find(), application::Column::Id, |row| row.id);
    while let Some(applications) = pages.next(snapshot.db).await? {
        check.count(applications.len());
        for row in &applications {
            check_application(snapshot, &mut check, row)?;
        }
    }
    let mut pages = Pages::new(consent_request::Entity::find(), consent_request::Column::Id, |row| row.id);
    while let Some(requests) = pages.next(snapshot.db).await? {
        check.count(requests.len());
        for row in &requests {
            check_consent(snapshot, &mut check, row);
        }
    }
    let mut pages = Pages::new(reversal::Entity::find(), reversal::Column::Id, |row| row.id);
    while let Some(proposals) = pages.next(snapshot.db).await? {
        check.count(proposals.len());
        for row in proposals.iter().filter(|row| row.state == ReversalState::INITIAL.to_string()) {
            let owned = row.owner_role.is_some() && row.deadline_at.is_some();
            check.require(owned, ReversalId::from_uuid(row.id), || "it is proposed without owner or deadline".to_owned());
        }
    }
    super::visits::check_deadlines(snapshot, &mut check).await?;
    Ok(check)
}

/// A question to the family lapses by itself.
fn check_consent(snapshot: &Snapshot<'_>, check: &mut Check, row: &consent_request::Model) {
    let id = ConsentRequestId::from_uuid(row.id);
    if row.state != ConsentState::INITIAL.to_string() {
        return;
    }
    let Some(deadline) = row.deadline_at else { return check.fault(id, "it is open and has no deadline") };
    let late = snapshot.now > deadline + TimeDelta::days(i64::try_from(SWEEP_DAYS).unwrap_or(1));
    check.require(!late, id, || format!("it is still open, its deadline was {deadline}"));
}

fn check_order(snapshot: &Snapshot<'_>, check: &mut Check, order: &care_order::Model) {
    let id = OrderId::from_uuid(order.id);
    let Ok(state) = order.state.parse::<OrderState>() else { return check.fault(id, "its state is unknown") };
    if state.is_final() {
        return;
    }
    let Some(deadline) = order.deadline_at else { return check.fault(id, format!("it is {state} and has no deadline")) };
    let late = snapshot.now > deadline + TimeDelta::days(i64::try_from(SWEEP_DAYS).unwrap_or(1));
    check.require(!late, id, || format!("it is still {state}, its deadline was {deadline}"));
}

fn check_application(snapshot: &Snapshot<'_>, check: &mut Check, row: &application::Model) -> Result<(), StoreError> {
    let id = ApplicationId::from_uuid(row.id);
    let Ok(state) = row.state.parse::<ApplicationState>() else {
        check.fault(id, "its state is unknown");
        return Ok(());
    };
    match state {
        ApplicationState::Effective | ApplicationState::Refused => {}
        ApplicationState::Filed | ApplicationState::Accepted | ApplicationState::Reviewed | ApplicationState::Suspended => {
            check.require(row.deadline_on.is_some() && row.owner_role.is_some(), id, || format!("it is {state} without owner or deadline"));
        }
        ApplicationState::OnNotice => match row.notice_ends_on {
            // The notice ends at the end of its last day.
            Some(last) => {
                let due = BusinessDate::new(last).plus_days(1 + SWEEP_DAYS)?.start();
                check.require(snapshot.now <= due, id, || format!("its public notice ended on {last} and it is still on notice"));
            }
            None => check.fault(id, "it is on notice and the notice has no end"),
        },
    }
    Ok(())
}
