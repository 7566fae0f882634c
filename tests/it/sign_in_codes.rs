//! Signing in without a password: codes by mail and text message through a real SMTP conversation, codes from a
//! provider bound to a device, codes on paper; and what one sees of one's own sessions.
#![cfg(test)]

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tests::{
    http::{Answered, Asked, Http},
    on_each_database,
    phone::Phone,
    sandbox::{self, Received, Sandbox},
    served::Served,
};
use workers::port::{MailServer, Ports, Smtp, TextByMail};

async fn ask(http: &Http, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Answered {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let path = format!("/api/v1{path}");
    let key = format!("asked-{}", ASKED.fetch_add(1, Ordering::Relaxed));
    let key = (method == "POST").then_some(key.as_str());
    http.send(Asked { method, path: &path, token, key, body: body.as_ref() }).await.unwrap()
}

async fn with_sandbox(served: Served) -> (Served, Sandbox) {
    let (served, sandbox, _page) = with_page(served).await;
    (served, sandbox)
}

async fn with_page(served: Served) -> (Served, Sandbox, String) {
    let (sandbox, mail, pages) = sandbox::start().await.unwrap();
    let mail_server = MailServer::parse(&format!("smtp://{mail}"), "颐家 <yijia@demo.localhost.localdomain>").unwrap();
    let smtp = Smtp::new(&mail_server).unwrap();
    let text = TextByMail::new(smtp.clone(), &format!("{{number}}@{}", sandbox::TEXT_SERVER)).unwrap();
    let ports = Ports { mail: Some(std::sync::Arc::new(smtp)), phone: Some(std::sync::Arc::new(text)) };
    (served.with_ports(ports), sandbox, format!("http://{pages}"))
}

/// Asks for a code and answers its id and the message that came.
async fn code_for(served: &Served, sandbox: &Sandbox, http: &Http, contact: &str) -> (String, Option<Received>) {
    let before = sandbox.received().len();
    let asked = ask(http, "POST", "/sign_in_codes", None, Some(json!({ "contact": contact }))).await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    served.drain().await.unwrap();
    let mut received = sandbox.received();
    received.truncate(received.len() - before);
    assert!(received.len() <= 1, "{received:?}");
    (asked.body["sign_in_code_id"].as_str().unwrap().to_owned(), received.pop())
}

/// The six digits in a message.
fn digits(message: &Received) -> String {
    let found = message.text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6);
    found.unwrap_or_else(|| panic!("{message:?} holds no code")).to_owned()
}

async fn use_code(http: &Http, id: &str, code: &str) -> Answered {
    ask(http, "POST", &format!("/sign_in_codes/{id}/session"), None, Some(json!({ "code": code, "device": "手机" }))).await
}

on_each_database!(a_family_signs_in_once_with_a_code_that_came_by_mail, async |db: TestDb| {
    let (served, sandbox) = with_sandbox(Served::start(&db).await.unwrap()).await;
    let http = Http::new(&served.base);
    let (id, message) = code_for(&served, &sandbox, &http, " Family@Example.COM ").await;
    let message = message.unwrap();
    assert_eq!((message.kind, message.to.as_str(), message.subject.as_str()), ("mail", "family@example.com", "颐家登录验证码"));
    let code = digits(&message);
    let (one, two) = code.split_at(3);
    let signed_in = use_code(&http, &id, &format!("{one} {two}")).await;
    assert_eq!(signed_in.status, 201, "{}", signed_in.body);
    let token = signed_in.body["token"].as_str().unwrap();
    let me = ask(&http, "GET", "/me", Some(token), None).await;
    assert_eq!(me.body["roles"][0]["role"], "family_member");
    assert_eq!(use_code(&http, &id, &code).await.body["code"], "account.wrong");
});

on_each_database!(the_walk_signs_in_by_a_mail_that_the_sandbox_shows, async |db: TestDb| {
    let (served, _sandbox, page) = with_page(Served::start(&db).await.unwrap()).await;
    let mut walk = served.walk(1, Box::new(|_line| {}));
    walk.sign_in_by_mail(&page).await.unwrap();
    walk.sign_in_by_mail(&page).await.unwrap();
});

