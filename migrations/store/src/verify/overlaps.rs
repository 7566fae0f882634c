//! I7: nobody is in two places at one time.

use std::collections::BTreeMap;

use domain::{
    catalogue::ItemCode,
    id::{CarerId, OrderId, VisitId},
    order::OrderState,
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use uuid::Uuid;

use super::{
    Check, Snapshot,
    pages::{PAGE, Pages},
};
use crate::{
    command::order::occupies,
    entity::{assignment, care_order, day_care_room, day_care_seat, visit},
    error::StoreError,
};

pub(super) async fn check(snapshot: &Snapshot<'_>) -> Result<Check, StoreError> {
    let mut check = Check::new(
        "I7",
        "assignments of a carer do not overlap, nor visits of a resident unless the catalogue allows it, and nobody leaves before arriving",
    );
    check_carers(snapshot, &mut check).await?;
    check_residents(snapshot, &mut check).await?;
    let mut pages = Pages::new(visit::Entity::find(), visit::Column::Id, |row| row.id);
    while let Some(visits) = pages.next(snapshot.db).await? {
        check.count(visits.len());
        for row in &visits {
            check_times(&mut check, row.id, (row.actual_start, row.actual_end));
        }
    }
    Ok(check)
}

fn check_times(check: &mut Check, visit: Uuid, times: (Option<Instant>, Option<Instant>)) {
    let id = VisitId::from_uuid(visit);
    match times {
        (Some(start), Some(end)) => check.require(start <= end, id, || format!("its end {end} lies before its start {start}")),
        (None, Some(_)) => check.fault(id, "it has an end without a start"),
        (Some(_) | None, None) => {}
    }
}

/// A stretch of time that somebody is bound by.
struct Slot {
    /// Visit or order.
    id: Uuid,
    item: Option<ItemCode>,
    /// Day-care centre in which it takes place: one carer looks after all who sit there.
    centre: Option<Uuid>,
    start: Instant,
    end: Instant,
}

/// Goes through the slots of one person after the other, each person's by their start, and keeps those that
/// are not over yet: the ones that a later slot can meet.
#[derive(Default)]
struct Sweep {
    person: Option<Uuid>,
    open: Vec<Slot>,
}

impl Sweep {
    /// Takes the next slot and answers the earlier ones that it meets.
    fn add(&mut self, person: Uuid, slot: Slot, may_overlap: impl Fn(&Slot, &Slot) -> bool) -> Vec<Uuid> {
        if self.person != Some(person) {
            *self = Self { person: Some(person), open: Vec::new() };
        }
        self.open.retain(|earlier| earlier.end > slot.start);
        let met = self.open.iter().filter(|earlier| !may_overlap(earlier, &slot)).map(|earlier| earlier.id).collect();
        self.open.push(slot);
        met
    }
}

async fn check_carers(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut sweep = Sweep::default();
    let mut last: Option<(Uuid, Instant, Uuid)> = None;
    loop {
        let rows = assignments_after(snapshot, last).await?;
        let Some(end) = rows.last() else { return Ok(()) };
        last = Some((end.carer_id, end.starts_at, end.visit_id));
        let states = states_of(snapshot, &rows).await?;
        let centres = centres_of(snapshot, &rows).await?;
        let one_centre = |one: &Slot, other: &Slot| one.centre.is_some() && one.centre == other.centre;
        check.count(rows.len());
        for row in rows {
            check_times(check, row.visit_id, (row.clock_in_at, row.clock_out_at));
            let occupied = states.get(&row.visit_id).and_then(|state| state.parse().ok()).is_some_and(occupies);
            if !row.active || !occupied {
                continue;
            }
            let centre = centres.get(&row.visit_id).copied();
            let slot = Slot { id: row.visit_id, item: None, centre, start: row.starts_at, end: row.ends_at };
            for other in sweep.add(row.carer_id, slot, one_centre) {
                let carer = CarerId::from_uuid(row.carer_id);
                check.fault(VisitId::from_uuid(row.visit_id), format!("{carer} is in {} at the same time", VisitId::from_uuid(other)));
            }
        }
    }
}

/// The next assignments by carer and start. The first condition alone would do; the second one lets the index
/// on the carer begin where the page begins.
async fn assignments_after(snapshot: &Snapshot<'_>, last: Option<(Uuid, Instant, Uuid)>) -> Result<Vec<assignment::Model>, StoreError> {
    use assignment::Column as C;
    let mut select = assignment::Entity::find();
    if let Some((carer, start, visit)) = last {
        let same_start = Condition::all().add(C::StartsAt.eq(start)).add(C::VisitId.gt(visit));
        let same_carer = Condition::all().add(C::CarerId.eq(carer)).add(Condition::any().add(C::StartsAt.gt(start)).add(same_start));
        select = select.filter(Condition::any().add(C::CarerId.gt(carer)).add(same_carer)).filter(C::CarerId.gte(carer));
    }
    Ok(select.order_by_asc(C::CarerId).order_by_asc(C::StartsAt).order_by_asc(C::VisitId).limit(PAGE).all(snapshot.db).await?)
}

/// States of the orders of assigned visits, by visit.
async fn states_of(snapshot: &Snapshot<'_>, rows: &[assignment::Model]) -> Result<BTreeMap<Uuid, String>, StoreError> {
    let order = visit::Entity::belongs_to(care_order::Entity).from(visit::Column::OrderId).to(care_order::Column::Id);
    let pairs: Vec<(Uuid, String)> = visit::Entity::find()
        .join(JoinType::InnerJoin, order.into())
        .select_only()
        .column(visit::Column::Id)
        .column(care_order::Column::State)
        .filter(visit::Column::Id.is_in(rows.iter().map(|row| row.visit_id)))
        .into_tuple()
        .all(snapshot.db)
        .await?;
    Ok(pairs.into_iter().collect())
}

/// Day-care centres of assigned visits, by visit.
async fn centres_of(snapshot: &Snapshot<'_>, rows: &[assignment::Model]) -> Result<BTreeMap<Uuid, Uuid>, StoreError> {
    let visits = visit::Entity::find().filter(visit::Column::Id.is_in(rows.iter().map(|row| row.visit_id))).all(snapshot.db).await?;
    let seats = day_care_seat::Entity::find().filter(day_care_seat::Column::OrderId.is_in(visits.iter().map(|row| row.order_id)));
    let rooms: BTreeMap<Uuid, Uuid> = seats.all(snapshot.db).await?.into_iter().map(|row| (row.order_id, row.room_id)).collect();
    let centres = day_care_room::Entity::find().filter(day_care_room::Column::Id.is_in(rooms.values().copied()));
    let centres: BTreeMap<Uuid, Uuid> = centres.all(snapshot.db).await?.into_iter().map(|row| (row.id, row.centre_id)).collect();
    let centre_of = |order| rooms.get(order).and_then(|room| centres.get(room)).copied();
    Ok(visits.iter().filter_map(|row| Some((row.id, centre_of(&row.order_id)?))).collect())
}

async fn check_residents(snapshot: &Snapshot<'_>, check: &mut Check) -> Result<(), StoreError> {
    let mut sweep = Sweep::default();
    let mut last: Option<(Uuid, Instant, Uuid)> = None;
    let may_overlap = |earlier: &Slot, later: &Slot| {
        let day = BusinessDate::of(later.start);
        earlier.item.zip(later.item).is_some_and(|(one, other)| snapshot.reference.catalogue.may_overlap(one, other, day))
    };
    loop {
        let rows = orders_after(snapshot, last).await?;
        let Some(end) = rows.last() else { return Ok(()) };
        last = Some((end.resident_id, end.starts_at, end.id));
        check.count(rows.len());
        for row in rows.iter().filter(|row| row.state.parse::<OrderState>().is_ok_and(occupies)) {
            let slot = Slot { id: row.id, item: row.item.parse().ok(), centre: None, start: row.starts_at, end: row.ends_at };
            for other in sweep.add(row.resident_id, slot, may_overlap) {
                let other = OrderId::from_uuid(other);
                check.fault(OrderId::from_uuid(row.id), format!("its resident has {other} at the same time"));
            }
        }
    }
}

/// The next orders by resident and start.
async fn orders_after(snapshot: &Snapshot<'_>, last: Option<(Uuid, Instant, Uuid)>) -> Result<Vec<care_order::Model>, StoreError> {
    use care_order::Column as C;
    let mut select = care_order::Entity::find();
    if let Some((resident, start, order)) = last {
        let same_start = Condition::all().add(C::StartsAt.eq(start)).add(C::Id.gt(order));
        let same_resident =
            Condition::all().add(C::ResidentId.eq(resident)).add(Condition::any().add(C::StartsAt.gt(start)).add(same_start));
        select = select.filter(Condition::any().add(C::ResidentId.gt(resident)).add(same_resident)).filter(C::ResidentId.gte(resident));
    }
    Ok(select.order_by_asc(C::ResidentId).order_by_asc(C::StartsAt).order_by_asc(C::Id).limit(PAGE).all(snapshot.db).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(id: u128, start: i64, end: i64) -> Slot {
        let at = |minute: i64| Instant::from_timestamp(minute * 60, 0).unwrap();
        Slot { id: Uuid::from_u128(id), item: None, centre: None, start: at(start), end: at(end) }
    }

    #[test]
    fn a_slot_meets_every_earlier_one_that_is_not_over_and_no_neighbour() {
        let mut sweep = Sweep::default();
        let carer = Uuid::from_u128(1);
        let mut add = |person, slot| sweep.add(person, slot, |_, _| false);
        assert!(add(carer, slot(1, 0, 60)).is_empty());
        assert_eq!(add(carer, slot(2, 10, 20)), [Uuid::from_u128(1)]);
        assert_eq!(add(carer, slot(3, 30, 40)), [Uuid::from_u128(1)], "the long one is met again after the short one");
        assert!(add(carer, slot(4, 60, 90)).is_empty(), "one may begin when another ends");
        assert!(add(Uuid::from_u128(2), slot(5, 70, 80)).is_empty(), "another person");
    }
}
