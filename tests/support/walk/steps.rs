//! The steps of the walk, in their order.

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use domain::time::{BusinessDate, Month};
use serde_json::{Value, json};

use super::{Walk, numbers, service::AtHome, text};
use crate::phone::Phone;

const DIVISIONS: &str = include_str!("../../../domain/data/divisions.csv");
/// The community in which the resident of the walk lives.
const COMMUNITY: &str = "120101001001";
/// The civil-affairs bureau that settles for it.
const BUREAU: &str = "120101";

/// How many months a city may have left open.
const MONTHS_OPEN_MAX: usize = 12;

/// The provider of the walk.
#[derive(Debug, Clone)]
pub(super) struct Served {
    pub(super) provider_id: String,
    pub(super) manager: String,
    carer: String,
    carer_id: String,
    /// First day on which its bank account is in force.
    paid_from: BusinessDate,
}

/// Last day on which a walk can begin: the public notice and the visits must lie before the voucher's end.
const LAST_DAY: &str = "2026-12-22";

/// The resident of the walk.
#[derive(Debug, Clone)]
pub(super) struct Resident {
    pub(super) resident_id: String,
    pub(super) address_id: String,
}

/// A confirmed order of the walk.
#[derive(Debug, Clone)]
pub struct Booked {
    /// The quote.
    pub quote: Value,
    /// The order after confirmation.
    pub order: Value,
}

/// What the walk came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The orders, one per programme.
    pub orders: Vec<Booked>,
    /// The released settlement periods, one per programme.
    pub periods: Vec<Value>,
    /// Balances of the ledger at the end.
    pub balances: Vec<Value>,
}

