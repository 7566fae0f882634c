//! What is known of each provider, in a fixed number of queries whatever the number of providers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    catalogue::{ItemCode, ServiceClass},
    matching::{Area, ProviderFacts, ServicePlace},
    money::Fen,
    order::{OrderError, OrderState},
    provider::AreaFit,
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use uuid::Uuid;

use super::Search;
use crate::{
    command::quote::Asked,
    entity::{assignment, care_order, relation, visit},
    error::StoreError,
    query::provider::{ServingCarer, ServingProvider, serving},
    tx::Tx,
};

/// A provider with everything but its price.
pub(super) struct Loaded {
    /// Its name as registered.
    pub(super) name: String,
    /// Its price of one catalogue unit.
    pub(super) unit_price: Fen,
    /// Whether an agreement with the bureau covers the day: programmes pay only then.
    pub(super) has_agreement: bool,
    pub(super) facts: ProviderFacts,
}

/// Loads the facts of every provider that has a price for the service.
pub(super) async fn load(tx: &Tx<'_>, search: &Search<'_>, place: ServicePlace, asked: Asked) -> Result<Vec<Loaded>, StoreError> {
    let request = search.request;
    let day = BusinessDate::of(request.starts_at);
    let item = tx.reference.catalogue.item(request.item, day).ok_or(OrderError::NotOffered)?;
    let time = (request.starts_at, request.starts_at + TimeDelta::minutes(i64::from(asked.minutes)));
    let diary = Diary::load(tx, search, time).await?;
    let history = History::load(tx, search).await?;
    let found = serving(tx.db, item, request.class, day, None).await?;
    Ok(found.into_iter().map(|one| fact(search, place, time, &diary, &history, one)).collect())
}

fn fact(
    search: &Search<'_>,
    place: ServicePlace,
    time: (Instant, Instant),
    diary: &Diary,
    history: &History,
    one: ServingProvider,
) -> Loaded {
    let id = one.provider.uuid();
    let team = diary.team(&one, time, history);
    let fit = one.profile.as_ref().map(|profile| profile.area.fit(place.division, place.coordinate));
    let (area, distance_m) = match fit {
        _ if search.request.class != ServiceClass::Home => (Area::NotAsked, None),
        None => (Area::NotAsked, None),
        Some(AreaFit::Inside(way)) => (Area::Inside, way),
        Some(AreaFit::OtherDivision) => (Area::Outside, None),
        Some(AreaFit::TooFar(way)) => (Area::Outside, Some(way)),
        Some(AreaFit::PositionUnknown) => (Area::PositionUnknown, None),
    };
    let facts = ProviderFacts {
        provider: one.provider,
        seat: one.seat,
        unfit: one.unfit,
        has_profile: one.profile.is_some(),
        area,
        distance_m,
        // The sessions of a day-care centre are its own; its seats decide.
        open: search.request.item == ItemCode::DayCare || one.profile.is_none_or(|profile| profile.is_open(time.0, time.1)),
        gross: None,
        family: None,
        carers_qualified: team.qualified,
        // One carer looks after all who sit in a day-care centre; its seats are the limit there.
        carers_free: if search.request.item == ItemCode::DayCare { team.qualified } else { team.free },
        known_carers_free: team.known,
        earlier_visits: history.visits.get(&id).copied().unwrap_or(0),
        open_visits: history.open.get(&id).copied().unwrap_or(0),
        asked: search.asked.contains(&id),
    };
    Loaded { name: one.name, unit_price: one.unit_price, has_agreement: one.has_agreement, facts }
}

/// Who has time: carers with a visit then, what providers have promised already, and who may not serve whom.
struct Diary {
    busy: BTreeSet<Uuid>,
    /// Carers that accepted orders at the same time still need, by provider.
    promised: BTreeMap<Uuid, u32>,
    /// Persons who act for the resident.
    related: BTreeSet<Uuid>,
}

/// Carers of one provider.
struct Team {
    /// Who may serve the resident on the day.
    qualified: u32,
    /// Of those, who are free then and not promised.
    free: u32,
    /// Of the free ones, whom the resident knows.
    known: u32,
}

impl Diary {
    async fn load(tx: &Tx<'_>, search: &Search<'_>, time: (Instant, Instant)) -> Result<Self, StoreError> {
        let related = relation::Entity::find().filter(relation::Column::ResidentId.eq(search.resident.id)).all(tx.db).await?;
        let related = related.into_iter().map(|row| row.person_id).collect();
        Ok(Self { busy: busy(tx, search, time).await?, promised: promised(tx, search, time).await?, related })
    }

