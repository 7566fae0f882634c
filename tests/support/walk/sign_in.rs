//! Signing in without a password: a family by a code that was sent, a carer by a code of the provider.

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::{LOOKS_MAX, Walk, text};
use crate::{
    http::{Answered, Asked, Http},
    phone::Phone,
};

/// To which the demo's family is sent codes.
const CONTACT: &str = "family@example.com";

impl Walk<'_> {
    /// A family signs in by a code that came by mail. `sandbox` is the address of the sandbox's page, which receives the
    /// mails of the demo.
    ///
    /// # Errors
    /// The first answer that is not the expected one.
    pub async fn sign_in_by_mail(&mut self, sandbox: &str) -> anyhow::Result<()> {
        self.title("A family signs in with a code that comes by mail, instead of a password");
        let sandbox = Http::new(sandbox);
        let before = messages(&sandbox).await?.len();
        let asked = self.public("/sign_in_codes", json!({ "contact": CONTACT }), 202).await?;
        let code = self.code_that_came(&sandbox, before).await?;
        let path = format!("/sign_in_codes/{}/session", text(&asked, "sign_in_code_id")?);
        let session = self.public(&path, json!({ "code": code, "device": "手机" }), 201).await?;
        let me = self.with_token("/me", text(&session, "token")?, None).await?;
        ensure!(me.body["roles"][0]["role"] == "family_member", "the family is signed in: {}", me.body);
        Ok(())
    }

    /// A carer signs in on the bound phone by a code of the provider; without the phone the session is worth nothing.
    pub(super) async fn sign_in_on_phone(&mut self, manager: &str, carer: (&str, &str), phone: &Phone) -> anyhow::Result<()> {
        self.title("The provider gives the carer a code; the session is bound to the phone");
        let (login, carer_id) = carer;
        let issued = self.post(manager, &format!("/carers/{carer_id}/sign_in_code"), Value::Null, 201).await?;
        let session = self.public("/sessions/carer", phone.sign_in(login, text(&issued, "code")?), 201).await?;
        let token = text(&session, "token")?;
        ensure!(self.with_token("/me", token, None).await?.status == 401, "nothing without the phone");
        let proof = phone.proof("GET", "/api/v1/me", token, self.clock.unmoved_now());
        let me = self.with_token("/me", token, Some(&proof)).await?;
        ensure!(me.body["roles"][0]["role"] == "carer", "the carer is signed in: {}", me.body);
        Ok(())
    }

    async fn code_that_came(&mut self, sandbox: &Http, before: usize) -> anyhow::Result<String> {
        for _look in 0..LOOKS_MAX {
            (self.catch_up)().await?;
            let received = messages(sandbox).await?;
            let fresh = received.iter().take(received.len().saturating_sub(before)).find(|message| message["to"] == CONTACT);
            let Some(message) = fresh else { continue };
            self.say(&format!("   the sandbox received: {message}"));
            let mail = text(message, "text")?;
            let code = mail.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6);
            return code.map(ToOwned::to_owned).context("a mail without a code");
        }
        bail!("no mail came to the sandbox; start the demo with make demo, which lets it send there")
    }

    /// A request of somebody who is not signed in yet.
    async fn public(&mut self, path: &str, body: Value, expected: u16) -> anyhow::Result<Value> {
        let path = format!("/api/v1{path}");
        let answered = self.http.send(Asked { method: "POST", path: &path, token: None, key: None, body: Some(&body) }).await?;
        self.say(&format!("-> nobody POST {path}"));
        self.say(&format!("<- {}", answered.status));
        if answered.status != expected {
            bail!("POST {path}: {expected} was expected, the answer is {} {}", answered.status, answered.body);
        }
        Ok(answered.body)
    }

    async fn with_token(&mut self, path: &str, token: &str, proof: Option<&str>) -> anyhow::Result<Answered> {
        let path = format!("/api/v1{path}");
        let headers: Vec<_> = proof.into_iter().map(|proof| ("yijia-device", proof)).collect();
        let asked = Asked { method: "GET", path: &path, token: Some(token), key: None, body: None };
        let (status, _, bytes) = self.http.send_with(asked, &headers).await?;
        let body = serde_json::from_slice(&bytes).context("the answer is not JSON")?;
        self.say(&format!("-> GET {path}{}", if proof.is_some() { " (signed by the phone)" } else { "" }));
        self.say(&format!("<- {status} {body}"));
        Ok(Answered { status, body, etag: None })
    }
}

/// What the sandbox received, the newest first.
async fn messages(sandbox: &Http) -> anyhow::Result<Vec<Value>> {
    let answered = sandbox.send(Asked { method: "GET", path: "/messages", token: None, key: None, body: None }).await?;
    answered.body.as_array().cloned().context("the sandbox lists no messages")
}
