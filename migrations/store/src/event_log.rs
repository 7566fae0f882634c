//! Appending events. Streams are numbered without gaps: the number is taken under the lock of the thing that
//! changed, and the unique key on (stream, number) turns a race into a conflict that is tried again.

use std::collections::BTreeMap;

use domain::{event::Event, id::EventId};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set};

use crate::{
    entity::{event, event_pending},
    error::StoreError,
    tx::Tx,
};

pub(crate) async fn append(tx: &Tx<'_>, events: Vec<Event>) -> Result<(), StoreError> {
    let mut next: BTreeMap<String, i64> = BTreeMap::new();
    let mut rows = Vec::with_capacity(events.len());
    let mut pending = Vec::with_capacity(events.len());
    for event in events {
        let stream = event.stream();
        let seq = match next.get(&stream) {
            Some(seq) => *seq,
            None => last(tx, &stream).await? + 1,
        };
        next.insert(stream.clone(), seq + 1);
        let payload = serde_json::to_value(&event).map_err(|cause| StoreError::Corrupt { table: "event", why: cause.to_string() })?;
        let id = tx.id::<domain::id::Event>().uuid();
        pending.push(event_pending::ActiveModel { event_id: Set(id) });
        rows.push(event::ActiveModel {
            id: Set(id),
            stream: Set(stream),
            seq: Set(seq),
            kind: Set(event.kind().to_owned()),
            version: Set(i64::from(event.version())),
            payload: Set(payload),
            at: Set(tx.now()),
            person_id: Set(tx.actor().person().map(domain::id::Id::uuid)),
            request_id: Set(tx.ctx().request.uuid()),
        });
    }
    event::Entity::insert_many(rows).exec_without_returning(tx.db).await?;
    event_pending::Entity::insert_many(pending).exec_without_returning(tx.db).await?;
    Ok(())
}

async fn last(tx: &Tx<'_>, stream: &str) -> Result<i64, StoreError> {
    let row = event::Entity::find().filter(event::Column::Stream.eq(stream)).order_by_desc(event::Column::Seq).one(tx.db).await?;
    Ok(row.map_or(0, |row| row.seq))
}

/// Reads a stored event.
///
/// # Errors
/// [`StoreError::Corrupt`] for a payload of another form.
pub(crate) fn decode(row: &event::Model) -> Result<(EventId, Event), StoreError> {
    let event =
        serde_json::from_value(row.payload.clone()).map_err(|cause| StoreError::Corrupt { table: "event", why: cause.to_string() })?;
    Ok((EventId::from_uuid(row.id), event))
}
