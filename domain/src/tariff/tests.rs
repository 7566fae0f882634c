use proptest::prelude::*;

use super::*;
use crate::{
    policy::samples::{self, BATHING, HOURS, MEALS_2019, SHENYANG},
    time::{WorkingCalendar, parse_instant},
};

fn fen(amount: i64) -> Fen {
    Fen::new(amount).unwrap()
}

fn priced(item: ItemCode, class: ServiceClass, start: &str, gross: i64) -> PricedUse {
    let start = parse_instant(start).unwrap();
    PricedUse {
        item,
        class,
        start,
        minutes: 60,
        quantity: Quantity::ONE,
        gross: fen(gross),
        working_day: WorkingCalendar::shipped().unwrap().is_working_day(BusinessDate::of(start)),
        facts: BTreeMap::new(),
    }
}

/// A benefit with its whole amount left, for a use at `start`.
fn offer<'a>(policy: &'a Policy, benefit: &str, start: Instant) -> Entitled<'a> {
    let benefit: BenefitCode = benefit.parse().unwrap();
    let rules = policy.benefit(&benefit).unwrap();
    let granted = rules.amounts()[0].amount();
    let window = Window::holding(rules.window(), BusinessDate::of(start)).unwrap();
    Entitled {
        policy,
        benefit,
        window,
        granted,
        remaining: granted,
        uses: Vec::new(),
        benefits_used: BTreeSet::new(),
        eligible: Ok(()),
        purchase: Purchase::Open,
    }
}

/// Subsidy, family's part and codes of one use under one benefit.
fn paid(policy: &Policy, benefit: &str, priced_use: &PricedUse) -> (i64, i64, Vec<AdjustmentCode>) {
    let split = split(priced_use, &[offer(policy, benefit, priced_use.start)]).unwrap();
    told(&split)
}

fn told(split: &Split) -> (i64, i64, Vec<AdjustmentCode>) {
    let subsidy = Fen::sum(split.shares.iter().map(|share| share.subsidy)).unwrap();
    assert_eq!(subsidy.add(split.family), Ok(split.gross));
    (subsidy.get(), split.family.get(), split.codes.iter().map(|adjustment| adjustment.code).collect())
}

fn parts(share: &Share) -> Vec<(&str, i64)> {
    share.split.iter().map(|(fund, part)| (fund.as_str(), part.get())).collect()
}

#[test]
fn the_worked_example_halves_the_price_and_both_layers_pay_the_same() {
    let policy = samples::policy(BATHING);
    let bath = priced(ItemCode::Bathing, ServiceClass::Home, "2026-11-23T09:00:00", 12_000);
    let split = split(&bath, &[offer(&policy, "bathing", bath.start)]).unwrap();
    assert_eq!(told(&split), (6_000, 6_000, vec![]));
    let share = &split.shares[0];
    assert_eq!((share.unit, share.units, share.count), (Unit::Fen, 6_000, 1));
    assert_eq!(parts(share), [("city", 3_000), ("district", 3_000)]);
    assert_eq!(share.window.start.to_string(), "2026-11-01");
    let text = serde_json::to_string(&split).unwrap();
    assert_eq!(serde_json::from_str::<Split>(&text).unwrap(), split);
}

#[test]
fn hangzhou_pays_half_at_home_and_two_fifths_in_an_institution_up_to_the_cap() {
    use AdjustmentCode::CapReached;
    let policy = samples::shipped("national-voucher-2026-hangzhou.toml");
    let at = |item, class, benefit, gross| paid(&policy, benefit, &priced(item, class, "2026-02-03T09:00:00", gross));
    let home = |gross| at(ItemCode::Nursing, ServiceClass::Home, "home-community", gross);
    assert_eq!(home(100_000), (0, 100_000, vec![AdjustmentCode::ItemNotCovered]), "nursing is not on the list");
    let home = |gross| at(ItemCode::Rehabilitation, ServiceClass::Home, "home-community", gross);
    assert_eq!(home(100_000), (50_000, 50_000, vec![]));
    assert_eq!(home(160_000), (80_000, 80_000, vec![]));
    assert_eq!(home(170_000), (80_000, 90_000, vec![CapReached]));
    let community = at(ItemCode::DayCare, ServiceClass::Community, "home-community", 100_000);
    assert_eq!(community, (50_000, 50_000, vec![]));
    let institution = |gross| at(ItemCode::LongStay, ServiceClass::Institution, "institution", gross);
    assert_eq!(institution(150_000), (60_000, 90_000, vec![]));
    assert_eq!(institution(200_000), (80_000, 120_000, vec![]));
    assert_eq!(institution(240_000), (80_000, 160_000, vec![CapReached]));
}

