use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use proptest::prelude::*;
use strum::IntoEnumIterator as _;

use super::*;
use crate::{
    catalogue::Catalogue,
    division::{self, DivisionTable, Scope},
    provider::CreditCode,
    resident::{IdentityDocument, IdentityNumber, PersonName, Sex},
};

fn period() -> Period {
    Period::before("2026-11-23T02:00:00Z".parse().unwrap()).unwrap()
}

fn table() -> &'static DivisionTable {
    static TABLE: OnceLock<DivisionTable> = OnceLock::new();
    TABLE.get_or_init(|| DivisionTable::new(division::shipped().unwrap()))
}

fn neighbourhood(seed: u64, number: u32, shape: &Shape) -> Neighbourhood {
    let counties = Neighbourhood::counties(shape, table(), "12".parse().unwrap()).unwrap();
    Neighbourhood::draw(seed, number, shape, &period(), table(), &counties).unwrap()
}

fn visits(of: &Neighbourhood, seed: u64) -> (Vec<VisitPlan>, Vec<Planted>) {
    of.visits(seed, &period(), &Catalogue::shipped().unwrap()).unwrap()
}

#[test]
fn the_past_months_are_the_three_before_this_one() {
    let months: Vec<String> = period().months().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(months, ["2026-08-01", "2026-09-01", "2026-10-01", "2026-11-01"]);
    assert_eq!((period().founded.to_string(), period().until.to_string()), ("2026-06-02".to_owned(), "2026-12-03".to_owned()));
}

#[test]
fn the_same_seed_gives_the_same_plan_and_another_seed_another() {
    let shape = Size::Street.shape();
    let text = |seed| {
        let of = neighbourhood(seed, 3, &shape);
        format!("{of:?} {:?}", visits(&of, seed))
    };
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
}

#[test]
fn a_street_has_its_numbers_of_residents_providers_carers_and_visits() {
    let shape = Size::Street.shape();
    let all: Vec<_> = (0..shape.neighbourhoods()).map(|number| neighbourhood(1, number, &shape)).collect();
    let residents: usize = all.iter().map(|one| one.residents.len()).sum();
    let providers: Vec<_> = all.iter().flat_map(|one| &one.providers).collect();
    let carers: usize = providers.iter().map(|one| one.carers.len()).sum();
    let current = period().current.start();
    let past: usize = all.iter().map(|one| visits(one, 1).0.iter().filter(|visit| visit.start < current).count()).sum();
    assert_eq!(residents, 2_000);
    assert!(providers.len() >= 60 && carers >= 400, "{} {carers}", providers.len());
    assert!((28_000..40_000).contains(&past), "{past}");
    let numbers: BTreeSet<_> = all.iter().flat_map(|one| &one.residents).map(|resident| resident.number.clone()).collect();
    assert_eq!(numbers.len(), residents, "no two share a number");
}

#[test]
fn a_city_lives_in_all_districts_and_a_street_in_one() {
    let counties = |size: Size| {
        let shape = size.shape();
        let step = usize::try_from(shape.neighbourhoods() / 40).unwrap().max(1);
        let all = (0..shape.neighbourhoods()).step_by(step);
        let small = Shape { neighbourhood: 2, residents: shape.neighbourhoods() * 2, ..shape };
        all.map(|number| neighbourhood(1, number, &small).county.to_string()).collect::<BTreeSet<_>>()
    };
    assert_eq!(counties(Size::Street), BTreeSet::from(["120101".to_owned()]));
    assert_eq!(counties(Size::City).len(), 16);
}

#[test]
fn nobody_is_in_two_places_by_plan() {
    let of = neighbourhood(5, 0, &Size::Street.shape());
    let (visits, _) = visits(&of, 5);
    let mut carers: BTreeMap<(usize, usize), Instant> = BTreeMap::new();
    let mut residents: BTreeMap<usize, Instant> = BTreeMap::new();
    for visit in &visits {
        assert!(residents.insert(visit.resident, visit.end).is_none_or(|until| until <= visit.start));
        for carer in &visit.carers {
            assert!(carers.insert((visit.provider, *carer), visit.end).is_none_or(|until| until <= visit.start));
        }
    }
}

