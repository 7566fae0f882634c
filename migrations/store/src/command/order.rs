//! Care orders: booked with their holds in one transaction, offered, accepted, assigned, and what ends them.

mod cancel;
mod deadline;
mod dispute;
mod offer;

pub use cancel::CancelOrder;
pub(crate) use cancel::{Asked as CancelAsked, FEE_FACT};
pub use deadline::PassDeadline;
pub use dispute::{DecideDispute, DisputeOrder, StateInDispute};
pub use offer::{AcceptOrder, DeclineOrder, OfferOrder, ReturnOrder};
pub(crate) use offer::{take_back, withdraw_offer};

use domain::{
    access::{Action, Object, Role},
    catalogue::ItemCode,
    daycare::DayCareError,
    eligibility::Reason,
    event::Event,
    id::{CarerId, DayCareCentreId, OrderId, ProviderId, QuoteId, ResidentId, VisitId},
    order::{OPEN_ORDERS_MAX, OfferMode, OfferTrigger, OrderError, OrderState, OrderTrigger},
    state::StateMachine as _,
    tariff::{Adjustment, Split},
    time::{BusinessDate, Instant},
    visit::{VisitStatus, VisitTrigger},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, Set};
use serde::{Deserialize, Serialize};

use crate::{
    command::{claim, consent, provider, quote, resident},
    convert,
    entity::{self, assignment, care_order, carer, visit},
    error::{StoreError, exists},
    holds,
    pricing::{Basis, Pricing},
    seats,
    tx::{Tx, for_update},
    write::Command,
};

/// Books a quote.
#[derive(Debug, Clone)]
pub struct PlaceOrder {
    /// The quote.
    pub quote: QuoteId,
    /// In which order providers are asked. A seat is at one centre: its provider is asked alone.
    pub mode: OfferMode,
    /// Where the resident has a seat, for day care and nothing else.
    pub centre: Option<DayCareCentreId>,
}

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderStep {
    /// The order.
    pub order_id: OrderId,
    /// Its visit.
    pub visit_id: VisitId,
    /// Its state.
    pub state: OrderState,
    /// Who must act next; none while the system does, or when it has ended.
    pub owner_role: Option<Role>,
    /// By when.
    pub deadline_at: Option<Instant>,
}

impl Command for PlaceOrder {
    type Output = OrderStep;
    const ACTION: Option<Action> = Some(Action::PlaceOrder);
    const NAME: &'static str = "place_order";

    async fn run(&self, tx: &Tx<'_>) -> Result<OrderStep, StoreError> {
        let quoted = entity::quote::Entity::find_by_id(self.quote.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let resident = resident::lock(tx, ResidentId::from_uuid(quoted.resident_id)).await?;
        tx.permit(Action::PlaceOrder, &resident::object(&resident)?)?;
        let body = quote::body(tx, &quoted)?;
        self.check(tx, &quoted, &resident, &body).await?;
        let (id, visit_id): (OrderId, VisitId) = (tx.id(), tx.id());
        let (start, end) = (body.priced.start, quote::ends_at(&body.priced));
        let row = care_order::Model {
            id: id.uuid(),
            quote_id: quoted.id,
            resident_id: resident.id,
            provider_id: quoted.provider_id,
            item: quoted.item.clone(),
            class: quoted.class.clone(),
            starts_at: start,
            ends_at: end,
            gross_fen: quoted.gross_fen,
            subsidy_fen: quoted.subsidy_fen,
            family_fen: quoted.family_fen,
            state: OrderState::INITIAL.to_string(),
            owner_role: None,
            deadline_at: None,
            placed_by: tx.actor().need_person()?.uuid(),
            decided_by: None,
            created_at: tx.now(),
            version: 0,
            offer_mode: if self.centre.is_some() { OfferMode::NamedOnly } else { self.mode }.to_string(),
            family_max_fen: quoted.family_fen,
            escalations: 0,
        };
        let row = with_owner(tx, row, OrderState::INITIAL);
        care_order::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx.db).await.map_err(quote_used)?;
        let planned = visit::ActiveModel {
            id: Set(visit_id.uuid()),
            order_id: Set(row.id),
            state: Set(VisitStatus::Planned.to_string()),
            staff_count: Set(i64::from(body.staff_count)),
            actual_start: Set(None),
            actual_end: Set(None),
            grade: Set(None),
            grade_reasons: Set(None),
            version: Set(1),
        };
        visit::Entity::insert(planned).exec_without_returning(tx.db).await?;
        if let Some(centre) = self.centre {
            seats::take(tx, centre, id, row.provider_id, (start, end)).await?;
        }
        let booking = holds::Booking { order: id, resident: &resident, service_on: BusinessDate::of(start) };
        holds::place(tx, &booking, &body.split.shares).await?;
        tx.emit(Event::OrderPlaced {
            order: id,
            resident: ResidentId::from_uuid(resident.id),
            provider: ProviderId::from_uuid(row.provider_id),
        });
        tx.record(&id, None, Some(&row));
        step(&row, visit_id)
    }
}

