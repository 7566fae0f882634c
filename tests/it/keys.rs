//! Bearer keys: what they can be given, what they reach, how they end; and accounts that are made once.
#![cfg(test)]

use serde_json::{Value, json};
use store::command::account::authenticator_code;
use tests::{
    http::{Answered, Asked, Http},
    on_each_database,
    served::Served,
};

struct Desk {
    http: Http,
}

impl Desk {
    async fn ask(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answered {
        self.ask_once(method, path, token, body, &format!("{method}-{path}")).await
    }

    async fn ask_once(&self, method: &str, path: &str, token: &str, body: Option<Value>, key: &str) -> Answered {
        let path = format!("/api/v1{path}");
        // Keys are of visible characters without the slashes of an address.
        let key = key.replace('/', "-");
        let key = (method == "POST").then_some(key.as_str());
        self.http.send(Asked { method, path: &path, token: Some(token), key, body: body.as_ref() }).await.unwrap()
    }
}

fn codes(answered: &Answered) -> Vec<&str> {
    answered.body["errors"].as_array().into_iter().flatten().filter_map(|fault| fault["code"].as_str()).collect()
}

on_each_database!(a_key_does_what_it_was_given_and_no_more, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let desk = Desk { http: Http::new(&served.base) };
    let clerk = walk.token("county-clerk").await.unwrap();
    let wanted = |actions: Value| Some(json!({ "name": "夜间报表", "actions": actions, "days": 30 }));
    let beyond = desk.ask_once("POST", "/me/keys", &clerk, wanted(json!(["approve_settlement", "place_order", "read_order"])), "one").await;
    assert_eq!((beyond.status, codes(&beyond)), (422, vec!["key.action_by_person", "key.action_beyond_roles"]));
    let issued = desk.ask_once("POST", "/me/keys", &clerk, wanted(json!(["read_order", "read_order"])), "two").await;
    assert_eq!(issued.status, 201, "{}", issued.body);
    let again = desk.ask_once("POST", "/me/keys", &clerk, wanted(json!(["read_order", "read_order"])), "two").await;
    assert_eq!(again.body, issued.body, "a repeat shows the same key");
    let key = issued.body["key"].as_str().unwrap();

    for (method, path, status, code) in [
        ("GET", "/orders", 200, Value::Null),
        ("GET", "/me", 200, Value::Null),
        ("GET", "/providers", 403, json!("access.key")),
        ("GET", "/me/keys", 403, json!("access.key")),
        ("GET", "/me/sessions", 403, json!("access.session_needed")),
        ("DELETE", "/me/sessions", 403, json!("access.session_needed")),
        ("DELETE", "/sessions/current", 403, json!("access.session_needed")),
    ] {
        let answered = desk.ask(method, path, key, None).await;
        assert_eq!((answered.status, &answered.body["code"]), (status, &code), "{method} {path}: {}", answered.body);
    }
    assert_eq!(desk.ask("POST", "/me/keys", key, wanted(json!(["read_order"]))).await.status, 403, "keys issue no keys");
    assert_eq!(desk.ask("GET", "/orders", &format!("{key}x"), None).await.status, 401);

    let listed = desk.ask("GET", "/me/keys", &clerk, None).await.body;
    let row = &listed.as_array().unwrap()[0];
    assert_eq!((&row["prefix"], &row["actions"]), (&issued.body["prefix"], &json!(["read_order"])));
    assert!(row["last_used_at"].is_string() && !listed.to_string().contains(key), "{listed}");

    // Keys end by the real time.
    let (now, today) = (served.clock().unmoved_now(), domain::time::BusinessDate::of(served.now()));
    let until = |days| now + chrono::TimeDelta::days(days) - chrono::TimeDelta::seconds(1);
    assert!(served.store.actor_by_token(key, None, until(30), today).await.is_ok());
    assert!(served.store.actor_by_token(key, None, until(31), today).await.is_err());

    let path = format!("/me/keys/{}", issued.body["access_key_id"].as_str().unwrap());
    let family = walk.token("family").await.unwrap();
    assert_eq!(desk.ask("DELETE", &path, &family, None).await.status, 404, "not theirs");
    assert_eq!(desk.ask("DELETE", &path, &clerk, None).await.status, 204);
    assert_eq!(desk.ask("DELETE", &path, &clerk, None).await.status, 404);
    assert_eq!(desk.ask("GET", "/orders", key, None).await.body["code"], "account.not_signed_in");
});

