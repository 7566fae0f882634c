//! The registry through the API: who registers whom, what is stated on which evidence, where residents live and are
//! served, who acts for them.
#![cfg(test)]

use serde_json::{Value, json};
use tests::{
    desk::{Desk, faults},
    on_each_database,
    served::Served,
};

const COMMUNITY: &str = "120101001001";
const OTHER_STREET: &str = "120101002002";

fn consent() -> Value {
    json!({ "version": "2026-01", "purposes": ["service", "health"], "given_on": "2026-11-01", "channel": "paper" })
}

fn certificate() -> Value {
    json!({ "kind": "certificate", "number": "津低保0012345" })
}

/// A woman born on 29 February 1940, as a relative registers her.
fn mother() -> Value {
    json!({
        "document": "resident_id", "number": "12010119400229002X", "name": "王淑兰", "phone": "13800001234",
        "hukou": COMMUNITY, "residence": COMMUNITY, "living": "alone",
        "categories": [{ "category": "dibao", "from": "2025-01-01", "until": "2027-01-01", "evidence": certificate() }],
        "addresses": [{ "division": COMMUNITY, "text": "示范里1号楼1门101" }],
        "relation": "child", "consent": consent(),
    })
}

fn changed(mut body: Value, changes: &[(&str, Value)]) -> Value {
    for (field, value) in changes {
        body[*field] = value.clone();
    }
    body
}

/// As a community worker registers on behalf of somebody.
fn on_behalf(changes: &[(&str, Value)]) -> Value {
    let mut body = changed(mother(), &[("requested_by", json!("child"))]);
    let fields = body.as_object_mut().unwrap();
    fields.remove("relation");
    fields.remove("consent");
    changed(body, changes)
}

fn states(facts: &Value) -> Vec<&str> {
    facts.as_array().unwrap().iter().map(|fact| fact["state"].as_str().unwrap()).collect()
}

fn pair(field: &str, code: &str) -> (String, String) {
    (field.to_owned(), code.to_owned())
}

on_each_database!(what_a_relative_states_counts_once_the_community_has_seen_the_papers, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    // Nobody registers for others without saying what they are to them, and a relative does not register "oneself".
    desk.post(404, "family", "/residents", on_behalf(&[])).await.unwrap();
    desk.post(403, "family", "/residents", changed(mother(), &[("relation", json!("self"))])).await.unwrap();
    let without = changed(mother(), &[("consent", json!(null))]);
    let refused = desk.ask("family", "POST", "/residents", Some(without)).await.unwrap();
    assert_eq!((refused.status, faults(&refused)), (422, vec![pair("consent", "consent.missing")]));
    let made = desk.post(201, "family", "/residents", mother()).await.unwrap();
    assert_eq!(made["duplicates"], Value::Null, "a relative learns nothing of other residents");
    let path = format!("/residents/{}", made["resident_id"].as_str().unwrap());
    let record = desk.get(200, "family", &path).await.unwrap();
    assert_eq!(record["registration"], json!({ "channel": "family", "requested_by": "child" }));
    assert_eq!((record["phone_masked"].as_str(), record["status_since"].as_str()), (Some("138****1234"), Some("2026-12-01")));

    let facts = desk.get(200, "family", &format!("{path}/facts")).await.unwrap();
    assert_eq!(states(&facts), ["claimed"; 6], "identity, residence, register, living, looked up, category");
    let id = |facts: &Value, fact: &str| {
        let found = facts.as_array().unwrap().iter().find(|one| one["statement"]["fact"] == fact).unwrap();
        found["fact_id"].as_str().unwrap().to_owned()
    };
    let verification = format!("/resident_facts/{}/verification", id(&facts, "category"));
    desk.post(403, "family", &verification, json!({ "verified": true })).await.unwrap();
    let settled = desk.post(200, "community-worker", &verification, json!({ "verified": true })).await.unwrap();
    assert_eq!(settled["state"], "verified");
    let again = desk.post(409, "community-worker", &verification, json!({ "verified": false })).await.unwrap();
    assert_eq!(again["code"], "state.not_allowed");

    // A second range of the same category is refused while the first runs, with all other faults of the fact.
    let double = json!({ "statement": { "fact": "category", "category": "dibao" }, "from": "1930-01-01" });
    let refused = desk.ask("family", "POST", &format!("{path}/facts"), Some(double)).await.unwrap();
    let wanted =
        [pair("from", "resident.date"), pair("evidence", "resident.evidence_missing"), pair("categories", "resident.category_overlap")];
    assert_eq!((refused.status, faults(&refused)), (422, wanted.to_vec()));
    let living = json!({ "statement": { "fact": "living", "living": "with_family" }, "from": "2026-11-20" });
    let stated = desk.post(201, "community-worker", &format!("{path}/facts"), living).await.unwrap();
    assert_eq!(stated["state"], "verified", "staff state what they have seen");

    // Ended on the version that was read, and only once.
    let facts = desk.get(200, "community-worker", &format!("{path}/facts")).await.unwrap();
    let category = facts.as_array().unwrap().iter().find(|one| one["statement"]["fact"] == "category").unwrap();
    let (end, on) = (format!("/resident_facts/{}/end", id(&facts, "category")), Some(json!({ "on": "2026-12-01" })));
    let stale = desk.ask_if_match("community-worker", "POST", &end, on.clone(), Some("\"1\"")).await.unwrap();
    assert_eq!((category["version"].as_i64(), stale.status), (Some(2), 412));
    let ended = desk.ask_if_match("community-worker", "POST", &end, on.clone(), Some("\"2\"")).await.unwrap();
    assert_eq!((ended.status, ended.body["ended_on"].as_str()), (200, Some("2026-12-01")));
    let twice = desk.ask_if_match("community-worker", "POST", &end, on, Some("\"3\"")).await.unwrap();
    assert_eq!((twice.status, faults(&twice)), (422, vec![pair("on", "fact.end")]));
    assert!(served.store.verify(served.now()).await.unwrap().is_clean());
});

