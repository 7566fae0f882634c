//! Seats of day-care centres: taken with the booking, given back when the order ends without service.
//!
//! Two bookings of the last seat take turns at the row of its count; the second finds it full. A CHECK holds the
//! count to the seats whatever the code does.

use domain::{
    daycare::{DayCareError, Half, SeatCount, Timetable},
    id::{DayCareCentreId, OrderId},
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set, sea_query::OnConflict};
use uuid::Uuid;

use crate::{
    convert,
    entity::{day_care_centre, day_care_count, day_care_room, day_care_seat, visit},
    error::StoreError,
    tx::{Tx, for_update},
};

/// Takes a seat for an order of a provider: of the rooms in their order the first with a seat in every half.
pub(crate) async fn take(
    tx: &Tx<'_>,
    centre: DayCareCentreId,
    order: OrderId,
    provider: Uuid,
    (start, end): (Instant, Instant),
) -> Result<(), StoreError> {
    let row = day_care_centre::Entity::find_by_id(centre.uuid()).one(tx.db).await?;
    let row = row.filter(|row| row.provider_id == provider).ok_or(DayCareError::Centre)?;
    let halves = open_halves(&row, start, end)?;
    let day = BusinessDate::of(start);
    for room in rooms(tx, row.id).await? {
        let counts = lock_counts(tx, &room, day, &halves).await?;
        let taken: Result<Vec<_>, StoreError> = counts.iter().map(|count| Ok(count_of(count)?.take())).collect();
        let Ok(taken) = taken?.into_iter().collect::<Result<Vec<SeatCount>, DayCareError>>() else { continue };
        for ((count, after), half) in counts.into_iter().zip(taken).zip(&halves) {
            tx.save(day_care_count::Model { taken: i64::from(after.taken()), ..count }).await?;
            let seat = day_care_seat::ActiveModel {
                order_id: Set(order.uuid()),
                half: Set(half.to_string()),
                room_id: Set(room.id),
                day: Set(day.get()),
                freed: Set(false),
            };
            day_care_seat::Entity::insert(seat).exec_without_returning(tx.db).await?;
        }
        return Ok(());
    }
    Err(DayCareError::Full.into())
}

/// In which halves a stay needs a seat, when the centre is open then.
pub(crate) fn open_halves(row: &day_care_centre::Model, start: Instant, end: Instant) -> Result<Vec<Half>, StoreError> {
    let timetable: Timetable = convert::json("day_care_centre", "timetable", &row.timetable)?;
    let closed: Vec<BusinessDate> = convert::json("day_care_centre", "closing_days", &row.closing_days)?;
    if closed.contains(&BusinessDate::of(start)) {
        return Err(DayCareError::Closed.into());
    }
    Ok(timetable.halves(start, end)?)
}

async fn rooms(tx: &Tx<'_>, centre: Uuid) -> Result<Vec<day_care_room::Model>, StoreError> {
    Ok(day_care_room::Entity::find()
        .filter(day_care_room::Column::CentreId.eq(centre))
        .order_by_asc(day_care_room::Column::Id)
        .all(tx.db)
        .await?)
}

/// The counts of a room in some halves of a day, made if they are missing, locked in the order of the halves.
async fn lock_counts(
    tx: &Tx<'_>,
    room: &day_care_room::Model,
    day: BusinessDate,
    halves: &[Half],
) -> Result<Vec<day_care_count::Model>, StoreError> {
    let mut counts = Vec::new();
    for half in halves {
        let fresh = day_care_count::ActiveModel {
            room_id: Set(room.id),
            day: Set(day.get()),
            half: Set(half.to_string()),
            seats: Set(room.seats),
            taken: Set(0),
        };
        let key = [day_care_count::Column::RoomId, day_care_count::Column::Day, day_care_count::Column::Half];
        let known = OnConflict::columns(key).do_nothing().to_owned();
        day_care_count::Entity::insert(fresh).on_conflict(known).exec_without_returning(tx.db).await?;
        let key = (room.id, day.get(), half.to_string());
        counts.push(for_update!(tx, day_care_count::Entity::find_by_id(key)).one(tx.db).await?.ok_or_else(StoreError::not_found)?);
    }
    Ok(counts)
}

fn count_of(row: &day_care_count::Model) -> Result<SeatCount, StoreError> {
    let read = |number: i64| u32::try_from(number).map_err(|cause| convert::corrupt("day_care_count", "taken", &cause));
    SeatCount::new(read(row.seats)?, read(row.taken)?).map_err(|cause| convert::corrupt("day_care_count", "taken", &cause))
}

/// Gives the seats of an order back.
pub(crate) async fn free(tx: &Tx<'_>, order: OrderId) -> Result<(), StoreError> {
    // Morning before afternoon, as they were taken.
    let mut rows = of_order(tx, order).await?;
    rows.sort_by_key(|row| row.half.parse::<Half>().ok());
    for row in rows {
        let key = (row.room_id, row.day, row.half.clone());
        let count = for_update!(tx, day_care_count::Entity::find_by_id(key)).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let left = count_of(&count)?.give_back();
        tx.save(day_care_count::Model { taken: i64::from(left.taken()), ..count }).await?;
        tx.save(day_care_seat::Model { freed: true, ..row }).await?;
    }
    Ok(())
}

/// The seats that an order still has.
async fn of_order(tx: &Tx<'_>, order: OrderId) -> Result<Vec<day_care_seat::Model>, StoreError> {
    Ok(day_care_seat::Entity::find()
        .filter(day_care_seat::Column::OrderId.eq(order.uuid()))
        .filter(day_care_seat::Column::Freed.eq(false))
        .all(tx.db)
        .await?)
}

/// Visits of the same centre on the same day: one carer looks after all who sit there.
pub(crate) async fn visits_beside(tx: &Tx<'_>, order: OrderId) -> Result<Vec<Uuid>, StoreError> {
    let Some(own) = of_order(tx, order).await?.into_iter().next() else { return Ok(Vec::new()) };
    let room = day_care_room::Entity::find_by_id(own.room_id).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let rooms = rooms(tx, room.centre_id).await?;
    let seats = day_care_seat::Entity::find()
        .filter(day_care_seat::Column::RoomId.is_in(rooms.into_iter().map(|room| room.id)))
        .filter(day_care_seat::Column::Day.eq(own.day))
        .filter(day_care_seat::Column::Freed.eq(false))
        .all(tx.db)
        .await?;
    let orders: Vec<Uuid> = seats.into_iter().map(|seat| seat.order_id).collect();
    let visits = visit::Entity::find().filter(visit::Column::OrderId.is_in(orders)).all(tx.db).await?;
    Ok(visits.into_iter().map(|visit| visit.id).collect())
}
