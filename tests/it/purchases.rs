//! The bureau's purchase catalogue: what a programme may pay, in quotes, in bookings that were made before it, and through
//! the API; and what a quote says of a provider whose papers have run out.
#![cfg(test)]

use std::collections::BTreeSet;

use domain::{
    access::Actor,
    catalogue::{ItemCode, PurchaseLine, PurchaseList, ServiceClass},
    claim::{AdjustmentCode, Block},
    money::Fen,
    order::OfferMode,
};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use store::{
    StoreError,
    command::{
        order::PlaceOrder,
        purchase::{DraftPurchaseList, PublishPurchaseList},
    },
};
use tests::{city::PROGRAMME, market::Market, on_each_database, served::Served, walk::Walk};

fn bought(item: ItemCode, divisions: &[&str]) -> PurchaseList {
    let divisions = divisions.iter().map(|division| division.parse().unwrap()).collect();
    let standard_price = Some(Fen::new(6_000).unwrap());
    PurchaseList::new(vec![PurchaseLine { item, class: ServiceClass::Home, divisions, standard_price }]).unwrap()
}

fn draft(from: &str, list: PurchaseList) -> DraftPurchaseList {
    DraftPurchaseList { programme: PROGRAMME.parse().unwrap(), effective_from: from.parse().unwrap(), list }
}

async fn publish(market: &Market<'_>, from: &str, list: PurchaseList) {
    let drafted = market.try_run(&market.people().clerk, draft(from, list)).await.unwrap();
    let publish = PublishPurchaseList { list: drafted.purchase_list_id, digest: drafted.digest };
    market.try_run(&market.people().approver, publish).await.unwrap();
}

/// The codes of the faulty fields.
fn faulty(refused: &StoreError) -> Vec<&str> {
    match refused {
        StoreError::Refused(refusal) => refusal.fields.iter().map(|fault| fault.code.as_ref()).collect(),
        other => panic!("{other:?}"),
    }
}

/// What the programme pays for a visit, and why not.
async fn told(market: &Market<'_>, start: &str) -> (i64, Vec<AdjustmentCode>) {
    let split = market.quote(start, None).await.unwrap().body.split;
    (split.shares.iter().map(|share| share.subsidy.get()).sum(), split.codes.iter().map(|one| one.code).collect())
}

on_each_database!(what_the_list_of_the_day_does_not_name_is_not_paid, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let unchanged = market.book("2026-11-13T09:00:00+08:00").await.unwrap();
    let dropped = market.book("2026-11-18T09:00:00+08:00").await.unwrap();
    publish(&market, "2026-11-12", bought(ItemCode::Cleaning, &["120101"])).await;
    publish(&market, "2026-11-16", bought(ItemCode::Bathing, &[])).await;
    publish(&market, "2026-11-24", bought(ItemCode::Cleaning, &["120101", "120102"])).await;
    publish(&market, "2026-11-28", bought(ItemCode::Cleaning, &["120102"])).await;
    let not_bought = (0, vec![AdjustmentCode::NotOnPurchaseList]);
    assert_eq!(told(&market, "2026-11-11T09:00:00+08:00").await, (6_000, vec![]), "before the first list the policy alone decides");
    assert_eq!(told(&market, "2026-11-12T09:00:00+08:00").await, (6_000, vec![]));
    assert_eq!(told(&market, "2026-11-17T09:00:00+08:00").await, not_bought);
    assert_eq!(told(&market, "2026-11-24T09:00:00+08:00").await, (6_000, vec![]));
    assert_eq!(told(&market, "2026-11-29T09:00:00+08:00").await, not_bought, "it is bought in another county only");
    workers::Runner::new(market.store().clone(), db.source().clone()).drain().await.unwrap();
    let questions = market.store().consent_requests(&market.people().family, market.resident()).await.unwrap();
    let asked: Vec<_> = questions.iter().map(|question| question.order_id).collect();
    assert_eq!(asked, [dropped.order_id], "whoever booked before is asked where the share grows, and not for {}", unchanged.order_id);
    assert!(market.store().verify(db.source().now()).await.unwrap().is_clean());
});