#[test]
fn hangzhou_money_is_central_and_local_to_the_fen() {
    let policy = samples::shipped("national-voucher-2026-hangzhou.toml");
    let bath = priced(ItemCode::Bathing, ServiceClass::Home, "2026-02-03T09:00:00", 3_333);
    let split = split(&bath, &[offer(&policy, "home-community", bath.start)]).unwrap();
    assert_eq!(told(&split), (1_667, 1_666, vec![]), "16.665 is rounded half up");
    assert_eq!(parts(&split.shares[0]), [("central", 1_417), ("local", 250)]);
}

#[test]
fn half_a_fen_follows_the_rounding_of_the_file() {
    let bath = priced(ItemCode::Bathing, ServiceClass::Home, "2026-02-03T09:00:00", 3_333);
    let by = |rounding: &str| paid(&samples::policy(&BATHING.replacen("half_up", rounding, 1)), "bathing", &bath).0;
    assert_eq!(["half_up", "half_even", "down", "up"].map(by), [1_667, 1_666, 1_666, 1_667]);
}

#[test]
fn home_and_institution_vouchers_are_not_used_in_one_month() {
    let policy = samples::shipped("national-voucher-2026-hangzhou.toml");
    let stay = priced(ItemCode::LongStay, ServiceClass::Institution, "2026-02-03T09:00:00", 150_000);
    let mut institution = offer(&policy, "institution", stay.start);
    let home = offer(&policy, "home-community", stay.start);
    assert_eq!(told(&split(&stay, &[home.clone(), institution.clone()]).unwrap()).0, 60_000);
    institution.benefits_used.insert(home.key());
    let refused = split(&stay, &[home, institution]).unwrap();
    assert_eq!(told(&refused), (0, 150_000, vec![AdjustmentCode::MutuallyExclusive]));
    assert_eq!(refused.codes[0].reason.as_ref().map(ToString::to_string), Some("mutually_exclusive:home-community".to_owned()));
}

#[test]
fn shenyang_pays_two_fifths_by_kind_of_service_and_the_assessment_once() {
    use AdjustmentCode::{CapReached, WindowExhausted};
    let policy = samples::policy(SHENYANG);
    let at = |item, class, benefit, gross| paid(&policy, benefit, &priced(item, class, "2025-08-01T09:00:00", gross));
    let home = |gross| at(ItemCode::Cleaning, ServiceClass::Home, "home", gross);
    assert_eq!(home(100_000), (40_000, 60_000, vec![]));
    assert_eq!(home(125_000), (50_000, 75_000, vec![]));
    assert_eq!(home(200_000), (50_000, 150_000, vec![CapReached]));
    assert_eq!(at(ItemCode::DayCare, ServiceClass::Community, "day-care", 250_000), (80_000, 170_000, vec![CapReached]));
    let fee = priced(ItemCode::Assessment, ServiceClass::Home, "2025-08-01T09:00:00", 12_000);
    assert_eq!(paid(&policy, "assessment", &fee), (10_000, 2_000, vec![CapReached]));
    let mild = Entitled {
        eligible: Err(Reason::Below { fact: "level".to_owned(), actual: None, min: 2 }),
        ..offer(&policy, "assessment", fee.start)
    };
    let refused = split(&fee, &[mild]).unwrap();
    assert_eq!(told(&refused), (0, 12_000, vec![AdjustmentCode::NotEligible]));
    assert_eq!(refused.codes[0].reason.as_ref().map(ToString::to_string), Some("level<2".to_owned()));
    let again = Entitled { remaining: 0, ..offer(&policy, "assessment", fee.start) };
    assert_eq!(told(&split(&fee, &[again]).unwrap()), (0, 12_000, vec![WindowExhausted]));
}

