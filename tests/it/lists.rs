//! Lists: bounded, within reach, with cursors that cannot be made up.
#![cfg(test)]

use domain::{
    access::{Actor, Role},
    resident::PersonName,
};
use serde_json::Value;
use store::command::account::{CreateAccount, NewRole, PasswordHashed, RoleReach};
use tests::{
    http::{Answered, Asked, Http},
    on_each_database,
    served::Served,
    walk::Walk,
};

/// Each list with the field that names an entry and, where there is one, the look-up of a single entry.
const LISTS: [(&str, &str, Option<&str>); 7] = [
    ("/residents", "resident_id", Some("/residents/")),
    ("/applications", "application_id", Some("/applications/")),
    ("/orders", "order_id", Some("/orders/")),
    ("/visits?day=2026-12-11", "order_id", Some("/orders/")),
    ("/settlement_periods", "settlement_period_id", Some("/settlement_periods/")),
    ("/held_claim_lines", "claim_line_id", None),
    ("/providers", "provider_id", None),
];

const LOGINS: [&str; 19] = [
    "operator",
    "community-worker",
    "assessor",
    "assessor-2",
    "street-clerk",
    "county-clerk",
    "county-clerk-2",
    "approver",
    "licensing-officer",
    "auditor",
    "hotline",
    "volunteer",
    "family",
    "resident",
    "provider-manager",
    "carer",
    "carer-2",
    "walk-manager-1",
    "walk-carer-1",
];

async fn get(http: &Http, token: &str, path: &str) -> Answered {
    let path = format!("/api/v1{path}");
    http.send(Asked { method: "GET", path: &path, token: Some(token), key: None, body: None }).await.unwrap()
}

fn ids(page: &Value, field: &str) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

/// A city in which the walk was walked: two orders of one resident.
async fn walked(served: &Served) -> Walk<'_> {
    let mut walk = served.walk(1, Box::new(|_line| {}));
    walk.run(&["national-voucher-tianjin", "tianjin-home-care"]).await.unwrap();
    walk
}

on_each_database!(a_list_shows_what_a_single_look_up_shows_and_nothing_else, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = walked(&served).await;
    let http = Http::new(&served.base);
    let mut seen = 0;
    for login in LOGINS {
        let token = walk.token(login).await.unwrap();
        for (list, field, single) in LISTS {
            let page = get(&http, &token, list).await;
            if page.status == 403 {
                continue;
            }
            assert_eq!(page.status, 200, "{login} {list}: {}", page.body);
            for id in ids(&page.body, field) {
                seen += 1;
                if let Some(single) = single {
                    let one = get(&http, &token, &format!("{single}{id}")).await;
                    assert_eq!(one.status, 200, "{login} sees {id} in {list} and not alone");
                }
            }
        }
    }
    assert!(seen > 20, "{seen}");
});

on_each_database!(each_role_sees_its_own, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = walked(&served).await;
    let http = Http::new(&served.base);
    for (login, list, field, count) in [
        ("family", "/residents", "resident_id", 1),
        ("family", "/orders", "order_id", 3),
        ("resident", "/orders", "order_id", 3),
        ("walk-carer-1", "/orders", "order_id", 2),
        ("carer-2", "/orders", "order_id", 0),
        ("walk-manager-1", "/orders", "order_id", 2),
        ("provider-manager", "/orders", "order_id", 1),
        ("provider-manager", "/providers", "provider_id", 1),
        ("county-clerk", "/applications?state=effective", "application_id", 2),
        ("county-clerk", "/applications?overdue=true", "application_id", 0),
        ("county-clerk", "/orders?state=offered", "order_id", 0),
        ("county-clerk", "/orders?until=2026-01-01", "order_id", 0),
        ("auditor", "/settlement_periods?state=released", "settlement_period_id", 2),
        ("auditor", "/settlement_periods?month=2020-01", "settlement_period_id", 0),
        ("community-worker", "/residents?status=dead", "resident_id", 0),
        ("community-worker", "/residents?division=120101001", "resident_id", 1),
        ("community-worker", "/residents?division=120102", "resident_id", 0),
        ("operator", "/jobs/dead_deliveries", "delivery_id", 0),
    ] {
        let token = walk.token(login).await.unwrap();
        let page = get(&http, &token, list).await;
        assert_eq!(page.status, 200, "{login} {list}: {}", page.body);
        assert_eq!(ids(&page.body, field).len(), count, "{login} {list}");
    }
});

