//! I9: no event is missing, and each one on its way is somewhere.

use std::collections::BTreeSet;

use domain::id::DeliveryId;
use sea_orm::{ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr};
use uuid::Uuid;

use super::{
    Check, Snapshot,
    pages::{PAGE, Pages},
};
use crate::{
    entity::{delivery, event, event_pending},
    error::StoreError,
};

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check =
        Check::new("I9", "events of a stream are numbered from one without gaps, and deliveries are pending, done or dead with a reason");
    check_streams(snapshot, &mut check).await?;
    check_deliveries(snapshot, &mut check).await?;
    Ok(check)
}

async fn check_streams(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut last = String::new();
    let seq = || Expr::col(event::Column::Seq);
    loop {
        let streams: Vec<(String, i64, i64, i64)> = event::Entity::find()
            .select_only()
            .column(event::Column::Stream)
            .column_as(seq().min(), "first")
            .column_as(seq().max(), "last")
            .column_as(seq().count_distinct(), "numbers")
            .filter(event::Column::Stream.gt(last.as_str()))
            .group_by(event::Column::Stream)
            .order_by_asc(event::Column::Stream)
            .limit(PAGE)
            .into_tuple()
            .all(snapshot.db)
            .await?;
        let Some((end, ..)) = streams.last() else { return Ok(()) };
        last.clone_from(end);
        for (stream, first, last, numbers) in streams {
            check.count(usize::try_from(numbers).unwrap_or_default());
            check.require((first, last) == (1, numbers), stream, || format!("it has {numbers} events, numbered from {first} to {last}"));
        }
    }
}

async fn check_deliveries(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut pages = Pages::new(delivery::Entity::find(), delivery::Column::Id, |row| row.id);
    while let Some(rows) = pages.next(snapshot.db).await? {
        let undispatched: BTreeSet<Uuid> = event_pending::Entity::find()
            .filter(event_pending::Column::EventId.is_in(rows.iter().map(|row| row.event_id)))
            .all(snapshot.db)
            .await?
            .into_iter()
            .map(|mark| mark.event_id)
            .collect();
        check.count(rows.len());
        for row in &rows {
            let id = DeliveryId::from_uuid(row.id);
            match row.state.as_str() {
                "pending" | "done" => {}
                "dead" => check.require(row.last_error.is_some(), id, || "it is dead without a reason".to_owned()),
                _ => check.fault(id, "its state is unknown"),
            }
            check.require(!undispatched.contains(&row.event_id), id, || "its event still waits to be dispatched".to_owned());
        }
    }
    Ok(())
}
