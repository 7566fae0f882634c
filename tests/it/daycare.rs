//! Seats of day-care centres: whoever comes first has the last one.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveTime, TimeDelta};
use domain::{
    access::Actor,
    catalogue::{ItemCode, Quantity, ServiceClass},
    daycare::{Half, Session},
    id::{DayCareCentreId, OrderId},
    money::Fen,
    order::{CancelReason, OfferMode, OrderState},
    time::{BusinessDate, parse_instant},
};
use store::{
    Store, StoreError,
    command::{
        daycare::{NewRoom, OpenDayCareCentre},
        order::{AcceptOrder, AssignOrder, CancelOrder, OrderStep, PlaceOrder},
        provider::PublishPrice,
        quote::RequestQuote,
    },
};
use tests::{
    city::{SampleCity, Shop},
    on_each_database,
};

/// A Thursday.
const MORNING: &str = "2026-11-12T09:00:00+08:00";
const NOON: &str = "2026-11-12T13:00:00+08:00";

/// A provider with a centre of these rooms, open from Monday to Friday in both halves, closed on 13 November.
async fn open(city: &SampleCity<'_>, rooms: &[u32]) -> (Shop, DayCareCentreId) {
    let shop = city.open_shop(1, 6_000).await.unwrap();
    let price = PublishPrice {
        provider: shop.provider,
        item: ItemCode::DayCare,
        class: ServiceClass::Community,
        unit_price: Fen::new(8_000).unwrap(),
        effective_from: "2026-11-11".parse().unwrap(),
    };
    city.act(&shop.manager, price).await.unwrap();
    let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
    let day = |weekday| {
        [(Half::Morning, 8, 12), (Half::Afternoon, 13, 17)].map(|(half, from, until)| Session {
            weekday,
            half,
            from: time(from),
            until: time(until),
        })
    };
    let centre = OpenDayCareCentre {
        provider: shop.provider,
        name: "兆丰路日间照料中心".to_owned(),
        division: "120101001001".parse().unwrap(),
        rooms: (1..).zip(rooms).map(|(number, seats)| NewRoom { name: format!("{number}号室"), seats: *seats }).collect(),
        sessions: (1..=5).flat_map(day).collect(),
        closing_days: vec!["2026-11-13".parse().unwrap()],
    };
    let centre = city.act(&shop.manager, centre).await.unwrap().centre_id;
    (shop, centre)
}

/// Quotes hours of day care and books a seat.
async fn book(
    city: &SampleCity<'_>,
    family: &Actor,
    shop: &Shop,
    centre: DayCareCentreId,
    start: &str,
    hours: i64,
) -> Result<OrderStep, StoreError> {
    let resident = city.bound_to(family);
    let quote = RequestQuote {
        resident,
        provider: shop.provider,
        address: None,
        item: ItemCode::DayCare,
        class: ServiceClass::Community,
        starts_at: parse_instant(start).unwrap(),
        quantity: Quantity::from_hundredths(hours * 100 / 8).unwrap(),
        facts: BTreeMap::new(),
        programmes: Some(BTreeSet::new()),
    };
    let quoted = city.act(family, quote).await?;
    city.act(family, PlaceOrder { quote: quoted.quote_id, mode: OfferMode::default(), centre: Some(centre) }).await
}

async fn free(store: &Store, centre: DayCareCentreId) -> Vec<(Half, i64)> {
    let day: BusinessDate = "2026-11-12".parse().unwrap();
    let seats = store.day_care_seats(&Actor::System("test"), centre, day).await.unwrap();
    seats.into_iter().map(|half| (half.half, half.free)).collect()
}

async fn cancel(city: &SampleCity<'_>, family: &Actor, order: OrderId) {
    let cancel = CancelOrder { order, reason: CancelReason::PlansChanged, fee_agreed: Fen::ZERO };
    city.act(family, cancel).await.unwrap();
}

on_each_database!(of_a_hundred_who_book_the_last_seat_at_once_exactly_one_has_it, async |db: TestDb| {
    let city = SampleCity::entitled(&db).await.unwrap();
    let (shop, centre) = open(&city, &[1]).await;
    let mut families = Vec::new();
    for number in 0..100 {
        families.push(city.another_family(number).await.unwrap());
    }
    let answers = futures::future::join_all(families.iter().map(|family| book(&city, family, &shop, centre, MORNING, 8))).await;
    let won = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(won, 1);
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(refused.code(), "day_care.full");
    }
    assert_eq!(free(city.store(), centre).await, [(Half::Morning, 0), (Half::Afternoon, 0)]);
    let report = city.store().verify(db.source().now()).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
});

