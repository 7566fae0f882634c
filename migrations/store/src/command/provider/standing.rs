//! What the city knows of providers and carers, loaded for many at once: the one source of licence truth for
//! quotes, for finding a provider, and when an order is accepted, assigned and begun.

use std::collections::BTreeMap;

use domain::{
    catalogue::{CatalogueItem, ItemCode},
    id::CarerId,
    order::OrderError,
    provider::{CarerStanding, Credential, CredentialKind, ProviderStanding, Unfit, UnfitError},
    time::{BusinessDate, DateRange, Instant},
};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use crate::{
    convert,
    entity::{care_order, carer_leave, carer_profile, credential, provider, provider_agreement, provider_step, qualification_review},
    error::StoreError,
    tx::Tx,
};

/// The standing of providers, by id.
pub(crate) async fn provider_standings(
    db: &impl ConnectionTrait,
    rows: &[provider::Model],
) -> Result<BTreeMap<Uuid, ProviderStanding>, StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut standings = BTreeMap::new();
    for row in rows {
        let standing = ProviderStanding {
            status: convert::code("provider", "state", &row.state)?,
            admitted_on: BusinessDate::of(row.created_at),
            licences: Vec::new(),
            agreements: Vec::new(),
            reviews: BTreeMap::new(),
        };
        standings.insert(row.id, standing);
    }
    let admissions = provider_step::Entity::find()
        .filter(provider_step::Column::ProviderId.is_in(ids.clone()))
        .filter(provider_step::Column::Step.eq("admit"))
        .all(db)
        .await?;
    for step in admissions {
        standings.entry(step.provider_id).and_modify(|standing| standing.admitted_on = BusinessDate::of(step.at));
    }
    for row in credential::Entity::find().filter(credential::Column::ProviderId.is_in(ids.clone())).all(db).await? {
        let held = held(&row)?;
        if let Some(standing) = row.provider_id.and_then(|id| standings.get_mut(&id)) {
            standing.licences.push(held);
        }
    }
    for row in provider_agreement::Entity::find().filter(provider_agreement::Column::ProviderId.is_in(ids.clone())).all(db).await? {
        // One that was ended on its first day covers nothing.
        let valid = DateRange::new(convert::date(row.valid_from), Some(convert::date(row.valid_until)));
        if let (Some(standing), Ok(valid)) = (standings.get_mut(&row.provider_id), valid) {
            standing.agreements.push(valid);
        }
    }
    let reviews = qualification_review::Entity::find()
        .filter(qualification_review::Column::ProviderId.is_in(ids))
        .order_by_asc(qualification_review::Column::CreatedAt)
        .order_by_asc(qualification_review::Column::Id);
    for row in reviews.all(db).await? {
        if let Some(standing) = standings.get_mut(&row.provider_id) {
            standing.reviews.insert(row.year, row.passed);
        }
    }
    Ok(standings)
}

/// The standing of carers, by id, with the leave that has not ended before a day.
pub(crate) async fn carer_standings(
    db: &impl ConnectionTrait,
    ids: Vec<Uuid>,
    day: BusinessDate,
) -> Result<BTreeMap<Uuid, CarerStanding>, StoreError> {
    let without = CarerStanding { profile: None, certificates: Vec::new(), leave: Vec::new() };
    let mut standings: BTreeMap<Uuid, CarerStanding> = ids.iter().map(|id| (*id, without.clone())).collect();
    for row in carer_profile::Entity::find().filter(carer_profile::Column::CarerId.is_in(ids.clone())).all(db).await? {
        let profile = super::carer_profile(&row)?;
        standings.entry(row.carer_id).and_modify(|standing| standing.profile = Some(profile));
    }
    for row in credential::Entity::find().filter(credential::Column::CarerId.is_in(ids.clone())).all(db).await? {
        let held = held(&row)?;
        if let Some(standing) = row.carer_id.and_then(|id| standings.get_mut(&id)) {
            standing.certificates.push(held);
        }
    }
    let leave = carer_leave::Entity::find()
        .filter(carer_leave::Column::CarerId.is_in(ids))
        .filter(carer_leave::Column::EndsOn.gt(day.get()))
        .order_by_asc(carer_leave::Column::FirstDay);
    for row in leave.all(db).await? {
        let days = DateRange::new(convert::date(row.first_day), Some(convert::date(row.ends_on)))
            .map_err(|cause| convert::corrupt("carer_leave", "ends_on", &cause))?;
        standings.entry(row.carer_id).and_modify(|standing| standing.leave.push(days));
    }
    Ok(standings)
}