    fn team(&self, one: &ServingProvider, (start, end): (Instant, Instant), history: &History) -> Team {
        // Whoever acts for the resident cannot serve them for a subsidy.
        let may = |carer: &&ServingCarer| carer.unfit.is_empty() && !self.related.contains(&carer.person.uuid());
        let has_time = |carer: &ServingCarer| !self.busy.contains(&carer.carer.uuid()) && carer.standing.unavailable(start, end).is_empty();
        let qualified: Vec<&ServingCarer> = one.carers.iter().filter(may).collect();
        let free: Vec<&&ServingCarer> = qualified.iter().filter(|carer| has_time(carer)).collect();
        let known = free.iter().filter(|carer| history.carers.contains(&carer.carer.uuid())).count();
        let promised = self.promised.get(&one.provider.uuid()).copied().unwrap_or(0);
        Team { qualified: number(qualified.len()), free: number(free.len()).saturating_sub(promised), known: number(known) }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Carers who have a visit at that time.
async fn busy(tx: &Tx<'_>, search: &Search<'_>, (start, end): (Instant, Instant)) -> Result<BTreeSet<Uuid>, StoreError> {
    let mut select = assignment::Entity::find()
        .filter(assignment::Column::Active.eq(true))
        .filter(assignment::Column::StartsAt.lt(end))
        .filter(assignment::Column::EndsAt.gt(start));
    if let Some(own) = search.own_order
        && let Some(visit) = visit::Entity::find().filter(visit::Column::OrderId.eq(own.uuid())).one(tx.db).await?
    {
        select = select.filter(assignment::Column::VisitId.ne(visit.id));
    }
    Ok(select.all(tx.db).await?.into_iter().map(|row| row.carer_id).collect())
}

/// Carers whom providers must still name for accepted orders at that time.
async fn promised(tx: &Tx<'_>, search: &Search<'_>, (start, end): (Instant, Instant)) -> Result<BTreeMap<Uuid, u32>, StoreError> {
    let mut select = care_order::Entity::find()
        .filter(care_order::Column::State.eq(OrderState::Accepted.to_string()))
        .filter(care_order::Column::StartsAt.lt(end))
        .filter(care_order::Column::EndsAt.gt(start));
    if let Some(own) = search.own_order {
        select = select.filter(care_order::Column::Id.ne(own.uuid()));
    }
    let providers: BTreeMap<Uuid, Uuid> = select.all(tx.db).await?.into_iter().map(|row| (row.id, row.provider_id)).collect();
    let visits = visit::Entity::find().filter(visit::Column::OrderId.is_in(providers.keys().copied())).all(tx.db).await?;
    let mut promised = BTreeMap::new();
    for row in visits {
        if let Some(provider) = providers.get(&row.order_id) {
            let needed: &mut u32 = promised.entry(*provider).or_default();
            *needed = needed.saturating_add(u32::try_from(row.staff_count).unwrap_or(u32::MAX));
        }
    }
    Ok(promised)
}

/// Who has served the resident before, and what each provider still has before it in that week.
struct History {
    /// Visits to the resident by provider.
    visits: BTreeMap<Uuid, u32>,
    /// Carers who were with the resident.
    carers: BTreeSet<Uuid>,
    /// Accepted visits of the week by provider.
    open: BTreeMap<Uuid, u32>,
}

impl History {
    async fn load(tx: &Tx<'_>, search: &Search<'_>) -> Result<Self, StoreError> {
        let served = [OrderState::Completed, OrderState::Confirmed, OrderState::Disputed, OrderState::DisputeDecided];
        let rows = care_order::Entity::find()
            .filter(care_order::Column::ResidentId.eq(search.resident.id))
            .filter(care_order::Column::State.is_in(served.map(|state| state.to_string())))
            .all(tx.db)
            .await?;
        let mut visits: BTreeMap<Uuid, u32> = BTreeMap::new();
        for row in &rows {
            let count = visits.entry(row.provider_id).or_default();
            *count = count.saturating_add(1);
        }
        let done = visit::Entity::find().filter(visit::Column::OrderId.is_in(rows.iter().map(|row| row.id))).all(tx.db).await?;
        let team = assignment::Entity::find()
            .filter(assignment::Column::VisitId.is_in(done.into_iter().map(|row| row.id)))
            .filter(assignment::Column::ClockInAt.is_not_null())
            .all(tx.db)
            .await?;
        let carers = team.into_iter().map(|row| row.carer_id).collect();
        Ok(Self { visits, carers, open: Self::open(tx, search).await? })
    }

    async fn open(tx: &Tx<'_>, search: &Search<'_>) -> Result<BTreeMap<Uuid, u32>, StoreError> {
        let monday = BusinessDate::of(search.request.starts_at).monday();
        let rows: Vec<Uuid> = care_order::Entity::find()
            .select_only()
            .column(care_order::Column::ProviderId)
            .filter(care_order::Column::State.is_in([OrderState::Accepted, OrderState::Assigned].map(|state| state.to_string())))
            .filter(care_order::Column::StartsAt.gte(monday.start()))
            .filter(care_order::Column::StartsAt.lt(monday.plus_days(7)?.start()))
            .into_tuple()
            .all(tx.db)
            .await?;
        let mut open: BTreeMap<Uuid, u32> = BTreeMap::new();
        for provider in rows {
            let count = open.entry(provider).or_default();
            *count = count.saturating_add(1);
        }
        Ok(open)
    }
}
