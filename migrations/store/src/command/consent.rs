//! Booked orders whose programmes pay otherwise than quoted: priced again, and the family asked where its share
//! grew. The family never pays more than it was shown without a new consent.

use domain::{
    access::{Action, Role},
    consent::{ConsentCause, ConsentError, ConsentState, ConsentTrigger, answer_by},
    event::Event,
    id::{ConsentRequestId, EntitlementWindowId, OrderId, QuoteId, ResidentId},
    money::Fen,
    order::{OrderState, OrderTrigger},
    state::StateMachine as _,
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _};
use serde::{Deserialize, Serialize};

use crate::{
    command::{
        entitlement,
        order::{self, OrderStep},
        quote::{self, QuoteBody},
        resident,
    },
    convert,
    entity::{self, care_order, consent_request, hold},
    error::{StoreError, exists},
    holds,
    pricing::{Basis, Pricing},
    tx::{Tx, for_update},
    write::Command,
};

/// States in which an order is booked and not yet served.
const AHEAD: [OrderState; 4] = [OrderState::Requested, OrderState::Offered, OrderState::Accepted, OrderState::Assigned];

/// Booked orders of one resident that are priced again, locked, the earliest first.
pub(crate) struct Reopened {
    orders: Vec<order::Locked>,
}

impl Reopened {
    /// The orders that hold something of a window.
    pub(crate) async fn of_window(
        tx: &Tx<'_>,
        resident: &entity::resident::Model,
        window: EntitlementWindowId,
    ) -> Result<Self, StoreError> {
        let holds = hold::Entity::find().filter(hold::Column::WindowId.eq(window.uuid())).filter(hold::Column::State.eq("held"));
        let orders: Vec<uuid::Uuid> = holds.all(tx.db).await?.into_iter().map(|row| row.order_id).collect();
        Self::load(tx, resident, Some(orders)).await
    }

    /// All that are booked and not yet served.
    async fn of_resident(tx: &Tx<'_>, resident: &entity::resident::Model) -> Result<Self, StoreError> {
        Self::load(tx, resident, None).await
    }

    async fn load(tx: &Tx<'_>, resident: &entity::resident::Model, only: Option<Vec<uuid::Uuid>>) -> Result<Self, StoreError> {
        let mut select = care_order::Entity::find()
            .filter(care_order::Column::ResidentId.eq(resident.id))
            .filter(care_order::Column::State.is_in(AHEAD.map(|state| state.to_string())))
            .filter(care_order::Column::StartsAt.gt(tx.now()));
        if let Some(only) = only {
            select = select.filter(care_order::Column::Id.is_in(only));
        }
        let rows = select.order_by_asc(care_order::Column::StartsAt).order_by_asc(care_order::Column::Id).all(tx.db).await?;
        let mut orders = Vec::new();
        for row in rows {
            orders.push(order::lock(tx, OrderId::from_uuid(row.id)).await?);
        }
        Ok(Self { orders })
    }

    /// Gives back what the orders reserve, so that the windows beneath can be changed.
    pub(crate) async fn release(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        for locked in &self.orders {
            holds::release(tx, locked.id()).await?;
        }
        Ok(())
    }

    /// Divides each price again, the earliest visit first, reserves what programmes pay now, and asks the family
    /// where its share grew. Call after [`Reopened::release`].
    pub(crate) async fn price_again(&self, tx: &Tx<'_>, cause: ConsentCause) -> Result<(), StoreError> {
        for locked in &self.orders {
            price_again(tx, locked, cause).await?;
        }
        Ok(())
    }

