use proptest::prelude::*;

use super::*;
use crate::{
    catalogue::{ItemCode, Purchase, Quantity, ServiceClass},
    eligibility::Reason,
    policy::{
        Policy,
        samples::{self, BATHING},
    },
    tariff::{Entitled, PricedUse, split},
    time::{WindowKind, parse_instant},
};

fn fen(amount: i64) -> Fen {
    Fen::new(amount).unwrap()
}

/// A bath of so many fen under the worked example, with so much of the month left.
fn bath(policy: &Policy, gross: i64, remaining: i64, eligible: Result<(), Reason>) -> Split {
    let start = parse_instant("2026-11-23T09:00:00").unwrap();
    let priced_use = PricedUse {
        item: ItemCode::Bathing,
        class: ServiceClass::Home,
        start,
        minutes: 60,
        quantity: Quantity::ONE,
        gross: fen(gross),
        working_day: true,
        facts: std::collections::BTreeMap::new(),
    };
    let window = Window::holding(WindowKind::Month, crate::time::BusinessDate::of(start)).unwrap();
    let benefit = "bathing".parse().unwrap();
    let purchase = Purchase::Open;
    let (uses, benefits_used) = (Vec::new(), std::collections::BTreeSet::new());
    split(&priced_use, &[Entitled { policy, benefit, window, granted: 80_000, remaining, uses, benefits_used, eligible, purchase }])
        .unwrap()
}

/// Family, provider, pending and denied.
fn sums(judged: &Adjudication) -> [i64; 4] {
    [judged.family, judged.provider_payable, judged.pending, judged.denied].map(Fen::get)
}

#[test]
fn the_worked_example_posts_what_was_held() {
    let policy = samples::policy(BATHING);
    let quoted = bath(&policy, 12_000, 80_000, Ok(()));
    let judged = adjudicate(&quoted, &quoted, Payable::Post).unwrap();
    assert_eq!(sums(&judged), [6_000, 12_000, 0, 0]);
    let line = &judged.lines[0];
    assert_eq!((line.state, line.units_held, line.units_posted), (ClaimLineState::Posted, 6_000, 6_000));
    assert_eq!(line.split.iter().map(|(_, part)| part.get()).collect::<Vec<_>>(), [3_000, 3_000]);
    assert!(line.codes.is_empty());
}

#[test]
fn weak_evidence_holds_the_subsidy_and_the_family_pays_its_part() {
    let policy = samples::policy(BATHING);
    let quoted = bath(&policy, 12_000, 80_000, Ok(()));
    let judged = adjudicate(&quoted, &quoted, Payable::Hold).unwrap();
    assert_eq!(sums(&judged), [6_000, 6_000, 6_000, 0]);
    let line = &judged.lines[0];
    assert_eq!((line.state, line.units_posted, line.units_due), (ClaimLineState::Held, 0, 6_000));
    assert_eq!(line.codes, [AdjustmentCode::AwaitingApproval]);
}

#[test]
fn missing_evidence_is_the_loss_of_the_provider_not_of_the_family() {
    let policy = samples::policy(BATHING);
    let quoted = bath(&policy, 12_000, 80_000, Ok(()));
    let judged = adjudicate(&quoted, &quoted, Payable::Void).unwrap();
    assert_eq!(sums(&judged), [6_000, 6_000, 0, 6_000]);
    let line = &judged.lines[0];
    assert_eq!((line.state, line.units_held, line.units_posted), (ClaimLineState::Voided, 6_000, 0));
    assert_eq!((line.subsidy, line.split.len()), (Fen::ZERO, 0));
    assert_eq!(line.codes, [AdjustmentCode::EvidenceMissing]);
    let shorter = bath(&policy, 6_000, 80_000, Ok(()));
    assert_eq!(sums(&adjudicate(&quoted, &shorter, Payable::Void).unwrap()), [3_000, 3_000, 0, 3_000]);
}

#[test]
fn less_service_costs_everybody_less() {
    let policy = samples::policy(BATHING);
    let judged = adjudicate(&bath(&policy, 12_000, 80_000, Ok(())), &bath(&policy, 6_000, 80_000, Ok(())), Payable::Post).unwrap();
    assert_eq!(sums(&judged), [3_000, 6_000, 0, 0]);
    assert_eq!((judged.lines[0].units_held, judged.lines[0].units_posted), (6_000, 3_000));
    assert_eq!(judged.lines[0].codes, [AdjustmentCode::DeliveredLess]);
}

#[test]
fn more_service_than_quoted_is_not_paid_by_anybody() {
    let policy = samples::policy(BATHING);
    let judged = adjudicate(&bath(&policy, 12_000, 80_000, Ok(())), &bath(&policy, 24_000, 80_000, Ok(())), Payable::Post).unwrap();
    assert_eq!(sums(&judged), [6_000, 12_000, 0, 12_000]);
    assert_eq!(judged.lines[0].codes, [AdjustmentCode::OverQuote]);
}

