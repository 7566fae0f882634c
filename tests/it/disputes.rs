//! A disputed service: both sides are heard, somebody who is no party decides, and what is left overdue goes on.
#![cfg(test)]

use chrono::TimeDelta;
use domain::{
    access::{Actor, Role},
    claim::ClaimLineState,
    id::OrderId,
    order::{DisputeOutcome, DisputeReason, DisputeSide, OfferMode, OrderState},
};
use store::command::order::{AcceptOrder, AssignOrder, DecideDispute, DisputeOrder, PassDeadline, StateInDispute};
use tests::{city::SampleCity, db::TestDb, on_each_database};

const START: &str = "2026-11-12T09:00:00+08:00";

/// Two hours of cleaning at 120.00, half of it subsidised, served and disputed.
async fn disputed(city: &SampleCity<'_>) -> OrderId {
    let shop = city.shop();
    let placed = city.book_with(shop.provider, START, OfferMode::NamedOnly, None).await.unwrap();
    let order = placed.order_id;
    city.offer(order).await.unwrap();
    city.act(&shop.manager, AcceptOrder { order }).await.unwrap();
    city.act(&shop.manager, AssignOrder { order, carers: vec![shop.carers[0].0] }).await.unwrap();
    city.visit(&shop, placed.visit_id, START).await.unwrap();
    let dispute = DisputeOrder { order, reason: DisputeReason::NotAsAgreed, statement: "厨房没有打扫".to_owned() };
    assert_eq!(city.act(&city.family(), dispute).await.unwrap().state, OrderState::Disputed);
    order
}

fn decide(order: OrderId, outcome: &str, percent: Option<i64>) -> DecideDispute {
    DecideDispute { order, outcome: DisputeOutcome::parse(outcome, percent).unwrap(), statement: "已核实".to_owned() }
}

/// What the subsidy line and the family pay in the end.
async fn paid(db: &TestDb, city: &SampleCity<'_>, order: OrderId) -> (ClaimLineState, i64, i64) {
    let view = city.store().order(&Actor::System("test"), order).await.unwrap();
    let owed = city.store().account_balances(&Actor::System("test"), "receivable/").await.unwrap();
    let report = city.store().verify(db.source().now()).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
    let line = &view.claim_lines[0];
    (line.state, line.subsidy.get(), owed.iter().map(|account| account.net_fen.abs()).sum())
}

on_each_database!(both_sides_are_heard_and_a_part_is_paid_by_all_in_their_shares, async |db: TestDb| {
    let city = SampleCity::entitled(&db).await.unwrap();
    let order = disputed(&city).await;
    // What is said in one instant has no order.
    db.clock().advance(TimeDelta::minutes(5));
    let answer = StateInDispute { order, statement: "厨房已经打扫".to_owned() };
    city.act(&city.shop().manager, answer).await.unwrap();
    let stranger = city.act(&city.open_shop(1, 6_000).await.unwrap().manager, StateInDispute { order, statement: "?".to_owned() }).await;
    assert_eq!(stranger.unwrap_err().code(), "access.not_found");
    let seen = city.store().dispute(&city.clerk(), order).await.unwrap();
    let said: Vec<_> = seen.statements.iter().map(|one| (one.side, one.text.as_str())).collect();
    assert_eq!(said, [(DisputeSide::Family, "厨房没有打扫"), (DisputeSide::Provider, "厨房已经打扫")]);
    city.act(&city.clerk(), decide(order, "part", Some(40))).await.unwrap();
    assert_eq!(paid(&db, &city, order).await, (ClaimLineState::Posted, 2_400, 2_400), "40 % of 120.00, one half each");
    let late = city.act(&city.family(), StateInDispute { order, statement: "不同意".to_owned() }).await.unwrap_err();
    assert_eq!(late.code(), "state.not_allowed");
});

on_each_database!(nothing_and_everything_are_decided_as_they_are_named, async |db: TestDb| {
    let city = SampleCity::entitled(&db).await.unwrap();
    let order = disputed(&city).await;
    city.act(&city.clerk(), decide(order, "none", None)).await.unwrap();
    assert_eq!(paid(&db, &city, order).await, (ClaimLineState::Voided, 0, 0));
});

on_each_database!(whoever_is_a_party_cannot_decide_and_an_approver_only_what_is_overdue, async |db: TestDb| {
    let city = SampleCity::entitled(&db).await.unwrap();
    let order = disputed(&city).await;
    let relative = city.clerk_of_the_family();
    assert_eq!(city.act(&relative, decide(order, "full", None)).await.unwrap_err().code(), "dispute.party");
    let early = city.act(&city.approver(), decide(order, "full", None)).await.unwrap_err();
    assert_eq!(early.code(), "access.role");
    for times in 1..=3 {
        let seen = city.store().order(&Actor::System("test"), order).await.unwrap();
        assert!(seen.owner_role.is_some());
        db.clock().set(seen.deadline_at.unwrap());
        city.act(&Actor::System("test"), PassDeadline { order }).await.unwrap();
        let after = city.store().order(&Actor::System("test"), order).await.unwrap();
        assert_eq!((after.state, after.owner_role), (OrderState::Disputed, Some(Role::Approver)), "step {times}");
        assert!(after.deadline_at.unwrap() > db.source().now(), "whoever owns it has a deadline of their own");
    }
    db.clock().advance(TimeDelta::minutes(1));
    city.act(&city.approver(), decide(order, "full", None)).await.unwrap();
    // Nobody of the family confirmed: the position alone proves less than a code would.
    let (state, _, _) = paid(&db, &city, order).await;
    assert!(matches!(state, ClaimLineState::Posted | ClaimLineState::Held), "{state}");
});