fn quote_used(cause: sea_orm::DbErr) -> StoreError {
    match exists("an order for this quote")(cause) {
        StoreError::Exists { .. } => OrderError::QuoteUsed.into(),
        other => other,
    }
}

impl PlaceOrder {
    /// The quote still holds, the resident is free, and the same code still divides the price in the same way.
    async fn check(
        &self,
        tx: &Tx<'_>,
        quoted: &entity::quote::Model,
        resident: &entity::resident::Model,
        body: &quote::QuoteBody,
    ) -> Result<(), StoreError> {
        if tx.now() >= quoted.expires_at {
            return Err(OrderError::QuoteExpired.into());
        }
        let not_yet = |code: &Adjustment| matches!(code.reason, Some(Reason::NotYet { .. }));
        if body.split.codes.iter().any(not_yet) {
            return Err(OrderError::NotOpenYet.into());
        }
        let used = care_order::Entity::find().filter(care_order::Column::QuoteId.eq(quoted.id)).count(tx.db).await?;
        if used > 0 {
            return Err(OrderError::QuoteUsed.into());
        }
        let provider = provider::read(tx, ProviderId::from_uuid(quoted.provider_id)).await?;
        let day = BusinessDate::of(body.priced.start);
        provider::check_provider(tx, &provider, body.priced.item, day).await?;
        if !body.split.shares.is_empty() {
            provider::check_agreement(tx, &provider, day).await?;
        }
        if self.centre.is_some() != (body.priced.item == ItemCode::DayCare) {
            return Err(DayCareError::Centre.into());
        }
        self.refuse_overlap(tx, resident, body).await?;
        refuse_too_many(tx, resident).await?;
        let pricing = Pricing { resident, priced: &body.priced, programmes: body.programmes.as_ref(), basis: Basis::New };
        let now: Split = pricing.split(tx).await?;
        if now == body.split { Ok(()) } else { Err(OrderError::QuoteChanged.into()) }
    }

    async fn refuse_overlap(&self, tx: &Tx<'_>, resident: &entity::resident::Model, body: &quote::QuoteBody) -> Result<(), StoreError> {
        let day = BusinessDate::of(body.priced.start);
        let open: Vec<String> = OrderState::STATES.iter().filter(|state| occupies(**state)).map(ToString::to_string).collect();
        let others = care_order::Entity::find()
            .filter(care_order::Column::ResidentId.eq(resident.id))
            .filter(care_order::Column::State.is_in(open))
            .filter(care_order::Column::StartsAt.lt(quote::ends_at(&body.priced)))
            .filter(care_order::Column::EndsAt.gt(body.priced.start))
            .all(tx.db)
            .await?;
        for other in others {
            let item = convert::code("care_order", "item", &other.item)?;
            if !tx.reference.catalogue.may_overlap(body.priced.item, item, day) {
                return Err(OrderError::ResidentBusy.into());
            }
        }
        Ok(())
    }
}

