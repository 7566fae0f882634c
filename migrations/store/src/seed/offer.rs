//! What an order leaves beside its own row: the offer to its provider, what cancelling cost, what nobody gave, and
//! what a dispute said.

use domain::{
    event::Event,
    id::{DisputeStatementId, OfferId, ProviderId},
    ledger::recognise,
    order::{
        CancelFacts, CancelReason, DeclineReason, DisputeOutcome, DisputeReason, DisputeSide, OfferState, OfferTrigger, OrderTrigger,
        UnmetReason,
    },
    resident::LifeStatus,
    state::StateMachine as _,
    time::{BusinessDate, Instant},
};

use super::{
    home::Home,
    maker::{Maker, Step, Who},
    order::Course,
};
use crate::{
    command::order::FEE_FACT,
    convert,
    entity::{cancellation, dispute, dispute_statement, offer, unmet_demand},
    error::StoreError,
};

/// What the family says when it disputes, and what the bureau answers.
const DISPUTED: &str = "记录的服务内容与实际不一致，请核实。";
const RECOGNISED: &str = "经核实签到、签退及任务记录，服务已按约定完成，予以认定。";
const NOT_RECOGNISED: &str = "经核实现有记录不能证明服务已完成，不予认定。";

impl Course<'_> {
    /// Puts the order before its provider.
    pub(super) fn make_offer(&mut self, maker: &mut Maker<'_>, step: &Step) -> Result<(), StoreError> {
        let id: OfferId = maker.id(step.at);
        let deadline_at =
            self.order.deadline_at.ok_or_else(|| convert::corrupt("care_order", "deadline_at", &"an offer has no deadline"))?;
        self.offer = Some(offer::Model {
            id: id.uuid(),
            order_id: self.order.id,
            provider_id: self.order.provider_id,
            gross_fen: self.order.gross_fen,
            family_fen: self.order.family_fen,
            round: 1,
            rank_reasons: convert::to_json("offer", &["named"])?,
            state: OfferState::INITIAL.to_string(),
            deadline_at,
            offered_at: step.at,
            answered_at: None,
            answered_by: None,
            reason: None,
            version: 1,
        });
        maker.event(step, &Event::OfferMade { offer: id, order: self.id, provider: self.provider(), round: 1 })?;
        Ok(())
    }

    /// Closes the offer with the step of the order that answers it.
    pub(super) fn close_offer(&mut self, maker: &mut Maker<'_>, step: &Step, moved: OrderTrigger) -> Result<(), StoreError> {
        let Some(trigger) = answer(moved) else { return Ok(()) };
        let provider = self.provider();
        let Some(row) = self.offer.as_mut().filter(|row| row.answered_at.is_none()) else { return Ok(()) };
        let from: OfferState = convert::code("offer", "state", &row.state)?;
        let to = from.on(trigger)?.to;
        row.state = to.to_string();
        row.answered_at = Some(step.at);
        row.answered_by = step.who.person().map(domain::id::Id::uuid);
        row.reason = (trigger == OfferTrigger::Decline).then(|| DeclineReason::NoCarer.to_string());
        row.version += 1;
        let offer = OfferId::from_uuid(row.id);
        maker.event(step, &Event::OfferClosed { offer, order: self.id, provider, state: to })?;
        Ok(())
    }

    fn provider(&self) -> ProviderId {
        self.booking.seat.provider
    }

    /// What an end without service leaves.
    pub(super) fn ended(&self, maker: &mut Maker<'_>, home: &Home<'_>, step: &Step, trigger: OrderTrigger) -> Result<(), StoreError> {
        let unmet = match trigger {
            OrderTrigger::Cancel => return self.cancelled(maker, home, step),
            OrderTrigger::Decline => UnmetReason::Declined,
            OrderTrigger::Expire => UnmetReason::Unanswered,
            OrderTrigger::Miss => UnmetReason::Missed,
            OrderTrigger::Offer
            | OrderTrigger::Accept
            | OrderTrigger::Assign
            | OrderTrigger::ClockIn
            | OrderTrigger::Stop
            | OrderTrigger::Complete
            | OrderTrigger::Confirm
            | OrderTrigger::Dispute
            | OrderTrigger::Decide => return Ok(()),
        };
        maker.push(unmet_demand::Model {
            order_id: self.order.id,
            division: home.plan.residence.to_string(),
            item: self.order.item.clone(),
            class: self.order.class.clone(),
            starts_at: self.order.starts_at,
            reason: unmet.to_string(),
            recorded_at: step.at,
        })?;
        maker.event(step, &Event::DemandUnmet { order: self.id, reason: unmet })?;
        Ok(())
    }

    /// What cancelling cost, by the rule that holds for a live order.
    fn cancelled(&self, maker: &mut Maker<'_>, home: &Home<'_>, step: &Step) -> Result<(), StoreError> {
        let item = self.quoted.priced.item;
        let terms = &maker.world.store.reference().cancellation;
        let terms = terms.rule(item, BusinessDate::of(self.order.starts_at)).ok_or(domain::order::OrderError::NotOffered)?;
        let role = match step.who {
            Who::Person(_, office) => Some(office),
            Who::System(_) => None,
        };
        let facts = CancelFacts {
            // Whoever cancels here does so after carers were named.
            state: domain::order::OrderState::Assigned,
            start: self.order.starts_at,
            family: convert::fen("care_order", "family_fen", self.order.family_fen)?,
            reason: CancelReason::PlansChanged,
            role,
            status: LifeStatus::Alive,
        };
        let due = terms.consequence(&facts, step.at)?;
        if !due.fee.is_zero() {
            let fee = recognise(self.id, (home.id, self.provider()), &[], due.fee, FEE_FACT, BusinessDate::of(step.at))?;
            maker.transfer(step.at, &fee)?;
        }
        maker.push(cancellation::Model {
            order_id: self.order.id,
            cancelled_by: step.who.person().map(domain::id::Id::uuid),
            role: role.map(|role| role.to_string()),
            reason: facts.reason.to_string(),
            because: due.because.to_string(),
            fee_fen: due.fee.get(),
            share_points: due.share.get(),
            free_until: due.free_until,
            cancelled_at: step.at,
        })?;
        maker.event(step, &Event::OrderCancelled { order: self.id, reason: facts.reason, fee: due.fee })?;
        Ok(())
    }

    /// The family's case, and the decision when its time has come.
    pub(super) fn disputed(
        &self,
        maker: &mut Maker<'_>,
        raised: (Instant, Who),
        decided: (Instant, Who),
        outcome: DisputeOutcome,
    ) -> Result<(), StoreError> {
        let raised_by = raised.1.person().ok_or_else(StoreError::not_found)?.uuid();
        let is_decided = maker.is_past(decided.0);
        let reason = if outcome == DisputeOutcome::Nothing { DisputeReason::NotDelivered } else { DisputeReason::NotAsAgreed };
        maker.push(dispute::Model {
            order_id: self.order.id,
            reason: reason.to_string(),
            raised_by,
            raised_at: raised.0,
            outcome: is_decided.then(|| outcome.name().to_owned()),
            share_points: is_decided.then(|| outcome.share().get()),
            decided_by: decided.1.person().map(domain::id::Id::uuid).filter(|_| is_decided),
            decided_at: is_decided.then_some(decided.0),
        })?;
        self.state(maker, raised, (DisputeSide::Family, DISPUTED))?;
        if is_decided {
            let answer = if outcome == DisputeOutcome::Nothing { NOT_RECOGNISED } else { RECOGNISED };
            self.state(maker, decided, (DisputeSide::Bureau, answer))?;
        }
        Ok(())
    }

    fn state(&self, maker: &mut Maker<'_>, (at, who): (Instant, Who), (side, text): (DisputeSide, &str)) -> Result<(), StoreError> {
        let id: DisputeStatementId = maker.id(at);
        let text_enc = maker.seal("dispute_statement", "text_enc", id.uuid(), text.as_bytes())?;
        let person_id = who.person().ok_or_else(StoreError::not_found)?.uuid();
        maker.push(dispute_statement::Model {
            id: id.uuid(),
            order_id: self.order.id,
            side: side.to_string(),
            person_id,
            text_enc,
            made_at: at,
        })
    }
}

/// How a step of the order answers its offer.
const fn answer(moved: OrderTrigger) -> Option<OfferTrigger> {
    match moved {
        OrderTrigger::Accept => Some(OfferTrigger::Accept),
        OrderTrigger::Decline => Some(OfferTrigger::Decline),
        OrderTrigger::Expire => Some(OfferTrigger::Expire),
        OrderTrigger::Cancel => Some(OfferTrigger::Withdraw),
        OrderTrigger::Offer
        | OrderTrigger::Assign
        | OrderTrigger::ClockIn
        | OrderTrigger::Stop
        | OrderTrigger::Complete
        | OrderTrigger::Confirm
        | OrderTrigger::Dispute
        | OrderTrigger::Decide
        | OrderTrigger::Miss => None,
    }
}
