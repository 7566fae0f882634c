//! Who is asked to serve an order, one after another or several at once, and what becomes of it when nobody does.
#![cfg(test)]

use chrono::TimeDelta;
use domain::{
    access::Actor,
    id::{OrderId, ProviderId},
    money::Fen,
    order::{CancelReason, DeclineReason, OfferMode, OfferState, OrderState, UnmetReason},
    time::parse_instant,
};
use sea_orm::{ConnectionTrait as _, Statement};
use store::{
    command::order::{AcceptOrder, AssignOrder, CancelOrder, ConfirmOrder, DeclineOrder, PassDeadline, ReturnOrder},
    query::{offer::OfferView, order::OrderView},
};
use tests::{
    city::{SampleCity, Shop},
    db::TestDb,
    on_each_database,
};

const START: &str = "2026-11-12T09:00:00+08:00";

fn system() -> Actor {
    Actor::System("test")
}

async fn order(city: &SampleCity<'_>, id: OrderId) -> OrderView {
    city.store().order(&system(), id).await.unwrap()
}

async fn offers(city: &SampleCity<'_>, id: OrderId) -> Vec<OfferView> {
    city.store().offers_of_order(&system(), id).await.unwrap()
}

/// Provider and state of each offer, oldest first.
async fn asked(city: &SampleCity<'_>, id: OrderId) -> Vec<(ProviderId, OfferState)> {
    offers(city, id).await.into_iter().map(|offer| (offer.provider_id, offer.state)).collect()
}

async fn decline(city: &SampleCity<'_>, shop: &Shop, order: OrderId) -> OrderState {
    city.act(&shop.manager, DeclineOrder { order, reason: DeclineReason::NoCarer }).await.unwrap().state
}

async fn accept(city: &SampleCity<'_>, shop: &Shop, order: OrderId) -> OrderState {
    city.act(&shop.manager, AcceptOrder { order }).await.unwrap().state
}

async fn assert_clean(db: &TestDb, city: &SampleCity<'_>) {
    let report = city.store().verify(db.source().now()).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
}

/// A city with its own provider at 60.00 an hour, and further ones at these prices.
async fn city_with<'a>(db: &'a TestDb, prices: &[i64]) -> (SampleCity<'a>, Vec<Shop>) {
    let city = SampleCity::entitled(db).await.unwrap();
    let mut shops = vec![city.shop()];
    for (number, price) in (1..).zip(prices) {
        shops.push(city.open_shop(number, *price).await.unwrap());
    }
    (city, shops)
}

on_each_database!(a_declined_order_goes_to_the_next_provider_who_is_paid_at_its_own_price, async |db: TestDb| {
    let (city, shops) = city_with(&db, &[5_000]).await;
    let [named, next] = shops.as_slice() else { panic!("two shops") };
    let placed = city.book_with(named.provider, START, OfferMode::NamedFirst, None).await.unwrap();
    let id = placed.order_id;
    city.offer(id).await.unwrap();
    assert_eq!(asked(&city, id).await, [(named.provider, OfferState::Open)]);
    assert_eq!(decline(&city, named, id).await, OrderState::Offered);
    assert_eq!(asked(&city, id).await, [(named.provider, OfferState::Declined), (next.provider, OfferState::Open)]);
    let refused = city.act(&named.manager, AcceptOrder { order: id }).await.unwrap_err();
    assert_eq!(refused.code(), "offer.closed");
    assert_eq!(city.store().order(&named.manager, id).await.unwrap_err().code(), "access.not_found", "it is no longer theirs to see");
    assert_eq!(accept(&city, next, id).await, OrderState::Accepted);
    let taken = order(&city, id).await;
    assert_eq!((taken.provider_id, taken.gross.get(), taken.subsidy.get(), taken.family.get()), (next.provider, 10_000, 5_000, 5_000));
    city.act(&next.manager, AssignOrder { order: id, carers: vec![next.carers[0].0] }).await.unwrap();
    city.visit(next, placed.visit_id, START).await.unwrap();
    city.act(&city.family(), ConfirmOrder { order: id }).await.unwrap();
    let balances = city.store().account_balances(&system(), "payable/").await.unwrap();
    assert!(balances.iter().all(|balance| balance.account.contains(&next.provider.to_string())), "{balances:?}");
    let owed: i64 = balances.iter().map(|balance| balance.net_fen).sum();
    assert_eq!(owed.abs(), 10_000, "{balances:?}");
    assert_clean(&db, &city).await;
});

