//! Day-care centres and the seats that are free.

use std::collections::BTreeMap;

use domain::{
    access::{Action, Actor},
    daycare::{Half, Session, Timetable},
    division::{DivisionCode, Scope},
    id::{DayCareCentreId, OrderId, ProviderId},
    time::BusinessDate,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use serde::Serialize;

use crate::{
    Store, convert,
    entity::{day_care_centre, day_care_count, day_care_room, day_care_seat},
    error::StoreError,
};

/// Centres that are shown at once.
const CENTRES_MAX: u64 = 200;

/// A day-care centre.
#[derive(Debug, Clone, Serialize)]
pub struct CentreView {
    /// The centre.
    pub centre_id: DayCareCentreId,
    /// Whose.
    pub provider_id: ProviderId,
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub division: DivisionCode,
    /// When it is open in a week.
    pub sessions: Vec<Session>,
    /// Days on which it is closed all the same.
    pub closing_days: Vec<BusinessDate>,
}

/// Seats of a centre in one half of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HalfSeats {
    /// Which half.
    pub half: Half,
    /// All seats.
    pub seats: i64,
    /// Those that are free.
    pub free: i64,
}

/// The seat of an order.
#[derive(Debug, Clone, Serialize)]
pub struct SeatView {
    /// The centre.
    pub centre_id: DayCareCentreId,
    /// The room.
    pub room: String,
    /// In which halves of the day.
    pub halves: Vec<Half>,
}

impl Store {
    /// The centres within a division, by name.
    ///
    /// # Errors
    /// A role that may not.
    pub async fn day_care_centres(&self, actor: &Actor, within: Scope) -> Result<Vec<CentreView>, StoreError> {
        actor.may(Action::ReadDayCare)?;
        let rows = day_care_centre::Entity::find()
            .filter(day_care_centre::Column::Division.starts_with(within.to_string()))
            .order_by_asc(day_care_centre::Column::Name)
            .order_by_asc(day_care_centre::Column::Id)
            .limit(CENTRES_MAX)
            .all(self.db())
            .await?;
        rows.iter().map(centre_view).collect()
    }

    /// The seats of a centre on a day, for each half in which it is open.
    ///
    /// # Errors
    /// Not found.
    pub async fn day_care_seats(&self, actor: &Actor, id: DayCareCentreId, day: BusinessDate) -> Result<Vec<HalfSeats>, StoreError> {
        actor.may(Action::ReadDayCare)?;
        let row = day_care_centre::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let centre = centre_view(&row)?;
        if centre.closing_days.contains(&day) {
            return Ok(Vec::new());
        }
        let rooms = day_care_room::Entity::find().filter(day_care_room::Column::CentreId.eq(row.id)).all(self.db()).await?;
        let all: i64 = rooms.iter().map(|room| room.seats).sum();
        let counts = day_care_count::Entity::find()
            .filter(day_care_count::Column::RoomId.is_in(rooms.into_iter().map(|room| room.id)))
            .filter(day_care_count::Column::Day.eq(day.get()))
            .all(self.db())
            .await?;
        let mut taken: BTreeMap<String, i64> = BTreeMap::new();
        for count in counts {
            *taken.entry(count.half).or_default() += count.taken;
        }
        let weekday = chrono::Datelike::weekday(&day.get()).number_from_monday();
        let open = centre.sessions.iter().filter(|session| session.weekday == weekday);
        Ok(open
            .map(|session| HalfSeats {
                half: session.half,
                seats: all,
                free: all - taken.get(&session.half.to_string()).copied().unwrap_or(0),
            })
            .collect())
    }

    /// The seat of an order that has one.
    pub(super) async fn seat_of(&self, order: OrderId) -> Result<Option<SeatView>, StoreError> {
        let rows = day_care_seat::Entity::find()
            .filter(day_care_seat::Column::OrderId.eq(order.uuid()))
            .filter(day_care_seat::Column::Freed.eq(false))
            .all(self.db())
            .await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let room = day_care_room::Entity::find_by_id(first.room_id).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let mut halves = rows.iter().map(|row| convert::code("day_care_seat", "half", &row.half)).collect::<Result<Vec<Half>, _>>()?;
        halves.sort_unstable();
        Ok(Some(SeatView { centre_id: DayCareCentreId::from_uuid(room.centre_id), room: room.name, halves }))
    }
}

fn centre_view(row: &day_care_centre::Model) -> Result<CentreView, StoreError> {
    let timetable: Timetable = convert::json("day_care_centre", "timetable", &row.timetable)?;
    Ok(CentreView {
        centre_id: DayCareCentreId::from_uuid(row.id),
        provider_id: ProviderId::from_uuid(row.provider_id),
        name: row.name.clone(),
        division: convert::code("day_care_centre", "division", &row.division)?,
        sessions: timetable.sessions().to_vec(),
        closing_days: convert::json("day_care_centre", "closing_days", &row.closing_days)?,
    })
}
