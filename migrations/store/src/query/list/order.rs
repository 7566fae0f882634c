//! Orders and the visits of a day.

use domain::{
    access::{Action, Actor, Reach, Role},
    catalogue::{ItemCode, ServiceClass},
    id::{OrderId, ProviderId, ResidentId, VisitId},
    order::OrderState,
    time::{BusinessDate, Instant},
    visit::VisitStatus,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _, Select,
    sea_query::{Expr, ExprTrait as _, SelectStatement},
};
use serde::Serialize;

use super::{Page, PageAsked, Pager, Position, application::residents_inside, within};
use crate::{
    Store, convert,
    entity::{assignment, care_order, carer, visit},
    error::StoreError,
};

/// Which orders.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OrderFilter {
    /// In which state.
    pub state: Option<OrderState>,
    /// Of which resident.
    pub resident: Option<ResidentId>,
    /// Of which provider.
    pub provider: Option<ProviderId>,
    /// Whose visit is planned on this day or later.
    pub from: Option<BusinessDate>,
    /// Whose visit is planned before this day.
    pub until: Option<BusinessDate>,
}

/// Which visits of a day.
#[derive(Debug, Clone, Serialize)]
pub struct VisitFilter {
    /// The day of their planned start.
    pub day: BusinessDate,
    /// Of which provider.
    pub provider: Option<ProviderId>,
}

/// An order with its visit in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// The order.
    pub order_id: OrderId,
    /// Its visit.
    pub visit_id: VisitId,
    /// For whom.
    pub resident_id: ResidentId,
    /// By whom.
    pub provider_id: ProviderId,
    /// What.
    pub item: ItemCode,
    /// In which class.
    pub class: ServiceClass,
    /// Planned start.
    pub starts_at: Instant,
    /// Planned end.
    pub ends_at: Instant,
    /// State of the order.
    pub state: OrderState,
    /// Who must act next.
    pub owner_role: Option<Role>,
    /// By when.
    pub deadline_at: Option<Instant>,
    /// State of the visit.
    pub visit_state: VisitStatus,
    /// Grade of its evidence, `a` to `d`, once judged.
    pub grade: Option<String>,
}

impl Store {
    /// Orders within reach, the newest first: those of one's residents, of one's provider, or to which one is
    /// assigned.
    ///
    /// # Errors
    /// A role that may not, a limit or cursor that cannot be used.
    pub async fn orders(&self, actor: &Actor, filter: &OrderFilter, page: &PageAsked) -> Result<Page<OrderRow>, StoreError> {
        actor.may(Action::ReadOrder)?;
        let pager = Pager::new(self, actor, "orders", filter, page)?;
        let wanted: [Option<Expr>; 5] = [
            filter.state.map(|state| care_order::Column::State.eq(state.to_string())),
            filter.resident.map(|resident| care_order::Column::ResidentId.eq(resident.uuid())),
            filter.provider.map(|provider| care_order::Column::ProviderId.eq(provider.uuid())),
            filter.from.map(|day| care_order::Column::StartsAt.gte(day.start())),
            filter.until.map(|day| care_order::Column::StartsAt.lt(day.start())),
        ];
        let select = wanted.into_iter().flatten().fold(within_reach(actor), sea_orm::QueryFilter::filter);
        let rows = pager.newest_first(select, care_order::Column::Id).await?;
        let page = pager.finish(rows, |row| Position::of_id(row.id))?;
        self.with_visits(page).await
    }

    /// The visits of a day within reach, in the order of their planned start.
    ///
    /// # Errors
    /// A role that may not, a limit or cursor that cannot be used.
    pub async fn visits_of_day(&self, actor: &Actor, filter: &VisitFilter, page: &PageAsked) -> Result<Page<OrderRow>, StoreError> {
        actor.may(Action::ReadOrder)?;
        let pager = Pager::new(self, actor, "visits", filter, page)?;
        let mut select = within_reach(actor)
            .filter(care_order::Column::StartsAt.gte(filter.day.start()))
            .filter(care_order::Column::StartsAt.lt(filter.day.plus_days(1)?.start()));
        if let Some(provider) = filter.provider {
            select = select.filter(care_order::Column::ProviderId.eq(provider.uuid()));
        }
        let rows = pager.earliest_first(select, care_order::Column::StartsAt, care_order::Column::Id).await?;
        let page = pager.finish(rows, |row| Position::of_time(row.starts_at, row.id))?;
        self.with_visits(page).await
    }

    async fn with_visits(&self, page: Page<care_order::Model>) -> Result<Page<OrderRow>, StoreError> {
        let orders = page.items.iter().map(|row| row.id);
        let visits = visit::Entity::find().filter(visit::Column::OrderId.is_in(orders)).all(self.db()).await?;
        page.try_map(|row| {
            let visit = visits.iter().find(|visit| visit.order_id == row.id).ok_or_else(StoreError::not_found)?;
            order_row(&row, visit)
        })
    }
}

fn order_row(row: &care_order::Model, visit: &visit::Model) -> Result<OrderRow, StoreError> {
    Ok(OrderRow {
        order_id: OrderId::from_uuid(row.id),
        visit_id: VisitId::from_uuid(visit.id),
        resident_id: ResidentId::from_uuid(row.resident_id),
        provider_id: ProviderId::from_uuid(row.provider_id),
        item: convert::code("care_order", "item", &row.item)?,
        class: convert::code("care_order", "class", &row.class)?,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        state: convert::code("care_order", "state", &row.state)?,
        owner_role: row.owner_role.as_deref().map(|role| convert::code("care_order", "owner_role", role)).transpose()?,
        deadline_at: row.deadline_at,
        visit_state: convert::code("visit", "state", &visit.state)?,
        grade: visit.grade.clone(),
    })
}

/// The orders that an actor may read one by one.
fn within_reach(actor: &Actor) -> Select<care_order::Entity> {
    let person = actor.person();
    care_order::Entity::find().filter(within(actor, Action::ReadOrder, |role, reach| match (reach, role, person) {
        // A carer sees the orders to which they are assigned, and no others of their provider.
        (Reach::Provider(provider), Role::Carer, Some(person)) => {
            let own = care_order::Column::Id.in_subquery(assigned_orders(person.uuid()));
            Some(care_order::Column::ProviderId.eq(provider.uuid()).and(own))
        }
        (Reach::Provider(provider), _, _) => Some(care_order::Column::ProviderId.eq(provider.uuid())),
        (Reach::Division(scope), _, _) => Some(care_order::Column::ResidentId.in_subquery(residents_inside(*scope))),
        (Reach::Bound(residents), _, _) => Some(care_order::Column::ResidentId.is_in(residents.iter().map(|id| id.uuid()))),
    }))
}

/// Ids of the orders to whose visit a person is assigned as a carer.
fn assigned_orders(person: uuid::Uuid) -> SelectStatement {
    let own = carer::Entity::find().select_only().column(carer::Column::Id).filter(carer::Column::PersonId.eq(person)).into_query();
    let visits = assignment::Entity::find()
        .select_only()
        .column(assignment::Column::VisitId)
        .filter(assignment::Column::Active.eq(true))
        .filter(assignment::Column::CarerId.in_subquery(own))
        .into_query();
    visit::Entity::find().select_only().column(visit::Column::OrderId).filter(visit::Column::Id.in_subquery(visits)).into_query()
}