/// Nobody books without end: families are told before their list can no longer be read.
async fn refuse_too_many(tx: &Tx<'_>, resident: &entity::resident::Model) -> Result<(), StoreError> {
    let open: Vec<String> = OrderState::STATES.iter().filter(|state| !state.is_final()).map(ToString::to_string).collect();
    let count = care_order::Entity::find()
        .filter(care_order::Column::ResidentId.eq(resident.id))
        .filter(care_order::Column::State.is_in(open))
        .count(tx.db)
        .await?;
    if count >= OPEN_ORDERS_MAX { Err(OrderError::TooManyOpen.into()) } else { Ok(()) }
}

/// Whether an order in this state takes the time of resident and carers.
pub(crate) const fn occupies(state: OrderState) -> bool {
    match state {
        OrderState::Declined | OrderState::Expired | OrderState::Cancelled | OrderState::Missed => false,
        OrderState::Requested
        | OrderState::Offered
        | OrderState::Accepted
        | OrderState::Assigned
        | OrderState::InService
        | OrderState::Completed
        | OrderState::Confirmed
        | OrderState::Disputed
        | OrderState::DisputeDecided => true,
    }
}

fn with_owner(tx: &Tx<'_>, row: care_order::Model, state: OrderState) -> care_order::Model {
    let waits = state.waits_for(tx.now(), row.starts_at, row.ends_at);
    let owner_role = waits.and_then(|(role, _)| role).map(|role| role.to_string());
    care_order::Model { state: state.to_string(), owner_role, deadline_at: waits.map(|(_, at)| at), version: row.version + 1, ..row }
}

fn step(row: &care_order::Model, visit: VisitId) -> Result<OrderStep, StoreError> {
    Ok(OrderStep {
        order_id: OrderId::from_uuid(row.id),
        visit_id: visit,
        state: convert::code("care_order", "state", &row.state)?,
        owner_role: row.owner_role.as_deref().map(|role| convert::code("care_order", "owner_role", role)).transpose()?,
        deadline_at: row.deadline_at,
    })
}

/// A locked order with its visit and the handles by which it is reached.
#[derive(Clone)]
pub(crate) struct Locked {
    pub(crate) resident: entity::resident::Model,
    pub(crate) order: care_order::Model,
    pub(crate) visit: visit::Model,
    pub(crate) object: Object,
}

impl Locked {
    pub(crate) fn id(&self) -> OrderId {
        OrderId::from_uuid(self.order.id)
    }

    pub(crate) fn visit_id(&self) -> VisitId {
        VisitId::from_uuid(self.visit.id)
    }

    pub(crate) fn state(&self) -> Result<OrderState, StoreError> {
        convert::code("care_order", "state", &self.order.state)
    }
}

