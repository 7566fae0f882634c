//! What cancelling costs: shown beforehand, exact at its border, never more than the family's own share.
#![cfg(test)]

use chrono::TimeDelta;
use domain::{
    access::Actor,
    id::OrderId,
    money::Fen,
    order::{CancelReason, FeeReason, OfferMode, OrderState},
    time::{Instant, parse_instant},
};
use store::command::order::{AcceptOrder, CancelOrder};
use tests::{city::SampleCity, on_each_database};

const START: &str = "2026-11-12T09:00:00+08:00";

fn border() -> Instant {
    parse_instant(START).unwrap() - TimeDelta::hours(4)
}

/// An order for two hours of cleaning that its provider has accepted: 60.00 of it are the family's.
async fn accepted(city: &SampleCity<'_>) -> OrderId {
    let shop = city.shop();
    let order = city.book_with(shop.provider, START, OfferMode::NamedOnly, None).await.unwrap().order_id;
    city.offer(order).await.unwrap();
    city.act(&shop.manager, AcceptOrder { order }).await.unwrap();
    order
}

fn cancel(order: OrderId, reason: CancelReason, fee: i64) -> CancelOrder {
    CancelOrder { order, reason, fee_agreed: Fen::new(fee).unwrap() }
}

on_each_database!(the_fee_is_shown_agreed_to_and_owed_to_the_provider, async |db: TestDb| {
    let city = SampleCity::entitled(&db).await.unwrap();
    let order = accepted(&city).await;
    let ask = async |now| city.store().cancellation(&city.family(), order, CancelReason::PlansChanged, now).await.unwrap();
    let before = ask(border() - TimeDelta::microseconds(1)).await;
    assert_eq!((before.free_until, before.fee, before.because), (border(), Fen::ZERO, FeeReason::BeforeBorder));
    let after = ask(border()).await;
    assert_eq!((after.fee.get(), after.because), (3_000, FeeReason::AfterBorder));
    db.clock().set(border());
    let surprised = city.act(&city.family(), cancel(order, CancelReason::PlansChanged, 2_999)).await.unwrap_err();
    assert_eq!(surprised.code(), "cancel.fee");
    let done = city.act(&city.family(), cancel(order, CancelReason::PlansChanged, 3_000)).await.unwrap();
    assert_eq!(done.state, OrderState::Cancelled);
    let owed = city.store().account_balances(&Actor::System("test"), "receivable/").await.unwrap();
    assert_eq!(owed.iter().map(|account| account.net_fen.abs()).collect::<Vec<_>>(), [3_000]);
    let owing = city.store().account_balances(&Actor::System("test"), "payable/").await.unwrap();
    assert_eq!(owing.iter().map(|account| account.net_fen.abs()).collect::<Vec<_>>(), [3_000]);
    let again = city.act(&city.family(), cancel(order, CancelReason::PlansChanged, 3_000)).await.unwrap_err();
    assert_eq!(again.code(), "state.not_allowed");
    let report = city.store().verify(db.source().now()).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
});

on_each_database!(a_moment_before_the_border_and_before_any_acceptance_nothing_is_due, async |db: TestDb| {
    let city = SampleCity::entitled(&db).await.unwrap();
    let order = accepted(&city).await;
    db.clock().set(border() - TimeDelta::microseconds(1));
    city.act(&city.family(), cancel(order, CancelReason::PlansChanged, 0)).await.unwrap();
    let unanswered = city.book_with(city.shop().provider, START, OfferMode::NamedOnly, None).await.unwrap().order_id;
    db.clock().set(border() + TimeDelta::hours(3));
    city.act(&city.family(), cancel(unanswered, CancelReason::PlansChanged, 0)).await.unwrap();
    assert!(city.store().account_balances(&Actor::System("test"), "receivable/").await.unwrap().is_empty());
});

on_each_database!(the_community_takes_a_reason_on_itself_and_the_provider_cannot_cancel, async |db: TestDb| {
    let city = SampleCity::entitled(&db).await.unwrap();
    let order = accepted(&city).await;
    db.clock().set(border());
    let family = city.act(&city.family(), cancel(order, CancelReason::ForceMajeure, 0)).await.unwrap_err();
    assert_eq!(family.code(), "cancel.fee");
    let provider = city.act(&city.shop().manager, cancel(order, CancelReason::ForceMajeure, 0)).await.unwrap_err();
    assert_eq!(provider.code(), "access.role", "it gives the order back instead");
    let shown = city.store().cancellation(&city.worker(), order, CancelReason::ForceMajeure, border()).await.unwrap();
    assert_eq!(shown.because, FeeReason::Waived);
    city.act(&city.worker(), cancel(order, CancelReason::ForceMajeure, 0)).await.unwrap();
});
