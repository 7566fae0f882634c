//! Cancelling an order: what it costs is known beforehand and recorded with the rule of that moment.

use domain::{
    access::Action,
    catalogue::ItemCode,
    event::Event,
    id::{OrderId, PersonId, ProviderId, ResidentId},
    ledger::recognise,
    money::Fen,
    order::{CancelError, CancelFacts, CancelReason, CancelTerms, Consequence, OrderError, OrderTrigger},
    time::{BusinessDate, Instant},
};
use sea_orm::{EntityTrait as _, IntoActiveModel as _};

use super::{OrderStep, end_without_service, lock};
use crate::{
    convert,
    entity::{cancellation, care_order, resident},
    error::StoreError,
    tx::Tx,
    write::Command,
};

/// The fact of the transfer that a fee leaves in the ledger.
pub(crate) const FEE_FACT: &str = "cancellation";

/// Calls an order off before service.
#[derive(Debug, Clone)]
pub struct CancelOrder {
    /// The order.
    pub order: OrderId,
    /// Why.
    pub reason: CancelReason,
    /// What the person has agreed to pay for it.
    pub fee_agreed: Fen,
}

impl Command for CancelOrder {
    type Output = OrderStep;
    const ACTION: Option<Action> = Some(Action::CancelOrder);
    const NAME: &'static str = "cancel_order";

    async fn run(&self, tx: &Tx<'_>) -> Result<OrderStep, StoreError> {
        let locked = lock(tx, self.order).await?;
        tx.permit(Action::CancelOrder, &locked.object)?;
        let role = tx.actor().permit(Action::CancelOrder, &locked.object)?.role;
        let asked = Asked { order: &locked.order, resident: &locked.resident, reason: self.reason, role };
        let due = asked.consequence(&tx.reference.cancellation, tx.now())?;
        // Before the fee is asked for: an order that is over is refused for that.
        let moved = end_without_service(tx, &locked, OrderTrigger::Cancel).await?;
        if due.fee > self.fee_agreed {
            return Err(CancelError::Fee(due.fee).into());
        }
        if !due.fee.is_zero() {
            let parties = (ResidentId::from_uuid(locked.order.resident_id), ProviderId::from_uuid(locked.order.provider_id));
            tx.transfer(&recognise(self.order, parties, &[], due.fee, FEE_FACT, tx.today())?).await?;
        }
        let row = cancellation::Model {
            order_id: locked.order.id,
            cancelled_by: tx.actor().person().map(PersonId::uuid),
            role: role.map(|role| role.to_string()),
            reason: self.reason.to_string(),
            because: due.because.to_string(),
            fee_fen: due.fee.get(),
            share_points: due.share.get(),
            free_until: due.free_until,
            cancelled_at: tx.now(),
        };
        cancellation::Entity::insert(row.into_active_model()).exec_without_returning(tx.db).await?;
        tx.emit(Event::OrderCancelled { order: self.order, reason: self.reason, fee: due.fee });
        Ok(moved)
    }
}

/// What a cancellation is judged by; the look before it and the act itself ask the same.
pub(crate) struct Asked<'a> {
    pub(crate) order: &'a care_order::Model,
    pub(crate) resident: &'a resident::Model,
    pub(crate) reason: CancelReason,
    pub(crate) role: Option<domain::access::Role>,
}

impl Asked<'_> {
    pub(crate) fn consequence(&self, terms: &CancelTerms, now: Instant) -> Result<Consequence, StoreError> {
        let item: ItemCode = convert::code("care_order", "item", &self.order.item)?;
        let rule = terms.rule(item, BusinessDate::of(self.order.starts_at)).ok_or(OrderError::NotOffered)?;
        let facts = CancelFacts {
            state: convert::code("care_order", "state", &self.order.state)?,
            start: self.order.starts_at,
            family: convert::fen("care_order", "family_fen", self.order.family_fen)?,
            reason: self.reason,
            role: self.role,
            status: convert::code("resident", "status", &self.resident.status)?,
        };
        Ok(rule.consequence(&facts, now)?)
    }
}
