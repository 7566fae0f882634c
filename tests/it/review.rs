//! Applications with their deadlines and owners, and entitlements that follow the facts: they stop, rest, begin
//! again or give another amount from the day that the policy says.
#![cfg(test)]

use domain::time::parse_instant;
use serde_json::{Value, json};
use tests::{
    desk::{Desk, faults},
    on_each_database,
    served::Served,
};

const COMMUNITY: &str = "120101001001";
const HOME_CARE: &str = "tianjin-home-care";
const MEALS: &str = "tianjin-meals";
const VOUCHER: &str = "national-voucher-tianjin";

/// A city whose people are asked.
struct Case<'a> {
    served: &'a Served,
    desk: Desk<'a>,
    resident: String,
}

impl<'a> Case<'a> {
    /// A woman of 86 with dibao, registered on her behalf; her daughter acts for her.
    async fn begin(served: &'a Served) -> Self {
        let mut desk = Desk::new(served);
        let dibao = json!({
            "category": "dibao", "from": "2025-01-01", "until": "2027-01-01",
            "evidence": { "kind": "certificate", "number": "津低保0012345" },
        });
        let body = json!({
            "document": "resident_id", "number": "12010119400229002X", "name": "王淑兰", "hukou": COMMUNITY, "residence": COMMUNITY,
            "living": "alone", "categories": [dibao],
            "facts": { "hukou_kind": "urban", "needs_care": true, "receives_centralised_care": false, "receives_basic_care_uplift": false },
            "addresses": [{ "division": COMMUNITY, "text": "示范里1号楼1门101" }],
        });
        let made = desk.post(201, "community-worker", "/residents", body).await.unwrap();
        let resident = made["resident_id"].as_str().unwrap().to_owned();
        let consent = json!({ "version": "2026-01", "purposes": ["service", "health"], "given_on": "2026-12-01", "channel": "paper" });
        let family = json!({ "login": "family", "relation": "child", "consent": consent });
        desk.post(201, "community-worker", &format!("/residents/{resident}/family_members"), family).await.unwrap();
        Self { served, desk, resident }
    }

    fn path(&self, rest: &str) -> String {
        format!("/residents/{}/{rest}", self.resident)
    }

    /// Moves the city's clock to the morning of a day.
    fn move_to(&self, day: &str) {
        let morning = parse_instant(&format!("{day}T09:00:00+08:00")).unwrap();
        let ahead = (morning - self.served.clock().unmoved_now()).num_seconds();
        self.served.clock().move_to_offset(ahead);
    }

    /// Lets the background work catch up; a minute passes, so that what follows comes later.
    async fn catch_up(&self) {
        self.served.drain().await.unwrap();
        let clock = self.served.clock();
        clock.move_to_offset(clock.offset_seconds() + 60);
    }

    /// Two assessors find all items whole but for so many points less in each of the first items.
    async fn assess(&mut self, day: &str, less: u8) {
        let mut items = serde_json::Map::new();
        for item in &domain::assessment::ITEMS {
            let basic = item.code.starts_with("B.1.") || item.code.starts_with("B.2.") || item.code == "B.4.3";
            items.insert(item.code.to_owned(), json!(item.max - if basic { less.min(item.max) } else { 0 }));
        }
        let facts = json!({ "coma": false, "dementia": false, "mental_disorder": false, "risk_events_30d": 0 });
        let body = json!({ "assessed_on": day, "items": items, "facts": facts });
        let path = self.path("assessments");
        let made = self.desk.post(201, "assessor", &path, body).await.unwrap();
        let path = format!("/assessments/{}/confirmation", made["assessment_id"].as_str().unwrap());
        self.desk.post(200, "assessor-2", &path, json!({ "items": items, "facts": facts })).await.unwrap();
    }

    async fn file(&mut self, programme: &str) -> String {
        let path = self.path("applications");
        let filed = self.desk.post(201, "family", &path, json!({ "programme": programme })).await.unwrap();
        format!("/applications/{}", filed["application_id"].as_str().unwrap())
    }

