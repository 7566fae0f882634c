//! Providers through the API: where and when they serve, their agreements, reviews and carers, each by its own role.
#![cfg(test)]

use std::collections::BTreeSet;

use domain::{provider::SuspensionReason, visit::ClockKind};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use store::command::{order::OfferOrder, provider::SuspendProvider};
use tests::{http::Answered, market::Market, on_each_database, served::Served, walk::Walk};

/// The faulty fields with their codes.
fn faults(answered: &Answered) -> Vec<(String, String)> {
    let fields = answered.body["errors"].as_array().cloned().unwrap_or_default();
    fields.iter().map(|fault| (fault["field"].as_str().unwrap().to_owned(), fault["code"].as_str().unwrap().to_owned())).collect()
}

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
}

async fn ask(walk: &mut Walk<'_>, login: &str, method: &str, path: &str, body: Value) -> Answered {
    walk.call(login, method, path, body, None).await.unwrap()
}

on_each_database!(a_provider_says_where_and_when_it_serves_and_two_edits_do_not_overwrite_each_other, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let path = format!("/providers/{}/profile", served.demo.provider_id);
    let profile = json!({
        "divisions": ["120101", "120102"],
        "reach": { "position": { "system": "gcj02", "latitude": "39.117220", "longitude": "117.195980" }, "radius_m": 5000 },
        "hours": [{ "weekday": 1, "from": "08:00", "until": "18:00" }], "closing_days": ["2027-02-06"],
    });
    let edited = walk.call("provider-manager", "PUT", &path, profile.clone(), Some(1)).await.unwrap();
    assert_eq!((edited.status, &edited.body["version"]), (200, &json!(2)), "{}", edited.body);
    assert_eq!(ask(&mut walk, "licensing-officer", "GET", &path, Value::Null).await.body, profile);
    assert_eq!(walk.call("provider-manager", "PUT", &path, profile.clone(), Some(1)).await.unwrap().status, 412);
    assert_eq!(walk.call("provider-manager", "PUT", &path, profile.clone(), None).await.unwrap().status, 428);
    assert_eq!(walk.call("licensing-officer", "PUT", &path, profile, Some(2)).await.unwrap().status, 403);

    let wrong = json!({
        "divisions": ["999999", "110101"], "reach": null, "closing_days": [],
        "hours": [{ "weekday": 1, "from": "08:00", "until": "12:00" }, { "weekday": 1, "from": "11:59", "until": "13:00" }],
    });
    let refused = walk.call("provider-manager", "PUT", &path, wrong, Some(2)).await.unwrap();
    assert_eq!((refused.status, faults(&refused)), (422, pairs(&[("hours", "profile.week_overlap")])));
    let foreign = json!({ "divisions": ["120101", "320302"], "reach": null, "closing_days": [], "hours": [] });
    let refused = walk.call("provider-manager", "PUT", &path, foreign, Some(2)).await.unwrap();
    assert_eq!(faults(&refused), pairs(&[("divisions", "profile.divisions")]));
    assert!(refused.body["errors"][0]["cure"].as_str().unwrap().contains("320302"), "{}", refused.body);
    let nowhere = json!({ "divisions": [], "reach": null, "closing_days": [], "hours": [] });
    let refused = walk.call("provider-manager", "PUT", &path, nowhere, Some(2)).await.unwrap();
    assert_eq!(faults(&refused), pairs(&[("divisions", "profile.area_empty")]));
});