fn held(row: &credential::Model) -> Result<Credential, StoreError> {
    let valid = DateRange::new(convert::date(row.valid_from), row.valid_until.map(convert::date))
        .map_err(|cause| convert::corrupt("credential", "valid_until", &cause))?;
    Credential::new(convert::code("credential", "kind", &row.kind)?, &row.number, valid)
        .map_err(|cause| convert::corrupt("credential", "number", &cause))
}

/// The licences that a service asks of its provider.
pub(crate) fn licences(item: &CatalogueItem) -> Result<Vec<CredentialKind>, StoreError> {
    item.licences().iter().map(|kind| convert::code("catalogue", "licences", &kind.to_string())).collect()
}

/// The certificates that a service asks of each carer.
pub(crate) fn certificates(item: &CatalogueItem) -> Result<Vec<CredentialKind>, StoreError> {
    item.certificates().iter().map(|kind| convert::code("catalogue", "certificates", &kind.to_string())).collect()
}

/// Every reason why a provider may not give a service on a day, but for the agreement.
pub(crate) async fn provider_unfit(
    tx: &Tx<'_>,
    row: &provider::Model,
    item: ItemCode,
    day: BusinessDate,
) -> Result<Vec<Unfit>, StoreError> {
    let needed = tx.reference.catalogue.item(item, day).ok_or(OrderError::NotOffered)?;
    let standings = provider_standings(tx.db, std::slice::from_ref(row)).await?;
    let standing = standings.get(&row.id).ok_or_else(StoreError::not_found)?;
    Ok(standing.unfit(&licences(needed)?, false, day))
}

/// Every reason why a carer may not give a service on a day.
pub(crate) async fn carer_unfit(tx: &Tx<'_>, id: CarerId, item: ItemCode, day: BusinessDate) -> Result<Vec<Unfit>, StoreError> {
    let needed = tx.reference.catalogue.item(item, day).ok_or(OrderError::NotOffered)?;
    let standings = carer_standings(tx.db, vec![id.uuid()], day).await?;
    let standing = standings.get(&id.uuid()).ok_or_else(StoreError::not_found)?;
    Ok(standing.unfit(&certificates(needed)?, day))
}

/// Licence truth of a provider: state, licences and yearly review on the day of service.
pub(crate) async fn check_provider(tx: &Tx<'_>, row: &provider::Model, item: ItemCode, day: BusinessDate) -> Result<(), StoreError> {
    Ok(UnfitError::check(provider_unfit(tx, row, item, day).await?)?)
}

/// A publicly paid service needs an agreement with the bureau on its day.
pub(crate) async fn check_agreement(tx: &Tx<'_>, row: &provider::Model, day: BusinessDate) -> Result<(), StoreError> {
    if has_agreement(tx, row, day).await? { Ok(()) } else { Ok(UnfitError::check([Unfit::Agreement])?) }
}

/// Whether an agreement of a provider with the bureau covers a day.
pub(crate) async fn has_agreement(tx: &Tx<'_>, row: &provider::Model, day: BusinessDate) -> Result<bool, StoreError> {
    let standings = provider_standings(tx.db, std::slice::from_ref(row)).await?;
    Ok(standings.get(&row.id).is_some_and(|standing| standing.agreements.iter().any(|valid| valid.contains(day))))
}

/// Licence truth of a provider for an order on the day of its visit; with the agreement where public money pays a
/// part of it.
pub(crate) async fn check_order(tx: &Tx<'_>, row: &provider::Model, order: &care_order::Model, item: ItemCode) -> Result<(), StoreError> {
    let day = BusinessDate::of(order.starts_at);
    let needed = tx.reference.catalogue.item(item, day).ok_or(OrderError::NotOffered)?;
    let standings = provider_standings(tx.db, std::slice::from_ref(row)).await?;
    let standing = standings.get(&row.id).ok_or_else(StoreError::not_found)?;
    Ok(UnfitError::check(standing.unfit(&licences(needed)?, order.subsidy_fen > 0, day))?)
}

/// A carer can be sent at a time when they work and are not away.
pub(crate) async fn check_available(tx: &Tx<'_>, id: CarerId, (start, end): (Instant, Instant)) -> Result<(), StoreError> {
    let standings = carer_standings(tx.db, vec![id.uuid()], BusinessDate::of(start)).await?;
    let standing = standings.get(&id.uuid()).ok_or_else(StoreError::not_found)?;
    Ok(UnfitError::check(standing.unavailable(start, end))?)
}

/// Certificate truth of a carer: certificates, proof of health and employment on the day of service.
pub(crate) async fn check_carer(tx: &Tx<'_>, id: CarerId, item: ItemCode, day: BusinessDate) -> Result<(), StoreError> {
    Ok(UnfitError::check(carer_unfit(tx, id, item, day).await?)?)
}
