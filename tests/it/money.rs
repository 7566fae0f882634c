//! Entitlements, holds and quotes: what is reserved, what is shown, and what the family is asked.
#![cfg(test)]

use domain::{
    claim::AdjustmentCode,
    consent::ConsentState,
    entitlement::WindowState,
    money::Fen,
    order::{CancelReason, OfferMode, OrderState},
};
use store::{
    StoreError,
    command::{
        consent::{AnswerConsent, LapseConsent},
        entitlement::OpenWindow,
        order::{CancelOrder, PlaceOrder},
    },
    query::work::windows_to_open,
};
use tests::{
    city::{POLICY, PROGRAMME},
    db::TestDb,
    market::Market,
    on_each_database,
};

const IN_NOVEMBER: &str = "2026-11-20T09:00:00+08:00";
const IN_DECEMBER: &str = "2026-12-08T09:00:00+08:00";

/// The sample programme with another amount a month from December on.
fn from_december(amount: i64) -> String {
    POLICY
        .replace("version = \"v1\"", "version = \"v2\"")
        .replace("effective_from = 2026-01-01", "effective_from = 2026-12-01")
        .replace("amount = 80000", &format!("amount = {amount}"))
}

async fn clean(market: &Market<'_>, db: &TestDb) {
    let report = market.store().verify(db.source().now()).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
}

async fn order_state(market: &Market<'_>, order: domain::id::OrderId) -> (OrderState, i64) {
    let view = market.store().order(&market.people().family, order).await.unwrap();
    (view.state, view.family.get())
}

on_each_database!(a_hundred_bookings_for_the_last_unit_at_one_time_have_one_winner, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    // 80,000 fen a month, 6,000 a visit: after thirteen visits 2,000 are left, and then only one gets them.
    for number in 0..13 {
        market.book(&format!("2026-11-{:02}T09:00:00+08:00", 11 + number)).await.unwrap();
    }
    let mut quotes = Vec::new();
    for number in 0..100 {
        let at = format!("2026-11-{}T{}:00:00+08:00", 11 + number / 6, 12 + 2 * (number % 6));
        let view = market.try_run(&market.people().family, market.ask(&at, 200, None).unwrap()).await.unwrap();
        assert_eq!(view.body.split.shares[0].subsidy.get(), 2_000);
        quotes.push(view.quote_id);
    }
    let bookings = quotes.into_iter().map(|quote| {
        let (store, ctx) = (market.store().clone(), db.source().context(market.people().family.clone()));
        tokio::spawn(async move { store.write(ctx, PlaceOrder { quote, mode: OfferMode::default(), centre: None }).await })
    });
    let mut won = 0;
    for booking in bookings.collect::<Vec<_>>() {
        match booking.await.unwrap() {
            Ok(_) => won += 1,
            Err(StoreError::Refused(refusal)) => {
                assert!(["order.quote_changed", "order.resident_busy"].contains(&refusal.code), "{}", refusal.code);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(won, 1);
    let november = &market.entitlements().await.unwrap()[0].windows[0];
    assert_eq!((november.granted, november.held, november.available), (80_000, 80_000, 0));
    clean(&market, &db).await;
});

on_each_database!(a_quote_shows_rule_and_rest_and_why_named_programmes_pay_nothing, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let quoted = market.quote(IN_NOVEMBER, None).await.unwrap();
    let line = &quoted.body.lines[0];
    assert_eq!((line.unit_price.get(), line.quantity.hundredths(), line.amount.get()), (6_000, 200, 12_000));
    let outlook = &quoted.body.outlook[0];
    assert_eq!((outlook.granted, outlook.before, outlook.after, outlook.provisional), (80_000, 80_000, 74_000, false));
    // Known to the city, but nobody has applied for it.
    market.publish(&POLICY.replace(PROGRAMME, "other-programme")).await.unwrap();
    let silent = market.quote(IN_NOVEMBER, Some(&["other-programme"])).await.unwrap();
    assert_eq!(silent.body.split.family.get(), 12_000);
    let why = &silent.body.split.codes[0];
    assert_eq!((why.programme.to_string().as_str(), why.code), ("other-programme", AdjustmentCode::NoEntitlement));
    // A programme that has ended says so, instead of saying nothing.
    let ended = POLICY.replace(PROGRAMME, "ended-programme").replace("2026-01-01", "2026-01-01\neffective_until = 2026-11-15");
    market.publish(&ended).await.unwrap();
    let silent = market.quote(IN_NOVEMBER, Some(&["ended-programme"])).await.unwrap();
    let why = &silent.body.split.codes[0];
    assert_eq!(why.code, AdjustmentCode::NotEligible);
    assert_eq!(why.reason.as_ref().unwrap().to_string(), "not_in_force:2026-11-20");
    // And so does one whose money of the year is gone, before the visit.
    market.publish(&POLICY.replace(PROGRAMME, "poor-programme")).await.unwrap();
    market.set_budget("poor-programme", 2_999).await.unwrap();
    market.grant("poor-programme").await.unwrap();
    let broke = market.quote("2026-11-25T09:00:00+08:00", Some(&["poor-programme"])).await.unwrap();
    assert_eq!((broke.body.split.codes[0].code, broke.body.split.family.get()), (AdjustmentCode::BudgetExhausted, 12_000));
});

on_each_database!(a_booking_into_the_next_month_holds_a_projected_window_that_opens_on_its_first_day, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let quoted = market.quote(IN_DECEMBER, None).await.unwrap();
    assert!(quoted.body.outlook[0].provisional);
    let booked = market
        .try_run(&market.people().family, PlaceOrder { quote: quoted.quote_id, mode: OfferMode::default(), centre: None })
        .await
        .unwrap();
    let ahead = market.entitlements().await.unwrap()[0].windows[0].clone();
    assert_eq!((ahead.state, ahead.granted, ahead.held), (WindowState::Projected, 80_000, 6_000));
    clean(&market, &db).await;
    market.set_clock("2026-12-01T00:05:00+08:00").unwrap();
    market.turn_windows().await.unwrap();
    let december = market.entitlements().await.unwrap()[0].windows[0].clone();
    assert_eq!((december.state, december.granted, december.held), (WindowState::Open, 80_000, 6_000));
    assert_eq!(order_state(&market, booked.order_id).await, (OrderState::Requested, 6_000), "nothing changed, nobody is asked");
    let nothing = windows_to_open(market.store(), "2026-12-01".parse().unwrap(), "month", None, 10).await.unwrap();
    assert!(nothing.is_empty(), "it is opened once");
    market.serve(&booked, IN_DECEMBER).await.unwrap();
    market.confirm(booked.order_id).await.unwrap();
    let december = market.entitlements().await.unwrap()[0].windows[0].clone();
    assert_eq!((december.held, december.posted), (0, 6_000));
    clean(&market, &db).await;
});