on_each_database!(residents_register_themselves_with_any_document, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    let own = |changes: &[(&str, Value)]| changed(changed(mother(), &[("relation", json!("self"))]), changes);
    // A passport states neither birth date nor sex; the category lacks the number of its certificate.
    let unfit = json!([{ "category": "dibao", "from": "2025-01-01", "evidence": { "kind": "certificate" } }]);
    let passport = own(&[("document", json!("passport")), ("number", json!("E12345678")), ("categories", unfit)]);
    let refused = desk.ask("resident", "POST", "/residents", Some(passport)).await.unwrap();
    assert_eq!((refused.status, faults(&refused)), (422, vec![pair("categories.0.evidence.number", "resident.evidence_number")]));
    let passport = own(&[("document", json!("passport")), ("number", json!("E12345678"))]);
    let refused = desk.ask("resident", "POST", "/residents", Some(passport.clone())).await.unwrap();
    assert_eq!(faults(&refused), [pair("birth_date", "birth_date.missing"), pair("sex", "sex.missing")]);
    let complete = changed(passport, &[("birth_date", json!("1940-02-29")), ("sex", json!("female"))]);
    let made = desk.post(201, "resident", "/residents", complete).await.unwrap();
    assert_eq!(made["warnings"], json!([]));
    desk.get(200, "resident", &format!("/residents/{}", made["resident_id"].as_str().unwrap())).await.unwrap();

    for (document, number, wrong) in [
        ("hk_macao_permit", "H12345678", "K12345678"),
        ("taiwan_permit", "12345678", "1234567"),
        ("foreigner_residence", "USA110045010100", "US1110045010100"),
    ] {
        let facts = [("document", json!(document)), ("birth_date", json!("1941-01-01")), ("sex", json!("male"))];
        let refused = on_behalf(&[&facts[..], &[("number", json!(wrong))]].concat());
        let refused = desk.ask("community-worker", "POST", "/residents", Some(refused)).await.unwrap();
        assert_eq!(faults(&refused), [pair("number", "identity.document_form")], "{document}");
        let accepted = on_behalf(&[&facts[..], &[("number", json!(number))]].concat());
        desk.post(201, "community-worker", "/residents", accepted).await.unwrap();
    }
    // Shantou is no county of this table, and nobody is known to be 146 years old.
    let old = on_behalf(&[("number", json!("440524188001010014"))]);
    let made = desk.post(201, "community-worker", "/residents", old).await.unwrap();
    assert_eq!(made["warnings"], json!(["unknown_county", "review"]));
    let unknown = on_behalf(&[("number", json!("99999919450101001X"))]);
    let refused = desk.ask("community-worker", "POST", "/residents", Some(unknown)).await.unwrap();
    assert_eq!(faults(&refused), [pair("number", "identity.province")]);
});