on_each_database!(an_agreement_covers_its_days_and_is_ended_before_its_time_only_ahead, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let provider = format!("/providers/{}", served.demo.provider_id);
    let agreements = format!("{provider}/agreements");
    let body = |number: &str, signed: &str, from: &str, until: &str| json!({ "number": number, "signed_on": signed, "valid_from": from, "valid_until": until });
    let refused = ask(&mut walk, "licensing-officer", "POST", &agreements, body("9", "2026-12-02", "2026-12-05", "2027-12-01")).await;
    assert_eq!(faults(&refused), pairs(&[("signed_on", "agreement.signed_on"), ("valid_from", "agreement.overlap")]));
    let made = ask(&mut walk, "licensing-officer", "POST", &agreements, body("9", "2026-12-01", "2028-12-01", "2029-12-01")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let path = format!("/agreements/{}/ending", made.body["agreement_id"].as_str().unwrap());
    let until = |day: &str| json!({ "valid_until": day });
    let late = walk.call("licensing-officer", "POST", &path, until("2029-12-01"), Some(1)).await.unwrap();
    assert_eq!(faults(&late), pairs(&[("valid_until", "agreement.ending")]));
    let ended = walk.call("licensing-officer", "POST", &path, until("2029-01-01"), Some(1)).await.unwrap();
    assert_eq!((ended.status, &ended.body["valid_until"], &ended.body["version"]), (200, &json!("2029-01-01"), &json!(2)));
    assert_eq!(walk.call("licensing-officer", "POST", &path, until("2028-12-02"), Some(1)).await.unwrap().status, 412);
    let read = ask(&mut walk, "provider-manager", "GET", &provider, Value::Null).await;
    assert_eq!(read.body["agreements"].as_array().unwrap().len(), 2);
    let failed =
        ask(&mut walk, "licensing-officer", "POST", &format!("{provider}/reviews"), json!({ "year": 2024, "passed": false })).await;
    assert_eq!(faults(&failed), pairs(&[("year", "review.year"), ("note", "review.note")]));
    let passed = ask(&mut walk, "licensing-officer", "POST", &format!("{provider}/reviews"), json!({ "year": 2026, "passed": true })).await;
    assert_eq!(passed.status, 201, "{}", passed.body);
    let read = ask(&mut walk, "auditor", "GET", &provider, Value::Null).await;
    assert_eq!(read.body["reviews"], json!({ "2026": true }));
});

on_each_database!(a_carers_record_is_edited_by_the_provider_alone, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let listed = ask(&mut walk, "provider-manager", "GET", &format!("/providers/{}/carers", served.demo.provider_id), Value::Null).await;
    let carer = format!("/carers/{}", listed.body[0]["carer_id"].as_str().unwrap());
    let profile = json!({
        "sex": "male", "skills": ["bathing", "nursing"], "dialects": ["tianjin", "Yue"], "employed_from": "2026-12-01", "employed_until": "2026-11-01",
        "working_times": [{ "weekday": 9, "from": "08:00", "until": "12:00" }],
    });
    let refused = walk.call("provider-manager", "PUT", &format!("{carer}/profile"), profile, Some(1)).await.unwrap();
    assert_eq!(faults(&refused), pairs(&[("dialects.1", "profile.dialect"), ("working_times", "profile.week_range")]));
    let profile = json!({
        "sex": "male", "skills": ["bathing", "nursing"], "dialects": ["tianjin"], "employed_from": "2026-12-01", "employed_until": null,
        "working_times": [{ "weekday": 1, "from": "08:00", "until": "12:00" }],
    });
    let edited = walk.call("provider-manager", "PUT", &format!("{carer}/profile"), profile.clone(), Some(1)).await.unwrap();
    assert_eq!(edited.body, json!({ "version": 2 }));
    let days = json!({ "first_day": "2026-12-10", "ends_on": "2026-12-12" });
    let leave = ask(&mut walk, "provider-manager", "POST", &format!("{carer}/leave"), days).await;
    let read = ask(&mut walk, "provider-manager", "GET", &carer, Value::Null).await;
    assert_eq!(
        (&read.body["profile"], &read.body["leave"][0]["ends_on"], &read.body["version"]),
        (&profile, &json!("2026-12-12"), &json!(2))
    );
    let gone =
        ask(&mut walk, "provider-manager", "DELETE", &format!("/leave/{}", leave.body["leave_id"].as_str().unwrap()), Value::Null).await;
    assert_eq!(gone.status, 204);
    assert_eq!(ask(&mut walk, "provider-manager", "GET", &carer, Value::Null).await.body["leave"], json!([]));
    for stranger in ["carer", "family"] {
        assert_eq!(ask(&mut walk, stranger, "GET", &carer, Value::Null).await.status, 403, "{stranger}");
    }
});

