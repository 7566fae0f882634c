use proptest::prelude::*;

use super::*;
use crate::{
    catalogue::Unit,
    policy::samples::{self, BATHING},
    time::{BusinessDate, WindowKind},
};

fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

fn grant() -> BenefitGrant {
    BenefitGrant {
        benefit: "bathing".parse().unwrap(),
        unit: Unit::Fen,
        amount: 80_000,
        window: WindowKind::Month,
        share: None,
        per_unit: None,
        use_cap: None,
    }
}

#[test]
fn a_window_gives_its_full_amount_while_the_version_is_in_force() {
    let policy = samples::policy(&BATHING.replacen("2026-01-01", "2026-01-15\neffective_until = 2026-03-01", 1));
    let month = |day: &str| Window::holding(WindowKind::Month, date(day)).unwrap();
    let amount = |window: Window| window_amount(&policy, &grant(), &window);
    assert_eq!(amount(month("2026-01-01")), Ok(80_000), "in force on one day of it is enough");
    assert_eq!(amount(month("2026-02-01")), Ok(80_000));
    assert_eq!(amount(month("2026-03-01")), Err(EntitlementError::NotInForce));
    assert_eq!(amount(month("2025-12-01")), Err(EntitlementError::NotInForce));
    assert_eq!(amount(Window::holding(WindowKind::Week, date("2026-02-02")).unwrap()), Err(EntitlementError::NotAWindow));
    let other = BenefitGrant { amount: 1, ..grant() };
    assert!(matches!(window_amount(&policy, &other, &month("2026-02-01")), Err(EntitlementError::OtherPolicy(_))));
    let unknown = BenefitGrant { benefit: "meals".parse().unwrap(), ..grant() };
    assert!(matches!(window_amount(&policy, &unknown, &month("2026-02-01")), Err(EntitlementError::UnknownBenefit(_))));
}

#[test]
fn a_balance_moves_from_available_to_held_to_posted_to_expired() {
    let opened = Balance::open(80_000).unwrap();
    let held = opened.hold(6_000).unwrap();
    assert_eq!((held.available(), held.held()), (74_000, 6_000));
    let posted = held.post(6_000, 5_000).unwrap();
    assert_eq!((posted.available(), posted.held(), posted.posted()), (75_000, 0, 5_000));
    let expired = posted.expire().unwrap();
    assert_eq!((expired.available(), expired.expired()), (0, 75_000));
    assert_eq!(expired.reverse(5_000).unwrap().available(), 5_000);
}

#[test]
fn every_step_refuses_what_there_is_not() {
    let balance = Balance::open(100).unwrap().hold(40).unwrap();
    assert_eq!(balance.hold(61), Err(EntitlementError::Exhausted { wanted: 61, available: 60 }));
    assert_eq!(balance.hold(-1), Err(EntitlementError::Negative));
    assert_eq!(balance.void(41), Err(EntitlementError::NotHeld { wanted: 41, held: 40 }));
    assert_eq!(balance.post(40, 41), Err(EntitlementError::NotHeld { wanted: 41, held: 40 }));
    assert_eq!(balance.post(41, 1), Err(EntitlementError::NotHeld { wanted: 41, held: 40 }));
    assert_eq!(balance.reverse(1), Err(EntitlementError::NotPosted { wanted: 1, posted: 0 }));
    assert_eq!(balance.regrant(39), Err(EntitlementError::Exhausted { wanted: 40, available: 39 }));
    assert_eq!(balance.regrant(200).map(|balance| balance.available()), Ok(160));
    assert_eq!(Balance::open(-1), Err(EntitlementError::Negative));
}

#[test]
fn a_stored_balance_that_does_not_add_up_is_refused() {
    let stored = |text: &str| serde_json::from_str::<Balance>(text).is_ok();
    assert!(stored(r#"{"granted":10,"held":4,"posted":5,"expired":1}"#));
    assert!(!stored(r#"{"granted":10,"held":4,"posted":5,"expired":2}"#));
    assert!(!stored(r#"{"granted":10,"held":-1,"posted":5,"expired":2}"#));
    assert!(!stored(r#"{"granted":10,"held":9223372036854775807,"posted":5,"expired":2}"#));
}

#[derive(Debug, Clone)]
enum Step {
    Hold(i64),
    Post(i64, i64),
    Void(i64),
    Reverse(i64),
    Expire,
    Regrant(i64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_i64..200).prop_map(Step::Hold),
        (0_i64..200, 0_i64..200).prop_map(|(held, used)| Step::Post(held, used)),
        (0_i64..200).prop_map(Step::Void),
        (0_i64..200).prop_map(Step::Reverse),
        Just(Step::Expire),
        (0_i64..400).prop_map(Step::Regrant),
    ]
}

proptest! {
    #[test]
    fn available_held_posted_and_expired_always_make_the_grant(steps in prop::collection::vec(any_step(), 0..40)) {
        let mut balance = Balance::open(200).unwrap();
        for step in steps {
            let next = match step {
                Step::Hold(amount) => balance.hold(amount),
                Step::Post(held, used) => balance.post(held, used),
                Step::Void(held) => balance.void(held),
                Step::Reverse(posted) => balance.reverse(posted),
                Step::Expire => balance.expire(),
                Step::Regrant(granted) => balance.regrant(granted),
            };
            balance = next.unwrap_or(balance);
            let parts = [balance.available(), balance.held(), balance.posted(), balance.expired()];
            prop_assert!(parts.iter().all(|part| *part >= 0));
            prop_assert_eq!(parts.iter().sum::<i64>(), balance.granted());
        }
    }
}
