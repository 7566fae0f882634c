//! I8: no carer is named twice for a visit, nor more carers than it needs; nothing is given to two. I17: a row belongs to the resident,
//! provider and order of the row above it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::{ClaimLineId, ConsentRequestId, HoldId, OrderId, VisitId},
    order::OrderState,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::{Check, Snapshot, pages::Pages};
use crate::{
    entity::{assignment, care_order, carer, claim_line, consent_request, entitlement_window, hold, quote, visit},
    error::StoreError,
};

pub(super) async fn check_bookings(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let title = "each visit has at most the carers it needs, each named once; no order is with two providers, no seat is given twice";
    let mut check = Check::new("I8", title);
    let mut pages = Pages::new(visit::Entity::find(), visit::Column::Id, |row| row.id);
    while let Some(visits) = pages.next(snapshot.db).await? {
        let ids = visits.iter().map(|row| row.id);
        let select = assignment::Entity::find().filter(assignment::Column::VisitId.is_in(ids));
        let named = select.filter(assignment::Column::Active.eq(true)).all(snapshot.db).await?;
        check.count(visits.len() + named.len());
        for row in &visits {
            let of_visit = || named.iter().filter(|one| one.visit_id == row.id);
            let distinct: BTreeSet<Uuid> = of_visit().map(|one| one.carer_id).collect();
            let count = of_visit().count();
            check.require(distinct.len() == count, VisitId::from_uuid(row.id), || "a carer is named twice for it".to_owned());
            let fits = i64::try_from(count).is_ok_and(|count| count <= row.staff_count);
            check.require(fits, VisitId::from_uuid(row.id), || format!("{count} carers are named, it needs {}", row.staff_count));
        }
    }
    super::seats::check(snapshot, &mut check).await?;
    Ok(check)
}

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check = Check::new("I17", "orders, visits, holds, claim lines and questions belong to one resident, provider and order");
    let mut pages = Pages::new(care_order::Entity::find(), care_order::Column::Id, |row| row.id);
    while let Some(orders) = pages.next(snapshot.db).await? {
        let orders: BTreeMap<Uuid, care_order::Model> = orders.into_iter().map(|row| (row.id, row)).collect();
        check.count(orders.len());
        check_quotes(snapshot, &mut check, &orders).await?;
        check_holds(snapshot, &mut check, &orders).await?;
        check_lines(snapshot, &mut check, &orders).await?;
        check_questions(snapshot, &mut check, &orders).await?;
        check_carers(snapshot, &mut check, &orders).await?;
    }
    Ok(check)
}

type Orders = BTreeMap<Uuid, care_order::Model>;

/// While others than the quoted provider are asked, the order is with them; the quote follows whoever accepts.
fn is_between_providers(order: &care_order::Model) -> bool {
    order.state.parse().is_ok_and(|state| match state {
        OrderState::Offered | OrderState::Declined | OrderState::Expired | OrderState::Cancelled => true,
        OrderState::Requested
        | OrderState::Accepted
        | OrderState::Assigned
        | OrderState::InService
        | OrderState::Completed
        | OrderState::Confirmed
        | OrderState::Disputed
        | OrderState::DisputeDecided
        | OrderState::Missed => false,
    })
}

async fn check_quotes(snapshot: &Snapshot<'_>, check: &mut Check, orders: &Orders) -> Result<(), StoreError> {
    let ids = orders.values().map(|order| order.quote_id);
    let quotes = quote::Entity::find().filter(quote::Column::Id.is_in(ids)).all(snapshot.db).await?;
    let quotes: BTreeMap<Uuid, quote::Model> = quotes.into_iter().map(|row| (row.id, row)).collect();
    for order in orders.values() {
        let same = quotes.get(&order.quote_id).is_some_and(|quoted| {
            let served = quoted.provider_id == order.provider_id || is_between_providers(order);
            served && (quoted.resident_id, quoted.family_fen) == (order.resident_id, order.family_fen)
        });
        check.require(same, OrderId::from_uuid(order.id), || "its quote is of another resident, provider or share, or missing".to_owned());
    }
    Ok(())
}