on_each_database!(a_text_message_goes_through_the_gateway, async |db: TestDb| {
    let (served, sandbox) = with_sandbox(Served::start(&db).await.unwrap()).await;
    let http = Http::new(&served.base);
    let (id, message) = code_for(&served, &sandbox, &http, "+86 138-0013-8000").await;
    let message = message.unwrap();
    assert_eq!((message.kind, message.to.as_str()), ("text", "13800138000"));
    assert_eq!(use_code(&http, &id, &digits(&message)).await.status, 201);
});

on_each_database!(nobody_learns_who_has_an_account, async |db: TestDb| {
    let (served, sandbox) = with_sandbox(Served::start(&db).await.unwrap()).await;
    let http = Http::new(&served.base);
    for contact in ["nobody@example.cn", "family@example.com"] {
        for round in 0..4 {
            let asked = ask(&http, "POST", "/sign_in_codes", None, Some(json!({ "contact": contact }))).await;
            let wanted = if round < 3 { 202 } else { 429 };
            assert_eq!(asked.status, wanted, "{contact} {round}: {}", asked.body);
        }
    }
    served.drain().await.unwrap();
    assert_eq!(sandbox.received().len(), 3, "only the family has an account");
    let backlog = served.store.backlog().await.unwrap();
    assert_eq!((backlog.pending, backlog.dead), (0, 0));
    let refused = ask(&http, "POST", "/sign_in_codes", None, Some(json!({ "contact": "a@x.cn\r\nBcc: b@x.cn" }))).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["code"]), (422, &json!("contact.form")));
});

on_each_database!(five_wrong_tries_void_a_code, async |db: TestDb| {
    let (served, sandbox) = with_sandbox(Served::start(&db).await.unwrap()).await;
    let http = Http::new(&served.base);
    let (id, message) = code_for(&served, &sandbox, &http, "family@example.com").await;
    let code = digits(&message.unwrap());
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _try in 0..5 {
        assert_eq!(use_code(&http, &id, wrong).await.body["code"], "account.wrong");
    }
    assert_eq!(use_code(&http, &id, &code).await.status, 401, "the right one comes too late");
    // The code of another device's request is worth nothing here.
    let (other, message) = code_for(&served, &sandbox, &http, "family@example.com").await;
    assert_eq!(use_code(&http, &id, &digits(message.as_ref().unwrap())).await.status, 401);
    assert_eq!(use_code(&http, &other, &digits(&message.unwrap())).await.status, 201);
    served.clock().move_to_offset(3_700);
    let (late, message) = code_for(&served, &sandbox, &http, "family@example.com").await;
    served.clock().move_to_offset(3_700 + 601);
    assert_eq!(use_code(&http, &late, &digits(&message.unwrap())).await.status, 401, "after ten minutes");
});

on_each_database!(of_codes_used_at_one_time_one_signs_in, async |db: TestDb| {
    let (served, sandbox) = with_sandbox(Served::start(&db).await.unwrap()).await;
    let http = Http::new(&served.base);
    let (id, message) = code_for(&served, &sandbox, &http, "family@example.com").await;
    let code = digits(&message.unwrap());
    let answers = futures::future::join_all((0..4).map(|_| use_code(&http, &id, &code))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
});

on_each_database!(a_message_without_a_port_is_dead_and_one_without_a_server_waits, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let http = Http::new(&served.base);
    let contact = json!({ "contact": "family@example.com" });
    assert_eq!(ask(&http, "POST", "/sign_in_codes", None, Some(contact.clone())).await.status, 202);
    served.drain().await.unwrap();
    assert_eq!(served.store.backlog().await.unwrap().dead, 1);
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mail_server = MailServer::parse(&format!("smtp://{gone}"), "yijia@demo.localhost.localdomain").unwrap();
    let served = served.with_ports(Ports { mail: Some(std::sync::Arc::new(Smtp::new(&mail_server).unwrap())), phone: None });
    assert_eq!(ask(&http, "POST", "/sign_in_codes", None, Some(contact)).await.status, 202);
    served.drain().await.unwrap();
    let backlog = served.store.backlog().await.unwrap();
    assert_eq!((backlog.pending, backlog.dead), (1, 1), "it is tried again later");
});