    /// Brings an application up to the public notice.
    async fn approve(&mut self, programme: &str) -> String {
        let application = self.file(programme).await;
        self.desk.expect(200, "community-worker", "POST", &format!("{application}/acceptance"), None).await.unwrap();
        self.desk.expect(200, "street-clerk", "POST", &format!("{application}/review"), None).await.unwrap();
        let decided = self.desk.post(200, "approver", &format!("{application}/approval"), json!({ "approve": true })).await.unwrap();
        assert_eq!(decided["state"], "on_notice", "{decided}");
        application
    }

    /// As approved on 1 December, with the notice over and nothing objected.
    async fn entitle(&mut self, programmes: &[&str]) {
        for programme in programmes {
            self.approve(programme).await;
        }
        self.move_to("2026-12-10");
        self.catch_up().await;
    }

    async fn record(&mut self, statement: Value, from: &str) -> Value {
        let evidence = json!({ "kind": "register", "number": "MZ-2026-1" });
        let body = json!({ "statement": statement, "from": from, "evidence": evidence });
        let path = self.path("facts");
        let made = self.desk.post(201, "community-worker", &path, body).await.unwrap();
        self.catch_up().await;
        made
    }

    async fn end_category(&mut self, on: &str) {
        let facts = self.desk.get(200, "community-worker", &self.path("facts")).await.unwrap();
        let category = facts.as_array().unwrap().iter().find(|one| one["statement"]["fact"] == "category").unwrap();
        let path = format!("/resident_facts/{}/end", category["fact_id"].as_str().unwrap());
        let version = format!("\"{}\"", category["version"]);
        let ended = self.desk.ask_if_match("community-worker", "POST", &path, Some(json!({ "on": on })), Some(&version)).await.unwrap();
        assert_eq!(ended.status, 200, "{}", ended.body);
        self.catch_up().await;
    }

    async fn report(&mut self, login: &str, status: &str, since: &str) {
        let path = self.path("statuses");
        self.desk.post(201, login, &path, json!({ "status": status, "since": since })).await.unwrap();
        self.catch_up().await;
    }

    /// The entitlements of a programme: standing, first day, first day no longer covered.
    async fn entitlements(&mut self, programme: &str) -> Vec<(String, String, Option<String>)> {
        let path = self.path("entitlements");
        let held = self.desk.get(200, "family", &path).await.unwrap();
        let text = |one: &Value, name: &str| one[name].as_str().map(str::to_owned);
        let of_programme = held.as_array().unwrap().iter().filter(|one| one["programme"] == programme);
        let mut rows: Vec<_> = of_programme
            .map(|one| (text(one, "standing").unwrap(), text(one, "effective_from").unwrap(), text(one, "effective_until")))
            .collect();
        rows.sort_by(|one, other| one.1.cmp(&other.1));
        rows
    }