async fn check_holds(snapshot: &Snapshot<'_>, check: &mut Check, orders: &Orders) -> Result<(), StoreError> {
    let holds = hold::Entity::find().filter(hold::Column::OrderId.is_in(orders.keys().copied())).all(snapshot.db).await?;
    let ids = holds.iter().map(|row| row.window_id);
    let windows = entitlement_window::Entity::find().filter(entitlement_window::Column::Id.is_in(ids)).all(snapshot.db).await?;
    let owners: BTreeMap<Uuid, Uuid> = windows.into_iter().map(|row| (row.id, row.resident_id)).collect();
    check.count(holds.len());
    for row in &holds {
        let of_order = orders.get(&row.order_id).map(|order| order.resident_id);
        let same = of_order == owners.get(&row.window_id).copied();
        check.require(same, HoldId::from_uuid(row.id), || "its window belongs to another resident than its order".to_owned());
    }
    Ok(())
}

async fn check_lines(snapshot: &Snapshot<'_>, check: &mut Check, orders: &Orders) -> Result<(), StoreError> {
    let lines = claim_line::Entity::find().filter(claim_line::Column::OrderId.is_in(orders.keys().copied())).all(snapshot.db).await?;
    let visits = visit::Entity::find().filter(visit::Column::Id.is_in(lines.iter().map(|row| row.visit_id))).all(snapshot.db).await?;
    let visits: BTreeMap<Uuid, Uuid> = visits.into_iter().map(|row| (row.id, row.order_id)).collect();
    check.count(lines.len());
    for row in &lines {
        let parties = orders.get(&row.order_id).map(|order| (order.resident_id, order.provider_id));
        let same = parties == Some((row.resident_id, row.provider_id)) && visits.get(&row.visit_id) == Some(&row.order_id);
        check.require(same, ClaimLineId::from_uuid(row.id), || "it is of another resident, provider or visit than its order".to_owned());
    }
    Ok(())
}

async fn check_questions(snapshot: &Snapshot<'_>, check: &mut Check, orders: &Orders) -> Result<(), StoreError> {
    let select = consent_request::Entity::find().filter(consent_request::Column::OrderId.is_in(orders.keys().copied()));
    for row in select.all(snapshot.db).await? {
        check.count(1);
        let same = orders.get(&row.order_id).is_some_and(|order| order.resident_id == row.resident_id);
        check.require(same, ConsentRequestId::from_uuid(row.id), || "it asks about an order of another resident".to_owned());
    }
    Ok(())
}

/// Carers serve the orders of their own provider.
async fn check_carers(snapshot: &Snapshot<'_>, check: &mut Check, orders: &Orders) -> Result<(), StoreError> {
    let visits = visit::Entity::find().filter(visit::Column::OrderId.is_in(orders.keys().copied())).all(snapshot.db).await?;
    let select = assignment::Entity::find().filter(assignment::Column::VisitId.is_in(visits.iter().map(|row| row.id)));
    let named = select.filter(assignment::Column::Active.eq(true)).all(snapshot.db).await?;
    let carers = carer::Entity::find().filter(carer::Column::Id.is_in(named.iter().map(|row| row.carer_id))).all(snapshot.db).await?;
    let employers: BTreeMap<Uuid, Uuid> = carers.into_iter().map(|row| (row.id, row.provider_id)).collect();
    check.count(named.len());
    for row in &visits {
        let provider = orders.get(&row.order_id).map(|order| order.provider_id);
        let strangers = named.iter().filter(|one| one.visit_id == row.id && employers.get(&one.carer_id).copied() != provider).count();
        check.require(strangers == 0, VisitId::from_uuid(row.id), || "a carer of another provider is named for it".to_owned());
    }
    Ok(())
}
