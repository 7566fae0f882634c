//! The visit of the walk: the carer's phone, the check before the bath, the clock, the tasks.

use anyhow::ensure;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Walk, text};
use crate::phone::Phone;

/// A carer at the home.
pub(super) struct AtHome<'a> {
    /// The carer's login.
    pub(super) carer: &'a str,
    /// The visit.
    pub(super) visit_id: &'a str,
    pub(super) phone: &'a mut Phone,
}

impl Walk<'_> {
    /// Binds the carer's own phone.
    pub(super) async fn bind_phone(&mut self, carer: &str) -> anyhow::Result<Phone> {
        self.title("The carer binds a phone, whose key never leaves it");
        let mut phone = Phone::new(u8::try_from(self.serial % 250)?)?;
        let told = self.get(carer, "/device_anchor").await?;
        let binding = phone.binding(text(&told, "anchor")?);
        phone.bound(&self.post(carer, "/devices", binding, 201).await?)?;
        Ok(phone)
    }

    /// Without a passed check the bath may not begin; with one it may.
    pub(super) async fn check_safety(&mut self, home: &mut AtHome<'_>, now: DateTime<Utc>) -> anyhow::Result<()> {
        let path = format!("/visits/{}", home.visit_id);
        let id = format!("too-early-{}-{}", self.serial, now.timestamp());
        self.post(home.carer, &format!("{path}/clock_in"), json!({ "client_event_id": id, "occurred_at": now }), 409).await?;
        let body = json!({
            "client_event_id": format!("check-{}-{}", self.serial, now.timestamp()), "occurred_at": now,
            "measures": {
                "body_temperature": 366, "systolic": 132, "diastolic": 78, "heart_rate": 71, "oxygen_saturation": 97,
                "minutes_after_meal": 95, "water_temperature": 400, "room_temperature": 255,
            },
            "answers": { "open_wound": false, "acutely_unwell": false, "agrees_to_bath": true, "bathroom_safe": true },
        });
        let checked = self.post(home.carer, &format!("{path}/safety_checks"), body, 200).await?;
        ensure!(checked["outcome"] == "passed", "all is within its limits: {checked}");
        Ok(())
    }

    /// Clocks in or out with position, code and the signature of the phone.
    pub(super) async fn clock(&mut self, home: &mut AtHome<'_>, end: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
        let path = format!("/visits/{}", home.visit_id);
        let code = self.get("family", &format!("{path}/code")).await?;
        let body = json!({
            "client_event_id": format!("{end}-{}-{}", self.serial, now.timestamp()), "occurred_at": now, "code": code["code"],
            "location": { "position": { "system": "gcj02", "latitude": "39.117300", "longitude": "117.196100" }, "accuracy_m": 20 },
        });
        let body = home.phone.sign(home.visit_id, end, body, None)?;
        let clocked = self.post(home.carer, &format!("{path}/{end}"), body.clone(), 200).await?;
        ensure!(clocked["code_right"] == true && clocked["signature"] == "sound", "code and signature are right: {clocked}");
        let again = self.post(home.carer, &format!("{path}/{end}"), body, 200).await?;
        ensure!(again["outcome"] == "duplicate", "a repeat has no further effect: {again}");
        Ok(())
    }

    /// Reports the tasks of a bath.
    pub(super) async fn report(&mut self, home: &mut AtHome<'_>, now: DateTime<Utc>) -> anyhow::Result<()> {
        let body = json!({
            "client_event_id": format!("report-{}-{}", self.serial, now.timestamp()), "occurred_at": now,
            "tasks": [
                { "task": "bath", "value": 20 }, { "task": "skin_looked_at" }, { "task": "dried_and_dressed" },
                { "task": "systolic_after", "value": 128 }, { "task": "bathroom_cleaned", "not_done": "no_time" },
            ],
        });
        self.post(home.carer, &format!("/visits/{}/reports", home.visit_id), body, 200).await?;
        Ok(())
    }

    /// The family sees the six elements and the tasks, and no evidence; the provider sees both.
    pub(super) async fn look_at_visit(&mut self, home: &AtHome<'_>, manager: &str) -> anyhow::Result<Value> {
        let path = format!("/visits/{}", home.visit_id);
        let seen = self.get("family", &path).await?;
        for element in ["carer_ids", "resident_id", "item", "address_id", "began_at", "ended_at"] {
            ensure!(!seen["evv"][element].is_null(), "{element} is one of the six: {seen}");
        }
        ensure!(seen["grade"] == "a" && seen["events"] == json!([]), "the family sees the result alone: {seen}");
        let evidence = self.get(manager, &path).await?;
        ensure!(evidence["events"][1]["signature"]["chained"] == true, "the second event follows the first: {evidence}");
        Ok(evidence)
    }
}