on_each_database!(whoever_looks_for_a_provider_finds_everything_that_decides, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let store = &served.store;
    let day = "2026-12-10".parse().unwrap();
    let item = store.reference().catalogue.item(domain::catalogue::ItemCode::Bathing, day).unwrap();
    let [found] = store.serving_providers(item, domain::catalogue::ServiceClass::Home, day).await.unwrap().try_into().unwrap();
    assert_eq!(
        (found.provider, found.unit_price.get(), found.unfit.len(), found.has_agreement),
        (served.demo.provider_id, 12_000, 0, true)
    );
    assert_eq!((found.carers.len(), found.carers.iter().filter(|carer| carer.unfit.is_empty()).count()), (2, 2));
    let after = "2028-12-10".parse().unwrap();
    let [found] = store.serving_providers(item, domain::catalogue::ServiceClass::Home, after).await.unwrap().try_into().unwrap();
    let codes: Vec<_> = found.unfit.iter().map(domain::provider::Unfit::code).collect();
    assert_eq!((codes, found.has_agreement), (vec!["unfit.licence", "unfit.review_missing"], false));
    let codes: Vec<_> = found.carers[0].unfit.iter().map(domain::provider::Unfit::code).collect();
    assert_eq!(codes, ["unfit.health_proof", "unfit.certificate"]);
    assert_eq!(store.serving_providers(item, domain::catalogue::ServiceClass::Community, day).await.unwrap().len(), 0);
});

on_each_database!(an_account_waits_three_working_days_for_another_person_and_shows_its_last_digits, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let path = format!("/providers/{}/bank_accounts", served.demo.provider_id);
    let wrong = ask(&mut walk, "provider-manager", "POST", &path, json!({ "holder": "", "bank": "示范银行", "number": "12-34" })).await;
    assert_eq!(faults(&wrong), pairs(&[("holder", "bank_account.holder"), ("number", "bank_account.number")]));
    let account = json!({ "holder": "示范中心", "bank": "示范银行", "number": "6222 0212 3456 7890 123" });
    let asked = ask(&mut walk, "provider-manager", "POST", &path, account.clone()).await;
    assert_eq!((asked.status, &asked.body["number_masked"], &asked.body["hold_ends_on"]), (201, &json!("****0123"), &json!("2026-12-05")));
    assert!(!asked.body.to_string().contains("622202"), "{}", asked.body);
    assert_eq!(ask(&mut walk, "provider-manager", "POST", &path, account).await.status, 409, "one change waits at a time");
    let change = format!("/bank_accounts/{}", asked.body["bank_account_id"].as_str().unwrap());
    let approve = json!({ "approve": true });
    let own = walk.call("provider-manager", "POST", &format!("{change}/decision"), approve.clone(), Some(1)).await.unwrap();
    assert_eq!(own.status, 403);
    let stale = walk.call("approver", "POST", &format!("{change}/decision"), approve.clone(), Some(2)).await.unwrap();
    assert_eq!(stale.status, 412);
    let approved = walk.call("approver", "POST", &format!("{change}/decision"), approve.clone(), Some(1)).await.unwrap();
    assert_eq!((&approved.body["state"], &approved.body["effective_from"]), (&json!("approved"), &json!("2026-12-05")));
    let again = walk.call("approver", "POST", &format!("{change}/decision"), approve, Some(2)).await.unwrap();
    assert_eq!((again.status, &again.body["code"]), (409, &json!("state.not_allowed")));
    ask(&mut walk, "operator", "PUT", "/demo/clock", json!({ "minutes": 1 })).await;
    let other = json!({ "holder": "示范中心", "bank": "示范银行", "number": "6222021234567899999" });
    let asked = ask(&mut walk, "provider-manager", "POST", &path, other).await;
    let change = format!("/bank_accounts/{}/withdrawal", asked.body["bank_account_id"].as_str().unwrap());
    let withdrawn = walk.call("provider-manager", "POST", &change, Value::Null, Some(1)).await.unwrap();
    assert_eq!(withdrawn.body["state"], "withdrawn");
    let listed = ask(&mut walk, "auditor", "GET", &path, Value::Null).await;
    let states: Vec<_> = listed.body.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["withdrawn", "approved", "approved"]);
});