on_each_database!(who_looks_after_another_street_sees_nothing, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    walked(&served).await;
    let elsewhere = CreateAccount {
        name: PersonName::parse("外区工作者").unwrap(),
        login: "elsewhere".to_owned(),
        password: PasswordHashed::new(&served.demo.password.clone().into()).unwrap(),
        roles: [Role::CommunityWorker, Role::CountyClerk, Role::ProviderLicensingOfficer]
            .map(|role| NewRole { role, reach: RoleReach::Division("120102".parse().unwrap()) })
            .to_vec(),
    };
    let made = served.store.write(db.source().context(Actor::System("test")), elsewhere).await.unwrap();
    let http = Http::new(&served.base);
    let code = store::command::account::authenticator_code(&made.totp_secret.unwrap(), served.clock().unmoved_now()).unwrap();
    let body = serde_json::json!({ "login": "elsewhere", "password": served.demo.password, "code": code });
    let asked = Asked { method: "POST", path: "/api/v1/sessions", token: None, key: None, body: Some(&body) };
    let token = http.send(asked).await.unwrap().body["token"].as_str().unwrap().to_owned();
    for (list, field, _) in LISTS {
        let page = get(&http, &token, list).await;
        assert_eq!((page.status, ids(&page.body, field).len()), (200, 0), "{list}");
    }
});

on_each_database!(a_cursor_belongs_to_one_list_filter_and_person, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = walked(&served).await;
    let http = Http::new(&served.base);
    let family = walk.token("family").await.unwrap();
    let clerk = walk.token("county-clerk").await.unwrap();
    let whole = ids(&get(&http, &family, "/orders").await.body, "order_id");
    assert!(whole[0] > whole[1], "the newest comes first");

    let first = get(&http, &family, "/orders?limit=1").await.body;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = get(&http, &family, &format!("/orders?limit=2&cursor={cursor}")).await.body;
    assert_eq!([ids(&first, "order_id"), ids(&second, "order_id")].concat(), whole);
    assert_eq!(second["next_cursor"], Value::Null);

    let day = get(&http, &family, "/visits?day=2026-12-11&limit=1").await.body;
    if let Some(next) = day["next_cursor"].as_str() {
        let rest = get(&http, &family, &format!("/visits?day=2026-12-11&limit=1&cursor={next}")).await;
        assert_ne!(ids(&rest.body, "order_id"), ids(&day, "order_id"));
    }

    let mut edited = cursor.to_owned();
    let last = if edited.pop() == Some('A') { 'E' } else { 'A' };
    edited.push(last);
    for (who, path) in [
        (&clerk, format!("/orders?limit=1&cursor={cursor}")),
        (&family, format!("/orders?state=confirmed&cursor={cursor}")),
        (&family, format!("/applications?cursor={cursor}")),
        (&family, format!("/orders?cursor={edited}")),
        (&family, "/orders?cursor=".to_owned()),
        (&family, "/orders?cursor=AAAA".to_owned()),
    ] {
        let refused = get(&http, who, &path).await;
        assert_eq!(refused.status, 422, "{path}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["code"], "cursor.foreign", "{path}");
    }
    for path in ["/orders?limit=0", "/orders?limit=101", "/orders?limit=-1", "/orders?limit=1000000000", "/orders?sort=1", "/visits"] {
        assert_eq!(get(&http, &family, path).await.status, 422, "{path}");
    }
});
