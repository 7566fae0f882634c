//! I8: nothing is given to two: no seat of a day-care centre, and no order to two providers.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::{DayCareRoomId, OrderId},
    order::OfferState,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use super::{Check, Snapshot, pages::Pages};
use crate::{
    command::order::occupies,
    entity::{care_order, day_care_count, day_care_seat, offer},
    error::StoreError,
};

pub(super) async fn check(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    check_offers(snapshot, check).await?;
    check_seats(snapshot, check).await
}

async fn check_offers(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let accepted = offer::Entity::find().filter(offer::Column::State.eq(OfferState::Accepted.to_string()));
    let mut pages = Pages::new(accepted, offer::Column::Id, |row| row.id);
    let mut with: BTreeSet<Uuid> = BTreeSet::new();
    while let Some(offers) = pages.next(snapshot.db).await? {
        check.count(offers.len());
        let orders = care_order::Entity::find().filter(care_order::Column::Id.is_in(offers.iter().map(|row| row.order_id)));
        let orders: BTreeMap<Uuid, Uuid> = orders.all(snapshot.db).await?.into_iter().map(|row| (row.id, row.provider_id)).collect();
        for row in &offers {
            let id = OrderId::from_uuid(row.order_id);
            check.require(with.insert(row.order_id), id, || "two providers have accepted it".to_owned());
            let same = orders.get(&row.order_id) == Some(&row.provider_id);
            check.require(same, id, || "it is with another provider than the one that accepted it".to_owned());
        }
    }
    Ok(())
}

async fn check_seats(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let seats = day_care_seat::Entity::find()
        .filter(day_care_seat::Column::Freed.eq(false))
        .order_by_asc(day_care_seat::Column::OrderId)
        .all(snapshot.db)
        .await?;
    let mut taken: BTreeMap<(Uuid, chrono::NaiveDate, String), i64> = BTreeMap::new();
    let orders = care_order::Entity::find().filter(care_order::Column::Id.is_in(seats.iter().map(|row| row.order_id)));
    let states: BTreeMap<Uuid, String> = orders.all(snapshot.db).await?.into_iter().map(|row| (row.id, row.state)).collect();
    for row in &seats {
        let occupied = states.get(&row.order_id).and_then(|state| state.parse().ok()).is_some_and(occupies);
        check.require(occupied, OrderId::from_uuid(row.order_id), || "it has ended without service and still has a seat".to_owned());
        *taken.entry((row.room_id, row.day, row.half.clone())).or_default() += 1;
    }
    let counts = day_care_count::Entity::find().all(snapshot.db).await?;
    check.count(seats.len() + counts.len());
    for row in counts {
        let id = DayCareRoomId::from_uuid(row.room_id);
        let found = taken.remove(&(row.room_id, row.day, row.half.clone())).unwrap_or(0);
        check.require(row.taken <= row.seats, id, || format!("{} of {} seats are taken on {}", row.taken, row.seats, row.day));
        check.require(row.taken == found, id, || format!("{} seats count as taken on {}, orders have {found}", row.taken, row.day));
    }
    for ((room, day, _), found) in taken {
        check.fault(DayCareRoomId::from_uuid(room), format!("orders have {found} seats on {day} that nobody counted"));
    }
    Ok(())
}
