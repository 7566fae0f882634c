//! Planted identity numbers and secrets must not turn up in logs, error bodies or metrics.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use api::{
    settings::LogFilter,
    telemetry::{self, Metrics, metrics_router},
};
use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tests::{
    db::on_sqlite,
    http::{Asked, Http},
    served::Served,
};
use tower::ServiceExt as _;

/// An identity number with a wrong check character, one with an impossible date, and a right one.
const NUMBERS: [&str; 3] = ["110105194912310021", "120101194302290013", "11010519491231002X"];
/// A secret that somebody types in the wrong place.
const SECRET: &str = "canary-password-4711";

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Requests that carry canaries to every place where a careless service would repeat them.
fn careless() -> Vec<(&'static str, String, Option<Value>)> {
    let mut requests = Vec::new();
    for number in NUMBERS {
        let resident = |field: &str, value: &str| {
            let mut body =
                json!({ "document": "resident_id", "number": number, "name": "王淑兰", "residence": "120101001001", "addresses": [] });
            body[field] = json!(value);
            Some(body)
        };
        requests.push(("POST", "/api/v1/residents".to_owned(), resident("name", "王淑兰")));
        requests.push(("POST", "/api/v1/residents".to_owned(), resident("sex", number)));
        requests.push(("POST", "/api/v1/residents".to_owned(), resident("residence", number)));
        requests.push(("POST", "/api/v1/residents".to_owned(), Some(json!([number]))));
        requests.push(("GET", format!("/api/v1/residents/{number}"), None));
        requests.push(("GET", format!("/api/v1/ledger/balances?prefix={number}&token={SECRET}"), None));
        requests.push(("GET", format!("/{number}"), None));
        requests.push(("POST", "/api/v1/sessions".to_owned(), Some(json!({ "login": number, "password": SECRET }))));
    }
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn no_planted_number_or_secret_reaches_logs_errors_or_metrics() {
    let written = Shared::default();
    let log = telemetry::init_to(&LogFilter::everything(), written.clone()).unwrap();
    let metrics = metrics_router(Metrics::install(&log).unwrap(), Arc::new(|| Box::pin(async {})));
    let (seen, planted) = on_sqlite_served().await;
    let request = axum::http::Request::get("/metrics").body(Body::empty()).unwrap();
    let scraped = metrics.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    drop(log);
    let logged = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let scraped = String::from_utf8(scraped.to_vec()).unwrap();
    assert!(logged.contains("\"status\":422") && logged.contains("req_"), "the log speaks of the refused requests: {logged}");
    assert!(scraped.contains("http_requests_total"), "the metrics count them: {scraped}");
    for canary in planted {
        for (place, text) in [("the log", &logged), ("an error", &seen), ("the metrics", &scraped)] {
            assert!(!text.contains(&canary), "{place} holds a planted value of {} characters", canary.len());
        }
    }
}

/// Sends the careless requests, and walks the whole way; answers all error bodies, and what must not be seen.
async fn on_sqlite_served() -> (String, Vec<String>) {
    let gathered = Arc::new(Mutex::new((String::new(), Vec::new())));
    let keep = Arc::clone(&gathered);
    on_sqlite(async move |db| {
        let served = Served::start(&db).await.unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let mut walk = served.walk(3, Box::new(|line| said.lock().unwrap().push_str(line)));
        walk.run(&["tianjin-home-care"]).await.unwrap();
        let token = walk.token("community-worker").await.unwrap();
        drop(walk);
        let http = Http::new(&served.base);
        let mut errors = String::new();
        for (place, (method, path, body)) in careless().into_iter().enumerate() {
            let key = format!("canary-{place}");
            let asked = Asked { method, path: &path, token: Some(&token), key: Some(&key), body: body.as_ref() };
            let answered = http.send(asked).await.unwrap();
            if answered.status >= 400 {
                errors.push_str(&answered.body.to_string());
            }
        }
        let walked = said.lock().unwrap().split("\"number\":\"").nth(1).and_then(|rest| rest.get(..18)).unwrap().to_owned();
        let secrets = served.demo.logins.iter().filter_map(|login| login.totp_secret.clone());
        let mut planted: Vec<String> = NUMBERS.map(ToOwned::to_owned).into_iter().chain(secrets).collect();
        planted.extend([SECRET.to_owned(), served.demo.password.clone(), token, walked]);
        *keep.lock().unwrap() = (errors, planted);
    })
    .await
    .unwrap();
    let gathered = gathered.lock().unwrap();
    gathered.clone()
}