on_each_database!(a_carers_session_is_worth_nothing_on_another_device, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let http = Http::new(&served.base);
    let outcome = walk.run(&["national-voucher-tianjin"]).await.unwrap();
    let carer = outcome.orders[0].order["carer_ids"][0].as_str().unwrap().to_owned();
    let manager = walk.token("walk-manager-1").await.unwrap();
    let stranger = walk.token("provider-manager").await.unwrap();
    let path = format!("/carers/{carer}/sign_in_code");
    assert_eq!(ask(&http, "POST", &path, Some(&stranger), None).await.status, 404);
    let issued = ask(&http, "POST", &path, Some(&manager), None).await;
    assert_eq!((issued.status, &issued.body["login"]), (201, &json!("walk-carer-1")));
    let code = issued.body["code"].as_str().unwrap();
    let (phone, other) = (Phone::new(81).unwrap(), Phone::new(82).unwrap());
    let sign_in = async |body: Value| ask(&http, "POST", "/sessions/carer", None, Some(body)).await;
    assert_eq!(sign_in(phone.sign_in("walk-carer-1", "00000000")).await.status, 401);
    let mut foreign = phone.sign_in("walk-carer-1", code);
    foreign["signature"] = other.sign_in("walk-carer-1", code)["signature"].clone();
    assert_eq!(sign_in(foreign).await.body["errors"][0]["code"], "device.signature", "whoever signs in holds the key");
    let signed_in = sign_in(phone.sign_in("walk-carer-1", code)).await;
    assert_eq!(signed_in.status, 201, "{}", signed_in.body);
    assert_eq!(sign_in(phone.sign_in("walk-carer-1", code)).await.status, 401, "a code works once");

    let token = signed_in.body["token"].as_str().unwrap();
    let target = "/api/v1/devices";
    let asked = Asked { method: "GET", path: target, token: Some(token), key: None, body: None };
    let now = served.clock().unmoved_now();
    for (proof, status) in [
        (None, 401),
        (Some("x.y".to_owned()), 401),
        (Some(other.proof("GET", target, token, now)), 401),
        (Some(phone.proof("GET", "/api/v1/me", token, now)), 401),
        (Some(phone.proof("GET", target, token, now - chrono::TimeDelta::minutes(6))), 401),
        (Some(phone.proof("GET", target, token, now - chrono::TimeDelta::minutes(4))), 200),
    ] {
        let headers: Vec<_> = proof.iter().map(|proof| ("yijia-device", proof.as_str())).collect();
        assert_eq!(http.send_with(asked, &headers).await.unwrap().0, status, "{headers:?}");
    }
    // The phone is one of the carer's own devices, and the session ends with it.
    let device = signed_in.body["bound_device"]["device_id"].as_str().unwrap();
    let listed = ask(&http, "GET", &format!("/devices?carer_id={carer}"), Some(&manager), None).await.body;
    assert!(listed.as_array().unwrap().iter().any(|row| row["device_id"] == device), "{listed}");
    assert_eq!(ask(&http, "DELETE", &format!("/devices/{device}"), Some(&manager), None).await.status, 204);
    let proof = phone.proof("GET", target, token, now);
    let (status, _, body) = http.send_with(asked, &[("yijia-device", &proof)]).await.unwrap();
    assert!(status == 401 && String::from_utf8(body.to_vec()).unwrap().contains("account.not_signed_in"));
    // A revoked phone does not come back with a new code.
    let again = ask(&http, "POST", &path, Some(&manager), None).await;
    let refused = sign_in(phone.sign_in("walk-carer-1", again.body["code"].as_str().unwrap())).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("device.key_used")));
});

