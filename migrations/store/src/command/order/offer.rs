//! Offers: an order is put before one provider after another, or before several at once, until one accepts.
//!
//! Each offer is a row with what the same service costs there, reckoned by the code that quotes; nobody is asked
//! with whom the family would pay more than it agreed to. Until somebody accepts, the order stands as it was
//! booked; then price and holds become those of the one who has it.

use std::collections::BTreeSet;

use domain::{
    access::{Action, Object},
    event::Event,
    id::{OfferId, OrderId, PersonId, ProviderId, QuoteId},
    order::{
        DeclineReason, OFFERS_MAX, OfferError, OfferMode, OfferState, OfferTrigger, OrderError, OrderState, OrderTrigger, UnmetReason,
    },
    state::StateMachine as _,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _};
use uuid::Uuid;

use super::{Locked, OrderStep, advance, drop_team, end_without_service, lock, step};
use crate::{
    command::{consent, provider, quote},
    convert,
    entity::{care_order, offer, quote as quote_row, unmet_demand},
    error::StoreError,
    matching::Search,
    tx::Tx,
    write::Command,
};

/// One provider of a round, with what it is offered.
struct Chosen {
    provider: ProviderId,
    gross_fen: i64,
    family_fen: i64,
    reasons: Vec<String>,
}

/// All offers of an order, oldest first. The order's lock keeps them as they are.
pub(crate) async fn of_order(tx: &Tx<'_>, order: OrderId) -> Result<Vec<offer::Model>, StoreError> {
    Ok(offer::Entity::find()
        .filter(offer::Column::OrderId.eq(order.uuid()))
        .order_by_asc(offer::Column::Round)
        .order_by_asc(offer::Column::Id)
        .all(tx.db)
        .await?)
}

fn state(row: &offer::Model) -> Result<OfferState, StoreError> {
    convert::code("offer", "state", &row.state)
}

/// Puts an order before the next providers; ends it when nobody is left.
pub(crate) async fn ask_next(tx: &Tx<'_>, locked: &Locked, otherwise: OrderTrigger) -> Result<OrderStep, StoreError> {
    let earlier = of_order(tx, locked.id()).await?;
    let chosen = next_round(tx, locked, &earlier).await?;
    let Some(leading) = chosen.first() else {
        let reason = unmet_reason(&earlier, otherwise)?;
        return end_unserved(tx, locked, otherwise, reason).await;
    };
    drop_team(tx, locked).await?;
    // The order is with whoever is asked first; price and holds follow the one who accepts.
    let order = care_order::Model { provider_id: leading.provider.uuid(), ..locked.order.clone() };
    let moved = advance(tx, &Locked { order, ..locked.clone() }, OrderTrigger::Offer).await?;
    let deadline = moved.deadline_at.ok_or(StoreError::Corrupt { table: "care_order", why: "an offer has no deadline".to_owned() })?;
    let round = earlier.iter().map(|row| row.round).max().unwrap_or(0) + 1;
    for one in chosen {
        let id: OfferId = tx.id();
        let row = offer::Model {
            id: id.uuid(),
            order_id: locked.order.id,
            provider_id: one.provider.uuid(),
            gross_fen: one.gross_fen,
            family_fen: one.family_fen,
            round,
            rank_reasons: convert::to_json("offer", &one.reasons)?,
            state: OfferState::INITIAL.to_string(),
            deadline_at: deadline,
            offered_at: tx.now(),
            answered_at: None,
            answered_by: None,
            reason: None,
            version: 1,
        };
        offer::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
        tx.emit(Event::OfferMade { offer: id, order: locked.id(), provider: one.provider, round });
    }
    Ok(moved)
}

/// Whom the next round asks, best first; nobody when it is too late or all have been asked.
async fn next_round(tx: &Tx<'_>, locked: &Locked, earlier: &[offer::Model]) -> Result<Vec<Chosen>, StoreError> {
    if tx.now() >= locked.order.starts_at || earlier.len() >= OFFERS_MAX {
        return Ok(Vec::new());
    }
    let mode: OfferMode = convert::code("care_order", "offer_mode", &locked.order.offer_mode)?;
    let (booked, body) = quote::read(tx, QuoteId::from_uuid(locked.order.quote_id)).await?;
    if earlier.is_empty() && mode.begins_with_named() && may_serve(tx, locked, &booked).await? {
        return Ok(vec![named(&booked, vec!["named".to_owned()])]);
    }
    if mode == OfferMode::NamedOnly {
        return Ok(Vec::new());
    }
    let width = mode.width().min(OFFERS_MAX - earlier.len());
    candidates(tx, locked, earlier, (&booked, &body), width).await
}