    /// What reviews have changed, the latest first: change, from which day on, why.
    async fn reviews(&mut self) -> Vec<(String, String, Vec<String>)> {
        let path = self.path("entitlement_reviews");
        let reviews = self.desk.get(200, "family", &path).await.unwrap();
        let read = |one: &Value| {
            assert!(one["decision"]["rules"].as_array().unwrap().len() > 2, "every rule is explained: {one}");
            let reasons = one["decision"]["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap().to_owned());
            (one["change"].as_str().unwrap().to_owned(), one["effective_on"].as_str().unwrap().to_owned(), reasons.collect())
        };
        reviews.as_array().unwrap().iter().map(read).collect()
    }

    async fn granted(&mut self, programme: &str) -> i64 {
        let path = self.path("entitlements");
        let held = self.desk.get(200, "family", &path).await.unwrap();
        let last = held.as_array().unwrap().iter().rfind(|one| one["programme"] == programme).unwrap();
        let open = last["windows"].as_array().unwrap().iter().find(|window| window["state"] == "open").unwrap();
        open["granted"].as_i64().unwrap()
    }

    /// What a programme would pay for an hour of cleaning.
    async fn share(&mut self, programme: &str, starts_at: &str) -> i64 {
        let path = format!("/residents/{}", self.resident);
        let record = self.desk.get(200, "family", &path).await.unwrap();
        let body = json!({
            "resident_id": self.resident, "provider_id": self.served.demo.provider_id, "address_id": record["addresses"][0]["address_id"],
            "item": "cleaning", "class": "home", "starts_at": starts_at, "quantity": "2", "programmes": [programme],
        });
        let quote = self.desk.post(201, "family", "/quotes", body).await.unwrap();
        quote["gross_fen"].as_i64().unwrap() - quote["family_fen"].as_i64().unwrap()
    }

    async fn verify(&self) {
        let report = self.served.store.verify(self.served.now()).await.unwrap();
        assert!(report.is_clean(), "{report:#?}");
    }
}

fn row(standing: &str, from: &str, until: Option<&str>) -> (String, String, Option<String>) {
    (standing.to_owned(), from.to_owned(), until.map(str::to_owned))
}

on_each_database!(an_entitlement_rests_in_an_institution_begins_again_at_home_and_ends_with_death, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut case = Case::begin(&served).await;
    case.entitle(&[MEALS]).await;
    let from = case.entitlements(MEALS).await[0].1.clone();
    assert_eq!(case.entitlements(MEALS).await, [row("running", &from, None)]);
    case.move_to("2026-12-12");
    case.report("family", "institution", "2026-12-10").await;
    assert_eq!(
        case.entitlements(MEALS).await,
        [row("suspended", &from, Some("2026-12-10"))],
        "from the day of the move, not of the report"
    );
    assert_eq!(case.reviews().await, [("suspended".to_owned(), "2026-12-10".to_owned(), vec!["status:excluded:institution".to_owned()])]);
    case.move_to("2026-12-15");
    case.report("community-worker", "alive", "2026-12-14").await;
    assert_eq!(case.entitlements(MEALS).await, [row("suspended", &from, Some("2026-12-10")), row("running", "2026-12-15", None)]);
    assert_eq!(case.reviews().await[0].0, "resumed");
    case.report("community-worker", "dead", "2026-12-15").await;
    let ended = case.entitlements(MEALS).await;
    assert_eq!(ended[1], row("stopped", "2026-12-15", Some("2026-12-15")));
    assert_eq!(case.reviews().await.len(), 3);
    // Corrected: who lives again applies again.
    let correction = case.path("statuses/correction");
    case.desk.post(200, "street-clerk", &correction, json!({ "reason": "误报" })).await.unwrap();
    case.catch_up().await;
    assert_eq!(case.entitlements(MEALS).await[1].0, "stopped");
    case.file(MEALS).await;
    case.verify().await;
});

on_each_database!(a_new_level_changes_the_amount_and_a_category_that_ends_stops_it, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut case = Case::begin(&served).await;
    case.assess("2026-12-01", 2).await;
    case.entitle(&[HOME_CARE]).await;
    assert_eq!(case.granted(HOME_CARE).await, 40_000);
    case.assess("2026-12-10", 4).await;
    case.catch_up().await;
    assert_eq!(case.reviews().await, [("changed".to_owned(), "2026-12-10".to_owned(), Vec::new())], "more is given at once");
    assert_eq!(case.granted(HOME_CARE).await, 60_000);
    case.assess("2026-12-10", 2).await;
    case.catch_up().await;
    assert_eq!(case.reviews().await[0], ("changed".to_owned(), "2027-01-01".to_owned(), Vec::new()), "less from the next window on");
    assert_eq!(case.granted(HOME_CARE).await, 60_000, "what a window was granted stays");
    let running = case.entitlements(HOME_CARE).await;
    assert_eq!((running.len(), running[0].0.as_str()), (1, "running"));
    // The same facts again change nothing.
    case.record(json!({ "fact": "living", "living": "alone" }), "2026-12-10").await;
    assert_eq!(case.reviews().await.len(), 2);

    case.end_category("2026-12-10").await;
    let stopped = case.entitlements(HOME_CARE).await;
    assert_eq!(stopped, [row("stopped", &running[0].1, Some("2026-12-10"))]);
    let (change, from, reasons) = case.reviews().await.remove(0);
    assert_eq!((change.as_str(), from.as_str()), ("stopped", "2026-12-10"));
    assert!(reasons.iter().any(|reason| reason.starts_with("categories:not_in:dibao")), "{reasons:?}");
    assert_eq!(case.share(HOME_CARE, "2026-12-12T09:00:00+08:00").await, 0);
    case.file(HOME_CARE).await;
    case.verify().await;
});