on_each_database!(a_sheet_signs_in_once_per_code_until_a_new_one_is_printed, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let http = Http::new(&served.base);
    let outcome = walk.run(&["national-voucher-tianjin"]).await.unwrap();
    let resident = outcome.orders[0].order["resident_id"].as_str().unwrap();
    let worker = walk.token("community-worker").await.unwrap();
    let path = format!("/residents/{resident}/code_sheets");
    let sheet = ask(&http, "POST", &path, Some(&worker), None).await;
    assert_eq!((sheet.status, sheet.body["codes"].as_array().unwrap().len()), (201, 10), "{}", sheet.body);
    let given = |sheet: &Value, line: usize| {
        let line = &sheet["codes"][line];
        json!({ "serial": sheet["serial"], "number": line["number"], "code": line["code"] })
    };
    let third = given(&sheet.body, 2);
    let mut swapped = third.clone();
    swapped["number"] = json!(4);
    assert_eq!(ask(&http, "POST", "/sessions/sheet", None, Some(swapped)).await.status, 401, "a code belongs to its number");
    let signed_in = ask(&http, "POST", "/sessions/sheet", None, Some(third.clone())).await;
    assert_eq!(signed_in.status, 201, "{}", signed_in.body);
    let me = ask(&http, "GET", "/me", signed_in.body["token"].as_str(), None).await;
    assert_eq!(me.body["roles"][0]["role"], "resident");
    assert_eq!(ask(&http, "POST", "/sessions/sheet", None, Some(third)).await.status, 401);

    let printed = Asked { method: "POST", path: &format!("/api/v1{path}"), token: Some(&worker), key: None, body: None };
    let (status, _, text) = http.send_with(printed, &[("accept", "text/plain")]).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(status == 201 && text.starts_with("颐家 纸质登录码") && text.contains("  10.  "), "{text}");
    assert_eq!(ask(&http, "POST", "/sessions/sheet", None, Some(given(&sheet.body, 0))).await.status, 401, "the old sheet has ended");

    let last = ask(&http, "POST", &path, Some(&worker), None).await;
    let end = format!("/code_sheets/{}", last.body["code_sheet_id"].as_str().unwrap());
    assert_eq!(ask(&http, "DELETE", &end, Some(&worker), None).await.status, 204);
    assert_eq!(ask(&http, "POST", "/sessions/sheet", None, Some(given(&last.body, 0))).await.status, 401);
});

on_each_database!(sessions_are_listed_and_ended_by_their_person, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let http = Http::new(&served.base);
    let mut tokens = Vec::new();
    for device in ["家里的电脑", "手机", "平板"] {
        let body = json!({ "login": "family", "password": served.demo.password, "device": device });
        tokens.push(ask(&http, "POST", "/sessions", None, Some(body)).await.body["token"].as_str().unwrap().to_owned());
    }
    let listed = ask(&http, "GET", "/me/sessions", Some(&tokens[0]), None).await.body;
    let sessions = listed.as_array().unwrap();
    assert_eq!(sessions.len(), 3);
    let own = sessions.iter().find(|session| session["current"] == true).unwrap();
    assert_eq!((&own["device"], &own["origin"], &own["method"]), (&json!("家里的电脑"), &json!("127.0.0.1"), &json!("password")));
    let phone = sessions.iter().find(|session| session["device"] == "手机").unwrap()["session_id"].as_str().unwrap();
    let body = json!({ "login": "resident", "password": served.demo.password });
    let other = ask(&http, "POST", "/sessions", None, Some(body)).await.body["token"].as_str().unwrap().to_owned();
    let path = format!("/me/sessions/{phone}");
    assert_eq!(ask(&http, "DELETE", &path, Some(&other), None).await.status, 404, "not theirs");
    assert_eq!(ask(&http, "DELETE", &path, Some(&tokens[0]), None).await.status, 204);
    assert_eq!(ask(&http, "DELETE", &path, Some(&tokens[0]), None).await.status, 404);
    assert_eq!(ask(&http, "GET", "/me", Some(&tokens[1]), None).await.status, 401);
    assert_eq!(ask(&http, "DELETE", "/me/sessions", Some(&tokens[0]), None).await.status, 204);
    assert_eq!(ask(&http, "GET", "/me", Some(&tokens[2]), None).await.status, 401);
    assert_eq!(ask(&http, "GET", "/me", Some(&tokens[0]), None).await.status, 200);
    assert_eq!(ask(&http, "GET", "/me", Some(&other), None).await.status, 200);
});

on_each_database!(an_account_with_an_authenticator_gets_no_contact, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let http = Http::new(&served.base);
    let operator = walk.token("operator").await.unwrap();
    let path = |login: &str| format!("/accounts/{}/contact", served.demo.login(login).unwrap().account_id);
    let body = || Some(json!({ "contact": "auditor@example.cn" }));
    let refused = ask(&http, "PUT", &path("auditor"), Some(&operator), body()).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["code"]), (422, &json!("contact.second_factor")));
    let taken = Some(json!({ "contact": "family@example.com" }));
    assert_eq!(ask(&http, "PUT", &path("resident"), Some(&operator), taken).await.status, 409, "one contact, one account");
    assert_eq!(ask(&http, "PUT", &path("resident"), Some(&operator), body()).await.status, 204);
});