/// Locks resident, order and visit, in this order.
pub(crate) async fn lock(tx: &Tx<'_>, id: OrderId) -> Result<Locked, StoreError> {
    let seen = care_order::Entity::find_by_id(id.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let resident = resident::lock(tx, ResidentId::from_uuid(seen.resident_id)).await?;
    let order = for_update!(tx, care_order::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let found = for_update!(tx, visit::Entity::find().filter(visit::Column::OrderId.eq(order.id))).one(tx.db).await?;
    let visit = found.ok_or_else(|| StoreError::Corrupt { table: "care_order", why: "it has no visit".to_owned() })?;
    let object = Object { provider: Some(ProviderId::from_uuid(order.provider_id)), ..resident::object(&resident)? };
    Ok(Locked { resident, order, visit, object })
}

/// Moves an order along its table and writes it.
pub(crate) async fn advance(tx: &Tx<'_>, locked: &Locked, trigger: OrderTrigger) -> Result<OrderStep, StoreError> {
    let from = locked.state()?;
    let to = from.on(trigger)?.to;
    let row = with_owner(tx, locked.order.clone(), to);
    tx.save(row.clone()).await?;
    tx.emit(Event::OrderMoved { order: locked.id(), from, to });
    tx.record(&locked.id(), Some(&locked.order), Some(&row));
    step(&row, locked.visit_id())
}

/// Puts another quote of the same service under an order: its amounts, and what the claim is judged against.
pub(crate) async fn adopt_quote(tx: &Tx<'_>, locked: &Locked, quoted: &entity::quote::Model) -> Result<care_order::Model, StoreError> {
    let row = care_order::Model {
        quote_id: quoted.id,
        // While others are asked, the order is with them; its price is the one that the family was shown.
        provider_id: if locked.state()? == OrderState::Offered { locked.order.provider_id } else { quoted.provider_id },
        gross_fen: quoted.gross_fen,
        subsidy_fen: quoted.subsidy_fen,
        family_fen: quoted.family_fen,
        family_max_fen: locked.order.family_max_fen.max(quoted.family_fen),
        version: locked.order.version + 1,
        ..locked.order.clone()
    };
    tx.save(row.clone()).await?;
    tx.record(&locked.id(), Some(&locked.order), Some(&row));
    Ok(row)
}

/// Moves an order to an end without service: its holds go back and its visit is closed.
pub(crate) async fn end_without_service(tx: &Tx<'_>, locked: &Locked, trigger: OrderTrigger) -> Result<OrderStep, StoreError> {
    let moved = advance(tx, locked, trigger).await?;
    let close = match trigger {
        OrderTrigger::Miss => VisitTrigger::Miss,
        OrderTrigger::Stop => VisitTrigger::Stop,
        OrderTrigger::Offer
        | OrderTrigger::Accept
        | OrderTrigger::Decline
        | OrderTrigger::Expire
        | OrderTrigger::Assign
        | OrderTrigger::ClockIn
        | OrderTrigger::Complete
        | OrderTrigger::Confirm
        | OrderTrigger::Dispute
        | OrderTrigger::Decide
        | OrderTrigger::Cancel => VisitTrigger::Cancel,
    };
    move_visit(tx, &locked.visit, close, |visit| visit).await?;
    drop_team(tx, locked).await?;
    offer::close_open(tx, locked.id(), OfferTrigger::Withdraw).await?;
    seats::free(tx, locked.id()).await?;
    holds::void_all(tx, locked.id()).await?;
    consent::close_questions(tx, locked.id()).await?;
    Ok(moved)
}

/// Frees the carers that were named for an order.
async fn drop_team(tx: &Tx<'_>, locked: &Locked) -> Result<(), StoreError> {
    let inactive = assignment::ActiveModel { active: Set(false), ..Default::default() };
    assignment::Entity::update_many().set(inactive).filter(assignment::Column::VisitId.eq(locked.visit.id)).exec(tx.db).await?;
    Ok(())
}

/// Moves a visit along its table and writes it with a further change.
pub(crate) async fn move_visit(
    tx: &Tx<'_>,
    row: &visit::Model,
    trigger: VisitTrigger,
    change: impl FnOnce(visit::Model) -> visit::Model,
) -> Result<visit::Model, StoreError> {
    let from: VisitStatus = convert::code("visit", "state", &row.state)?;
    let to = from.on(trigger)?.to;
    let next = change(visit::Model { state: to.to_string(), version: row.version + 1, ..row.clone() });
    tx.save(next.clone()).await?;
    Ok(next)
}

/// Names the carers of an accepted order, or others than before.
#[derive(Debug, Clone)]
pub struct AssignOrder {
    /// The order.
    pub order: OrderId,
    /// As many carers as the visit needs.
    pub carers: Vec<CarerId>,
}

impl Command for AssignOrder {
    type Output = OrderStep;
    const ACTION: Option<Action> = Some(Action::AssignOrder);
    const NAME: &'static str = "assign_order";

    async fn run(&self, tx: &Tx<'_>) -> Result<OrderStep, StoreError> {
        let locked = lock(tx, self.order).await?;
        tx.permit(Action::AssignOrder, &locked.object)?;
        let moved = advance(tx, &locked, OrderTrigger::Assign).await?;
        self.check(tx, &locked).await?;
        assignment::Entity::delete_many().filter(assignment::Column::VisitId.eq(locked.visit.id)).exec(tx.db).await?;
        let rows = self.carers.iter().map(|carer| assignment::ActiveModel {
            visit_id: Set(locked.visit.id),
            carer_id: Set(carer.uuid()),
            starts_at: Set(locked.order.starts_at),
            ends_at: Set(locked.order.ends_at),
            active: Set(true),
            clock_in_at: Set(None),
            clock_out_at: Set(None),
        });
        assignment::Entity::insert_many(rows.collect::<Vec<_>>()).exec_without_returning(tx.db).await?;
        tx.emit(Event::CarersAssigned { visit: locked.visit_id(), carers: self.carers.clone() });
        Ok(moved)
    }
}

impl AssignOrder {
    async fn check(&self, tx: &Tx<'_>, locked: &Locked) -> Result<(), StoreError> {
        let distinct: std::collections::BTreeSet<_> = self.carers.iter().collect();
        let needed = u32::try_from(locked.visit.staff_count).unwrap_or(u32::MAX);
        let given = u32::try_from(distinct.len()).unwrap_or(u32::MAX);
        if needed != given || distinct.len() != self.carers.len() {
            return Err(OrderError::CarerCount { needed, given }.into());
        }
        let day = BusinessDate::of(locked.order.starts_at);
        let provider = provider::read(tx, ProviderId::from_uuid(locked.order.provider_id)).await?;
        let item = convert::code("care_order", "item", &locked.order.item)?;
        provider::check_order(tx, &provider, &locked.order, item).await?;
        let beside = seats::visits_beside(tx, locked.id()).await?;
        for id in distinct {
            // The lock on the carer's row makes two assignments at one time take turns.
            let row =
                for_update!(tx, carer::Entity::find_by_id(id.uuid()).filter(carer::Column::ProviderId.eq(provider.id))).one(tx.db).await?;
            let row = row.ok_or_else(StoreError::not_found)?;
            provider::check_carer(tx, *id, item, day).await?;
            provider::check_available(tx, *id, (locked.order.starts_at, locked.order.ends_at)).await?;
            let related = entity::relation::Entity::find_by_id((row.person_id, locked.resident.id)).one(tx.db).await?;
            if related.is_some() {
                return Err(OrderError::CarerRelated.into());
            }
            let busy = assignment::Entity::find()
                .filter(assignment::Column::CarerId.eq(row.id))
                .filter(assignment::Column::Active.eq(true))
                .filter(assignment::Column::VisitId.ne(locked.visit.id))
                .filter(assignment::Column::VisitId.is_not_in(beside.iter().copied()))
                .filter(assignment::Column::StartsAt.lt(locked.order.ends_at))
                .filter(assignment::Column::EndsAt.gt(locked.order.starts_at))
                .count(tx.db)
                .await?;
            if busy > 0 {
                return Err(OrderError::CarerBusy.into());
            }
        }
        Ok(())
    }
}

/// Confirms a completed service: the claim is judged at once.
#[derive(Debug, Clone)]
pub struct ConfirmOrder {
    /// The order.
    pub order: OrderId,
}

impl Command for ConfirmOrder {
    type Output = OrderStep;
    const ACTION: Option<Action> = Some(Action::ConfirmOrder);
    const NAME: &'static str = "confirm_order";

    async fn run(&self, tx: &Tx<'_>) -> Result<OrderStep, StoreError> {
        let locked = lock(tx, self.order).await?;
        tx.permit(Action::ConfirmOrder, &locked.object)?;
        let moved = advance(tx, &locked, OrderTrigger::Confirm).await?;
        claim::adjudicate(tx, &locked, claim::Confirmation::Family).await?;
        Ok(moved)
    }
}