/// Whom the family was quoted with keeps the price that it was shown.
fn named(booked: &quote_row::Model, reasons: Vec<String>) -> Chosen {
    let provider = ProviderId::from_uuid(booked.provider_id);
    Chosen { provider, gross_fen: booked.gross_fen, family_fen: booked.family_fen, reasons }
}

/// Whether the quoted provider may still serve: it may have been suspended since.
async fn may_serve(tx: &Tx<'_>, locked: &Locked, booked: &quote_row::Model) -> Result<bool, StoreError> {
    let row = provider::read(tx, ProviderId::from_uuid(booked.provider_id)).await?;
    let item = convert::code("quote", "item", &booked.item)?;
    match provider::check_order(tx, &row, &locked.order, item).await {
        Ok(()) => Ok(true),
        Err(StoreError::Refused(_)) => Ok(false),
        Err(broken) => Err(broken),
    }
}

/// The best candidates that were not asked yet, each with its own price.
async fn candidates(
    tx: &Tx<'_>,
    locked: &Locked,
    earlier: &[offer::Model],
    (booked, body): (&quote_row::Model, &quote::QuoteBody),
    width: usize,
) -> Result<Vec<Chosen>, StoreError> {
    let request = quote::request(booked, body);
    let asked: BTreeSet<Uuid> = earlier.iter().map(|row| row.provider_id).collect();
    let search = Search {
        resident: &locked.resident,
        request: &request,
        own_order: Some(locked.id()),
        asked: &asked,
        family_max: Some(convert::fen("care_order", "family_max_fen", locked.order.family_max_fen)?),
        seed: locked.id().to_string(),
    };
    let found = match search.run(tx).await {
        Ok(found) => found,
        // The resident cannot be served any more, whoever would come: nobody is asked, and the order ends.
        Err(StoreError::Refused(_)) => return Ok(Vec::new()),
        Err(broken) => return Err(broken),
    };
    let chosen = found.matching.candidates.iter().take(width).filter_map(|one| {
        let reasons = one.reasons.iter().map(ToString::to_string).collect();
        if one.provider.uuid() == booked.provider_id {
            return Some(named(booked, reasons));
        }
        let price = found.prices.get(&one.provider)?;
        Some(Chosen { provider: one.provider, gross_fen: price.gross.get(), family_fen: price.family.get(), reasons })
    });
    Ok(chosen.collect())
}

/// Why a wanted service was not given, from what became of its offers.
fn unmet_reason(earlier: &[offer::Model], ended_by: OrderTrigger) -> Result<UnmetReason, StoreError> {
    let states = earlier.iter().map(state).collect::<Result<Vec<_>, _>>()?;
    let refused = states.iter().any(|state| matches!(state, OfferState::Declined | OfferState::Returned));
    Ok(match ended_by {
        OrderTrigger::Miss => UnmetReason::Missed,
        _ if states.is_empty() => UnmetReason::NobodyToAsk,
        _ if refused => UnmetReason::Declined,
        _ => UnmetReason::Unanswered,
    })
}

/// Ends an order that nobody serves: holds go back, and the wanted service is recorded.
pub(crate) async fn end_unserved(
    tx: &Tx<'_>,
    locked: &Locked,
    trigger: OrderTrigger,
    reason: UnmetReason,
) -> Result<OrderStep, StoreError> {
    let moved = end_without_service(tx, locked, trigger).await?;
    let row = unmet_demand::Model {
        order_id: locked.order.id,
        division: locked.resident.residence_division.clone(),
        item: locked.order.item.clone(),
        class: locked.order.class.clone(),
        starts_at: locked.order.starts_at,
        reason: reason.to_string(),
        recorded_at: tx.now(),
    };
    unmet_demand::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
    tx.emit(Event::DemandUnmet { order: locked.id(), reason });
    Ok(moved)
}