on_each_database!(a_window_that_opens_with_less_asks_the_family_who_accepts, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let first = market.book(IN_DECEMBER).await.unwrap();
    let second = market.book("2026-12-09T09:00:00+08:00").await.unwrap();
    market.publish(&from_december(8_000)).await.unwrap();
    market.set_clock("2026-12-01T00:05:00+08:00").unwrap();
    market.turn_windows().await.unwrap();
    let december = market.entitlements().await.unwrap()[0].windows[0].clone();
    assert_eq!((december.granted, december.held), (8_000, 8_000), "6,000 for the first visit, what is left for the second");
    let questions = market.store().consent_requests(&market.people().family, market.resident()).await.unwrap();
    assert_eq!(questions.len(), 1, "the first visit costs the family no more");
    let asked = &questions[0];
    assert_eq!((asked.order_id, asked.old_family.get(), asked.new_family.get()), (second.order_id, 6_000, 10_000));
    assert_eq!(asked.body.split.codes[0].code, AdjustmentCode::CapReached);
    assert_eq!(order_state(&market, second.order_id).await.1, 6_000, "until it answers, the share stands");
    clean(&market, &db).await;
    let answer = AnswerConsent { request: asked.consent_request_id, accept: true };
    let answered = market.try_run(&market.people().family, answer.clone()).await.unwrap();
    assert_eq!(answered.state, ConsentState::Accepted);
    assert_eq!(order_state(&market, second.order_id).await.1, 10_000);
    assert_eq!(market.try_run(&market.people().family, answer).await.unwrap_err().code(), "state.not_allowed");
    assert_eq!(order_state(&market, first.order_id).await.1, 6_000);
    market
        .try_run(&market.people().family, CancelOrder { order: first.order_id, reason: CancelReason::PlansChanged, fee_agreed: Fen::ZERO })
        .await
        .unwrap();
    market.serve(&second, "2026-12-09T09:00:00+08:00").await.unwrap();
    market.confirm(second.order_id).await.unwrap();
    clean(&market, &db).await;
});