on_each_database!(a_machine_signs_in_by_keys_alone, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let desk = Desk { http: Http::new(&served.base) };
    let operator = walk.token("operator").await.unwrap();
    let machine = |role: Value| Some(json!({ "name": "市级数据平台", "roles": [role] }));
    let bound = desk.ask_once("POST", "/machines", &operator, machine(json!({ "role": "family_member" })), "bound").await;
    assert_eq!(codes(&bound), ["role.machine"]);
    let clerk = json!({ "role": "county_clerk", "division": "120101" });
    let made = desk.ask("POST", "/machines", &operator, machine(clerk)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let account = made.body["account_id"].as_str().unwrap();
    let keys = format!("/machines/{account}/keys");
    let wanted = || Some(json!({ "name": "2026 年密钥", "actions": ["read_order"], "days": 366 }));
    let issued = desk.ask("POST", &keys, &operator, wanted()).await;
    assert_eq!(issued.status, 201, "{}", issued.body);
    let key = issued.body["key"].as_str().unwrap();
    assert_eq!(desk.ask("GET", "/orders", key, None).await.status, 200);
    assert_eq!(desk.ask("GET", &keys, &operator, None).await.body.as_array().unwrap().len(), 1);

    // No other way in, and no operator comes in by the key of a person.
    let contact = Some(json!({ "contact": "machine@example.cn" }));
    assert_eq!(codes(&desk.ask("PUT", &format!("/accounts/{account}/contact"), &operator, contact).await), ["contact.machine"]);
    let person = served.demo.login("family").unwrap().account_id;
    assert_eq!(desk.ask("POST", &format!("/machines/{person}/keys"), &operator, wanted()).await.status, 404);
    assert_eq!(desk.ask("GET", &format!("/machines/{person}/keys"), &operator, None).await.status, 404);

    // What its roles lose the key loses.
    let roles = desk.ask("GET", &format!("/people/{}/roles", made.body["person_id"].as_str().unwrap()), &operator, None).await.body;
    let end = format!("/role_grants/{}", roles[0]["role_grant_id"].as_str().unwrap());
    assert_eq!(desk.ask("DELETE", &end, &operator, None).await.status, 204);
    assert_eq!(desk.ask("GET", "/orders", key, None).await.body["code"], "access.role");
    let revoke = format!("{keys}/{}", issued.body["access_key_id"].as_str().unwrap());
    assert_eq!(desk.ask("DELETE", &revoke.replace(account, &person.to_string()), &operator, None).await.status, 404);
    assert_eq!(desk.ask("DELETE", &revoke, &operator, None).await.status, 204, "whoever looks after the city looks after it too");
    assert!(desk.ask("GET", &keys, &operator, None).await.body[0]["revoked_at"].is_string());
});

on_each_database!(an_account_is_made_once_per_key, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let desk = Desk { http: Http::new(&served.base) };
    let operator = walk.token("operator").await.unwrap();
    let body = |login: &str| {
        let role = json!({ "role": "street_clerk", "division": "120101001" });
        Some(json!({ "name": "李建国", "login": login, "password": "correct horse battery staple", "roles": [role] }))
    };
    let made = desk.ask_once("POST", "/accounts", &operator, body("street-clerk-9"), "once").await;
    assert!(made.status == 201 && made.body["totp_secret"].is_string(), "{}", made.body);
    let again = desk.ask_once("POST", "/accounts", &operator, body("street-clerk-9"), "once").await;
    assert_eq!((again.status, &again.body), (201, &made.body));
    let other = desk.ask_once("POST", "/accounts", &operator, body("street-clerk-8"), "once").await;
    assert_eq!(other.body["code"], "idempotency.key_reused");
    let twice = desk.ask_once("POST", "/accounts", &operator, body("street-clerk-9"), "twice").await;
    assert_eq!(twice.status, 409, "{}", twice.body);
});

