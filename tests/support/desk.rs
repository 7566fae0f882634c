//! The API as the people of a served city use it: each request by the login of somebody.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::{Value, json};
use store::command::account::authenticator_code;

use crate::{
    http::{Answered, Asked, Http},
    served::Served,
};

/// Asks as whoever is named.
#[derive(Debug)]
pub struct Desk<'a> {
    served: &'a Served,
    http: Http,
    tokens: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
    requests: u32,
}

impl<'a> Desk<'a> {
    /// A desk in a served city.
    #[must_use]
    pub fn new(served: &'a Served) -> Self {
        let secrets = served.demo.logins.iter().filter_map(|login| Some((login.login.clone(), login.totp_secret.clone()?)));
        Self { served, http: Http::new(&served.base), tokens: BTreeMap::new(), secrets: secrets.collect(), requests: 0 }
    }

    /// Sends a request as somebody.
    ///
    /// # Errors
    /// Nobody can sign in under the login, or no answer.
    pub async fn ask(&mut self, login: &str, method: &str, path: &str, body: Option<Value>) -> anyhow::Result<Answered> {
        self.ask_if_match(login, method, path, body, None).await
    }

    /// As [`Desk::ask`], on the version that was read.
    ///
    /// # Errors
    /// As [`Desk::ask`].
    pub async fn ask_if_match(
        &mut self,
        login: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        version: Option<&str>,
    ) -> anyhow::Result<Answered> {
        let token = self.token(login).await?;
        self.requests += 1;
        let key = format!("desk-{}", self.requests);
        let path = format!("/api/v1{path}");
        let key = (method == "POST").then_some(key.as_str());
        let asked = Asked { method, path: &path, token: Some(&token), key, body: body.as_ref() };
        self.http.send_if_match(asked, version).await
    }

    /// Asks and answers the body.
    ///
    /// # Errors
    /// As [`Desk::ask`], and another status than the expected one.
    pub async fn expect(&mut self, status: u16, login: &str, method: &str, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let answered = self.ask(login, method, path, body).await?;
        anyhow::ensure!(answered.status == status, "{method} {path} as {login}: {} {}", answered.status, answered.body);
        Ok(answered.body)
    }

    /// Sends a body and expects a status.
    ///
    /// # Errors
    /// As [`Desk::expect`].
    pub async fn post(&mut self, status: u16, login: &str, path: &str, body: Value) -> anyhow::Result<Value> {
        self.expect(status, login, "POST", path, Some(body)).await
    }

    /// Reads something.
    ///
    /// # Errors
    /// As [`Desk::expect`].
    pub async fn get(&mut self, status: u16, login: &str, path: &str) -> anyhow::Result<Value> {
        self.expect(status, login, "GET", path, None).await
    }

    /// Makes an account with roles, as the operator.
    ///
    /// # Errors
    /// As [`Desk::expect`].
    pub async fn account(&mut self, login: &str, roles: Value) -> anyhow::Result<()> {
        let body = json!({ "name": "办事人员", "login": login, "password": self.served.demo.password, "roles": roles });
        let made = self.post(201, "operator", "/accounts", body).await?;
        if let Some(secret) = made.get("totp_secret").and_then(Value::as_str) {
            self.secrets.insert(login.to_owned(), secret.to_owned());
        }
        Ok(())
    }

    async fn token(&mut self, login: &str) -> anyhow::Result<String> {
        if let Some(token) = self.tokens.get(login) {
            return Ok(token.clone());
        }
        let code = match self.secrets.get(login) {
            Some(secret) => Some(authenticator_code(secret, self.served.clock().unmoved_now())?),
            None => None,
        };
        let body = json!({ "login": login, "password": self.served.demo.password, "code": code });
        let asked = Asked { method: "POST", path: "/api/v1/sessions", token: None, key: None, body: Some(&body) };
        let answered = self.http.send(asked).await?;
        let token = answered.body.get("token").and_then(Value::as_str);
        let token = token.with_context(|| format!("{login} could not sign in: {}", answered.body))?.to_owned();
        self.tokens.insert(login.to_owned(), token.clone());
        Ok(token)
    }
}

/// The fields at fault in an answer, each with its code.
#[must_use]
pub fn faults(answered: &Answered) -> Vec<(String, String)> {
    let faults = answered.body.get("errors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |fault: &Value, name: &str| fault.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    faults.iter().map(|fault| (text(fault, "field"), text(fault, "code"))).collect()
}
