//! Deliveries that were given up.

use domain::{
    access::{Action, Actor},
    id::{DeliveryId, EventId},
    time::Instant,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::{Page, PageAsked, Pager, Position};
use crate::{
    Store,
    entity::{delivery, event},
    error::StoreError,
};

/// A delivery that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadDeliveryRow {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The event.
    pub event_id: EventId,
    /// Its kind.
    pub event_kind: String,
    /// When it happened.
    pub event_at: Instant,
    /// Who was to receive it.
    pub subscriber: String,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it failed the last time; no personal values.
    pub last_error: Option<String>,
}

impl Store {
    /// Deliveries that were given up, the newest first, for whoever keeps the whole city running.
    ///
    /// # Errors
    /// A role that may not, a reach that is not the whole city, a limit or cursor that cannot be used.
    pub async fn dead_deliveries(&self, actor: &Actor, page: &PageAsked) -> Result<Page<DeadDeliveryRow>, StoreError> {
        actor.permit(Action::ReadJobs, &self.whole_city().await?)?;
        let pager = Pager::new(self, actor, "dead_deliveries", &(), page)?;
        let select = delivery::Entity::find().filter(delivery::Column::State.eq("dead"));
        let rows = pager.newest_first(select, delivery::Column::Id).await?;
        let page = pager.finish(rows, |row| Position::of_id(row.id))?;
        let events =
            event::Entity::find().filter(event::Column::Id.is_in(page.items.iter().map(|row| row.event_id))).all(self.db()).await?;
        page.try_map(|row| {
            let event = events.iter().find(|event| event.id == row.event_id);
            let event = event.ok_or_else(|| StoreError::Corrupt { table: "delivery", why: "its event is missing".to_owned() })?;
            Ok(DeadDeliveryRow {
                delivery_id: DeliveryId::from_uuid(row.id),
                event_id: EventId::from_uuid(row.event_id),
                event_kind: event.kind.clone(),
                event_at: event.at,
                subscriber: row.subscriber,
                attempts: row.attempts,
                last_error: row.last_error,
            })
        })
    }
}