on_each_database!(an_authenticator_is_replaced_by_two_persons, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let desk = Desk { http: Http::new(&served.base) };
    let (operator, approver, clerk) =
        (walk.token("operator").await.unwrap(), walk.token("approver").await.unwrap(), walk.token("county-clerk").await.unwrap());
    let propose = |login: &str| format!("/accounts/{}/authenticator_resets", served.demo.login(login).unwrap().account_id);
    assert_eq!(desk.ask("POST", &propose("operator"), &operator, None).await.body["code"], "access.same_person");
    assert_eq!(desk.ask("POST", &propose("family"), &operator, None).await.body["code"], "account.no_authenticator");
    assert_eq!(desk.ask("POST", &propose("auditor"), &clerk, None).await.body["code"], "access.role");
    let approval =
        |proposed: &Answered| format!("/authenticator_resets/{}/approval", proposed.body["authenticator_reset_id"].as_str().unwrap());
    let replaced = desk.ask("POST", &propose("county-clerk"), &operator, None).await;
    let proposed = desk.ask("POST", &propose("county-clerk"), &operator, None).await;
    assert_eq!(proposed.status, 201, "{}", proposed.body);
    assert_eq!(desk.ask("POST", &approval(&proposed), &operator, None).await.body["code"], "access.same_person");
    assert_eq!(desk.ask("POST", &approval(&replaced), &approver, None).await.status, 404);
    let own = desk.ask("POST", &propose("approver"), &operator, None).await;
    assert_eq!(desk.ask("POST", &approval(&own), &approver, None).await.body["code"], "access.same_person");
    assert_eq!(desk.ask("GET", "/me", &clerk, None).await.status, 200, "until the approval nothing changes");
    let approved = desk.ask("POST", &approval(&proposed), &approver, None).await;
    assert_eq!(approved.status, 200, "{}", approved.body);
    assert_eq!(desk.ask("GET", "/me", &clerk, None).await.status, 401);
    assert_eq!(desk.ask("POST", &approval(&proposed), &approver, None).await.status, 404);

    let sign_in = async |secret: &str| {
        let code = authenticator_code(secret, served.clock().unmoved_now()).unwrap();
        let body = json!({ "login": "county-clerk", "password": served.demo.password, "code": code });
        let asked = Asked { method: "POST", path: "/api/v1/sessions", token: None, key: None, body: Some(&body) };
        desk.http.send(asked).await.unwrap().status
    };
    let old = served.demo.login("county-clerk").unwrap().totp_secret.clone().unwrap();
    assert_eq!(sign_in(&old).await, 401);
    assert_eq!(sign_in(approved.body["totp_secret"].as_str().unwrap()).await, 201);
});

on_each_database!(a_body_has_an_end, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let desk = Desk { http: Http::new(&served.base) };
    let operator = walk.token("operator").await.unwrap();
    let large = Some(json!({ "name": "x".repeat(api::extract::BODY_LENGTH_MAX) }));
    let refused = desk.ask("POST", "/machines", &operator, large).await;
    assert_eq!((refused.status, &refused.body["code"]), (413, &json!("request.too_large")));
    let many: Vec<_> = std::iter::repeat_n("read_order", 65).collect();
    let wanted = Some(json!({ "name": "多", "actions": many, "days": 1 }));
    let refused = desk.ask("POST", "/me/keys", &operator, wanted).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!("actions")));
});