#[test]
fn tianjin_pays_the_price_until_the_month_is_used_up() {
    use AdjustmentCode::{CapReached, WindowExhausted};
    let policy = samples::shipped("tianjin-home-care-v3.toml");
    let nursing = priced(ItemCode::Nursing, ServiceClass::Home, "2020-01-10T09:00:00", 70_000);
    let severe = |remaining| Entitled { granted: 60_000, remaining, ..offer(&policy, "home-care", nursing.start) };
    let whole = split(&nursing, &[severe(60_000)]).unwrap();
    assert_eq!(told(&whole), (60_000, 10_000, vec![CapReached]));
    assert_eq!(parts(&whole.shares[0]), [("city", 30_000), ("district", 30_000)]);
    let rest = split(&nursing, &[severe(4_001)]).unwrap();
    assert_eq!(told(&rest), (4_001, 65_999, vec![CapReached]));
    assert_eq!(parts(&rest.shares[0]), [("city", 2_001), ("district", 2_000)], "the odd fen goes to the first fund of the file");
    assert_eq!(told(&split(&nursing, &[severe(0)]).unwrap()), (0, 70_000, vec![WindowExhausted]));
}

/// A set meal of 13.00 where the district's standard is 13.00.
fn meal(start: &str, which: &str, gross: i64) -> PricedUse {
    let facts = [("meal", FactValue::Text(which.to_owned())), ("standard_price_fen", FactValue::Int(1_300))];
    PricedUse {
        facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..priced(ItemCode::Meal, ServiceClass::Community, start, gross)
    }
}

#[test]
fn a_meal_in_tianjin_costs_three_yuan_less() {
    use AdjustmentCode::{BelowStandardPrice, FactUnknown, MealNotCovered};
    let policy = samples::shipped("tianjin-meals-2022.toml");
    let lunch = meal("2023-03-01T12:00:00", "lunch", 1_300);
    assert_eq!(paid(&policy, "meals", &lunch), (300, 1_000, vec![]));
    assert_eq!(paid(&policy, "meals", &meal("2023-03-01T18:00:00", "dinner", 1_300)), (300, 1_000, vec![]));
    assert_eq!(paid(&policy, "meals", &meal("2023-03-01T18:00:00", "dinner", 1_800)), (300, 1_500, vec![]));
    assert_eq!(paid(&policy, "meals", &meal("2023-03-01T07:00:00", "breakfast", 1_300)), (0, 1_300, vec![MealNotCovered]));
    assert_eq!(paid(&policy, "meals", &meal("2023-03-01T12:00:00", "lunch", 1_250)), (0, 1_250, vec![BelowStandardPrice]));
    for missing in ["meal", "standard_price_fen"] {
        let mut unknown = lunch.clone();
        unknown.facts.remove(missing);
        let split = split(&unknown, &[offer(&policy, "meals", lunch.start)]).unwrap();
        assert_eq!(told(&split), (0, 1_300, vec![FactUnknown]));
        assert_eq!(split.codes[0].reason, Some(Reason::unknown(missing)));
    }
}

#[test]
fn meals_are_paid_once_a_day_and_five_times_a_natural_week() {
    use AdjustmentCode::{SecondMealOfDay, SixthMealOfWeek};
    let policy = samples::shipped("tianjin-meals-2022.toml");
    let after = |days: &[&str], lunch: &PricedUse| {
        let uses: Vec<_> = days.iter().map(|day| PriorUse { on: day.parse().unwrap(), count: 1 }).collect();
        let remaining = 5_i64.saturating_sub(i64::try_from(uses.len()).unwrap());
        told(&split(lunch, &[Entitled { remaining, uses, ..offer(&policy, "meals", lunch.start) }]).unwrap())
    };
    // Monday to Friday, then the Saturday and Sunday of the same week, then the next Monday.
    let week = ["2023-03-06", "2023-03-07", "2023-03-08", "2023-03-09", "2023-03-10"];
    assert_eq!(after(&week[..1], &meal("2023-03-06T18:00:00", "dinner", 1_300)), (0, 1_300, vec![SecondMealOfDay]));
    assert_eq!(after(&week[..4], &meal("2023-03-11T12:00:00", "lunch", 1_300)), (300, 1_000, vec![]), "Saturdays count too");
    assert_eq!(after(&week, &meal("2023-03-11T12:00:00", "lunch", 1_300)), (0, 1_300, vec![SixthMealOfWeek]));
    assert_eq!(after(&week, &meal("2023-03-12T12:00:00", "lunch", 1_300)), (0, 1_300, vec![SixthMealOfWeek]));
    assert_eq!(after(&[], &meal("2023-03-13T12:00:00", "lunch", 1_300)), (300, 1_000, vec![]));
    let two = PricedUse { quantity: "2".parse().unwrap(), ..meal("2023-03-06T12:00:00", "lunch", 2_600) };
    assert_eq!(after(&[], &two), (300, 2_300, vec![SecondMealOfDay]), "of two meals in one line one is paid");
    let half = PricedUse { quantity: "0.5".parse().unwrap(), ..meal("2023-03-06T12:00:00", "lunch", 650) };
    assert_eq!(after(&[], &half), (0, 650, vec![AdjustmentCode::NoWholeUnit]));
}

