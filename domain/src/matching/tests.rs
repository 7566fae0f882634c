use proptest::prelude::*;

use super::*;
use crate::provider::{ProviderStatus, Unfit};

fn provider(number: u8) -> ProviderId {
    ProviderId::from_parts(1, [number; 10])
}

fn fen(amount: i64) -> Fen {
    Fen::new(amount).unwrap()
}

fn need() -> Need {
    let place = ServicePlace { division: "120101001001".parse().unwrap(), coordinate: None };
    Need { place: Some(place), carers: 1, family_max: Some(fen(6_000)), seed: "ord_1".to_owned() }
}

/// A provider that can serve, in every respect like the others.
fn able(number: u8) -> ProviderFacts {
    ProviderFacts {
        provider: provider(number),
        seat: "120101002001".parse().unwrap(),
        unfit: Vec::new(),
        has_profile: true,
        area: Area::Inside,
        distance_m: None,
        open: true,
        gross: Some(fen(12_000)),
        family: Some(fen(6_000)),
        carers_qualified: 4,
        carers_free: 2,
        known_carers_free: 0,
        earlier_visits: 0,
        open_visits: 8,
        asked: false,
    }
}

fn first(better: &ProviderFacts) -> bool {
    // Against several, so that the draw cannot be what put it first.
    let mut facts: Vec<_> = (10..40).map(able).collect();
    facts.push(better.clone());
    rank(&need(), &facts).candidates[0].provider == better.provider
}

#[test]
fn each_fact_alone_puts_its_provider_first() {
    let base = able(1);
    assert!(first(&ProviderFacts { known_carers_free: 1, ..base.clone() }));
    assert!(first(&ProviderFacts { earlier_visits: 1, ..base.clone() }));
    assert!(first(&ProviderFacts { family: Some(fen(5_999)), ..base.clone() }));
    assert!(first(&ProviderFacts { seat: "120101001001".parse().unwrap(), ..base.clone() }));
    assert!(first(&ProviderFacts { distance_m: Some(900), ..base.clone() }));
    assert!(first(&ProviderFacts { open_visits: 7, ..base }));
}

#[test]
fn a_known_carer_weighs_more_than_money_and_money_more_than_the_way() {
    let known = ProviderFacts { known_carers_free: 1, ..able(1) };
    let cheap = ProviderFacts { family: Some(fen(1_000)), ..able(2) };
    let near = ProviderFacts { seat: "120101001001".parse().unwrap(), distance_m: Some(100), ..able(3) };
    let order: Vec<_> = rank(&need(), &[near, cheap, known]).candidates.into_iter().map(|one| one.provider).collect();
    assert_eq!(order, [provider(1), provider(2), provider(3)]);
}

#[test]
fn every_reason_against_a_provider_is_told() {
    let mut barred = able(1);
    barred.asked = true;
    barred.unfit = vec![Unfit::ProviderState(ProviderStatus::Suspended), Unfit::Agreement];
    barred.area = Area::Outside;
    barred.open = false;
    barred.carers_free = 0;
    barred.family = Some(fen(6_001));
    let unpriced = ProviderFacts { gross: None, family: None, has_profile: false, ..able(2) };
    let unplaced = ProviderFacts { area: Area::PositionUnknown, ..able(3) };
    let matching = rank(&need(), &[barred, unpriced, unplaced]);
    assert!(matching.candidates.is_empty());
    let codes = |place: usize| matching.excluded[place].reasons.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        codes(0),
        [
            "already_asked",
            "unfit.provider_state",
            "unfit.agreement",
            "outside_area",
            "closed_then",
            "no_carer:0/1",
            "family_share:6001>6000",
        ]
    );
    assert_eq!(codes(1), ["no_profile", "not_offered"]);
    assert_eq!(codes(2), ["position_unknown"]);
}

#[test]
fn reasons_are_codes_with_values() {
    let matching = rank(&need(), &[ProviderFacts { known_carers_free: 1, earlier_visits: 3, distance_m: Some(850), ..able(1) }]);
    let reasons: Vec<_> = matching.candidates[0].reasons.iter().map(ToString::to_string).collect();
    assert_eq!(reasons[..6], ["same_carer:1", "same_provider:3", "family_fen:6000", "near:county", "distance_m:850", "load:8/4"]);
    assert_eq!(reasons[6], format!("draw:{:016x}", draw("ord_1", provider(1))));
}

#[test]
fn nearness_is_the_smallest_division_that_holds_both() {
    let between = |one: &str, other: &str| Nearness::between(one.parse().unwrap(), other.parse().unwrap());
    assert_eq!(between("120101001001", "120101001001"), Nearness::Community);
    assert_eq!(between("120101001002", "120101001001"), Nearness::Street);
    assert_eq!(between("120101001000", "120101001001"), Nearness::Street, "a seat known by its street only");
    assert_eq!(between("120101002001", "120101001001"), Nearness::County);
    assert_eq!(between("120101000000", "120101001001"), Nearness::County);
    assert_eq!(between("120102001001", "120101001001"), Nearness::Elsewhere);
}

#[test]
fn equals_win_equally_often_over_many_orders() {
    let facts: Vec<_> = (1..=4).map(able).collect();
    let mut wins = [0_u32; 5];
    for order in 0..4_000 {
        let need = Need { seed: format!("ord_{order}"), ..need() };
        let winner = rank(&need, &facts).candidates[0].provider;
        let place = (1..=4).find(|number| provider(*number) == winner).unwrap();
        wins[usize::from(place)] += 1;
    }
    assert!(wins[1..].iter().all(|wins| (900..1_100).contains(wins)), "{wins:?}");
}

proptest! {
    #[test]
    fn the_ranking_does_not_depend_on_the_order_in_which_facts_are_loaded(
        facts in prop::collection::vec((0_u32..2, 0_u32..2, 5_998_i64..6_002, 0_u32..3, any::<bool>()), 1..12),
        turn in 0_usize..12,
    ) {
        let build = |(number, row): (u8, (u32, u32, i64, u32, bool))| ProviderFacts {
            known_carers_free: row.0,
            earlier_visits: row.1,
            family: Some(fen(row.2)),
            open_visits: row.3,
            open: row.4,
            ..able(number)
        };
        let mut rows: Vec<_> = (0..).zip(facts).map(build).collect();
        let one = rank(&need(), &rows);
        let by = turn % rows.len();
        rows.rotate_left(by);
        prop_assert_eq!(&one, &rank(&need(), &rows));
        prop_assert_eq!(one.candidates.len() + one.excluded.len(), rows.len());
        prop_assert!(one.candidates.iter().all(|candidate| candidate.family <= fen(6_000)), "nobody pays more than agreed");
        prop_assert!(one.excluded.iter().all(|excluded| !excluded.reasons.is_empty()));
    }
}