/// Closes an offer.
async fn close(tx: &Tx<'_>, row: &offer::Model, trigger: OfferTrigger, reason: Option<DeclineReason>) -> Result<(), StoreError> {
    let to = state(row)?.on(trigger)?.to;
    let next = offer::Model {
        state: to.to_string(),
        answered_at: Some(tx.now()),
        answered_by: tx.actor().person().map(PersonId::uuid),
        reason: reason.map(|reason| reason.to_string()),
        version: row.version + 1,
        ..row.clone()
    };
    tx.save(next).await?;
    let (offer, order) = (OfferId::from_uuid(row.id), OrderId::from_uuid(row.order_id));
    tx.emit(Event::OfferClosed { offer, order, provider: ProviderId::from_uuid(row.provider_id), state: to });
    Ok(())
}

/// Closes all offers of an order that are still open.
pub(crate) async fn close_open(tx: &Tx<'_>, order: OrderId, trigger: OfferTrigger) -> Result<(), StoreError> {
    for row in of_order(tx, order).await? {
        if state(&row)? == OfferState::Open {
            close(tx, &row, trigger, None).await?;
        }
    }
    Ok(())
}

/// The offer of an order that the actor may answer for: an open one before one that is closed.
async fn own_offer(tx: &Tx<'_>, locked: &Locked, action: Action) -> Result<offer::Model, StoreError> {
    let mut closed = None;
    for row in of_order(tx, locked.id()).await? {
        // Nothing but the offer itself gives a reach: a community worker who manages a provider too is asked as its manager.
        let object = Object { provider: Some(ProviderId::from_uuid(row.provider_id)), ..Object::default() };
        if tx.permit(action, &object).is_err() {
            continue;
        }
        if state(&row)? == OfferState::Open {
            return Ok(row);
        }
        closed = Some(row);
    }
    match closed {
        Some(row) => Err(OfferError::Closed(state(&row)?).into()),
        None => Err(StoreError::not_found()),
    }
}

/// Puts a booked order before its first providers.
#[derive(Debug, Clone)]
pub struct OfferOrder {
    /// The order.
    pub order: OrderId,
}

impl Command for OfferOrder {
    type Output = ();
    const ACTION: Option<Action> = None;
    const NAME: &'static str = "offer_order";

    async fn run(&self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let locked = lock(tx, self.order).await?;
        // Called off, or offered by an earlier try: nothing is left to do.
        if locked.state()? == OrderState::Requested {
            ask_next(tx, &locked, OrderTrigger::Expire).await?;
        }
        Ok(())
    }
}

/// Accepts an offered order.
#[derive(Debug, Clone)]
pub struct AcceptOrder {
    /// The order.
    pub order: OrderId,
}

impl Command for AcceptOrder {
    type Output = OrderStep;
    const ACTION: Option<Action> = Some(Action::AcceptOrder);
    const NAME: &'static str = "accept_order";

    async fn run(&self, tx: &Tx<'_>) -> Result<OrderStep, StoreError> {
        let locked = lock(tx, self.order).await?;
        let own = own_offer(tx, &locked, Action::AcceptOrder).await?;
        close(tx, &own, OfferTrigger::Accept, None).await?;
        close_open(tx, self.order, OfferTrigger::Withdraw).await?;
        let order = with_provider(tx, &locked, &own).await?;
        advance(tx, &Locked { order, ..locked.clone() }, OrderTrigger::Accept).await
    }
}

/// The order with the provider that accepted: at the price that the family was shown, or at another provider's
/// own, reckoned anew with the holds that go with it.
async fn with_provider(tx: &Tx<'_>, locked: &Locked, own: &offer::Model) -> Result<care_order::Model, StoreError> {
    let (booked, _) = quote::read(tx, QuoteId::from_uuid(locked.order.quote_id)).await?;
    if booked.provider_id == own.provider_id {
        let provider = provider::read(tx, ProviderId::from_uuid(own.provider_id)).await?;
        let item = convert::code("care_order", "item", &locked.order.item)?;
        provider::check_order(tx, &provider, &locked.order, item).await?;
        return Ok(care_order::Model { provider_id: own.provider_id, ..locked.order.clone() });
    }
    let repriced = quote::reprice(tx, locked, ProviderId::from_uuid(own.provider_id)).await?;
    if !repriced.costs_family_no_more(&locked.order) {
        return Err(OrderError::QuoteChanged.into());
    }
    consent::close_questions(tx, locked.id()).await?;
    let order = repriced.adopt(tx, locked).await?;
    Ok(care_order::Model { provider_id: own.provider_id, ..order })
}