#[test]
fn a_share_of_the_price_covers_a_line_of_one_and_a_half_meals() {
    let policy = samples::shipped("national-voucher-2026-hangzhou.toml");
    let plain = PricedUse { quantity: "1.5".parse().unwrap(), ..priced(ItemCode::Meal, ServiceClass::Home, "2026-03-02T12:00:00", 3_000) };
    assert_eq!(paid(&policy, "home-community", &plain), (1_500, 1_500, vec![]));
}

#[test]
fn limits_by_day_and_week_bind_visits_too() {
    use AdjustmentCode::{DayLimitReached, WeekLimitReached};
    let text = BATHING.replacen("share_percent", "per_day_max = 1\nper_week_max = 2\nshare_percent", 1);
    let policy = samples::policy(&text);
    let bath = priced(ItemCode::Bathing, ServiceClass::Home, "2026-11-25T09:00:00", 12_000);
    let after = |days: &[&str]| {
        let uses = days.iter().map(|day| PriorUse { on: day.parse().unwrap(), count: 1 }).collect();
        told(&split(&bath, &[Entitled { uses, ..offer(&policy, "bathing", bath.start) }]).unwrap())
    };
    assert_eq!(after(&["2026-11-24", "2026-11-22"]), (6_000, 6_000, vec![]), "Sunday belongs to the week before");
    assert_eq!(after(&["2026-11-25"]), (0, 12_000, vec![DayLimitReached]));
    assert_eq!(after(&["2026-11-23", "2026-11-24"]), (0, 12_000, vec![WeekLimitReached]));
}

#[test]
fn a_fixed_sum_never_exceeds_the_price() {
    let policy = samples::policy(&BATHING.replacen("share_percent = 50\nshare_of = \"own_paid\"", "per_unit_fen = 5000", 1));
    let bath = |gross| paid(&policy, "bathing", &priced(ItemCode::Bathing, ServiceClass::Home, "2026-11-25T09:00:00", gross));
    assert_eq!(bath(12_000), (5_000, 7_000, vec![]));
    assert_eq!(bath(4_000), (4_000, 0, vec![]));
}

#[test]
fn a_free_service_costs_no_programme_anything() {
    let policy = samples::policy(BATHING);
    let free = priced(ItemCode::Bathing, ServiceClass::Home, "2026-11-25T09:00:00", 0);
    assert_eq!(paid(&policy, "bathing", &free), (0, 0, vec![AdjustmentCode::PriceCovered]));
    let one_fen = priced(ItemCode::Bathing, ServiceClass::Home, "2026-11-25T09:00:00", 1);
    let down = samples::policy(&BATHING.replacen("half_up", "down", 1));
    assert_eq!(paid(&down, "bathing", &one_fen), (0, 1, vec![AdjustmentCode::RoundedToNothing]));
}

#[test]
fn saturday_lunch_was_not_paid_in_2021_and_is_in_2023() {
    let (old, new) = (samples::policy(MEALS_2019), samples::shipped("tianjin-meals-2022.toml"));
    assert_eq!(paid(&old, "meals", &meal("2021-03-06T12:00:00", "lunch", 1_300)), (0, 1_300, vec![AdjustmentCode::NotWorkingDay]));
    assert_eq!(paid(&old, "meals", &meal("2021-03-05T12:00:00", "lunch", 1_300)), (300, 1_000, vec![]));
    assert_eq!(paid(&old, "meals", &meal("2021-09-18T12:00:00", "lunch", 1_300)), (300, 1_000, vec![]), "a make-up Saturday");
    assert_eq!(paid(&new, "meals", &meal("2023-03-04T12:00:00", "lunch", 1_300)), (300, 1_000, vec![]));
}

