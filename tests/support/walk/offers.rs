//! Finding a provider: who could serve and why, a refusal that goes to the next, and a cancellation.

use anyhow::ensure;
use serde_json::json;

use super::{
    Walk,
    steps::{Resident, Served},
    text,
};

impl Walk<'_> {
    /// The family looks who could serve and books with the provider of the walk, which declines; the next one is
    /// asked, at no higher price; the family changes its plans before anybody has accepted.
    pub(super) async fn decline_and_cancel(&mut self, resident: &Resident, served: &Served) -> anyhow::Result<()> {
        self.title("The family sees who could serve, and why in this order");
        let starts_at = format!("{}T10:00:00+08:00", self.today().await?.plus_days(1)?);
        let mut wanted = json!({
            "resident_id": resident.resident_id, "address_id": resident.address_id, "item": "bathing", "class": "home",
            "starts_at": starts_at, "quantity": "1", "programmes": [],
        });
        let found = self.post("family", "/candidates", wanted.clone(), 200).await?;
        let candidates = found["candidates"].as_array().map(Vec::as_slice).unwrap_or_default();
        ensure!(candidates.len() > 1, "more than one provider could serve: {found}");
        ensure!(candidates.iter().any(|one| one["provider_id"] == served.provider_id.as_str()), "the new provider is one of them: {found}");
        ensure!(candidates.iter().all(|one| one["reasons"][0].is_string()), "each has reasons: {found}");
        self.title("It books; the named provider declines, the next one is asked and costs the family no more");
        wanted["provider_id"] = json!(served.provider_id);
        let quote = self.post("family", "/quotes", wanted, 201).await?;
        let placed = self.post("family", "/orders", json!({ "quote_id": quote["quote_id"], "offer_mode": "named_first" }), 201).await?;
        let order = format!("/orders/{}", text(&placed, "order_id")?);
        self.get_until(&served.manager, &order, |answer| answer["state"] == "offered").await?;
        let declined = self.post(&served.manager, &format!("{order}/refusal"), json!({ "reason": "no_carer" }), 200).await?;
        ensure!(declined["state"] == "offered", "somebody else is asked: {declined}");
        let offers = self.get("family", &format!("{order}/offers")).await?;
        ensure!(offers[0]["state"] == "declined" && offers[1]["state"] == "open", "one after another: {offers}");
        ensure!(offers[1]["family_fen"].as_i64() <= quote["family_fen"].as_i64(), "never more than was shown: {offers}");
        self.title("The family asks what cancelling costs, and cancels");
        let terms = self.get("family", &format!("{order}/cancellation?reason=plans_changed")).await?;
        ensure!(terms["fee_fen"] == 0 && terms["because"] == "nobody_committed", "nobody has accepted yet: {terms}");
        let body = json!({ "reason": "plans_changed", "fee_fen": terms["fee_fen"] });
        let cancelled = self.post("family", &format!("{order}/cancellation"), body, 200).await?;
        ensure!(cancelled["state"] == "cancelled", "it is over: {cancelled}");
        Ok(())
    }
}
