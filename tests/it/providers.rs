//! Providers through the API: where and when they serve, their agreements, reviews and carers, each by its own role.
#![cfg(test)]

use serde_json::{Value, json};
use tests::{http::Answered, on_each_database, served::Served, walk::Walk};

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