#[test]
fn minutes_beyond_the_quota_are_paid_by_the_family_in_proportion() {
    let policy = samples::policy(HOURS);
    let cleaning = PricedUse { minutes: 120, ..priced(ItemCode::Cleaning, ServiceClass::Home, "2026-05-04T09:00:00", 10_001) };
    let with = |remaining| split(&cleaning, &[Entitled { remaining, ..offer(&policy, "hours", cleaning.start) }]).unwrap();
    let whole = with(180);
    assert_eq!((told(&whole), whole.shares[0].units), ((10_001, 0, vec![]), 120));
    let part = with(60);
    assert_eq!(told(&part), (5_000, 5_001, vec![AdjustmentCode::CapReached]), "half of 100.01 goes to the even fen");
    assert_eq!((part.shares[0].units, parts(&part.shares[0])), (60, vec![("city", 3_000), ("town", 2_000)]));
    assert_eq!(told(&with(0)), (0, 10_001, vec![AdjustmentCode::WindowExhausted]));
}

#[test]
fn programmes_pay_in_their_order_and_the_later_one_takes_its_share_of_the_rest() {
    let first = samples::policy(&BATHING.replace("sample-bathing", "first").replace("= 10\n", "= 1\n"));
    let second = samples::policy(&BATHING.replace("sample-bathing", "second").replace("= 10\n", "= 2\n"));
    let whole = samples::policy(&BATHING.replace("sample-bathing", "whole").replace("= 10\n", "= 3\n").replace("= 50\n", "= 100\n"));
    let of_price = samples::policy(&BATHING.replace("sample-bathing", "of-price").replace("= 10\n", "= 3\n").replace("own_paid", "price"));
    let bath = priced(ItemCode::Bathing, ServiceClass::Home, "2026-11-23T09:00:00", 12_000);
    let offers = |policies: &[&'static str]| -> Vec<i64> {
        let chosen = policies.iter().map(|name| match *name {
            "first" => &first,
            "second" => &second,
            "whole" => &whole,
            _ => &of_price,
        });
        let offers: Vec<_> = chosen.map(|policy| offer(policy, "bathing", bath.start)).collect();
        let split = split(&bath, &offers).unwrap();
        split.shares.iter().map(|share| share.subsidy.get()).chain([split.family.get()]).collect()
    };
    assert_eq!(offers(&["second", "first"]), [6_000, 3_000, 3_000]);
    assert_eq!(offers(&["whole", "second", "first"]), [6_000, 3_000, 3_000, 0]);
    assert_eq!(offers(&["of-price", "second", "first"]), [6_000, 3_000, 3_000, 0], "no more than what is left");
}