on_each_database!(addresses_are_added_replaced_and_shown_in_one_system, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    let made = desk.post(201, "family", "/residents", mother()).await.unwrap();
    let path = format!("/residents/{}", made["resident_id"].as_str().unwrap());
    let place = |system: &str, text: &str| json!({ "division": OTHER_STREET, "text": text, "position": { "system": system, "latitude": "39.117220", "longitude": "117.195980" } });
    let wrong = json!({ "address": { "division": "370303001001", "text": "  " }, "replaces": "adr_018bcfe5680070000707070707070707" });
    let refused = desk.ask("family", "POST", &format!("{path}/addresses"), Some(wrong)).await.unwrap();
    let wanted = [pair("text", "address.form"), pair("division", "division.unknown"), pair("replaces", "address.unknown")];
    assert_eq!((refused.status, faults(&refused)), (422, wanted.to_vec()));
    let added = json!({ "address": place("gcj02", "曙光路2号"), "replaces": made["address_ids"][0] });
    let added = desk.post(201, "family", &format!("{path}/addresses"), added).await.unwrap();
    desk.post(201, "community-worker", &format!("{path}/addresses"), json!({ "address": place("bd09", "曙光路3号") })).await.unwrap();
    let record = desk.get(200, "family", &path).await.unwrap();
    // Of two that were entered at one instant neither is the first.
    let addresses = record["addresses"].as_array().unwrap();
    let with_text = |text: &str| addresses.iter().find(|address| address["text"] == text).unwrap();
    let (gcj02, bd09) = (with_text("曙光路2号"), with_text("曙光路3号"));
    assert_eq!((addresses.len(), gcj02["address_id"].as_str()), (2, added["address_id"].as_str()));
    for (shown, metres) in [(gcj02, 300..900), (bd09, 600..1_800)] {
        assert_eq!(shown["position"]["system"], "wgs84");
        let micro = |name: &str| shown["position"][name].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
        let (north, east) = ((micro("latitude") - 39_117_220) * 111 / 1_000, (micro("longitude") - 117_195_980) * 86 / 1_000);
        let shift = (north * north + east * east).isqrt();
        assert!(metres.contains(&shift), "{shift} m: {shown}");
    }
    let end = format!("/service_addresses/{}/end", added["address_id"].as_str().unwrap());
    desk.expect(200, "family", "POST", &end, None).await.unwrap();
    desk.expect(404, "family", "POST", &end, None).await.unwrap();
    assert_eq!(desk.get(200, "family", &path).await.unwrap()["addresses"].as_array().unwrap().len(), 1);
    // The telephone is edited on the version that was read.
    let read = desk.ask("family", "GET", &path, None).await.unwrap();
    let phone = |text: &str| Some(json!({ "phone": text }));
    assert_eq!(desk.ask("family", "PATCH", &path, phone("13900001234")).await.unwrap().status, 428);
    let edited = desk.ask_if_match("family", "PATCH", &path, phone("１３９ ０００１ ２３４５"), read.etag.as_deref()).await.unwrap();
    assert_eq!(edited.status, 204, "{}", edited.body);
    assert_eq!(desk.ask_if_match("family", "PATCH", &path, phone("13900001234"), read.etag.as_deref()).await.unwrap().status, 412);
    assert_eq!(desk.get(200, "family", &path).await.unwrap()["phone_masked"], "139****2345");
});

on_each_database!(whoever_loses_the_consent_no_longer_acts, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    let made = desk.post(201, "family", "/residents", mother()).await.unwrap();
    let path = format!("/residents/{}", made["resident_id"].as_str().unwrap());
    let members = format!("{path}/family_members");
    let only_health = changed(consent(), &[("purposes", json!(["health"]))]);
    let bind = |consent: Value| json!({ "login": "resident", "relation": "self", "consent": consent });
    let refused = desk.ask("community-worker", "POST", &members, Some(bind(only_health))).await.unwrap();
    assert_eq!((refused.status, faults(&refused)), (422, vec![pair("consent.purposes", "consent.service")]));
    desk.post(201, "community-worker", &members, bind(consent())).await.unwrap();
    let listed = desk.get(200, "resident", &members).await.unwrap();
    let child = listed.as_array().unwrap().iter().find(|one| one["relation"] == "child").unwrap().clone();
    let own = listed.as_array().unwrap().iter().find(|one| one["relation"] == "self").unwrap().clone();
    assert_eq!(child["consent"]["purposes"], json!(["service", "health"]));
    let end = |member: &Value| format!("{members}/{}/end", member["person_id"].as_str().unwrap());
    desk.post(404, "family", &end(&own), json!({ "consent_withdrawn": false })).await.unwrap();
    let ended = desk.post(200, "resident", &end(&child), json!({ "consent_withdrawn": true })).await.unwrap();
    assert_eq!(ended["ended_on"], "2026-12-01");
    desk.get(404, "family", &path).await.unwrap();
    desk.post(404, "resident", &end(&child), json!({ "consent_withdrawn": true })).await.unwrap();
    let listed = desk.get(200, "resident", &members).await.unwrap();
    let past = listed.as_array().unwrap().last().unwrap();
    assert_eq!((past["until"].as_str(), past["consent"]["withdrawn_on"].as_str()), (Some("2026-12-01"), Some("2026-12-01")));
    // Asked again and given again, the relation begins anew.
    let anew = json!({ "login": "family", "relation": "child", "consent": changed(consent(), &[("given_on", json!("2026-12-01"))]) });
    desk.post(201, "community-worker", &members, anew.clone()).await.unwrap();
    desk.get(200, "family", &path).await.unwrap();
    desk.post(409, "community-worker", &members, anew).await.unwrap();
});

