//! Which providers could serve: asked before a quote, answered by the code that later offers the order.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::Action,
    catalogue::{ItemCode, Quantity, ServiceClass},
    id::{ProviderId, ResidentId, ServiceAddressId},
    money::Fen,
    policy::{FactValue, ProgrammeCode},
    time::Instant,
};
use serde::{Deserialize, Serialize};

use crate::{
    command::{quote::RequestQuote, resident},
    error::StoreError,
    matching::Search,
    tx::Tx,
    write::Command,
};

/// Asks which providers could serve.
#[derive(Debug, Clone)]
pub struct FindCandidates {
    /// For whom.
    pub resident: ResidentId,
    /// Where, for services at home.
    pub address: Option<ServiceAddressId>,
    /// What.
    pub item: ItemCode,
    /// In which class.
    pub class: ServiceClass,
    /// When it begins.
    pub starts_at: Instant,
    /// How much of it, in catalogue units.
    pub quantity: Quantity,
    /// Facts of the visit that policies declare.
    pub facts: BTreeMap<String, FactValue>,
    /// The programmes to use; none means all that the resident has.
    pub programmes: Option<BTreeSet<ProgrammeCode>>,
}

/// A provider that could serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateView {
    /// The provider.
    pub provider_id: ProviderId,
    /// Its name.
    pub name: String,
    /// Whole price.
    pub gross: Fen,
    /// What programmes would pay.
    pub subsidy: Fen,
    /// What the family would pay.
    pub family: Fen,
    /// What decided its place, in the order of weight.
    pub reasons: Vec<String>,
}

/// A provider that could not serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludedView {
    /// The provider.
    pub provider_id: ProviderId,
    /// Its name.
    pub name: String,
    /// Every reason.
    pub reasons: Vec<String>,
}

/// Who could serve, best first, and who could not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidatesView {
    /// Best first.
    pub candidates: Vec<CandidateView>,
    /// The others.
    pub excluded: Vec<ExcludedView>,
}

impl Command for FindCandidates {
    type Output = CandidatesView;
    const ACTION: Option<Action> = Some(Action::FindCandidates);
    const NAME: &'static str = "find_candidates";

    async fn run(&self, tx: &Tx<'_>) -> Result<CandidatesView, StoreError> {
        let resident = resident::lock(tx, self.resident).await?;
        tx.permit(Action::FindCandidates, &resident::object(&resident)?)?;
        let asked = BTreeSet::new();
        // Before there is an order, the same question gives the same draw.
        let seed = format!("{}/{}/{}", self.resident, self.item, self.starts_at.timestamp());
        let request = self.request();
        let search = Search { resident: &resident, request: &request, own_order: None, asked: &asked, family_max: None, seed };
        let found = search.run(tx).await?;
        tx.record(&self.resident, None, None);
        let name = |provider| found.names.get(&provider).cloned().unwrap_or_default();
        let mut candidates = Vec::new();
        for one in &found.matching.candidates {
            let Some(price) = found.prices.get(&one.provider) else { continue };
            candidates.push(CandidateView {
                provider_id: one.provider,
                name: name(one.provider),
                gross: price.gross,
                subsidy: Fen::sum(price.shares.iter().map(|share| share.subsidy))?,
                family: one.family,
                reasons: one.reasons.iter().map(ToString::to_string).collect(),
            });
        }
        let excluded = found.matching.excluded.iter().map(|one| ExcludedView {
            provider_id: one.provider,
            name: name(one.provider),
            reasons: one.reasons.iter().map(ToString::to_string).collect(),
        });
        Ok(CandidatesView { candidates, excluded: excluded.collect() })
    }
}

impl FindCandidates {
    /// The request that a quote would be asked with; whose is what is being looked for.
    fn request(&self) -> RequestQuote {
        RequestQuote {
            resident: self.resident,
            provider: ProviderId::from_uuid(uuid::Uuid::nil()),
            address: self.address,
            item: self.item,
            class: self.class,
            starts_at: self.starts_at,
            quantity: self.quantity,
            facts: self.facts.clone(),
            programmes: self.programmes.clone(),
        }
    }
}