#[test]
fn every_fraud_is_planted_and_no_visit_belongs_to_two_cases() {
    let of = neighbourhood(1, 0, &Size::Street.shape());
    let (visits, cases) = visits(&of, 1);
    let planted: BTreeSet<_> = cases.iter().map(|case| case.fraud).collect();
    assert_eq!(planted, Fraud::iter().collect());
    let mut seen = BTreeSet::new();
    for case in &cases {
        assert!(!case.months.is_empty(), "{case:?}");
        assert!(!case.residents.is_empty() || case.provider.is_some(), "{case:?}");
        for visit in &case.visits {
            assert!(seen.insert(*visit), "{case:?}");
            assert_eq!(visits[*visit].fraud, Some(case.fraud));
            assert!(visits[*visit].end < period().current.start());
        }
    }
    assert_eq!(seen.len(), visits.iter().filter(|visit| visit.fraud.is_some()).count());
}

#[test]
fn bookings_end_in_every_way_in_plausible_shares() {
    let of = neighbourhood(1, 0, &Size::Street.shape());
    let (visits, _) = visits(&of, 1);
    let permille = |is: fn(&Ending) -> bool| 1_000 * visits.iter().filter(|visit| is(&visit.ending)).count() / visits.len();
    assert!((920..980).contains(&permille(|ending| matches!(ending, Ending::Served(..)))));
    let ways: [fn(&Ending) -> bool; 5] = [
        |ending| *ending == Ending::Declined,
        |ending| *ending == Ending::Unanswered,
        |ending| *ending == Ending::Cancelled,
        |ending| *ending == Ending::Missed,
        |ending| matches!(ending, Ending::Served(_, Closing::DisputeRejected)),
    ];
    for is in ways {
        assert!((1..60).contains(&permille(is)), "{}", permille(is));
    }
}

proptest! {
    #[test]
    fn generated_numbers_pass_every_check_and_show_that_they_are_made_up(year in 1920i32..1966, month in 1u32..13, day in 1u32..29, male: bool, serial in 0u32..200_000) {
        let birth = BusinessDate::from_ymd(year, month, day).unwrap();
        let sex = if male { Sex::Male } else { Sex::Female };
        let number = identity_number(birth, sex, serial).unwrap();
        let today = "2026-11-23".parse().unwrap();
        let table = |_county: &str| false;
        let (parsed, warnings) = IdentityNumber::parse(IdentityDocument::ResidentId, &number, today, table).unwrap();
        prop_assert_eq!((parsed.birth_date(), parsed.sex()), (Some(birth), Some(sex)));
        prop_assert_eq!(warnings.len(), 1, "the county is unknown");
        prop_assert!(is_synthetic(&number));
        prop_assert!(!is_synthetic("120101194402290019"));
        prop_assert_eq!(CreditCode::parse(credit_code(serial).unwrap().as_str()).map(|code| code.is_overridden()), Ok(false));
    }

    #[test]
    fn generated_people_keep_the_rules_for_real_ones(seed: u64, number in 0u32..8) {
        let shape = Shape { neighbourhood: 10, residents: 80, ..Size::Street.shape() };
        let of = Neighbourhood::draw(seed, number, &shape, &period(), table(), &["120101".parse().unwrap()]).unwrap();
        let scope: Scope = "120101".parse().unwrap();
        for resident in &of.residents {
            prop_assert!(PersonName::parse(&resident.name).is_ok());
            prop_assert!(crate::assessment::Scores::new(resident.scores.iter().copied()).is_ok());
            prop_assert!(scope.covers(resident.residence));
            prop_assert!(resident.birth_date.full_years_since(resident.birth_date) == 0 && period().founded.full_years_since(resident.birth_date) >= 58);
        }
    }
}