on_each_database!(a_death_is_corrected_by_another_person_with_a_reason, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    let both = json!([{ "role": "community_worker", "division": "120101001" }, { "role": "street_clerk", "division": "120101001" }]);
    desk.account("both", both).await.unwrap();
    let made = desk.post(201, "family", "/residents", mother()).await.unwrap();
    let path = format!("/residents/{}/statuses", made["resident_id"].as_str().unwrap());
    let status = |status: &str, since: &str| json!({ "status": status, "since": since });
    let early = desk.ask("family", "POST", &path, Some(status("hospital", "2026-11-30"))).await.unwrap();
    assert_eq!((early.status, faults(&early)), (422, vec![pair("since", "resident.status_order")]));
    desk.post(201, "family", &path, status("hospital", "2026-12-01")).await.unwrap();
    served.clock().move_to_offset(5 * 86_400);
    desk.post(403, "family", &path, status("alive", "2026-12-06")).await.unwrap();
    desk.post(201, "community-worker", &path, status("alive", "2026-12-05")).await.unwrap();
    desk.post(409, "community-worker", &path, status("alive", "2026-12-06")).await.unwrap();
    desk.post(201, "both", &path, status("dead", "2026-12-06")).await.unwrap();
    desk.post(409, "community-worker", &path, status("alive", "2026-12-06")).await.unwrap();
    let correction = format!("{path}/correction");
    desk.post(403, "community-worker", &correction, json!({ "reason": "认错了人" })).await.unwrap();
    let own = desk.post(403, "both", &correction, json!({ "reason": "认错了人" })).await.unwrap();
    assert_eq!(own["code"], "access.same_person");
    let empty = desk.ask("street-clerk", "POST", &correction, Some(json!({ "reason": " " }))).await.unwrap();
    assert_eq!(faults(&empty), [pair("reason", "reason.form")]);
    let corrected = desk.post(200, "street-clerk", &correction, json!({ "reason": "认错了人" })).await.unwrap();
    assert_eq!((corrected["status"].as_str(), corrected["since"].as_str()), (Some("alive"), Some("2026-12-06")));
    let listed = desk.get(200, "family", &path).await.unwrap();
    let shown: Vec<_> = listed.as_array().unwrap().iter().map(|one| (one["status"].as_str().unwrap(), one["corrected"] == true)).collect();
    assert_eq!(shown, [("alive", false), ("hospital", false), ("alive", false), ("dead", true), ("alive", false)]);
});