impl Walk<'_> {
    /// Walks the whole way: one bathing visit under each of the programmes.
    ///
    /// # Errors
    /// The first answer that is not the expected one.
    pub async fn run(&mut self, programmes: &[&str]) -> anyhow::Result<Outcome> {
        let (today, last) = (self.today().await?, LAST_DAY.parse()?);
        anyhow::ensure!(
            today <= last,
            "the city's day is {today}, but the voucher of the walk ends with 2026 and its public notice takes days; \
             make a new city whose day is {last} or earlier: yijia demo --reset"
        );
        self.import_divisions().await?;
        let resident = self.register_resident().await?;
        self.assess(&resident).await?;
        let mut notice_ends_on = Vec::new();
        for programme in programmes {
            notice_ends_on.push(self.apply(&resident, programme).await?);
        }
        let last = notice_ends_on.into_iter().max().context("a walk needs a programme")?;
        self.pass_notice(&resident, last, programmes).await?;
        let served = self.admit_provider().await?;
        self.decline_and_cancel(&resident, &served).await?;
        let mut phone = self.bind_phone(&served.carer).await?;
        self.sign_in_on_phone(&served.manager, (&served.carer, &served.carer_id), &phone).await?;
        let mut orders = Vec::new();
        for programme in programmes {
            orders.push(self.serve(&resident, &served, &mut phone, programme).await?);
        }
        let periods = self.close_month(programmes, served.paid_from).await?;
        let balances = self.balances().await?;
        Ok(Outcome { orders, periods, balances })
    }

    /// Drafts and publishes a policy with its budget, each by its own person.
    ///
    /// # Errors
    /// The first answer that is not the expected one.
    pub async fn publish_policy(&mut self, file_name: &str, policy: &str, budgets: &[(&str, &str)], year: i32) -> anyhow::Result<()> {
        self.title("A policy version is drafted by a clerk and published by another person");
        let drafted = self.post("county-clerk", "/policy_versions", json!({ "file_name": file_name, "text": policy }), 201).await?;
        let path = format!("/policy_versions/{}/publication", text(&drafted, "policy_version_id")?);
        self.ask("approver", "POST", &path, Some(json!({ "digest": drafted["digest"] })), 204).await?;
        for (programme, fund) in budgets {
            let budget = json!({ "programme": programme, "fund": fund, "year": year, "amount_fen": 100_000_000 });
            self.ask("county-clerk", "PUT", "/budgets", Some(budget), 200).await?;
        }
        Ok(())
    }

    async fn import_divisions(&mut self) -> anyhow::Result<()> {
        self.title("The operator imports the divisions of the city");
        let done = self.ask("operator", "PUT", "/divisions", Some(json!({ "csv": DIVISIONS })), 200).await?;
        ensure!(done["imported"].as_u64() > Some(5_000), "Tianjin has some 5,900 divisions: {done}");
        Ok(())
    }

    async fn register_resident(&mut self) -> anyhow::Result<Resident> {
        self.title("A community worker registers a resident and binds the family");
        let body = json!({
            "document": "resident_id", "number": numbers::identity_number(self.serial)?, "name": "李秀英", "phone": "13800001234",
            "hukou": COMMUNITY, "residence": COMMUNITY, "living": "empty_nest",
            "categories": [{ "category": "dibao", "from": "2025-01-01", "evidence": { "kind": "certificate", "number": "津低保0012345" } }],
            "facts": { "hukou_kind": "urban", "needs_care": true, "receives_centralised_care": false, "receives_basic_care_uplift": false },
            "addresses": [{ "division": COMMUNITY, "text": "示范里1号楼1门101",
                "position": { "system": "gcj02", "latitude": "39.117220", "longitude": "117.195980" } }],
        });
        let made = self.post("community-worker", "/residents", body, 201).await?;
        let resident_id = text(&made, "resident_id")?.to_owned();
        let address_id = made["address_ids"][0].as_str().context("no address")?.to_owned();
        let consent =
            json!({ "version": "2026-01", "purposes": ["service", "health"], "given_on": self.today().await?, "channel": "paper" });
        for (login, relation) in [("family", "child"), ("resident", "self")] {
            let body = json!({ "login": login, "relation": relation, "consent": consent });
            self.post("community-worker", &format!("/residents/{resident_id}/family_members"), body, 201).await?;
        }
        self.get("family", &format!("/residents/{resident_id}")).await?;
        Ok(Resident { resident_id, address_id })
    }

    async fn assess(&mut self, resident: &Resident) -> anyhow::Result<()> {
        self.title("Two assessors record the 26 items of GB/T 42195-2022");
        let mut items = serde_json::Map::new();
        for item in &domain::assessment::ITEMS {
            // Two points less in self-care, mobility and daily affairs: 64 points, moderately impaired.
            let less = if item.code.starts_with("B.1.") || item.code.starts_with("B.2.") || item.code == "B.4.3" { 2 } else { 0 };
            items.insert(item.code.to_owned(), json!(item.max - less));
        }
        let facts = json!({ "coma": false, "dementia": false, "mental_disorder": false, "risk_events_30d": 1 });
        let body = json!({ "assessed_on": self.today().await?, "items": items, "facts": facts });
        let made = self.post("assessor", &format!("/residents/{}/assessments", resident.resident_id), body, 201).await?;
        let path = format!("/assessments/{}/confirmation", text(&made, "assessment_id")?);
        let confirmation = json!({ "items": items, "facts": facts });
        self.post("assessor", &path, confirmation.clone(), 403).await?;
        let confirmed = self.post("assessor-2", &path, confirmation, 200).await?;
        ensure!(confirmed["total"] == 64 && confirmed["final_level"] == 2, "64 points are level 2: {confirmed}");
        Ok(())
    }

    /// Files, accepts, reviews and approves an application; answers the last day of the notice.
    async fn apply(&mut self, resident: &Resident, programme: &str) -> anyhow::Result<BusinessDate> {
        self.title(&format!("An application for {programme}: filed, accepted, reviewed, approved by another person"));
        let filed = self
            .post("family", &format!("/residents/{}/applications", resident.resident_id), json!({ "programme": programme }), 201)
            .await?;
        let path = format!("/applications/{}", text(&filed, "application_id")?);
        self.act("community-worker", &format!("{path}/acceptance")).await?;
        self.act("street-clerk", &format!("{path}/review")).await?;
        let decided = self.post("approver", &format!("{path}/approval"), json!({ "approve": true }), 200).await?;
        ensure!(decided["state"] == "on_notice", "the rules grant {programme}: {decided}");
        Ok(text(&decided, "notice_ends_on")?.parse()?)
    }

    async fn pass_notice(&mut self, resident: &Resident, last: BusinessDate, programmes: &[&str]) -> anyhow::Result<()> {
        self.title("The public notice passes; the entitlements open");
        self.move_to(last.plus_days(1)?).await?;
        // A service that begins in two hours must still fall into this month's window.
        while self.start().await?.month() != self.now().await?.month() || self.now().await?.hour_in_shanghai() > 19 {
            self.move_by(60).await?;
        }
        let path = format!("/residents/{}/entitlements", resident.resident_id);
        let wanted: Vec<String> = programmes.iter().map(ToString::to_string).collect();
        let open = move |answer: &Value| {
            let held = answer.as_array().map(Vec::as_slice).unwrap_or_default();
            wanted.iter().all(|programme| {
                held.iter().any(|one| one["programme"] == programme.as_str() && one["windows"][0]["available"].as_i64() > Some(0))
            })
        };
        self.get_until("family", &path, open).await?;
        Ok(())
    }

    async fn admit_provider(&mut self) -> anyhow::Result<Served> {
        self.title("A provider applies, is reviewed and admitted; it has a price, a carer and certificates");
        let (manager, carer) = (format!("walk-manager-{}", self.serial), format!("walk-carer-{}", self.serial));
        let roles = json!([{ "role": "provider_manager" }]);
        self.create_account(&manager, "walk manager", roles).await?;
        let today = self.today().await?;
        let licence = json!({ "kind": "home_service", "number": "JM-2026-001", "valid_from": today, "valid_until": "2036-01-01" });
        let body = json!({ "name": "示范居家养老服务中心", "credit_code": numbers::credit_code(self.serial)?, "division": COMMUNITY, "licences": [licence] });
        let applied = self.post(&manager, "/providers", body, 201).await?;
        let provider_id = text(&applied, "provider_id")?.to_owned();
        self.act("licensing-officer", &format!("/providers/{provider_id}/review")).await?;
        self.act("approver", &format!("/providers/{provider_id}/admission")).await?;
        let until = today.plus_months(24)?;
        let agreement = json!({ "number": format!("WALK-{}", self.serial), "signed_on": today, "valid_from": today, "valid_until": until });
        self.post("licensing-officer", &format!("/providers/{provider_id}/agreements"), agreement, 201).await?;
        let account = json!({ "holder": "示范居家养老服务中心", "bank": "示范银行和平支行", "number": "6222 0000 0000 0000 018" });
        let asked = self.post(&manager, &format!("/providers/{provider_id}/bank_accounts"), account, 201).await?;
        let path = format!("/bank_accounts/{}/decision", text(&asked, "bank_account_id")?);
        let approved = self.ask_on("licensing-officer", "POST", &path, Some(json!({ "approve": true })), (Some(1), 200)).await?;
        let paid_from = text(&approved, "effective_from")?.parse()?;
        let hours: Vec<_> = (1..=7).map(|weekday| json!({ "weekday": weekday, "from": "00:00", "until": "24:00" })).collect();
        let profile = json!({ "divisions": [BUREAU], "reach": null, "hours": hours, "closing_days": [] });
        self.edit(&manager, &format!("/providers/{provider_id}/profile"), 0, profile).await?;
        let price = json!({ "item": "bathing", "class": "home", "unit_price_fen": 12_000, "effective_from": today });
        self.post(&manager, &format!("/providers/{provider_id}/prices"), price, 201).await?;
        self.create_account(&carer, "walk carer", json!([{ "role": "carer", "provider_id": provider_id }])).await?;
        let certificate = |kind: &str| json!({ "kind": kind, "number": "HL-2026-7", "valid_from": today, "valid_until": "2036-01-01" });
        let body = json!({ "login": carer, "certificates": [certificate("health_proof"), certificate("care_worker")] });
        let registered = self.post(&manager, &format!("/providers/{provider_id}/carers"), body, 201).await?;
        let carer_id = text(&registered, "carer_id")?.to_owned();
        let profile = json!({
            "sex": "female", "skills": ["bathing"], "dialects": ["tianjin"], "working_times": hours, "employed_from": today,
        });
        self.edit(&manager, &format!("/carers/{carer_id}/profile"), 0, profile).await?;
        Ok(Served { provider_id, manager, carer, carer_id, paid_from })
    }

    async fn create_account(&mut self, login: &str, name: &str, roles: Value) -> anyhow::Result<()> {
        let body = json!({ "name": name, "login": login, "password": self.demo.password, "roles": roles });
        let made = self.post("operator", "/accounts", body, 201).await?;
        let secret = made["totp_secret"].as_str().map(ToOwned::to_owned);
        let (person_id, account_id) = (text(&made, "person_id")?.parse()?, text(&made, "account_id")?.parse()?);
        let role = domain::access::Role::ProviderManager;
        self.demo.logins.push(api::demo::Login { login: login.to_owned(), role, totp_secret: secret, person_id, account_id });
        Ok(())
    }

    /// Quotes, books, serves and confirms one bathing visit under one programme.
    async fn serve(&mut self, resident: &Resident, served: &Served, phone: &mut Phone, programme: &str) -> anyhow::Result<Booked> {
        self.title(&format!("The family asks for a quote under {programme} and books"));
        let start = self.start().await?;
        let body = json!({
            "resident_id": resident.resident_id, "provider_id": served.provider_id, "address_id": resident.address_id, "item": "bathing",
            "class": "home", "starts_at": start.0, "quantity": "1", "programmes": [programme],
        });
        let quote = self.post("family", "/quotes", body, 201).await?;
        let placed = self.post("family", "/orders", json!({ "quote_id": quote["quote_id"] }), 201).await?;
        let order = format!("/orders/{}", text(&placed, "order_id")?);
        self.title("The order is offered, accepted, assigned");
        self.get_until(&served.manager, &order, |answer| answer["state"] == "offered").await?;
        self.act(&served.manager.clone(), &format!("{order}/acceptance")).await?;
        self.post(&served.manager.clone(), &format!("{order}/assignment"), json!({ "carer_ids": [served.carer_id] }), 200).await?;
        let visit_id = text(&placed, "visit_id")?;
        let mut home = AtHome { carer: &served.carer, visit_id, phone };
        self.title("The carer checks that the bath is safe, clocks in and out with evidence and code, reports; the family confirms");
        self.move_by(120).await?;
        let now = self.now().await?.0;
        self.check_safety(&mut home, now).await?;
        self.clock(&mut home, "clock_in", now).await?;
        self.move_by(60).await?;
        let now = self.now().await?.0;
        self.report(&mut home, now).await?;
        self.clock(&mut home, "clock_out", now).await?;
        self.act("family", &format!("{order}/confirmation")).await?;
        self.look_at_visit(&home, &served.manager).await?;
        let order = self.get("family", &order).await?;
        ensure!(order["state"] == "confirmed" && order["claim_lines"][0]["state"] == "posted", "the claim is posted: {order}");
        Ok(Booked { quote, order })
    }

    async fn close_month(&mut self, programmes: &[&str], paid_from: BusinessDate) -> anyhow::Result<Vec<Value>> {
        let month = self.now().await?.month();
        let next = month.next()?.first_day().plus_days(2)?.max(paid_from);
        self.title(&format!("The month {month} is over: computed by a clerk, approved by another person, released by a third"));
        self.move_to(next).await?;
        let mut periods = Vec::new();
        for programme in programmes {
            self.close_before(programme, month).await?;
            let body = json!({ "programme": programme, "bureau": BUREAU, "month": month });
            let computed = self.ask("county-clerk", "PUT", "/settlement_periods", Some(body.clone()), 200).await?;
            let again = self.ask("county-clerk", "PUT", "/settlement_periods", Some(body), 200).await?;
            ensure!(computed["content_hash"] == again["content_hash"], "computing again gives the same bytes");
            periods.push(self.release(&computed).await?);
        }
        Ok(periods)
    }

    /// Has a computed period approved by another person and released by a third; who computed it may not.
    async fn release(&mut self, computed: &Value) -> anyhow::Result<Value> {
        let path = format!("/settlement_periods/{}", text(computed, "settlement_period_id")?);
        self.post("approver", &format!("{path}/approval"), json!({ "content_hash": computed["content_hash"] }), 200).await?;
        self.ask("county-clerk", "POST", &format!("{path}/release"), None, 403).await?;
        self.act("county-clerk-2", &format!("{path}/release")).await
    }

    /// Closes the months that a city with a past has left open: they come first.
    async fn close_before(&mut self, programme: &str, month: Month) -> anyhow::Result<()> {
        let mut open = vec![month];
        while let Some(month) = open.last().copied().filter(|_| open.len() <= MONTHS_OPEN_MAX) {
            let body = json!({ "programme": programme, "bureau": BUREAU, "month": month });
            let answered = self.try_on("county-clerk", "PUT", "/settlement_periods", Some(body), None).await?;
            if answered.body["code"] == "settlement.earlier_open" {
                open.push(month.first_day().minus_days(1)?.month());
                continue;
            }
            ensure!(answered.status == 200, "{month} cannot be computed: {}", answered.body);
            open.pop();
            if !open.is_empty() {
                self.release(&answered.body).await?;
            }
        }
        ensure!(open.is_empty(), "more than {MONTHS_OPEN_MAX} months are open");
        Ok(())
    }

    async fn balances(&mut self) -> anyhow::Result<Vec<Value>> {
        self.title("The auditor reads the ledger");
        let mut balances = Vec::new();
        for prefix in ["expense/", "receivable/", "payable/", "bank/"] {
            let answer = self.get("auditor", &format!("/ledger/balances?prefix={prefix}")).await?;
            balances.extend(answer.as_array().cloned().unwrap_or_default());
        }
        Ok(balances)
    }

    async fn now(&mut self) -> anyhow::Result<Now> {
        let token = self.token("operator").await?;
        let asked = crate::http::Asked { method: "GET", path: "/api/v1/demo/clock", token: Some(&token), key: None, body: None };
        let answer = self.http.send(asked).await?.body;
        Ok(Now(text(&answer, "now")?.parse()?))
    }

    pub(super) async fn today(&mut self) -> anyhow::Result<BusinessDate> {
        Ok(BusinessDate::of(self.now().await?.0))
    }

    /// When the next service begins: two hours from now, on the minute.
    async fn start(&mut self) -> anyhow::Result<Now> {
        let start = self.now().await?.0 + TimeDelta::minutes(120);
        Ok(Now(start.with_second(0).and_then(|start| start.with_nanosecond(0)).unwrap_or(start)))
    }

    async fn move_to(&mut self, day: BusinessDate) -> anyhow::Result<()> {
        self.ask("operator", "PUT", "/demo/clock", Some(json!({ "today": day })), 200).await?;
        Ok(())
    }

    async fn move_by(&mut self, minutes: i64) -> anyhow::Result<()> {
        let moved = self.ask("operator", "PUT", "/demo/clock", Some(json!({ "minutes": minutes })), 200).await?;
        if moved["now"].is_null() {
            bail!("the clock did not move: {moved}");
        }
        Ok(())
    }
}

/// The time of the city.
#[derive(Debug, Clone, Copy)]
struct Now(DateTime<Utc>);

impl Now {
    fn month(self) -> Month {
        Month::of(self.0)
    }

    fn hour_in_shanghai(self) -> u32 {
        self.0.with_timezone(&domain::time::shanghai()).hour()
    }
}