#[test]
fn a_question_that_contradicts_itself_is_refused() {
    let policy = samples::policy(BATHING);
    let bath = priced(ItemCode::Bathing, ServiceClass::Home, "2026-11-23T09:00:00", 12_000);
    let right = offer(&policy, "bathing", bath.start);
    let code = |offers: &[Entitled<'_>]| split(&bath, offers).expect_err("contradiction").code();
    assert_eq!(code(&[right.clone(), right.clone()]), "tariff.twice");
    assert_eq!(code(&[Entitled { benefit: "meals".parse().unwrap(), ..right.clone() }]), "tariff.unknown_benefit");
    let december = Window::holding(crate::time::WindowKind::Month, "2026-12-01".parse().unwrap()).unwrap();
    assert_eq!(code(&[Entitled { window: december, ..right.clone() }]), "tariff.other_window");
    assert_eq!(code(&[Entitled { remaining: -1, ..right.clone() }]), "tariff.remaining");
    assert_eq!(code(&[Entitled { remaining: 80_001, ..right.clone() }]), "tariff.remaining");
    let early = PricedUse { start: parse_instant("2025-12-31T23:59:59").unwrap(), ..bath.clone() };
    assert_eq!(split(&early, &[right]).expect_err("not in force").code(), "tariff.not_in_force");
}

#[test]
fn midnight_in_shanghai_decides_the_window() {
    let policy = samples::policy(BATHING);
    let bath = priced(ItemCode::Bathing, ServiceClass::Home, "2026-10-31T15:59:59Z", 12_000);
    let october = offer(&policy, "bathing", bath.start);
    assert_eq!(october.window.start.to_string(), "2026-10-01");
    let later = PricedUse { start: parse_instant("2026-10-31T16:00:00Z").unwrap(), ..bath };
    assert!(split(&later, &[october]).is_err());
}

fn any_policies() -> Vec<Policy> {
    let bathing = |code: &str, order: &str, percent: &str, base: &str, rounding: &str| {
        let text = BATHING.replace("sample-bathing", code).replace("= 10\n", &format!("= {order}\n"));
        let text = text.replace("own_paid", base).replace("= 50\n", &format!("= {percent}\n")).replace("half_up", rounding);
        samples::policy(&text)
    };
    vec![
        bathing("a", "1", "33", "price", "up"),
        bathing("b", "2", "\"66.67\"", "own_paid", "half_even"),
        bathing("c", "3", "100", "price", "down"),
        samples::policy(&HOURS.replace("order_of_use = 1", "order_of_use = 4").replace("= 180", "= 40000")),
    ]
}

proptest! {
    #[test]
    fn parts_make_the_whole_and_no_limit_is_passed(
        gross in 0_i64..1_000_000,
        minutes in 1_u32..1_000,
        remaining in prop::collection::vec(0_i64..40_000, 4),
        order in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let policies = any_policies();
        let bath = PricedUse { minutes, ..priced(ItemCode::Bathing, ServiceClass::Home, "2026-11-23T09:00:00", gross) };
        let benefits = ["bathing", "bathing", "bathing", "hours"];
        let offers: Vec<_> = (0..4)
            .map(|place| Entitled { remaining: remaining[place], ..offer(&policies[place], benefits[place], bath.start) })
            .collect();
        let straight = split(&bath, &offers).unwrap();
        let total = Fen::sum(straight.shares.iter().map(|share| share.subsidy)).unwrap();
        prop_assert_eq!(total.add(straight.family).unwrap(), fen(gross));
        for share in &straight.shares {
            let offered = offers.iter().find(|offer| *offer.policy.programme() == share.programme).unwrap();
            prop_assert_eq!(Fen::sum(share.split.iter().map(|(_, part)| *part)).unwrap(), share.subsidy);
            prop_assert!(share.subsidy > Fen::ZERO && share.units <= offered.remaining);
            prop_assert!(share.unit != Unit::Fen || share.units == share.subsidy.get());
        }
        let shuffled: Vec<_> = order.iter().map(|place| offers[*place].clone()).collect();
        prop_assert_eq!(split(&bath, &shuffled).unwrap(), straight);
    }
}

#[test]
fn what_the_bureau_does_not_buy_is_not_paid_and_its_standard_price_is_the_one_that_counts() {
    use AdjustmentCode::{BelowStandardPrice, NotOnPurchaseList};
    let policy = samples::shipped("tianjin-meals-2022.toml");
    let lunch = meal("2023-03-01T12:00:00", "lunch", 1_300);
    let said = |purchase| told(&split(&lunch, &[Entitled { purchase, ..offer(&policy, "meals", lunch.start) }]).unwrap());
    let listed = |price: Option<i64>| Purchase::Listed { standard_price: price.map(fen) };
    assert_eq!(said(Purchase::NotListed), (0, 1_300, vec![NotOnPurchaseList]));
    assert_eq!(said(listed(None)), (300, 1_000, vec![]));
    assert_eq!(said(listed(Some(1_300))), (300, 1_000, vec![]));
    assert_eq!(said(listed(Some(1_301))), (0, 1_300, vec![BelowStandardPrice]), "whatever whoever books says of the standard");
    let mut silent = lunch.clone();
    silent.facts.remove("standard_price_fen");
    let known = Entitled { purchase: listed(Some(1_300)), ..offer(&policy, "meals", lunch.start) };
    assert_eq!(told(&split(&silent, &[known]).unwrap()), (300, 1_000, vec![]));
}