    /// Whether one of the orders would come out otherwise than it stands.
    async fn would_change(&self, tx: &Tx<'_>) -> Result<bool, StoreError> {
        for locked in &self.orders {
            let stands = standing(tx, locked).await?;
            let split = pricing(locked, &stands.body).split(tx).await?;
            if split.shares != stands.body.split.shares {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn pricing<'a>(locked: &'a order::Locked, body: &'a QuoteBody) -> Pricing<'a> {
    Pricing { resident: &locked.resident, priced: &body.priced, programmes: body.programmes.as_ref(), basis: Basis::Again(locked.id()) }
}

/// How an order's price is divided as it stands: by its quote, or by the one that the family is asked about.
struct Standing {
    body: QuoteBody,
    asked: Option<consent_request::Model>,
}

async fn standing(tx: &Tx<'_>, locked: &order::Locked) -> Result<Standing, StoreError> {
    let asked = open_request(tx, locked.id()).await?;
    let quote = asked.as_ref().map_or(locked.order.quote_id, |row| row.new_quote_id);
    Ok(Standing { body: quote::read(tx, QuoteId::from_uuid(quote)).await?.1, asked })
}

/// The question about an order that waits for its answer, locked.
async fn open_request(tx: &Tx<'_>, order: OrderId) -> Result<Option<consent_request::Model>, StoreError> {
    let select = consent_request::Entity::find()
        .filter(consent_request::Column::OrderId.eq(order.uuid()))
        .filter(consent_request::Column::State.eq(ConsentState::Open.to_string()));
    Ok(for_update!(tx, select).one(tx.db).await?)
}

async fn price_again(tx: &Tx<'_>, locked: &order::Locked, cause: ConsentCause) -> Result<(), StoreError> {
    let stands = standing(tx, locked).await?;
    let priced = pricing(locked, &stands.body).price(tx).await?;
    let booking = holds::Booking { order: locked.id(), resident: &locked.resident, service_on: BusinessDate::of(locked.order.starts_at) };
    holds::place(tx, &booking, &priced.split.shares).await?;
    if priced.split == stands.body.split {
        return Ok(());
    }
    let body = QuoteBody { split: priced.split, outlook: priced.outlook, ..stands.body };
    let (old, _) = quote::read(tx, QuoteId::from_uuid(locked.order.quote_id)).await?;
    let new = quote::keep_again(tx, &old, &body).await?;
    if let Some(asked) = stands.asked {
        finish(tx, &asked, ConsentTrigger::Supersede, None).await?;
    }
    if body.split.family.get() <= locked.order.family_fen {
        order::adopt_quote(tx, locked, &new).await?;
        tx.emit(Event::OrderRepriced { order: locked.id(), family: body.split.family });
        return Ok(());
    }
    ask(tx, locked, &new, cause).await
}

async fn ask(tx: &Tx<'_>, locked: &order::Locked, new: &entity::quote::Model, cause: ConsentCause) -> Result<(), StoreError> {
    let id: ConsentRequestId = tx.id();
    let row = consent_request::Model {
        id: id.uuid(),
        order_id: locked.order.id,
        resident_id: locked.resident.id,
        old_quote_id: locked.order.quote_id,
        new_quote_id: new.id,
        cause: cause.to_string(),
        old_family_fen: locked.order.family_fen,
        new_family_fen: new.family_fen,
        state: ConsentState::INITIAL.to_string(),
        owner_role: Some(Role::FamilyMember.to_string()),
        deadline_at: Some(answer_by(tx.now(), locked.order.starts_at)),
        answered_by: None,
        created_at: tx.now(),
        version: 1,
    };
    consent_request::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx.db)
        .await
        .map_err(exists("an open question about this order"))?;
    tx.emit(Event::ConsentRequested { request: id, order: locked.id(), resident: ResidentId::from_uuid(locked.resident.id) });
    tx.record(&id, None, Some(&row));
    Ok(())
}

/// Moves a request to an end.
async fn finish(
    tx: &Tx<'_>,
    row: &consent_request::Model,
    trigger: ConsentTrigger,
    by: Option<uuid::Uuid>,
) -> Result<consent_request::Model, StoreError> {
    let from: ConsentState = convert::code("consent_request", "state", &row.state)?;
    let to = from.on(trigger)?.to;
    let next = consent_request::Model {
        state: to.to_string(),
        owner_role: None,
        deadline_at: None,
        answered_by: by,
        version: row.version + 1,
        ..row.clone()
    };
    tx.save(next.clone()).await?;
    let id = ConsentRequestId::from_uuid(row.id);
    tx.emit(Event::ConsentMoved { request: id, to });
    tx.record(&id, Some(row), Some(&next));
    Ok(next)
}

/// An order that ends or begins has no open question any more.
pub(crate) async fn close_questions(tx: &Tx<'_>, order: OrderId) -> Result<(), StoreError> {
    match open_request(tx, order).await? {
        Some(row) => finish(tx, &row, ConsentTrigger::Supersede, None).await.map(drop),
        None => Ok(()),
    }
}

/// Prices all booked orders of a resident again, after their entitlement, their facts or the rules have changed.
/// Where nothing changes, nothing is written.
#[derive(Debug, Clone)]
pub struct ReopenOrders {
    /// The resident.
    pub resident: ResidentId,
    /// What changed.
    pub cause: ConsentCause,
}

impl Command for ReopenOrders {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "reopen_orders";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        reopen(tx, &resident, self.cause).await
    }
}

/// As [`ReopenOrders`], inside a transaction that has locked the resident.
pub(crate) async fn reopen(tx: &Tx<'_>, resident: &entity::resident::Model, cause: ConsentCause) -> Result<(), StoreError> {
    let orders = Reopened::of_resident(tx, resident).await?;
    let windows = entitlement::outdated_projections(tx, resident).await?;
    if windows.is_empty() && !orders.would_change(tx).await? {
        return Ok(());
    }
    orders.release(tx).await?;
    for (window, granted) in windows {
        entitlement::project_again(tx, window, granted).await?;
    }
    orders.price_again(tx, cause).await
}

/// The family's answer to a larger share.
#[derive(Debug, Clone)]
pub struct AnswerConsent {
    /// The question.
    pub request: ConsentRequestId,
    /// Whether the family pays the new share; else the order is called off free of charge.
    pub accept: bool,
}

/// A question to the family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentView {
    /// The question.
    pub consent_request_id: ConsentRequestId,
    /// The order that it is about.
    pub order_id: OrderId,
    /// Why it is asked.
    pub cause: ConsentCause,
    /// The share that the family was shown.
    pub old_family: Fen,
    /// The share that it would pay.
    pub new_family: Fen,
    /// Its state.
    pub state: ConsentState,
    /// Who must answer.
    pub owner_role: Option<Role>,
    /// By when; without an answer the order is called off free of charge.
    pub deadline_at: Option<Instant>,
    /// The division of the price that the family is asked about.
    pub body: QuoteBody,
}

pub(crate) fn view(row: &consent_request::Model, body: QuoteBody) -> Result<ConsentView, StoreError> {
    Ok(ConsentView {
        consent_request_id: ConsentRequestId::from_uuid(row.id),
        order_id: OrderId::from_uuid(row.order_id),
        cause: convert::code("consent_request", "cause", &row.cause)?,
        old_family: convert::fen("consent_request", "old_family_fen", row.old_family_fen)?,
        new_family: convert::fen("consent_request", "new_family_fen", row.new_family_fen)?,
        state: convert::code("consent_request", "state", &row.state)?,
        owner_role: row.owner_role.as_deref().map(|role| convert::code("consent_request", "owner_role", role)).transpose()?,
        deadline_at: row.deadline_at,
        body,
    })
}

/// Locks a question behind its order, in the order of locks.
async fn lock(tx: &Tx<'_>, id: ConsentRequestId) -> Result<(order::Locked, consent_request::Model), StoreError> {
    let seen = consent_request::Entity::find_by_id(id.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    let locked = order::lock(tx, OrderId::from_uuid(seen.order_id)).await?;
    let row = for_update!(tx, consent_request::Entity::find_by_id(id.uuid())).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
    Ok((locked, row))
}

impl Command for AnswerConsent {
    type Output = ConsentView;
    const ACTION: Option<Action> = Some(Action::AnswerConsent);
    const NAME: &'static str = "answer_consent";

    async fn run(&self, tx: &Tx<'_>) -> Result<ConsentView, StoreError> {
        let (locked, row) = lock(tx, self.request).await?;
        tx.permit(Action::AnswerConsent, &resident::object(&locked.resident)?)?;
        if row.deadline_at.is_some_and(|deadline| deadline <= tx.now()) {
            return Err(ConsentError::Late.into());
        }
        let by = Some(tx.actor().need_person()?.uuid());
        let trigger = if self.accept { ConsentTrigger::Accept } else { ConsentTrigger::Decline };
        let row = finish(tx, &row, trigger, by).await?;
        if !AHEAD.contains(&locked.state()?) {
            return Err(ConsentError::OrderMoved.into());
        }
        let (new, body) = quote::read(tx, QuoteId::from_uuid(row.new_quote_id)).await?;
        if self.accept {
            order::adopt_quote(tx, &locked, &new).await?;
            tx.emit(Event::OrderRepriced { order: locked.id(), family: body.split.family });
        } else {
            call_off(tx, &locked).await?;
        }
        view(&row, body)
    }
}

/// Calls an order off free of charge.
async fn call_off(tx: &Tx<'_>, locked: &order::Locked) -> Result<OrderStep, StoreError> {
    order::end_without_service(tx, locked, OrderTrigger::Cancel).await
}

/// Lets a question lapse whose deadline has passed: the order is called off free of charge.
#[derive(Debug, Clone)]
pub struct LapseConsent {
    /// The question.
    pub request: ConsentRequestId,
}

impl Command for LapseConsent {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "lapse_consent";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let (locked, row) = lock(tx, self.request).await?;
        if row.deadline_at.is_none_or(|deadline| tx.now() < deadline) {
            return Ok(());
        }
        if AHEAD.contains(&locked.state()?) {
            finish(tx, &row, ConsentTrigger::Lapse, None).await?;
            call_off(tx, &locked).await?;
        } else {
            // The service has begun or the order ended otherwise: the share stands as it was shown.
            finish(tx, &row, ConsentTrigger::Supersede, None).await?;
        }
        Ok(())
    }
}