on_each_database!(nothing_is_released_to_a_provider_without_an_account_in_force, async |db: TestDb| {
    let city = tests::city::SampleCity::unsettled(&db).await.unwrap();
    let raw = db.raw().await.unwrap();
    raw.execute_unprepared("UPDATE bank_account SET effective_from = '2027-01-04'").await.unwrap();
    let refused = city.settle_november().await.unwrap_err();
    assert!(refused.to_string().contains("和平区安心养老服务中心"), "{refused}");
    assert!(refused.to_string().contains("has no approved bank account in force"), "{refused}");
});

on_each_database!(one_person_suspends_a_provider_and_another_lifts_or_ends_it, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let provider = format!("/providers/{}", served.demo.provider_id);
    let note = json!({ "note": "食品经营许可被吊销" });
    let refused = ask(&mut walk, "approver", "POST", &format!("{provider}/ending"), note.clone()).await;
    assert_eq!((refused.status, &refused.body["code"]), (409, &json!("provider.transition")), "an admitted provider is suspended first");
    let reason = json!({ "reason": "licence_ended", "note": "食品经营许可被吊销" });
    assert_eq!(ask(&mut walk, "approver", "POST", &format!("{provider}/suspension"), reason.clone()).await.status, 403);
    let later = async |walk: &mut Walk<'_>| ask(walk, "operator", "PUT", "/demo/clock", json!({ "minutes": 1 })).await;
    later(&mut walk).await;
    let suspended = ask(&mut walk, "licensing-officer", "POST", &format!("{provider}/suspension"), reason).await;
    assert_eq!(suspended.body["state"], "suspended", "{}", suspended.body);
    assert_eq!(ask(&mut walk, "licensing-officer", "POST", &format!("{provider}/resumption"), note.clone()).await.status, 403);
    later(&mut walk).await;
    let resumed = ask(&mut walk, "approver", "POST", &format!("{provider}/resumption"), note.clone()).await;
    assert_eq!(resumed.body["state"], "admitted", "{}", resumed.body);
    let steps = ask(&mut walk, "auditor", "GET", &format!("{provider}/steps"), Value::Null).await;
    let taken: Vec<_> = steps.body.as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(taken.get(..2), Some(["resume", "suspend"].as_slice()), "the latest comes first");
    assert_eq!(taken.iter().collect::<BTreeSet<_>>(), BTreeSet::from([&"admit", &"resume", &"review", &"suspend"]));
    assert_eq!((&steps.body[1]["reason"], &steps.body[1]["note"]), (&json!("licence_ended"), &json!("食品经营许可被吊销")));
});

on_each_database!(a_licence_counts_once_an_officer_has_confirmed_it, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let provider = format!("/providers/{}", served.demo.provider_id);
    let day_care = json!({ "kind": "day_care", "number": "RZ-7", "valid_from": "2026-12-01", "valid_until": "2029-12-01" });
    let asked = ask(&mut walk, "provider-manager", "POST", &format!("{provider}/licence_requests"), day_care).await;
    assert_eq!((asked.status, &asked.body["state"]), (201, &json!("requested")), "{}", asked.body);
    let kinds = |body: &Value| -> Vec<String> {
        body["licences"].as_array().unwrap().iter().map(|held| held["kind"].as_str().unwrap().to_owned()).collect()
    };
    let before = ask(&mut walk, "provider-manager", "GET", &provider, Value::Null).await;
    assert!(!kinds(&before.body).contains(&"day_care".to_owned()));
    let path = format!("/licence_requests/{}/decision", asked.body["licence_request_id"].as_str().unwrap());
    let confirm = json!({ "confirm": true });
    assert_eq!(walk.call("provider-manager", "POST", &path, confirm.clone(), Some(1)).await.unwrap().status, 403);
    assert_eq!(walk.call("licensing-officer", "POST", &path, confirm.clone(), Some(1)).await.unwrap().body["state"], "confirmed");
    assert_eq!(walk.call("licensing-officer", "POST", &path, confirm, Some(2)).await.unwrap().status, 409);
    let after = ask(&mut walk, "provider-manager", "GET", &provider, Value::Null).await;
    assert!(kinds(&after.body).contains(&"day_care".to_owned()));
});