on_each_database!(a_read_that_is_known_is_not_sent_again, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let http = Http::new(&served.base);
    let token = walk.token("county-clerk").await.unwrap();
    let me = Asked { method: "GET", path: "/api/v1/me", token: Some(&token), key: None, body: None };
    let (status, headers, _) = http.send_with(me, &[]).await.unwrap();
    let tag = headers["etag"].to_str().unwrap();
    let (again, _, body) = http.send_with(me, &[("if-none-match", tag)]).await.unwrap();
    assert_eq!((status, again, body.len()), (200, 304, 0));
    assert_eq!(http.send_with(me, &[("if-none-match", "\"3\"")]).await.unwrap().0, 200);
});

on_each_database!(one_person_holds_many_roles_and_loses_them_at_once, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let http = Http::new(&served.base);
    let operator = walk.token("operator").await.unwrap();
    let own = format!("/people/{}/roles", served.demo.login("operator").unwrap().person_id);
    let family = format!("/people/{}/roles", served.demo.login("family").unwrap().person_id);
    let volunteer = || Some(json!({ "role": "volunteer", "division": "120101001" }));
    assert_eq!(ask(&http, "POST", &own, Some(&operator), volunteer()).await.body["code"], "access.same_person");
    let granted = ask(&http, "POST", &family, Some(&operator), volunteer()).await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    assert_eq!(ask(&http, "POST", &family, Some(&operator), volunteer()).await.body["errors"][0]["code"], "role.doubled");
    let listed = ask(&http, "GET", &family, Some(&operator), None).await.body;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let token = walk.token("family").await.unwrap();
    let roles = async || ask(&http, "GET", "/me", Some(&token), None).await.body["roles"].as_array().unwrap().len();
    assert_eq!(roles().await, 2);
    let end = format!("/role_grants/{}", granted.body["role_grant_id"].as_str().unwrap());
    assert_eq!(ask(&http, "DELETE", &end, Some(&operator), None).await.status, 204);
    assert_eq!(roles().await, 1);
    assert_eq!(ask(&http, "DELETE", &end, Some(&operator), None).await.status, 404);
    // A first role that needs an authenticator brings its secret; the password alone no longer suffices.
    let clerk = json!({ "role": "street_clerk", "division": "120101001" });
    let granted = ask(&http, "POST", &family, Some(&operator), Some(clerk)).await;
    assert!(granted.body["totp_secret"].is_string(), "{}", granted.body);
    let body = json!({ "login": "family", "password": served.demo.password });
    assert_eq!(ask(&http, "POST", "/sessions", None, Some(body)).await.status, 401);
});

on_each_database!(a_changed_password_ends_the_other_sessions, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let http = Http::new(&served.base);
    let sign_in =
        async |password: &str| ask(&http, "POST", "/sessions", None, Some(json!({ "login": "family", "password": password }))).await;
    let [one, other] = [sign_in(&served.demo.password).await, sign_in(&served.demo.password).await];
    let (one, other) = (one.body["token"].as_str().unwrap(), other.body["token"].as_str().unwrap());
    let change = async |current: &str, password: &str| {
        ask(&http, "PUT", "/me/password", Some(one), Some(json!({ "current": current, "password": password }))).await
    };
    assert_eq!(change("not the one it is", "correct horse battery staple").await.status, 401);
    assert_eq!(change(&served.demo.password, "password123").await.body["errors"][0]["code"], "password.common");
    assert_eq!(change(&served.demo.password, "correct horse battery staple").await.status, 204);
    assert_eq!(ask(&http, "GET", "/me", Some(one), None).await.status, 200);
    assert_eq!(ask(&http, "GET", "/me", Some(other), None).await.status, 401);
    assert_eq!(sign_in(&served.demo.password).await.status, 401);
    assert_eq!(sign_in("correct horse battery staple").await.status, 201);
});
