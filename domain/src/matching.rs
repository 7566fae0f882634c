//! Matching: which providers could serve an order, in which order they are asked, and why the others are not.
//!
//! Everything is a fact that the caller loaded; the ranking is a fixed comparison of named facts, so that the
//! same facts always give the same order and each place can be explained. Among equals a draw decides that
//! nobody can influence and everybody can recompute: SHA-256 over the order's seed and the provider's id.

mod facts;
mod reason;

use std::cmp::Reverse;

use sha2::{Digest as _, Sha256};

pub use facts::{Area, Nearness, Need, ProviderFacts, ServicePlace};
pub use reason::{Exclusion, RankReason};

use crate::{id::ProviderId, money::Fen};

/// Distances are compared in steps of this many metres: a few streets more or less are no reason.
const DISTANCE_STEP_M: u32 = 2_000;

/// A provider that could serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The provider.
    pub provider: ProviderId,
    /// What the family would pay.
    pub family: Fen,
    /// What decided its place, in the order of weight.
    pub reasons: Vec<RankReason>,
}

/// A provider that could not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// The provider.
    pub provider: ProviderId,
    /// Every reason, not only the first.
    pub reasons: Vec<Exclusion>,
}

/// Who could serve, best first, and who could not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matching {
    /// Best first.
    pub candidates: Vec<Candidate>,
    /// In the order of their ids.
    pub excluded: Vec<Excluded>,
}

/// Ranks providers for a need.
///
/// The comparison, each step only among those whom the steps before leave equal:
/// 1. a carer who has served the resident before is free;
/// 2. the provider has served the resident before;
/// 3. the family pays less;
/// 4. the seat lies nearer: same community, street, county, elsewhere;
/// 5. the way is shorter, in steps of two kilometres, where both ends are known;
/// 6. fewer open visits per qualified carer in the week of the visit;
/// 7. the draw.
#[must_use]
pub fn rank(need: &Need, facts: &[ProviderFacts]) -> Matching {
    let mut ranked = Vec::new();
    let mut matching = Matching::default();
    for one in facts {
        let reasons = one.exclusions(need);
        match one.family {
            Some(family) if reasons.is_empty() => {
                let place = Place::of(need, one, family);
                ranked.push((place.key(), Candidate { provider: one.provider, family, reasons: place.reasons() }));
            }
            Some(_) | None => matching.excluded.push(Excluded { provider: one.provider, reasons }),
        }
    }
    ranked.sort_by_key(|(key, _)| *key);
    matching.candidates = ranked.into_iter().map(|(_, candidate)| candidate).collect();
    matching.excluded.sort_by_key(|one| one.provider);
    matching
}

/// What a provider's place among the candidates rests on.
struct Place {
    same_carer: u32,
    same_provider: u32,
    family: Fen,
    nearness: Nearness,
    distance_m: Option<u32>,
    load: (u32, u32),
    draw: u64,
}

/// Smaller is better, left to right.
type Key = (Reverse<bool>, Reverse<bool>, Fen, Nearness, u32, u64, u64);

impl Place {
    fn of(need: &Need, one: &ProviderFacts, family: Fen) -> Self {
        Self {
            same_carer: one.known_carers_free,
            same_provider: one.earlier_visits,
            family,
            nearness: need.place.as_ref().map_or(Nearness::Elsewhere, |place| Nearness::between(one.seat, place.division)),
            distance_m: one.distance_m,
            load: (one.open_visits, one.carers_qualified),
            draw: draw(&need.seed, one.provider),
        }
    }

    fn key(&self) -> Key {
        let step = self.distance_m.map_or(u32::MAX, |metres| metres / DISTANCE_STEP_M);
        (
            Reverse(self.same_carer > 0),
            Reverse(self.same_provider > 0),
            self.family,
            self.nearness,
            step,
            load_permille(self.load),
            self.draw,
        )
    }

    fn reasons(&self) -> Vec<RankReason> {
        let mut reasons = Vec::new();
        if self.same_carer > 0 {
            reasons.push(RankReason::SameCarer(self.same_carer));
        }
        if self.same_provider > 0 {
            reasons.push(RankReason::SameProvider(self.same_provider));
        }
        reasons.push(RankReason::FamilyPays(self.family));
        reasons.push(RankReason::Near(self.nearness));
        reasons.extend(self.distance_m.map(RankReason::Distance));
        reasons.push(RankReason::Load { visits: self.load.0, carers: self.load.1 });
        reasons.push(RankReason::Draw(self.draw));
        reasons
    }
}

/// Open visits per thousand qualified carers.
fn load_permille((visits, carers): (u32, u32)) -> u64 {
    u64::from(visits).saturating_mul(1_000).checked_div(u64::from(carers)).unwrap_or(u64::MAX)
}

/// The lot of a provider for one order: the first eight bytes of SHA-256 over seed and provider, big-endian.
#[must_use]
pub fn draw(seed: &str, provider: ProviderId) -> u64 {
    let mut digest = Sha256::new();
    digest.update(seed);
    digest.update([0]);
    digest.update(provider.to_string());
    digest.finalize().into_iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(byte))
}

#[cfg(test)]
mod tests;