on_each_database!(a_code_that_fails_its_check_character_is_admitted_only_with_a_reviewed_reason, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut walk = served.walk(1, Box::new(|_line| {}));
    let licence = json!({ "kind": "home_service", "number": "JM-1", "valid_from": "2026-12-01", "valid_until": null });
    let apply = |as_printed: bool| {
        json!({ "name": "示范公司", "credit_code": "91350211M0000XUF46", "credit_code_as_printed": as_printed, "division": "120101000000",
            "licences": [licence.clone()] })
    };
    let refused = ask(&mut walk, "provider-manager", "POST", "/providers", apply(false)).await;
    assert_eq!(faults(&refused), pairs(&[("credit_code", "credit_code.check_character")]));
    let applied = ask(&mut walk, "provider-manager", "POST", "/providers", apply(true)).await;
    let provider = format!("/providers/{}", applied.body["provider_id"].as_str().unwrap());
    let refused = ask(&mut walk, "licensing-officer", "POST", &format!("{provider}/review"), Value::Null).await;
    assert_eq!(refused.body["code"], "provider.credit_code_unreviewed");
    let note = json!({ "note": "营业执照原件所载即为此码" });
    assert_eq!(ask(&mut walk, "provider-manager", "POST", &format!("{provider}/credit_code_acceptance"), note.clone()).await.status, 403);
    assert_eq!(ask(&mut walk, "licensing-officer", "POST", &format!("{provider}/credit_code_acceptance"), note).await.status, 200);
    assert_eq!(ask(&mut walk, "licensing-officer", "POST", &format!("{provider}/review"), Value::Null).await.body["state"], "reviewed");
});

on_each_database!(a_suspended_provider_loses_what_nobody_has_begun_and_the_holds_go_back, async |db: TestDb| {
    let market = Market::open(&db).await.unwrap();
    let begun = market.assigned("2026-11-10T14:00:00+08:00").await.unwrap();
    let offered = market.book("2026-11-12T09:00:00+08:00").await.unwrap();
    market.run_system(OfferOrder { order: offered.order_id }).await.unwrap();
    let assigned = market.assigned("2026-11-13T09:00:00+08:00").await.unwrap();
    market.set_clock("2026-11-10T14:00:00+08:00").unwrap();
    let clock = market.clock(begun.visit_id, ClockKind::ClockIn, "2026-11-10T14:00:00+08:00").unwrap();
    market.try_run(&market.carer().unwrap().1, clock).await.unwrap();
    let reason = SuspensionReason::SafetyIncident;
    let suspend = SuspendProvider { provider: market.provider(), reason, note: "护理员资质被举报不实".to_owned() };
    market.try_run(&market.people().officer, suspend).await.unwrap();
    assert_eq!(state_of(&market, begun.order_id).await, "in_service");
    let runner = workers::Runner::new(market.store().clone(), db.source().clone());
    runner.drain().await.unwrap();
    assert_eq!(state_of(&market, begun.order_id).await, "in_service", "what has begun is finished");
    for order in [offered.order_id, assigned.order_id] {
        assert_eq!(state_of(&market, order).await, "declined");
    }
    let november = &market.entitlements().await.unwrap()[0].windows[0];
    assert_eq!((november.held, november.available), (6_000, 74_000), "only the visit under way still holds its part");
    let refused = market.quote("2026-11-14T09:00:00+08:00", None).await.unwrap_err();
    assert!(refused.to_string().contains("suspended"), "{refused}");
    assert!(market.store().verify(db.source().now()).await.unwrap().is_clean());
});

async fn state_of(market: &Market<'_>, order: domain::id::OrderId) -> String {
    market.store().order(&market.people().family, order).await.unwrap().state.to_string()
}