on_each_database!(a_voucher_that_is_lost_runs_out_with_the_month, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut case = Case::begin(&served).await;
    case.assess("2026-12-01", 2).await;
    case.entitle(&[VOUCHER]).await;
    let share = case.share(VOUCHER, "2026-12-12T09:00:00+08:00").await;
    assert_eq!(share, 4_000, "half of 80.00");
    case.record(json!({ "fact": "category", "category": "tekun" }), "2026-12-10").await;
    for entitlement in case.entitlements(VOUCHER).await {
        assert_eq!((entitlement.0.as_str(), entitlement.2.as_deref()), ("stopped", Some("2027-01-01")));
    }
    assert_eq!(case.share(VOUCHER, "2026-12-12T09:00:00+08:00").await, share, "the file lets it run out");
    let reviews = case.reviews().await;
    assert_eq!((reviews.len(), reviews[0].2.clone()), (2, vec!["categories:excluded:tekun".to_owned()]), "one for each benefit");
    // The entry was wrong: the end that has not come is taken back.
    let facts = case.desk.get(200, "community-worker", &case.path("facts")).await.unwrap();
    let tekun = facts.as_array().unwrap().iter().find(|one| one["statement"]["category"] == "tekun").unwrap();
    let end = format!("/resident_facts/{}/end", tekun["fact_id"].as_str().unwrap());
    case.desk.ask_if_match("community-worker", "POST", &end, Some(json!({ "on": "2026-12-10" })), Some("\"1\"")).await.unwrap();
    case.catch_up().await;
    assert!(case.entitlements(VOUCHER).await.iter().all(|one| (one.0.as_str(), &one.2) == ("running", &None)));
    // Death ends at once what the file would let run out.
    case.report("family", "dead", "2026-12-10").await;
    for entitlement in case.entitlements(VOUCHER).await {
        assert_eq!((entitlement.0.as_str(), entitlement.2.as_deref()), ("stopped", Some("2026-12-10")));
    }
    case.verify().await;
});

on_each_database!(a_day_on_which_something_ends_by_itself_is_not_missed, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut case = Case::begin(&served).await;
    case.assess("2026-12-01", 2).await;
    case.entitle(&[HOME_CARE, VOUCHER]).await;
    case.catch_up().await;
    assert_eq!(case.reviews().await, []);
    // The recognition and the rules of the voucher both end with the year.
    case.move_to("2027-01-05");
    case.catch_up().await;
    let home_care = case.entitlements(HOME_CARE).await;
    assert_eq!((home_care[0].0.as_str(), home_care[0].2.as_deref()), ("stopped", Some("2027-01-01")));
    assert!(case.entitlements(VOUCHER).await.iter().all(|one| one.0 == "stopped"));
    let count = case.reviews().await.len();
    case.move_to("2027-01-06");
    case.catch_up().await;
    assert_eq!(case.reviews().await.len(), count, "looking again changes nothing");
    case.verify().await;
});

on_each_database!(an_assessment_that_is_too_old_suspends_until_there_is_a_new_one, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut case = Case::begin(&served).await;
    case.assess("2026-12-01", 2).await;
    case.record(json!({ "fact": "category", "category": "veteran_care" }), "2026-12-01").await;
    case.entitle(&[HOME_CARE]).await;
    case.move_to("2027-12-02");
    case.catch_up().await;
    let suspended = case.entitlements(HOME_CARE).await;
    assert_eq!((suspended[0].0.as_str(), suspended[0].2.as_deref()), ("suspended", Some("2027-12-01")));
    let (change, _, reasons) = case.reviews().await.remove(0);
    assert_eq!((change.as_str(), reasons), ("suspended", vec!["unknown:level".to_owned()]));
    case.assess("2027-12-02", 4).await;
    case.catch_up().await;
    assert_eq!(case.entitlements(HOME_CARE).await[1], row("running", "2027-12-02", None));
    assert_eq!(case.granted(HOME_CARE).await, 60_000);
    case.verify().await;
});

