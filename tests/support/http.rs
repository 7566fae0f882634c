//! A small JSON client over a real connection.

use anyhow::Context as _;
use axum::{body::Bytes, http::HeaderMap};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

/// Speaks to one server.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Status code.
    pub status: u16,
    /// Body, `null` when there is none.
    pub body: Value,
    /// Version of what was answered, as `If-Match` takes it.
    pub etag: Option<String>,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Method.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Session token.
    pub token: Option<&'a str>,
    /// `Idempotency-Key`.
    pub key: Option<&'a str>,
    /// JSON body.
    pub body: Option<&'a Value>,
}

impl Http {
    /// A client of the server at an address such as `http://127.0.0.1:8600`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), base: base.trim_end_matches('/').to_owned() }
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// A server that cannot be reached or does not answer in JSON.
    pub async fn send(&self, asked: Asked<'_>) -> anyhow::Result<Answered> {
        self.send_if_match(asked, None).await
    }

    /// As [`Http::send`], on the version that was read.
    ///
    /// # Errors
    /// As [`Http::send`].
    pub async fn send_if_match(&self, asked: Asked<'_>, version: Option<&str>) -> anyhow::Result<Answered> {
        let headers: Vec<_> = version.into_iter().map(|version| ("if-match", version)).collect();
        let (status, headers, bytes) = self.send_with(asked, &headers).await?;
        let etag = headers.get("etag").and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).context("the answer is not JSON")? };
        Ok(Answered { status, body, etag })
    }

    /// Sends a request with further headers and answers status, headers and the bytes of the body.
    ///
    /// # Errors
    /// A server that cannot be reached.
    pub async fn send_with(&self, asked: Asked<'_>, headers: &[(&str, &str)]) -> anyhow::Result<(u16, HeaderMap, Bytes)> {
        let mut request = axum::http::Request::builder().method(asked.method).uri(format!("{}{}", self.base, asked.path));
        if let Some(token) = asked.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = asked.key {
            request = request.header("idempotency-key", key);
        }
        let text = asked.body.map(Value::to_string).unwrap_or_default();
        if asked.body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(Full::new(Bytes::from(text)))?;
        let response = self.client.request(request).await.with_context(|| format!("no answer from {}", self.base))?;
        let (parts, body) = response.into_parts();
        Ok((parts.status.as_u16(), parts.headers, body.collect().await?.to_bytes()))
    }
}