on_each_database!(a_family_that_declines_or_does_not_answer_pays_nothing_and_the_order_is_called_off, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let declined = market.book(IN_DECEMBER).await.unwrap();
    let silent = market.book("2026-12-09T09:00:00+08:00").await.unwrap();
    market.publish(&from_december(1_000)).await.unwrap();
    market.set_clock("2026-12-01T00:05:00+08:00").unwrap();
    market.turn_windows().await.unwrap();
    let questions = market.store().consent_requests(&market.people().family, market.resident()).await.unwrap();
    let of = |order| questions.iter().find(|asked| asked.order_id == order).unwrap();
    let answer = AnswerConsent { request: of(declined.order_id).consent_request_id, accept: false };
    assert_eq!(market.try_run(&market.people().family, answer).await.unwrap().state, ConsentState::Declined);
    assert_eq!(order_state(&market, declined.order_id).await.0, OrderState::Cancelled);
    let open = of(silent.order_id);
    assert_eq!(open.deadline_at.unwrap(), domain::time::parse_instant("2026-12-03T00:05:00+08:00").unwrap());
    market.set_clock("2026-12-03T00:05:00+08:00").unwrap();
    let late = AnswerConsent { request: open.consent_request_id, accept: true };
    assert_eq!(market.try_run(&market.people().family, late).await.unwrap_err().code(), "consent.late");
    market.run_system(LapseConsent { request: open.consent_request_id }).await.unwrap();
    assert_eq!(order_state(&market, silent.order_id).await.0, OrderState::Cancelled);
    let december = market.entitlements().await.unwrap()[0].windows[0].clone();
    assert_eq!((december.granted, december.held), (1_000, 0));
    clean(&market, &db).await;
});

on_each_database!(whoever_served_before_the_family_answered_bears_the_loss, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let booked = market.book("2026-12-01T09:00:00+08:00").await.unwrap();
    market.publish(&from_december(1_000)).await.unwrap();
    market.set_clock("2026-12-01T08:59:00+08:00").unwrap();
    market.turn_windows().await.unwrap();
    market.serve(&booked, "2026-12-01T09:00:00+08:00").await.unwrap();
    market.confirm(booked.order_id).await.unwrap();
    let view = market.store().order(&market.people().family, booked.order_id).await.unwrap();
    assert_eq!(view.family.get(), 6_000, "the family never pays more than it was shown");
    assert_eq!(view.claim_lines[0].subsidy.get(), 1_000);
    clean(&market, &db).await;
});

on_each_database!(what_comes_back_after_the_end_of_its_window_expires, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let booked = market.book("2026-11-30T20:00:00+08:00").await.unwrap();
    market.set_clock("2026-12-01T00:05:00+08:00").unwrap();
    let before = market.entitlements().await.unwrap()[0].windows[0].clone();
    assert_eq!((before.available, before.held), (0, 6_000), "read as over before any sweeper has been");
    // Nobody came, nobody answered the offer: the order ends and its hold with it.
    market.pass_deadline(booked.order_id).await.unwrap();
    let november = market.entitlements().await.unwrap()[0].windows[0].clone();
    assert_eq!((november.held, november.expired, november.available), (0, 80_000, 0));
    clean(&market, &db).await;
});

on_each_database!(one_visit_holds_two_programmes_in_windows_of_two_lengths_and_gives_both_back, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let hours = POLICY
        .replace(PROGRAMME, "weekly-hours")
        .replace("order_of_use = 10", "order_of_use = 5")
        .replace("unit = \"fen\"", "unit = \"minutes\"")
        .replace("window = \"month\"", "window = \"week\"")
        .replace("amount = 80000", "amount = 90");
    market.publish(&hours).await.unwrap();
    market.set_budget("weekly-hours", 1_000_000).await.unwrap();
    market.grant("weekly-hours").await.unwrap();
    let start = "2026-11-24T09:00:00+08:00";
    let quoted = market.quote(start, None).await.unwrap();
    let parts: Vec<_> = quoted.body.split.shares.iter().map(|share| (share.unit.to_string(), share.units, share.subsidy.get())).collect();
    // Half of 90 of 120 minutes of 120.00, then half of what that leaves.
    assert_eq!(parts, [("minutes".to_owned(), 90, 4_500), ("fen".to_owned(), 3_750, 3_750)]);
    let booked = market
        .try_run(&market.people().family, PlaceOrder { quote: quoted.quote_id, mode: OfferMode::default(), centre: None })
        .await
        .unwrap();
    let held = |views: Vec<store::query::resident::EntitlementView>| -> Vec<i64> {
        views.iter().map(|view| view.windows.iter().map(|window| window.held).sum()).collect()
    };
    assert_eq!(held(market.entitlements().await.unwrap()), [3_750, 90]);
    market
        .try_run(&market.people().family, CancelOrder { order: booked.order_id, reason: CancelReason::PlansChanged, fee_agreed: Fen::ZERO })
        .await
        .unwrap();
    assert_eq!(held(market.entitlements().await.unwrap()), [0, 0]);
    clean(&market, &db).await;
});

on_each_database!(a_window_is_opened_only_by_its_own_entitlement, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let view = market.entitlements().await.unwrap().remove(0);
    market.run_system(OpenWindow { entitlement: view.entitlement_id }).await.unwrap();
    assert_eq!(market.entitlements().await.unwrap()[0].windows.len(), 1, "opening twice opens once");
    clean(&market, &db).await;
});