on_each_database!(every_step_of_an_application_has_an_owner_a_deadline_and_a_reason, async |db: TestDb| {
    let served = Served::start(&db).await.unwrap();
    let mut case = Case::begin(&served).await;
    case.assess("2026-12-01", 2).await;
    // What the family states is compared with the papers before the community accepts.
    let claim = json!({ "statement": { "fact": "living", "living": "empty_nest" }, "from": "2026-12-01" });
    let path = case.path("facts");
    let claimed = case.desk.post(201, "family", &path, claim).await.unwrap();
    let application = case.file(VOUCHER).await;
    let refused = case.desk.post(409, "community-worker", &format!("{application}/acceptance"), json!(null)).await.unwrap();
    assert_eq!(refused["code"], "application.facts_unverified");
    let verification = format!("/resident_facts/{}/verification", claimed["fact_id"].as_str().unwrap());
    case.desk.post(200, "community-worker", &verification, json!({ "verified": true })).await.unwrap();

    let waits = |answer: &Value| (answer["owner_role"].as_str().map(str::to_owned), answer["deadline_on"].as_str().map(str::to_owned));
    let is = |role: &str, day: &str| (Some(role.to_owned()), Some(day.to_owned()));
    let read = case.desk.get(200, "family", &application).await.unwrap();
    assert_eq!(waits(&read), is("community_worker", "2026-12-04"), "three working days after Tuesday");
    // Late for the community, and for nobody else.
    case.move_to("2026-12-07");
    let overdue = case.desk.get(200, "community-worker", "/overdue_applications").await.unwrap();
    assert_eq!((overdue[0]["deadline_on"].as_str(), overdue.as_array().unwrap().len()), (Some("2026-12-04"), 1));
    assert_eq!(case.desk.get(200, "street-clerk", "/overdue_applications").await.unwrap(), json!([]));
    case.desk.get(403, "family", "/overdue_applications").await.unwrap();
    let accepted = case.desk.expect(200, "community-worker", "POST", &format!("{application}/acceptance"), None).await.unwrap();
    assert_eq!(waits(&accepted), is("street_clerk", "2026-12-14"));
    let reviewed = case.desk.expect(200, "street-clerk", "POST", &format!("{application}/review"), None).await.unwrap();
    assert_eq!(waits(&reviewed), is("approver", "2026-12-14"));
    let on_notice = case.desk.post(200, "approver", &format!("{application}/approval"), json!({ "approve": true })).await.unwrap();
    assert_eq!(waits(&on_notice), is("county_clerk", on_notice["notice_ends_on"].as_str().unwrap()));

    let objection = format!("{application}/objection");
    let empty = case.desk.ask("community-worker", "POST", &objection, Some(json!({ "reason": "" }))).await.unwrap();
    assert_eq!(faults(&empty), [("reason".to_owned(), "reason.form".to_owned())]);
    let suspended = case.desk.post(200, "community-worker", &objection, json!({ "reason": "邻居反映其已入住机构" })).await.unwrap();
    assert_eq!((suspended["state"].as_str(), waits(&suspended)), (Some("suspended"), is("county_clerk", "2026-12-21")));
    let reopened =
        case.desk.post(200, "county-clerk", &format!("{application}/reopening"), json!({ "reason": "入户核实仍居家" })).await.unwrap();
    assert_eq!((reopened["state"].as_str(), waits(&reopened)), (Some("reviewed"), is("approver", "2026-12-14")));

    let approval = format!("{application}/approval");
    let silent = case.desk.ask("approver", "POST", &approval, Some(json!({ "approve": false }))).await.unwrap();
    assert_eq!(faults(&silent), [("reason".to_owned(), "reason.missing".to_owned())]);
    let refused = case.desk.post(200, "approver", &approval, json!({ "approve": false, "reason": "材料不符" })).await.unwrap();
    assert_eq!((refused["state"].as_str(), waits(&refused)), (Some("refused"), (None, None)));
    let notes = |answer: &Value| -> Vec<String> {
        answer["notes"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(notes(&case.desk.get(200, "family", &application).await.unwrap()), ["材料不符"], "who objected is not the family's to know");
    assert_eq!(notes(&case.desk.get(200, "approver", &application).await.unwrap()).len(), 3);

    // When the programme is over, a decided application is still told to be decided.
    case.move_to("2027-01-04");
    let again = case.desk.post(409, "approver", &approval, json!({ "approve": true })).await.unwrap();
    assert_eq!(again["code"], "state.not_allowed");
    case.verify().await;
});