on_each_database!(a_seat_is_taken_per_room_and_half_and_given_back_when_the_order_ends, async |db: TestDb| {
    let city = SampleCity::entitled(&db).await.unwrap();
    let (shop, centre) = open(&city, &[1, 1]).await;
    let mut families = Vec::new();
    for number in 0..4 {
        families.push(city.another_family(number).await.unwrap());
    }
    let morning = book(&city, &families[0], &shop, centre, MORNING, 3).await.unwrap();
    let whole = book(&city, &families[1], &shop, centre, MORNING, 8).await.unwrap();
    assert_eq!(free(city.store(), centre).await, [(Half::Morning, 0), (Half::Afternoon, 1)]);
    let city_ref = &city;
    let seat = |order| async move { city_order(city_ref.store(), order).await.seat.map(|seat| (seat.room, seat.halves)) };
    assert_eq!(seat(morning.order_id).await, Some(("1号室".to_owned(), vec![Half::Morning])));
    assert_eq!(seat(whole.order_id).await, Some(("2号室".to_owned(), vec![Half::Morning, Half::Afternoon])), "one room for the whole day");
    let full = book(&city, &families[2], &shop, centre, MORNING, 8).await.unwrap_err();
    assert_eq!(full.code(), "day_care.full");
    book(&city, &families[2], &shop, centre, NOON, 4).await.unwrap();
    cancel(&city, &families[1], whole.order_id).await;
    assert_eq!(free(city.store(), centre).await, [(Half::Morning, 1), (Half::Afternoon, 1)]);
    assert_eq!(seat(whole.order_id).await, None);
    book(&city, &families[3], &shop, centre, MORNING, 8).await.unwrap();
    let report = city.store().verify(db.source().now()).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
});

async fn city_order(store: &Store, order: OrderId) -> store::query::order::OrderView {
    store.order(&Actor::System("test"), order).await.unwrap()
}

on_each_database!(a_centre_is_booked_when_it_is_open_and_with_day_care_alone, async |db: TestDb| {
    let city = SampleCity::entitled(&db).await.unwrap();
    let (shop, centre) = open(&city, &[2]).await;
    let family = city.another_family(0).await.unwrap();
    for closed in ["2026-11-12T07:59:00+08:00", "2026-11-13T09:00:00+08:00", "2026-11-14T09:00:00+08:00"] {
        assert_eq!(book(&city, &family, &shop, centre, closed, 3).await.unwrap_err().code(), "day_care.closed", "{closed}");
    }
    let unknown = DayCareCentreId::from_parts(1, [1; 10]);
    assert_eq!(book(&city, &family, &shop, unknown, MORNING, 3).await.unwrap_err().code(), "day_care.centre");
    let cleaning = city.book_at_centre(centre, MORNING).await.unwrap_err();
    assert_eq!(cleaning.code(), "day_care.centre");
});

on_each_database!(one_carer_looks_after_all_who_sit_in_a_centre, async |db: TestDb| {
    let city = SampleCity::entitled(&db).await.unwrap();
    let (shop, centre) = open(&city, &[2]).await;
    let carer = shop.carers[0].0;
    for number in 0..2 {
        let family = city.another_family(number).await.unwrap();
        let order = book(&city, &family, &shop, centre, MORNING, 8).await.unwrap().order_id;
        city.offer(order).await.unwrap();
        city.act(&shop.manager, AcceptOrder { order }).await.unwrap();
        let assigned = city.act(&shop.manager, AssignOrder { order, carers: vec![carer] }).await.unwrap();
        assert_eq!(assigned.state, OrderState::Assigned);
    }
    let elsewhere = city.book_with(shop.provider, "2026-11-12T10:00:00+08:00", OfferMode::NamedOnly, None).await.unwrap().order_id;
    city.offer(elsewhere).await.unwrap();
    city.act(&shop.manager, AcceptOrder { order: elsewhere }).await.unwrap();
    let busy = city.act(&shop.manager, AssignOrder { order: elsewhere, carers: vec![carer] }).await.unwrap_err();
    assert_eq!(busy.code(), "order.carer_busy", "but not a home at the same time");
    db.clock().advance(TimeDelta::minutes(1));
    let report = city.store().verify(db.source().now()).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
});
