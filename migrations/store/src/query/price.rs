//! Price lists.

use domain::{
    access::{Action, Actor},
    id::ProviderId,
    money::Fen,
    provider::ProviderStatus,
    time::{BusinessDate, Instant},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use crate::{
    Store,
    command::provider::object,
    convert,
    entity::{price, provider},
    error::StoreError,
};

/// A row of a price list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceView {
    /// Catalogue code of the service.
    pub item: String,
    /// Class: home, community or institution.
    pub class: String,
    /// Price of one catalogue unit.
    pub unit_price: Fen,
    /// First day on which it is asked.
    pub effective_from: BusinessDate,
    /// When it was published.
    pub published_at: Instant,
}

impl Store {
    /// The price list of a provider with its history: of an admitted one for everybody who is signed in, as prices are
    /// public, of others for whoever may see their record.
    ///
    /// # Errors
    /// Not found, also when out of reach.
    pub async fn prices(&self, actor: &Actor, id: ProviderId) -> Result<Vec<PriceView>, StoreError> {
        let row = provider::Entity::find_by_id(id.uuid()).one(self.db()).await?.ok_or_else(StoreError::not_found)?;
        let status: ProviderStatus = convert::code("provider", "state", &row.state)?;
        if status != ProviderStatus::Admitted {
            actor.permit(Action::ReadProvider, &object(&row)?).map_err(|_out_of_reach| StoreError::not_found())?;
        }
        let rows = price::Entity::find()
            .filter(price::Column::ProviderId.eq(row.id))
            .order_by_asc(price::Column::Item)
            .order_by_asc(price::Column::Class)
            .order_by_asc(price::Column::EffectiveFrom)
            .order_by_asc(price::Column::Id)
            .all(self.db())
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(PriceView {
                    unit_price: convert::fen("price", "unit_price_fen", row.unit_price_fen)?,
                    effective_from: convert::date(row.effective_from),
                    published_at: row.created_at,
                    item: row.item,
                    class: row.class,
                })
            })
            .collect()
    }
}
