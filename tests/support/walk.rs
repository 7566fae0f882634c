//! One order from assessment to released subsidy, through the JSON API, each step by its own role.
//!
//! The same walk is the integration test on both databases and the tour of the demo: it prints each request
//! with its answer, and stops at the first answer that is not the expected one.

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for what it does not hold")]

pub(crate) mod numbers;
mod offers;
mod service;
mod sign_in;
mod steps;

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin};

use anyhow::{Context as _, bail};
use api::demo::Demo;
use serde_json::{Value, json};
use store::{SystemClock, command::account::authenticator_code};

use crate::http::{Answered, Asked, Http};

pub use steps::{Booked, Outcome};

/// Lets the background work catch up: a test drives the workers, the tour waits for those of the server.
pub type CatchUp<'a> = Box<dyn Fn() -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 'a>> + Send + Sync + 'a>;

/// How often the walk looks whether the background work has caught up.
const LOOKS_MAX: u32 = 1_200;

/// The walk in progress.
pub struct Walk<'a> {
    http: Http,
    demo: Demo,
    clock: &'a SystemClock,
    catch_up: CatchUp<'a>,
    print: Box<dyn FnMut(&str) + Send + 'a>,
    /// Makes identity numbers, logins and keys of this walk differ from those of earlier ones.
    serial: u32,
    tokens: BTreeMap<String, String>,
    requests: u32,
}

impl fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk").field("serial", &self.serial).field("requests", &self.requests).finish_non_exhaustive()
    }
}

impl<'a> Walk<'a> {
    /// A walk through the demo city behind an address. `clock` is the clock that authenticator apps follow.
    pub fn new(
        base: &str,
        demo: Demo,
        clock: &'a SystemClock,
        serial: u32,
        catch_up: CatchUp<'a>,
        print: Box<dyn FnMut(&str) + Send + 'a>,
    ) -> Self {
        Self { http: Http::new(base), demo, clock, catch_up, print, serial, tokens: BTreeMap::new(), requests: 0 }
    }

    fn say(&mut self, text: &str) {
        (self.print)(text);
    }

    fn title(&mut self, text: &str) {
        self.say(&format!("\n== {text}"));
    }

    /// The session token of a login; signs in the first time.
    ///
    /// # Errors
    /// A login that is unknown, or whose code was used already.
    pub async fn token(&mut self, login: &str) -> anyhow::Result<String> {
        if let Some(token) = self.tokens.get(login) {
            return Ok(token.clone());
        }
        let code = match self.demo.login(login).and_then(|known| known.totp_secret.clone()) {
            Some(secret) => Some(authenticator_code(&secret, self.clock.unmoved_now())?),
            None => None,
        };
        let body = json!({ "login": login, "password": self.demo.password, "code": code });
        let asked = Asked { method: "POST", path: "/api/v1/sessions", token: None, key: None, body: Some(&body) };
        let answered = self.http.send(asked).await?;
        if answered.status != 201 {
            bail!(
                "{login} could not sign in ({}): {}; an authenticator code works once: try again in 30 seconds",
                answered.status,
                answered.body
            );
        }
        self.say(&format!("-> {login} POST /api/v1/sessions (login, password{})", if code.is_some() { ", code" } else { "" }));
        self.say("<- 201 (session)");
        let token = answered.body["token"].as_str().context("no token")?.to_owned();
        self.tokens.insert(login.to_owned(), token.clone());
        Ok(token)
    }

    /// Sends one request as somebody and expects a status; answers the body.
    async fn ask(&mut self, login: &str, method: &str, path: &str, body: Option<Value>, expected: u16) -> anyhow::Result<Value> {
        self.ask_on(login, method, path, body, (None, expected)).await
    }

    /// Changes a version of a thing: `If-Match`.
    async fn edit(&mut self, login: &str, path: &str, version: i64, body: Value) -> anyhow::Result<Value> {
        self.ask_on(login, "PUT", path, Some(body), (Some(version), 200)).await
    }

    async fn ask_on(
        &mut self,
        login: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        (version, expected): (Option<i64>, u16),
    ) -> anyhow::Result<Value> {
        let answered = self.try_on(login, method, path, body, version).await?;
        if answered.status != expected {
            bail!("{method} {path} as {login}: {expected} was expected, the answer is {} {}", answered.status, answered.body);
        }
        Ok(answered.body)
    }

    /// Shows a request with whatever is answered.
    async fn try_on(
        &mut self,
        login: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
        version: Option<i64>,
    ) -> anyhow::Result<Answered> {
        let token = self.token(login).await?;
        self.requests += 1;
        let key = format!("walk-{}-{}", self.serial, self.requests);
        let shown = body.as_ref().map(|body| shorten(&body.to_string())).unwrap_or_default();
        self.say(&format!("-> {login} {method} /api/v1{path} {shown}"));
        let path = format!("/api/v1{path}");
        let answered = self
            .http
            .send_if_match(
                Asked { method, path: &path, token: Some(&token), key: (method == "POST").then_some(&key), body: body.as_ref() },
                version.map(|version| format!("\"{version}\"")).as_deref(),
            )
            .await?;
        self.say(&format!("<- {} {}", answered.status, shorten(&answered.body.to_string())));
        Ok(answered)
    }

    /// Asks as somebody and answers whatever comes: for tests of what is refused.
    ///
    /// # Errors
    /// No answer.
    pub async fn call(&mut self, login: &str, method: &str, path: &str, body: Value, version: Option<i64>) -> anyhow::Result<Answered> {
        let token = self.token(login).await?;
        self.requests += 1;
        let key = format!("walk-{}-{}", self.serial, self.requests);
        let (path, body) = (format!("/api/v1{path}"), (!body.is_null()).then_some(body));
        let key = (method == "POST").then_some(key.as_str());
        self.http
            .send_if_match(
                Asked { method, path: &path, token: Some(&token), key, body: body.as_ref() },
                version.map(|version| format!("\"{version}\"")).as_deref(),
            )
            .await
    }

    async fn post(&mut self, login: &str, path: &str, body: Value, expected: u16) -> anyhow::Result<Value> {
        self.ask(login, "POST", path, Some(body), expected).await
    }

    async fn act(&mut self, login: &str, path: &str) -> anyhow::Result<Value> {
        self.ask(login, "POST", path, None, 200).await
    }

    async fn get(&mut self, login: &str, path: &str) -> anyhow::Result<Value> {
        self.ask(login, "GET", path, None, 200).await
    }

    /// Asks again until the answer is as wanted; between two looks the background work catches up.
    async fn get_until(&mut self, login: &str, path: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let token = self.token(login).await?;
        let full = format!("/api/v1{path}");
        for _look in 0..LOOKS_MAX {
            (self.catch_up)().await?;
            let answered = self.http.send(Asked { method: "GET", path: &full, token: Some(&token), key: None, body: None }).await?;
            if answered.status == 200 && wanted(&answered.body) {
                self.say(&format!("-> {login} GET {full}"));
                self.say(&format!("<- 200 {}", shorten(&answered.body.to_string())));
                return Ok(answered.body);
            }
        }
        bail!("GET {full}: the background work did not come to it")
    }
}

/// A text that fits the eye: long sheets are cut.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 1_500;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let cut: String = text.chars().take(LONGEST).collect();
    format!("{cut}… ({} characters)", text.chars().count())
}

/// The text of a field.
fn text<'v>(value: &'v Value, field: &str) -> anyhow::Result<&'v str> {
    value[field].as_str().with_context(|| format!("the answer has no {field}: {value}"))
}
