//! Who could serve: loads what the domain's ranking needs, prices the service at each provider by the one code
//! that quotes, and lets the domain rank.

mod facts;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::{OrderId, ProviderId},
    matching::{Matching, Need, ProviderFacts, ServicePlace, rank},
    money::Fen,
    provider::Unfit,
    resident::Coordinate,
    tariff::Split,
};
use sea_orm::EntityTrait as _;
use uuid::Uuid;

use crate::{
    command::quote::{Asked, RequestQuote},
    convert,
    entity::{self, service_address},
    error::StoreError,
    pricing::{Basis, Pricing},
    tx::Tx,
};

/// What is looked for.
pub(crate) struct Search<'a> {
    /// For whom.
    pub(crate) resident: &'a entity::resident::Model,
    /// What, when and where; the provider that it names does not matter.
    pub(crate) request: &'a RequestQuote,
    /// The order whose own holds count as available and whose own visit takes nobody's time.
    pub(crate) own_order: Option<OrderId>,
    /// Providers that were asked before.
    pub(crate) asked: &'a BTreeSet<Uuid>,
    /// The most that the family has agreed to pay.
    pub(crate) family_max: Option<Fen>,
    /// From which the draw among equals is made.
    pub(crate) seed: String,
}

/// What was found.
pub(crate) struct Found {
    /// Candidates and those left out, with reasons.
    pub(crate) matching: Matching,
    /// How the price of each provider that offers the service would be divided.
    pub(crate) prices: BTreeMap<ProviderId, Split>,
    /// Names of the providers looked at.
    pub(crate) names: BTreeMap<ProviderId, String>,
}

impl Search<'_> {
    /// Looks at every provider of the city.
    pub(crate) async fn run(&self, tx: &Tx<'_>) -> Result<Found, StoreError> {
        let asked = self.request.asked(tx, self.resident).await?;
        let place = self.place(tx).await?;
        let loaded = facts::load(tx, self, place, asked).await?;
        let (mut prices, mut rows, mut names) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        // What programmes pay depends on the price alone, not on who asks it.
        let mut splits: BTreeMap<Fen, Split> = BTreeMap::new();
        for one in loaded {
            let mut row: ProviderFacts = one.facts;
            let split = self.split(tx, asked, one.unit_price, &mut splits).await?;
            if !split.shares.is_empty() && !one.has_agreement {
                row.unfit.push(Unfit::Agreement);
            }
            (row.gross, row.family) = (Some(split.gross), Some(split.family));
            prices.insert(row.provider, split);
            names.insert(row.provider, one.name);
            rows.push(row);
        }
        let need = Need { place: Some(place), carers: asked.staff_count, family_max: self.family_max, seed: self.seed.clone() };
        Ok(Found { matching: rank(&need, &rows), prices, names })
    }

    async fn split(&self, tx: &Tx<'_>, asked: Asked, unit_price: Fen, splits: &mut BTreeMap<Fen, Split>) -> Result<Split, StoreError> {
        let priced = self.request.priced(tx, asked, unit_price)?;
        if let Some(split) = splits.get(&priced.gross) {
            return Ok(split.clone());
        }
        let basis = self.own_order.map_or(Basis::New, Basis::Again);
        let pricing = Pricing { resident: self.resident, priced: &priced, programmes: self.request.programmes.as_ref(), basis };
        let split = pricing.split(tx).await?;
        splits.insert(priced.gross, split.clone());
        Ok(split)
    }

    /// Where the resident is served; at least the community of residence.
    async fn place(&self, tx: &Tx<'_>) -> Result<ServicePlace, StoreError> {
        let residence = convert::code("resident", "residence_division", &self.resident.residence_division)?;
        let Some(address) = self.request.address else { return Ok(ServicePlace { division: residence, coordinate: None }) };
        let row = service_address::Entity::find_by_id(address.uuid()).one(tx.db).await?.ok_or_else(StoreError::not_found)?;
        let coordinate: Option<Coordinate> = match &row.coordinate_enc {
            Some(envelope) => Some(tx.open_json("service_address", "coordinate_enc", row.id, envelope)?),
            None => None,
        };
        Ok(ServicePlace { division: convert::code("service_address", "division", &row.division)?, coordinate })
    }
}