/// Declines an offered order: the next candidate is asked.
#[derive(Debug, Clone)]
pub struct DeclineOrder {
    /// The order.
    pub order: OrderId,
    /// Why.
    pub reason: DeclineReason,
}

impl Command for DeclineOrder {
    type Output = OrderStep;
    const ACTION: Option<Action> = Some(Action::DeclineOrder);
    const NAME: &'static str = "decline_order";

    async fn run(&self, tx: &Tx<'_>) -> Result<OrderStep, StoreError> {
        need_own_reason(self.reason)?;
        let locked = lock(tx, self.order).await?;
        let own = own_offer(tx, &locked, Action::DeclineOrder).await?;
        close(tx, &own, OfferTrigger::Decline, Some(self.reason)).await?;
        let mut others = false;
        for row in of_order(tx, self.order).await? {
            others |= state(&row)? == OfferState::Open;
        }
        if others {
            tx.record(&self.order, None, None);
            return step(&locked.order, locked.visit_id());
        }
        ask_next(tx, &locked, OrderTrigger::Decline).await
    }
}

fn need_own_reason(reason: DeclineReason) -> Result<(), StoreError> {
    if reason.is_of_provider() { Ok(()) } else { Err(OfferError::Reason.into()) }
}

/// Gives an accepted order back: the next candidate is asked.
#[derive(Debug, Clone)]
pub struct ReturnOrder {
    /// The order.
    pub order: OrderId,
    /// Why.
    pub reason: DeclineReason,
}

impl Command for ReturnOrder {
    type Output = OrderStep;
    const ACTION: Option<Action> = Some(Action::ReturnOrder);
    const NAME: &'static str = "return_order";

    async fn run(&self, tx: &Tx<'_>) -> Result<OrderStep, StoreError> {
        need_own_reason(self.reason)?;
        let locked = lock(tx, self.order).await?;
        tx.permit(Action::ReturnOrder, &Object { provider: locked.object.provider, ..Object::default() })?;
        take_back(tx, &locked, self.reason, OrderTrigger::Decline).await
    }
}

/// Takes an accepted or assigned order away from its provider and asks the next one.
pub(crate) async fn take_back(
    tx: &Tx<'_>,
    locked: &Locked,
    reason: DeclineReason,
    otherwise: OrderTrigger,
) -> Result<OrderStep, StoreError> {
    let from = locked.state()?;
    match from {
        OrderState::Accepted | OrderState::Assigned => {}
        // Only an order that somebody has accepted and nobody has begun can be given back.
        OrderState::Requested
        | OrderState::Offered
        | OrderState::InService
        | OrderState::Completed
        | OrderState::Confirmed
        | OrderState::Disputed
        | OrderState::DisputeDecided
        | OrderState::Declined
        | OrderState::Expired
        | OrderState::Cancelled
        | OrderState::Missed => return Err(OfferError::NotHeld(from).into()),
    }
    for row in of_order(tx, locked.id()).await? {
        if state(&row)? == OfferState::Accepted {
            close(tx, &row, OfferTrigger::Return, Some(reason)).await?;
        }
    }
    ask_next(tx, locked, otherwise).await
}

/// Withdraws the open offer to a provider that may serve no longer; the next one is asked when nobody else still is.
pub(crate) async fn withdraw_offer(tx: &Tx<'_>, locked: &Locked, provider: ProviderId) -> Result<(), StoreError> {
    let (mut own, mut others) = (false, false);
    for row in of_order(tx, locked.id()).await? {
        if state(&row)? != OfferState::Open {
            continue;
        }
        if row.provider_id == provider.uuid() {
            close(tx, &row, OfferTrigger::Withdraw, None).await?;
            own = true;
        } else {
            others = true;
        }
    }
    if own && !others {
        ask_next(tx, locked, OrderTrigger::Decline).await?;
    }
    Ok(())
}