on_each_database!(a_dearer_provider_is_not_asked_and_the_unmet_wish_is_recorded_once, async |db: TestDb| {
    let (city, shops) = city_with(&db, &[6_001]).await;
    let shown = city.candidates(START).await.unwrap();
    let names: Vec<_> = shown.candidates.iter().map(|one| one.provider_id).collect();
    assert_eq!(names, [shops[0].provider, shops[1].provider], "before anything was promised both could serve, the cheaper one first");
    let id = city.book_with(shops[0].provider, START, OfferMode::NamedFirst, None).await.unwrap().order_id;
    city.offer(id).await.unwrap();
    assert_eq!(decline(&city, &shops[0], id).await, OrderState::Declined);
    assert_eq!(asked(&city, id).await, [(shops[0].provider, OfferState::Declined)]);
    let unmet = city.store().unmet_demand(&city.clerk(), "2026-11".parse().unwrap()).await.unwrap();
    assert_eq!(unmet.iter().map(|row| (row.reason, row.orders)).collect::<Vec<_>>(), [(UnmetReason::Declined, 1)]);
    let raw = db.raw().await.unwrap();
    let held = raw.query_one_raw(Statement::from_string(db.backend(), "SELECT SUM(held) FROM entitlement_window")).await.unwrap().unwrap();
    let held: Option<i64> = held.try_get_by_index(0).ok();
    assert!(matches!(held, Some(0) | None), "the hold went back");
    assert_clean(&db, &city).await;
});

on_each_database!(a_silence_is_the_turn_of_the_next_and_the_last_silence_ends_the_order, async |db: TestDb| {
    let (city, shops) = city_with(&db, &[6_000]).await;
    let id = city.book_with(shops[0].provider, START, OfferMode::NamedFirst, None).await.unwrap().order_id;
    city.offer(id).await.unwrap();
    for expected in [OrderState::Offered, OrderState::Expired] {
        let until = order(&city, id).await.deadline_at.unwrap();
        assert!(until < parse_instant(START).unwrap(), "time is left for somebody else");
        db.clock().set(until - TimeDelta::seconds(1));
        city.act(&system(), PassDeadline { order: id }).await.unwrap();
        assert_eq!(order(&city, id).await.state, OrderState::Offered, "not a second before its deadline");
        db.clock().set(until);
        city.act(&system(), PassDeadline { order: id }).await.unwrap();
        assert_eq!(order(&city, id).await.state, expected);
    }
    let states: Vec<_> = asked(&city, id).await.into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, [OfferState::Expired, OfferState::Expired]);
    let unmet = city.store().unmet_demand(&city.clerk(), "2026-11".parse().unwrap()).await.unwrap();
    assert_eq!(unmet[0].reason, UnmetReason::Unanswered);
    assert_clean(&db, &city).await;
});

on_each_database!(of_several_that_are_asked_at_once_and_accept_at_once_exactly_one_has_it, async |db: TestDb| {
    let (city, shops) = city_with(&db, &[6_000, 6_000, 6_000]).await;
    let id = city.book_with(shops[0].provider, START, OfferMode::Several, None).await.unwrap().order_id;
    city.offer(id).await.unwrap();
    let open = asked(&city, id).await;
    assert_eq!(open.len(), 3);
    let eager: Vec<_> = shops.iter().filter(|shop| open.iter().any(|(provider, _)| *provider == shop.provider)).collect();
    for shop in &eager {
        city.store().order(&shop.manager, id).await.expect("whoever is asked may look");
        assert_eq!(city.store().open_offers(&shop.manager, shop.provider).await.unwrap().len(), 1);
    }
    let answers = futures::future::join_all(eager.iter().map(|shop| city.act(&shop.manager, AcceptOrder { order: id }))).await;
    let won = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(won, 1, "{answers:?}");
    assert!(answers.iter().filter_map(|answer| answer.as_ref().err()).all(|refused| refused.code() == "offer.closed"), "{answers:?}");
    let states: Vec<_> = asked(&city, id).await.into_iter().map(|(_, state)| state).collect();
    assert_eq!(states.iter().filter(|state| **state == OfferState::Accepted).count(), 1);
    assert_eq!(states.iter().filter(|state| **state == OfferState::Withdrawn).count(), 2);
    assert_clean(&db, &city).await;
});

