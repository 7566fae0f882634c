//! What was written can be read again, by those whom it concerns.
#![cfg(test)]

use domain::{
    access::{Actor, Grant, Reach, Role, SignedIn},
    id::{AccountId, PersonId, SessionId},
};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use store::query::list::{FlagFilter, PageAsked};
use tests::{
    desk::Desk,
    http::{Asked, Http},
    on_each_database,
    served::Served,
    walk::Walk,
};

/// A city in which the walk was walked, asked by its people.
struct Walked<'a> {
    walk: Walk<'a>,
    http: Http,
    resident: String,
    provider: String,
}

impl<'a> Walked<'a> {
    async fn new(served: &'a Served) -> Self {
        let mut walk = served.walk(1, Box::new(|_line| {}));
        walk.run(&["national-voucher-tianjin"]).await.unwrap();
        let mut walked = Self { walk, http: Http::new(&served.base), resident: String::new(), provider: String::new() };
        let first = |page: &Value, field: &str| page["items"][0][field].as_str().unwrap().to_owned();
        walked.resident = first(&walked.get(200, "family", "/residents").await, "resident_id");
        walked.provider = first(&walked.get(200, "walk-manager-1", "/providers").await, "provider_id");
        walked
    }

    async fn get(&mut self, status: u16, login: &str, path: &str) -> Value {
        let token = self.walk.token(login).await.unwrap();
        let path = format!("/api/v1{path}");
        let answered = self.http.send(Asked { method: "GET", path: &path, token: Some(&token), key: None, body: None }).await.unwrap();
        assert_eq!(answered.status, status, "{login} {path}: {}", answered.body);
        answered.body
    }
}

on_each_database!(an_assessment_is_shown_once_both_assessors_agree, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut city = Walked::new(&served).await;
    let path = format!("/residents/{}/assessments", city.resident);
    let shown = city.get(200, "family", &path).await;
    let confirmed = &shown[0]["confirmed"];
    assert_eq!(confirmed["items"].as_object().unwrap().len(), 26);
    let sum: u64 = confirmed["items"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(confirmed["total"], sum);

    let items: Value = confirmed["items"].clone();
    let facts = json!({"coma": false, "dementia": false, "mental_disorder": false, "risk_events_30d": 0});
    let day = served.now().format("%Y-%m-%d").to_string();
    let body = json!({"assessed_on": day, "items": items, "facts": facts});
    city.walk.call("assessor", "POST", &path, body, None).await.unwrap();
    let waiting = city.get(200, "assessor-2", &path).await;
    assert_eq!(waiting.as_array().unwrap().len(), 2);
    assert!(waiting[0]["confirmed"].is_null(), "the second assessor judges without seeing the first one's scores: {waiting}");

    city.get(403, "carer", &path).await;
    city.get(404, "resident", "/residents/res_00000000000000000000000000000000/assessments").await;
});

on_each_database!(published_policies_are_public_and_drafts_are_not, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    let published = desk.get(200, "volunteer", "/policy_versions").await.unwrap();
    assert!(published.as_array().unwrap().iter().all(|version| version["state"] == "published"));
    let (_, text) = domain::policy::Policy::shipped_texts().iter().find(|(file, _)| file.contains("tianjin-meals")).unwrap();
    let text = text.replace("version = \"v2022\"", "version = \"v2099\"");
    let draft = desk.post(201, "county-clerk", "/policy_versions", json!({"file_name": "next.toml", "text": text})).await.unwrap();
    let path = format!("/policy_versions/{}", draft["policy_version_id"].as_str().unwrap());
    desk.get(404, "family", &path).await.unwrap();
    let read = desk.get(200, "approver", &path).await.unwrap();
    assert_eq!((&read["digest"], &read["text"], &read["state"]), (&draft["digest"], &json!(text), &json!("draft")));
    assert!(!read["source"].as_str().unwrap().is_empty() && !read["title"]["zh"].as_str().unwrap().is_empty());
    assert_eq!(desk.get(200, "family", "/policy_versions").await.unwrap(), published);
});

on_each_database!(budgets_and_prices_are_shown_as_they_stand, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut city = Walked::new(&served).await;
    let budgets = city.get(200, "auditor", "/budgets?programme=national-voucher-tianjin").await;
    let posted: i64 = budgets.as_array().unwrap().iter().map(|budget| budget["posted_fen"].as_i64().unwrap()).sum();
    let spent = city.get(200, "auditor", "/ledger/balances?prefix=expense/national-voucher-tianjin/").await;
    let booked: i64 = spent.as_array().unwrap().iter().map(|account| account["net_fen"].as_i64().unwrap()).sum();
    assert!(posted > 0 && posted == booked, "{budgets} {spent}");
    city.get(403, "family", "/budgets").await;

    let path = format!("/providers/{}/prices", city.provider);
    let prices = city.get(200, "family", &path).await;
    assert!(prices[0]["unit_price_fen"].as_i64().unwrap() > 0, "{prices}");
    city.get(404, "family", "/providers/prv_00000000000000000000000000000000/prices").await;
});

/// A county clerk of a part of the city.
fn clerk_of(scope: &str) -> Actor {
    let id = uuid::Uuid::from_u128(1);
    let grant = Grant { role: Role::CountyClerk, reach: Reach::Division(scope.parse().unwrap()) };
    Actor::Person(SignedIn {
        person: PersonId::from_uuid(id),
        account: AccountId::from_uuid(id),
        session: SessionId::from_uuid(id),
        grants: vec![grant],
        key: None,
    })
}

on_each_database!(findings_are_seen_by_those_who_reach_their_provider, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut city = Walked::new(&served).await;
    let raw = db.raw().await.unwrap();
    let provider_uuid = uuid::Uuid::parse_str(city.provider.strip_prefix("prv_").unwrap()).unwrap();
    for (number, of) in [(0_u128, Some(provider_uuid)), (1, None)] {
        let id = uuid::Uuid::from_u128(number + 1);
        let backend = raw.get_database_backend();
        let places = if backend == sea_orm::DbBackend::Postgres { "$1,$2,$3,$4,$5,$6,$7" } else { "?,?,?,?,?,?,?" };
        let sql = format!("INSERT INTO flag (id, rule, object, provider_id, month, evidence, raised_at) VALUES ({places})");
        let values: [sea_orm::Value; 7] = [
            id.into(),
            "no_visit".into(),
            format!("o{number}").into(),
            of.into(),
            "2026-10".into(),
            json!({"visits": 2}).into(),
            served.now().into(),
        ];
        raw.execute_raw(sea_orm::Statement::from_sql_and_values(backend, sql, values)).await.unwrap();
    }
    let all = city.get(200, "auditor", "/flags?month=2026-10").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "{all}");
    assert_eq!(all["items"][1]["provider_id"], json!(city.provider));
    let store = db.store().await.unwrap();
    for (scope, objects) in [("12", &["o1", "o0"][..]), ("120101", &["o0"]), ("120102", &[])] {
        let seen = store.flags(&clerk_of(scope), &FlagFilter::default(), &PageAsked::default()).await.unwrap();
        let seen: Vec<&str> = seen.items.iter().map(|flag| flag.object.as_str()).collect();
        assert_eq!(seen, objects, "a finding about no provider is for whoever reaches the whole city, not {scope}");
    }
    let none = city.get(200, "auditor", "/flags?rule=another").await;
    assert_eq!(none["items"], json!([]));
    city.get(403, "provider-manager", "/flags").await;
});