on_each_database!(a_list_is_published_once_by_another_person_for_a_day_to_come, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let clerk = &market.people().clerk;
    let today = market.try_run(clerk, draft("2026-11-10", bought(ItemCode::Cleaning, &[]))).await.unwrap_err();
    assert_eq!(faulty(&today), ["purchase.effective_from"]);
    let strange = market.try_run(clerk, draft("2026-11-12", bought(ItemCode::Cleaning, &["3203"]))).await.unwrap_err();
    assert_eq!(faulty(&strange), ["purchase.division"]);
    let drafted = market.try_run(clerk, draft("2026-11-12", bought(ItemCode::Cleaning, &[]))).await.unwrap();
    let second = market.try_run(clerk, draft("2026-11-12", bought(ItemCode::Bathing, &[]))).await.unwrap();
    let list = |digest: &str| PublishPurchaseList { list: drafted.purchase_list_id, digest: digest.to_owned() };
    assert_eq!(market.try_run(clerk, list(&drafted.digest)).await.unwrap_err().code(), "access.role");
    assert_eq!(market.try_run(&market.people().approver, list("seen another")).await.unwrap_err().code(), "store.stale");
    market.try_run(&market.people().approver, list(&drafted.digest)).await.unwrap();
    assert_eq!(market.try_run(&market.people().approver, list(&drafted.digest)).await.unwrap_err().code(), "store.exists");
    let same_day = PublishPurchaseList { list: second.purchase_list_id, digest: second.digest };
    assert_eq!(market.try_run(&market.people().approver, same_day).await.unwrap_err().code(), "store.exists");
    let seen = async |actor: &Actor| market.store().purchase_lists(actor).await.unwrap().into_iter().map(|list| list.state).collect();
    let by_manager: Vec<String> = seen(&market.people().manager).await;
    let by_clerk: Vec<String> = seen(clerk).await;
    assert_eq!((by_manager, by_clerk.len()), (vec!["published".to_owned()], 2), "drafts are for those who make them");
});

on_each_database!(a_quote_tells_what_the_provider_lacks_and_the_booking_is_refused, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let raw = db.raw().await.unwrap();
    raw.execute_unprepared("UPDATE credential SET valid_until = '2026-11-12' WHERE provider_id IS NOT NULL").await.unwrap();
    raw.execute_unprepared("UPDATE provider_agreement SET valid_until = '2026-11-14'").await.unwrap();
    let lacks = async |start: &str| -> BTreeSet<(String, Block)> {
        market.quote(start, None).await.unwrap().body.lacks.into_iter().map(|lack| (lack.code, lack.block)).collect()
    };
    assert!(lacks("2026-11-11T09:00:00+08:00").await.is_empty());
    let licence = ("unfit.licence".to_owned(), Block::Licence);
    assert_eq!(lacks("2026-11-13T09:00:00+08:00").await, BTreeSet::from([licence.clone()]));
    let agreement = ("unfit.agreement".to_owned(), Block::Agreement);
    assert_eq!(lacks("2026-11-16T09:00:00+08:00").await, BTreeSet::from([licence, agreement]));
    let quoted = market.quote("2026-11-13T09:00:00+08:00", None).await.unwrap();
    let refused = market
        .try_run(&market.people().family, PlaceOrder { quote: quoted.quote_id, mode: OfferMode::default(), centre: None })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "unfit.licence");
});

on_each_database!(purchase_lists_through_the_api_name_every_fault_and_are_seen_by_their_readers, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let body = |lines: Value, from: &str| json!({ "programme": "national-voucher-tianjin", "effective_from": from, "lines": lines });
    let faulty = json!([
        { "item": "bathing", "class": "home", "standard_price_fen": 0 },
        { "item": "bathing", "class": "home", "standard_price_fen": 9_000 },
    ]);
    let refused = post(&mut walk, "county-clerk", "/purchase_lists", body(faulty, "2027-01-01")).await;
    let fields: BTreeSet<_> = refused["errors"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap()).collect();
    assert_eq!(fields, BTreeSet::from(["lines.0.standard_price_fen", "lines.1"]));
    let lines = json!([{ "item": "bathing", "class": "home", "divisions": ["120101"], "standard_price_fen": 9_000 }]);
    let drafted = post(&mut walk, "county-clerk", "/purchase_lists", body(lines.clone(), "2027-01-01")).await;
    let path = format!("/purchase_lists/{}/publication", drafted["purchase_list_id"].as_str().unwrap());
    let seen = json!({ "digest": drafted["digest"] });
    assert_eq!(walk.call("county-clerk", "POST", &path, seen.clone(), None).await.unwrap().status, 403);
    assert_eq!(walk.call("approver", "POST", &path, seen, None).await.unwrap().status, 204);
    let listed = walk.call("auditor", "GET", "/purchase_lists", Value::Null, None).await.unwrap();
    assert_eq!((&listed.body[0]["state"], &listed.body[0]["lines"]), (&json!("published"), &lines));
    assert_eq!(walk.call("family", "GET", "/purchase_lists", Value::Null, None).await.unwrap().status, 403);
});

async fn post(walk: &mut Walk<'_>, login: &str, path: &str, body: Value) -> Value {
    walk.call(login, "POST", path, body, None).await.unwrap().body
}