on_each_database!(an_accepted_order_without_carers_and_one_that_is_given_back_go_to_the_next, async |db: TestDb| {
    let (city, shops) = city_with(&db, &[6_000, 6_000]).await;
    let id = city.book_with(shops[0].provider, START, OfferMode::NamedFirst, None).await.unwrap().order_id;
    city.offer(id).await.unwrap();
    accept(&city, &shops[0], id).await;
    db.clock().set(order(&city, id).await.deadline_at.unwrap());
    city.act(&system(), PassDeadline { order: id }).await.unwrap();
    let second = offers(&city, id).await[1].provider_id;
    let next = shops.iter().find(|shop| shop.provider == second).unwrap();
    assert_eq!(offers(&city, id).await[0].reason, Some(DeclineReason::NotAssigned));
    accept(&city, next, id).await;
    city.act(&next.manager, AssignOrder { order: id, carers: vec![next.carers[0].0] }).await.unwrap();
    let stranger = city.act(&shops[0].manager, ReturnOrder { order: id, reason: DeclineReason::Closed }).await.unwrap_err();
    assert_eq!(stranger.code(), "access.not_found");
    let own = city.act(&next.manager, ReturnOrder { order: id, reason: DeclineReason::MayNotServe }).await.unwrap_err();
    assert_eq!(own.code(), "offer.reason");
    let back = city.act(&next.manager, ReturnOrder { order: id, reason: DeclineReason::NoCarer }).await.unwrap();
    assert_eq!(back.state, OrderState::Offered);
    assert!(order(&city, id).await.carers.is_empty(), "the carers are free again");
    let states: Vec<_> = asked(&city, id).await.into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, [OfferState::Returned, OfferState::Returned, OfferState::Open]);
    assert_clean(&db, &city).await;
});

on_each_database!(who_is_named_alone_is_asked_alone_and_a_cancelled_order_takes_its_offers_back, async |db: TestDb| {
    let (city, shops) = city_with(&db, &[6_000]).await;
    let id = city.book_with(shops[0].provider, START, OfferMode::NamedOnly, None).await.unwrap().order_id;
    city.offer(id).await.unwrap();
    assert_eq!(decline(&city, &shops[0], id).await, OrderState::Declined);
    let id = city.book_with(shops[0].provider, START, OfferMode::NamedFirst, None).await.unwrap().order_id;
    city.offer(id).await.unwrap();
    city.act(&city.family(), CancelOrder { order: id, reason: CancelReason::PlansChanged, fee_agreed: Fen::ZERO }).await.unwrap();
    assert_eq!(asked(&city, id).await, [(shops[0].provider, OfferState::Withdrawn)]);
    let late = city.act(&shops[0].manager, AcceptOrder { order: id }).await.unwrap_err();
    assert_eq!(late.code(), "offer.closed");
    assert_clean(&db, &city).await;
});

on_each_database!(whoever_has_no_free_carer_is_left_out_with_that_reason, async |db: TestDb| {
    let (city, shops) = city_with(&db, &[6_000]).await;
    let other = &shops[1];
    let id = city.book_with(other.provider, START, OfferMode::NamedOnly, None).await.unwrap().order_id;
    city.offer(id).await.unwrap();
    accept(&city, other, id).await;
    // The resident is busy then too, but that is asked at the booking.
    let shown = city.candidates("2026-11-12T10:00:00+08:00").await.unwrap();
    let reasons = |shown: &store::command::candidates::CandidatesView| {
        shown.excluded.iter().find(|one| one.provider_id == other.provider).map(|one| one.reasons.clone())
    };
    assert_eq!(reasons(&shown), Some(vec!["no_carer:0/1".to_owned()]), "its only carer is promised");
    city.act(&other.manager, AssignOrder { order: id, carers: vec![other.carers[0].0] }).await.unwrap();
    let shown = city.candidates("2026-11-12T10:00:00+08:00").await.unwrap();
    assert_eq!(reasons(&shown), Some(vec!["no_carer:0/1".to_owned()]), "its only carer is busy");
    let shown = city.candidates("2026-11-12T11:00:00+08:00").await.unwrap();
    assert_eq!(reasons(&shown), None, "from eleven on the carer is free");
});