on_each_database!(possible_doubles_are_shown_and_those_elsewhere_only_counted, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    desk.account("worker-elsewhere", json!([{ "role": "community_worker", "division": "120101002" }])).await.unwrap();
    let facts = [("birth_date", json!("1940-02-29")), ("sex", json!("female"))];
    let with = |changes: &[(&str, Value)]| on_behalf(&[&facts[..], changes].concat());
    let first = desk.post(201, "community-worker", "/residents", with(&[])).await.unwrap();
    assert_eq!(first["duplicates"], json!({ "residents": [], "elsewhere": 0 }));
    // The same person with a permit: name and birth date, telephone.
    let permit = with(&[("document", json!("hk_macao_permit")), ("number", json!("H12345678"))]);
    let second = desk.post(201, "community-worker", "/residents", permit).await.unwrap();
    let alike = |id: &Value, kinds: &[&str]| json!({ "resident_id": id, "alike": kinds });
    let wanted = json!({ "residents": [alike(&first["resident_id"], &["name_and_birth", "phone"])], "elsewhere": 0 });
    assert_eq!(second["duplicates"], wanted);
    // The number of the permit as a passport, in another street.
    let changes = [
        ("document", json!("passport")),
        ("number", json!("h12345678")),
        ("name", json!("LEE SUK LAN")),
        ("phone", json!(null)),
        ("residence", json!(OTHER_STREET)),
        ("addresses", json!([])),
    ];
    let third = desk.post(201, "worker-elsewhere", "/residents", with(&changes)).await.unwrap();
    assert_eq!(third["duplicates"], json!({ "residents": [], "elsewhere": 1 }));
    let path = |made: &Value| format!("/residents/{}/duplicates", made["resident_id"].as_str().unwrap());
    let seen = desk.get(200, "community-worker", &path(&second)).await.unwrap();
    assert_eq!((seen["residents"].as_array().unwrap().len(), seen["elsewhere"].as_u64()), (1, Some(1)));
    desk.get(404, "worker-elsewhere", &path(&second)).await.unwrap();
    desk.get(403, "family", &path(&second)).await.unwrap();
    // The same number of the same document is one resident.
    let twice = desk.post(409, "community-worker", "/residents", with(&[])).await.unwrap();
    assert_eq!(twice["code"], "store.exists");
});

/// All items whole, then so many points taken away, from the first item on.
fn items(total: i64) -> serde_json::Map<String, Value> {
    let mut less = 90 - total;
    let scored = domain::assessment::ITEMS.iter().map(|item| {
        let taken = less.min(i64::from(item.max));
        less -= taken;
        (item.code.to_owned(), json!(i64::from(item.max) - taken))
    });
    scored.collect()
}

on_each_database!(the_golden_cases_of_the_assessment_come_out_of_the_api, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut desk = Desk::new(&served);
    let made = desk.post(201, "family", "/residents", mother()).await.unwrap();
    let path = format!("/residents/{}/assessments", made["resident_id"].as_str().unwrap());
    let facts = |coma: bool, dementia: bool, events: u32| json!({ "coma": coma, "dementia": dementia, "mental_disorder": false, "risk_events_30d": events });
    let none = || facts(false, false, 0);
    for (total, facts, preliminary, last) in [
        (90, none(), 0, 0),
        (89, none(), 1, 1),
        (66, none(), 1, 1),
        (65, none(), 2, 2),
        (46, none(), 2, 2),
        (45, none(), 3, 3),
        (30, none(), 3, 3),
        (29, none(), 4, 4),
        (90, facts(false, true, 0), 0, 1),
        (70, facts(false, false, 2), 1, 2),
        (70, facts(false, true, 3), 1, 2),
        (50, facts(false, false, 1), 2, 2),
        (88, facts(true, false, 0), 1, 4),
        (10, facts(false, true, 0), 4, 4),
    ] {
        let body = json!({ "assessed_on": "2026-12-01", "items": items(total), "facts": facts });
        let recorded = desk.post(201, "assessor", &path, body).await.unwrap();
        let confirmation = format!("/assessments/{}/confirmation", recorded["assessment_id"].as_str().unwrap());
        let answers = json!({ "items": items(total), "facts": facts });
        let own = desk.post(403, "assessor", &confirmation, answers.clone()).await.unwrap();
        assert_eq!(own["code"], "access.same_person");
        let confirmed = desk.post(200, "assessor-2", &confirmation, answers).await.unwrap();
        assert_eq!((confirmed["total"].as_i64(), confirmed["valid_until"].as_str()), (Some(total), Some("2027-12-01")));
        assert_eq!(
            (confirmed["preliminary_level"].as_i64(), confirmed["final_level"].as_i64()),
            (Some(preliminary), Some(last)),
            "{total}"
        );
    }
    // Every wrong or missing item is named, all at once.
    let mut wrong = items(90);
    wrong.remove("B.1.1");
    wrong.insert("B.2.4".to_owned(), json!(4));
    wrong.insert("B.5.1".to_owned(), json!(0));
    let body = json!({ "assessed_on": "2026-12-01", "items": wrong, "facts": none() });
    let refused = desk.ask("assessor", "POST", &path, Some(body)).await.unwrap();
    let mut named: Vec<_> = faults(&refused).into_iter().map(|(field, _)| field).collect();
    named.sort();
    assert_eq!((refused.status, named), (422, ["items.B.1.1", "items.B.2.4", "items.B.5.1"].map(str::to_owned).to_vec()));
});
