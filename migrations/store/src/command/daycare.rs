//! Day-care centres.

use domain::{
    access::Action,
    daycare::{ROOMS_MAX, SEATS_MAX, Session, Timetable},
    division::DivisionCode,
    error::FieldError,
    event::Event,
    id::{DayCareCentreId, ProviderId},
    time::BusinessDate,
};
use sea_orm::{EntityTrait as _, Set};
use serde::{Deserialize, Serialize};

use crate::{
    command::provider,
    convert,
    entity::{day_care_centre, day_care_room, division},
    error::StoreError,
    tx::Tx,
    write::Command,
};

/// Opens a day-care centre.
#[derive(Debug, Clone)]
pub struct OpenDayCareCentre {
    /// Whose.
    pub provider: ProviderId,
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub division: DivisionCode,
    /// Its rooms.
    pub rooms: Vec<NewRoom>,
    /// When it is open in a week.
    pub sessions: Vec<Session>,
    /// Days on which it is closed all the same.
    pub closing_days: Vec<BusinessDate>,
}

/// A room with its seats.
#[derive(Debug, Clone)]
pub struct NewRoom {
    /// Its name.
    pub name: String,
    /// Its seats.
    pub seats: u32,
}

/// An opened centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedCentre {
    /// The centre.
    pub centre_id: DayCareCentreId,
}

impl Command for OpenDayCareCentre {
    type Output = OpenedCentre;
    const ACTION: Option<Action> = Some(Action::OpenDayCareCentre);
    const NAME: &'static str = "open_day_care_centre";

    async fn run(&self, tx: &Tx<'_>) -> Result<OpenedCentre, StoreError> {
        let row = provider::read(tx, self.provider).await?;
        tx.permit(Action::OpenDayCareCentre, &provider::object(&row)?)?;
        let timetable = Timetable::new(self.sessions.clone())?;
        self.check(tx).await?;
        let id: DayCareCentreId = tx.id();
        let centre = day_care_centre::ActiveModel {
            id: Set(id.uuid()),
            provider_id: Set(row.id),
            name: Set(self.name.clone()),
            division: Set(self.division.to_string()),
            timetable: Set(convert::to_json("day_care_centre", &timetable)?),
            closing_days: Set(convert::to_json("day_care_centre", &self.closing_days)?),
            opened_by: Set(tx.actor().need_person()?.uuid()),
            created_at: Set(tx.now()),
        };
        day_care_centre::Entity::insert(centre).exec_without_returning(tx.db).await?;
        let rooms = self.rooms.iter().map(|room| day_care_room::ActiveModel {
            id: Set(tx.id::<domain::id::DayCareRoom>().uuid()),
            centre_id: Set(id.uuid()),
            name: Set(room.name.clone()),
            seats: Set(i64::from(room.seats)),
        });
        day_care_room::Entity::insert_many(rooms.collect::<Vec<_>>()).exec_without_returning(tx.db).await?;
        tx.emit(Event::DayCareCentreOpened { centre: id, provider: self.provider });
        tx.record(&id, None, None);
        Ok(OpenedCentre { centre_id: id })
    }
}

impl OpenDayCareCentre {
    async fn check(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let mut faults = Vec::new();
        if !is_name(&self.name) {
            faults.push(FieldError::new("name", "day_care.name", "write a name of 1 to 100 characters"));
        }
        if division::Entity::find_by_id(self.division.to_string()).one(tx.db).await?.is_none() {
            faults.push(FieldError::new("division", "division.unknown", "name a division of this city's table"));
        }
        if self.rooms.is_empty() || self.rooms.len() > ROOMS_MAX {
            faults.push(FieldError::new("rooms", "day_care.rooms", format!("name 1 to {ROOMS_MAX} rooms")));
        }
        for (place, room) in self.rooms.iter().enumerate() {
            let doubled = self.rooms.iter().take(place).any(|earlier| earlier.name == room.name);
            if !is_name(&room.name) || doubled {
                let cure = "write a name of 1 to 100 characters that no other room of the centre has";
                faults.push(FieldError::new(format!("rooms.{place}.name"), "day_care.room_name", cure));
            }
            if !(1..=SEATS_MAX).contains(&room.seats) {
                faults.push(FieldError::new(format!("rooms.{place}.seats"), "day_care.seats", format!("write 1 to {SEATS_MAX}")));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(StoreError::fields(faults)) }
    }
}

fn is_name(text: &str) -> bool {
    text.trim() == text && (1..=100).contains(&text.chars().count()) && !text.contains(char::is_control)
}
