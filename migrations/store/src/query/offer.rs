//! Who was asked to serve an order, and which wanted services nobody gave.

use std::collections::BTreeMap;

use domain::{
    access::{Action, Actor, Object},
    catalogue::{ItemCode, ServiceClass},
    division::DivisionCode,
    id::{OfferId, OrderId, ProviderId},
    money::Fen,
    order::{DeclineReason, OfferState, UnmetReason},
    time::{Instant, Month},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use serde::Serialize;

use crate::{
    Store, convert,
    entity::{care_order, offer, unmet_demand},
    error::StoreError,
};

/// Offers of a provider that are shown at once.
const OFFERS_SHOWN_MAX: u64 = 200;

/// One provider asked to serve one order.
#[derive(Debug, Clone, Serialize)]
pub struct OfferView {
    /// The offer.
    pub offer_id: OfferId,
    /// The order.
    pub order_id: OrderId,
    /// Who is asked.
    pub provider_id: ProviderId,
    /// In which round.
    pub round: i64,
    /// Where it stands.
    pub state: OfferState,
    /// Why it was asked in this place.
    pub rank_reasons: Vec<String>,
    /// Whole price with this provider.
    pub gross: Fen,
    /// What the family pays with this provider.
    pub family: Fen,
    /// When it was made.
    pub offered_at: Instant,
    /// Until when it can be answered.
    pub deadline_at: Instant,
    /// When it was closed.
    pub answered_at: Option<Instant>,
    /// Why it was declined or given back.
    pub reason: Option<DeclineReason>,
}

/// How often a service was wanted and not given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnmetDemand {
    /// Community of the residents.
    pub division: DivisionCode,
    /// What was wanted.
    pub item: ItemCode,
    /// In which class.
    pub class: ServiceClass,
    /// Why nobody gave it.
    pub reason: UnmetReason,
    /// How often.
    pub orders: u64,
}

impl Store {
    /// All offers of an order, oldest first. A provider sees its own ones only.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn offers_of_order(&self, actor: &Actor, id: OrderId) -> Result<Vec<OfferView>, StoreError> {
        actor.may(Action::ReadOffers)?;
        let row = care_order::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let object = self.order_object(&row).await?;
        let rows = offer::Entity::find()
            .filter(offer::Column::OrderId.eq(row.id))
            .order_by_asc(offer::Column::Round)
            .order_by_asc(offer::Column::Id)
            .all(self.db())
            .await?;
        let whole = actor.permit(Action::ReadOffers, &Object { provider: None, ..object }).is_ok();
        let rows: Vec<_> = rows.into_iter().filter(|row| whole || is_own(actor, row)).collect();
        if rows.is_empty() && !whole {
            return Err(StoreError::not_found());
        }
        rows.iter().map(offer_view).collect()
    }

    /// The offers of a provider that wait for its answer, the most urgent first.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn open_offers(&self, actor: &Actor, provider: ProviderId) -> Result<Vec<OfferView>, StoreError> {
        actor.permit(Action::ReadOffers, &Object { provider: Some(provider), ..Object::default() })?;
        let rows = offer::Entity::find()
            .filter(offer::Column::ProviderId.eq(provider.uuid()))
            .filter(offer::Column::State.eq(OfferState::Open.to_string()))
            .order_by_asc(offer::Column::DeadlineAt)
            .order_by_asc(offer::Column::Id)
            .limit(OFFERS_SHOWN_MAX)
            .all(self.db())
            .await?;
        rows.iter().map(offer_view).collect()
    }

    /// Wanted services of a month that nobody gave, within the actor's divisions, by community, service and reason.
    ///
    /// # Errors
    /// A role that may not.
    pub async fn unmet_demand(&self, actor: &Actor, month: Month) -> Result<Vec<UnmetDemand>, StoreError> {
        actor.may(Action::ReadUnmetDemand)?;
        let rows = unmet_demand::Entity::find()
            .filter(unmet_demand::Column::StartsAt.gte(month.first_day().start()))
            .filter(unmet_demand::Column::StartsAt.lt(month.next()?.first_day().start()))
            .all(self.db())
            .await?;
        let mut counts: BTreeMap<(String, String, String, String), u64> = BTreeMap::new();
        for row in rows {
            let division: DivisionCode = convert::code("unmet_demand", "division", &row.division)?;
            let object = Object { division: Some(division), ..Object::default() };
            if actor.permit(Action::ReadUnmetDemand, &object).is_ok() {
                *counts.entry((row.division, row.item, row.class, row.reason)).or_default() += 1;
            }
        }
        let read = |((division, item, class, reason), orders): ((String, String, String, String), u64)| {
            Ok(UnmetDemand {
                division: convert::code("unmet_demand", "division", &division)?,
                item: convert::code("unmet_demand", "item", &item)?,
                class: convert::code("unmet_demand", "class", &class)?,
                reason: convert::code("unmet_demand", "reason", &reason)?,
                orders,
            })
        };
        counts.into_iter().map(read).collect()
    }
}

fn offer_view(row: &offer::Model) -> Result<OfferView, StoreError> {
    Ok(OfferView {
        offer_id: OfferId::from_uuid(row.id),
        order_id: OrderId::from_uuid(row.order_id),
        provider_id: ProviderId::from_uuid(row.provider_id),
        round: row.round,
        state: convert::code("offer", "state", &row.state)?,
        rank_reasons: convert::json("offer", "rank_reasons", &row.rank_reasons)?,
        gross: convert::fen("offer", "gross_fen", row.gross_fen)?,
        family: convert::fen("offer", "family_fen", row.family_fen)?,
        offered_at: row.offered_at,
        deadline_at: row.deadline_at,
        answered_at: row.answered_at,
        reason: row.reason.as_deref().map(|reason| convert::code("offer", "reason", reason)).transpose()?,
    })
}

fn is_own(actor: &Actor, row: &offer::Model) -> bool {
    actor.permit(Action::ReadOffers, &Object { provider: Some(ProviderId::from_uuid(row.provider_id)), ..Object::default() }).is_ok()
}