#[test]
fn an_entitlement_lost_after_the_quote_is_not_charged_to_the_family() {
    let policy = samples::policy(BATHING);
    let quoted = bath(&policy, 12_000, 80_000, Ok(()));
    let moved = bath(&policy, 12_000, 80_000, Err(Reason::excluded("status", "moved")));
    let judged = adjudicate(&quoted, &moved, Payable::Post).unwrap();
    assert_eq!(sums(&judged), [6_000, 6_000, 0, 6_000]);
    assert_eq!((judged.lines[0].state, judged.lines[0].units_held), (ClaimLineState::Voided, 6_000));
    assert_eq!(judged.lines[0].codes, [AdjustmentCode::NotEligible]);
    let capped = adjudicate(&quoted, &bath(&policy, 12_000, 1_000, Ok(())), Payable::Post).unwrap();
    assert_eq!(sums(&capped), [6_000, 7_000, 0, 5_000]);
    assert_eq!(capped.lines[0].codes, [AdjustmentCode::CapReached]);
}

#[test]
fn a_subsidy_that_was_not_quoted_is_not_paid() {
    let policy = samples::policy(BATHING);
    let unquoted = bath(&policy, 12_000, 80_000, Err(Reason::unknown("level")));
    let judged = adjudicate(&unquoted, &bath(&policy, 12_000, 80_000, Ok(())), Payable::Post).unwrap();
    assert_eq!(sums(&judged), [12_000, 12_000, 0, 0], "the family pays its quote");
    assert_eq!((judged.lines[0].state, judged.lines[0].units_held), (ClaimLineState::Voided, 0));
    assert_eq!(judged.lines[0].codes, [AdjustmentCode::OverQuote]);
}

#[test]
fn a_self_paid_visit_has_no_claim_line() {
    let own = Split { gross: fen(5_000), shares: Vec::new(), family: fen(5_000), codes: Vec::new() };
    for payable in [Payable::Post, Payable::Hold, Payable::Void] {
        let judged = adjudicate(&own, &own, payable).unwrap();
        assert!(judged.lines.is_empty());
        assert_eq!(sums(&judged), [5_000, 5_000, 0, 0]);
    }
}

#[test]
fn a_damaged_split_is_refused() {
    let policy = samples::policy(BATHING);
    let right = bath(&policy, 12_000, 80_000, Ok(()));
    let damage = |change: fn(&mut Split)| {
        let mut wrong = right.clone();
        change(&mut wrong);
        adjudicate(&wrong, &right, Payable::Post).expect_err("damaged")
    };
    assert_eq!(damage(|split| split.family = Fen::ZERO), ClaimError::Unbalanced);
    assert_eq!(damage(|split| split.shares[0].split.clear()), ClaimError::Unbalanced);
    assert!(matches!(damage(|split| split.shares.push(split.shares[0].clone())), ClaimError::Twice { .. }));
}

#[test]
fn codes_read_back_as_they_print() {
    use strum::IntoEnumIterator;
    for code in AdjustmentCode::iter() {
        assert_eq!(code.to_string().parse(), Ok(code));
        assert_eq!(serde_json::to_string(&code).unwrap(), format!("\"{code}\""));
    }
    assert_eq!(AdjustmentCode::SixthMealOfWeek.to_string(), "sixth_meal_of_week");
}

proptest! {
    #[test]
    fn nobody_pays_more_than_quoted_and_every_fen_is_accounted_for(
        quoted in (0_i64..500_000, 0_i64..80_000),
        actual in (0_i64..500_000, 0_i64..80_000),
        grade in 0_usize..3,
    ) {
        let policy = samples::policy(BATHING);
        let quote = bath(&policy, quoted.0, quoted.1, Ok(()));
        let delivered = bath(&policy, actual.0, actual.1, Ok(()));
        let payable = [Payable::Post, Payable::Hold, Payable::Void][grade];
        let judged = adjudicate(&quote, &delivered, payable).unwrap();
        prop_assert!(judged.family <= quote.family);
        let accounted = Fen::sum([judged.provider_payable, judged.pending, judged.denied]).unwrap();
        prop_assert_eq!(accounted, delivered.gross);
        let mut posted = Fen::ZERO;
        for line in &judged.lines {
            prop_assert!(line.units_posted <= line.units_due && line.units_due <= line.units_held);
            prop_assert!(line.subsidy <= line.subsidy_quoted);
            prop_assert_eq!(Fen::sum(line.split.iter().map(|(_, part)| *part)).unwrap(), line.subsidy);
            prop_assert!(line.subsidy == line.subsidy_quoted || !line.codes.is_empty(), "a difference without a code");
            if line.state == ClaimLineState::Posted {
                posted = posted.add(line.subsidy).unwrap();
            }
        }
        prop_assert_eq!(posted.add(judged.family).unwrap(), judged.provider_payable);
    }
}
