//! I18: the events of a thing are a legal path of its state table that ends where its row says.

use std::{collections::BTreeMap, fmt::Display};

use domain::{
    application::ApplicationState,
    event::Event,
    id::{ApplicationId, OrderId},
    order::OrderState,
    state::StateMachine,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use super::{Check, Snapshot, pages::Pages};
use crate::{
    entity::{application, care_order, event},
    error::StoreError,
    event_log,
};

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check = Check::new(
        "I18",
        "the events of each order and application are a legal path that ends in its state, and the times of a visit are those recorded",
    );
    check_orders(snapshot, &mut check).await?;
    check_applications(snapshot, &mut check).await?;
    check_beginnings(snapshot, &mut check).await?;
    super::visits::check_times(snapshot, &mut check).await?;
    Ok(check)
}

/// One step of a path: the state before, if the event names it, and after.
type Step<S> = (Option<S>, S);

/// Walks a path along the table; answers what is wrong with it.
fn walk<S: StateMachine>(begun: usize, steps: &[Step<S>], end: S) -> Result<(), String> {
    if begun != 1 {
        return Err(format!("its beginning was recorded {begun} times"));
    }
    let mut at = S::INITIAL;
    for (from, to) in steps {
        if from.is_some_and(|from| from != at) {
            return Err(format!("an event moves it on from another state than {at}"));
        }
        if !S::TABLE.iter().any(|row| row.from == at && row.to == *to) {
            return Err(format!("an event moves it from {at} to {to}, which is not a legal move"));
        }
        at = *to;
    }
    if at == end { Ok(()) } else { Err(format!("it is {end}, its events end in {at}")) }
}

/// Judges one thing by the events of its stream.
fn check_path<S: StateMachine + std::str::FromStr>(
    check: &mut Check,
    id: impl Display,
    state: &str,
    events: &[event::Model],
    read: impl Fn(&Event) -> Option<Option<Step<S>>>,
) {
    let Ok(end) = state.parse::<S>() else { return check.fault(id, "its state is unknown") };
    let (mut begun, mut steps) = (0, Vec::new());
    for row in events {
        let Ok((_, event)) = event_log::decode(row) else {
            return check.fault(id, format!("its event number {} cannot be read", row.seq));
        };
        match read(&event) {
            Some(Some(step)) => steps.push(step),
            Some(None) => begun += 1,
            None => {}
        }
    }
    if let Err(detail) = walk(begun, &steps, end) {
        check.fault(id, detail);
    }
}

/// Events of some kinds in the streams of things, in order. Other kinds stand in the same streams.
async fn events_of(
    snapshot: &Snapshot<'_>,
    streams: impl IntoIterator<Item = String>,
    kinds: [&str; 2],
) -> Result<BTreeMap<String, Vec<event::Model>>, StoreError> {
    let rows = event::Entity::find()
        .filter(event::Column::Stream.is_in(streams))
        .filter(event::Column::Kind.is_in(kinds))
        .order_by_asc(event::Column::Seq)
        .all(snapshot.db)
        .await?;
    let mut events: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for row in rows {
        events.entry(row.stream.clone()).or_default().push(row);
    }
    Ok(events)
}

async fn check_orders(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut pages = Pages::new(care_order::Entity::find(), care_order::Column::Id, |row| row.id);
    while let Some(orders) = pages.next(snapshot.db).await? {
        let streams = orders.iter().map(|row| OrderId::from_uuid(row.id).to_string());
        let events = events_of(snapshot, streams, ["order_placed", "order_moved"]).await?;
        for row in &orders {
            let id = OrderId::from_uuid(row.id);
            let events = events.get(&id.to_string()).map_or(&[][..], Vec::as_slice);
            check.count(1 + events.len());
            check_path::<OrderState>(check, id, &row.state, events, |event| match event {
                Event::OrderPlaced { .. } => Some(None),
                Event::OrderMoved { from, to, .. } => Some(Some((Some(*from), *to))),
                _ => None,
            });
        }
    }
    Ok(())
}

async fn check_applications(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut pages = Pages::new(application::Entity::find(), application::Column::Id, |row| row.id);
    while let Some(applications) = pages.next(snapshot.db).await? {
        let streams = applications.iter().map(|row| ApplicationId::from_uuid(row.id).to_string());
        let events = events_of(snapshot, streams, ["application_filed", "application_moved"]).await?;
        for row in &applications {
            let id = ApplicationId::from_uuid(row.id);
            let events = events.get(&id.to_string()).map_or(&[][..], Vec::as_slice);
            check.count(1 + events.len());
            check_path::<ApplicationState>(check, id, &row.state, events, |event| match event {
                Event::ApplicationFiled { .. } => Some(None),
                Event::ApplicationMoved { to, .. } => Some(Some((None, *to))),
                _ => None,
            });
        }
    }
    Ok(())
}

/// What was begun still has its row: nothing vanishes.
async fn check_beginnings(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let select = event::Entity::find().filter(event::Column::Kind.is_in(["order_placed", "application_filed"]));
    let mut pages = Pages::new(select, event::Column::Id, |row| row.id);
    while let Some(rows) = pages.next(snapshot.db).await? {
        check.count(rows.len());
        let streams: Vec<&str> = rows.iter().map(|row| row.stream.as_str()).collect();
        let orders = streams.iter().filter_map(|stream| stream.parse().ok()).map(OrderId::uuid);
        let orders = care_order::Entity::find().filter(care_order::Column::Id.is_in(orders)).all(snapshot.db).await?;
        let applications = streams.iter().filter_map(|stream| stream.parse().ok()).map(ApplicationId::uuid);
        let applications = application::Entity::find().filter(application::Column::Id.is_in(applications)).all(snapshot.db).await?;
        let known: Vec<Uuid> = orders.into_iter().map(|row| row.id).chain(applications.into_iter().map(|row| row.id)).collect();
        let known: std::collections::BTreeSet<Uuid> = known.into_iter().collect();
        for stream in streams {
            let order = stream.parse().ok().map(OrderId::uuid);
            let id = order.or_else(|| stream.parse().ok().map(ApplicationId::uuid));
            check
                .require(id.is_some_and(|id| known.contains(&id)), stream, || "its events tell of it, but there is no such row".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_once_follows_the_table_and_ends_in_the_row() {
        use OrderState::{Accepted, Offered, Requested};
        let steps = [(Some(Requested), Offered), (Some(Offered), Accepted)];
        assert_eq!(walk(1, &steps, Accepted), Ok(()));
        assert_eq!(walk(1, &[], Requested), Ok(()));
        assert!(walk(0, &steps, Accepted).is_err(), "no beginning");
        assert!(walk(2, &steps, Accepted).is_err(), "two beginnings");
        assert!(walk(1, &steps, Offered).is_err(), "another end");
        assert!(walk(1, &steps[1..], Accepted).is_err(), "a step is missing");
        assert!(walk(1, &[(Some(Requested), Accepted)], Accepted).is_err(), "not in the table");
    }
}
