//! Whether the process lives, and whether the city can be used.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use store::{Schema, Store};

use crate::state::AppState;

/// One condition of being ready.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    /// Why not, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    checks: Vec<Check>,
}

/// `GET /livez`: the process answers. Asks nothing else, so that a database that is away does not have the
/// process restarted.
pub(crate) async fn livez() -> Response {
    Json(serde_json::json!({ "alive": true })).into_response()
}

/// `GET /readyz`: requests can be served.
pub(crate) async fn readyz(State(state): State<AppState>) -> Response {
    let checks = checks(&state.store).await;
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, checks })).into_response()
}

async fn checks(store: &Store) -> Vec<Check> {
    let check = |name, outcome: Result<(), String>| Check { name, ok: outcome.is_ok(), reason: outcome.err() };
    let database = store.ping().await.map_err(|cause| cause.to_string());
    if database.is_err() {
        return vec![check("database", database)];
    }
    let schema = match store.schema().await {
        Ok(schema) => describe_schema(&schema),
        Err(cause) => Err(cause.to_string()),
    };
    let city = store.city().await.map(|_city| ()).map_err(|cause| cause.to_string());
    vec![check("database", database), check("schema", schema), check("city", city)]
}

/// Why a schema cannot be used, and the cure.
pub(crate) fn describe_schema(schema: &Schema) -> Result<(), String> {
    match schema {
        Schema::Current => Ok(()),
        Schema::Empty => Err("the database is empty; run: yijia migrate".to_owned()),
        Schema::Behind { missing } => Err(format!("the database lacks the changes {}; run: yijia migrate", missing.join(", "))),
        Schema::Unknown { unknown } => {
            Err(format!("the database was written by a newer version of this program (changes {}); use that one", unknown.join(", ")))
        }
    }
}
