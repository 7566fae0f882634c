//! What is stated of a resident: for which days, on which evidence, and whether somebody has compared it with the
//! papers.

use axum::{Json, extract::State};
use domain::{
    error::{Fault as _, FieldError},
    id::{PersonId, ResidentFactId, ResidentId},
    resident::{Evidence, EvidenceKind, NewFact, Statement},
    time::{BusinessDate, Instant},
};
use serde::{Deserialize, Serialize};
use store::{
    command::fact::{EndFact, FactStep, RecordFact, SettleFact},
    query::registry::FactView,
};
use utoipa::ToSchema;
use validator::Validate;

use super::{
    once::once,
    residents::{read_days, under},
};
use crate::{
    extract::{IdempotencyKey, IfMatch, PathId, RequestCtx, Valid},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// On what a fact rests.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvidenceRequest {
    #[schema(value_type = String)]
    kind: EvidenceKind,
    /// Number of the paper or of the entry in the register; certificates and registers have one.
    number: Option<String>,
}

impl EvidenceRequest {
    pub(super) fn read(&self, path: &str, faults: &mut Vec<FieldError>) -> Option<Evidence> {
        let read = Evidence::new(self.kind, self.number.as_deref());
        read.map_err(|fault| faults.extend(under(path, fault.fields()))).ok()
    }
}

/// A fact with its days and its evidence.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordFactRequest {
    /// What is stated, named by its `fact`: `identity`, `categories_checked`, `category` with `category`, `living` with
    /// `living`, `disability` with `disability` of `kind` and `grade`, `income` with `month_fen` (per head of the
    /// household), `hukou` or `residence` with `division`, `declared` with `name` and `value`.
    #[schema(value_type = Object)]
    statement: Statement,
    #[schema(value_type = String, format = Date)]
    from: BusinessDate,
    /// First day on which it no longer holds.
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<BusinessDate>,
    /// Needed for categories, disabilities and incomes.
    evidence: Option<EvidenceRequest>,
}

/// A recorded or settled fact.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FactStepResponse {
    #[schema(value_type = String)]
    fact_id: ResidentFactId,
    #[schema(value_type = String)]
    resident_id: ResidentId,
    /// `claimed`, `verified` or `rejected`.
    state: String,
    /// First day on which it no longer holds, if it was ended.
    ended_on: Option<String>,
}

impl From<FactStep> for FactStepResponse {
    fn from(step: FactStep) -> Self {
        Self {
            fact_id: step.fact_id,
            resident_id: step.resident_id,
            state: step.state.to_string(),
            ended_on: step.ended_on.map(|day| day.to_string()),
        }
    }
}

/// States a fact about a resident
///
/// Nothing is overwritten: of several statements the one that began last speaks. What residents and family members
/// state is a claim until the community or the street has verified it; programmes take it for unknown.
#[utoipa::path(post, path = "/residents/{resident_id}/facts", tag = "residents", params(("resident_id" = String, Path)), request_body = RecordFactRequest, responses((status = CREATED, body = FactStepResponse)))]
pub(crate) async fn record(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(resident): PathId<ResidentId>,
    key: IdempotencyKey,
    body: Valid<RecordFactRequest>,
) -> Result<Created<FactStepResponse>, Problem> {
    let given = &body.value;
    let mut faults = Vec::new();
    let evidence = given.evidence.as_ref().and_then(|evidence| evidence.read("", &mut faults));
    let valid = read_days(given.from, given.until, "", &mut faults);
    let Some(valid) = valid.filter(|_| faults.is_empty()) else { return Err(Problem::fields(faults)) };
    let command = RecordFact { resident, fact: NewFact { statement: given.statement.clone(), valid, evidence } };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &FactStepResponse| format!("/residents/{}/facts", made.resident_id), answer))
}

/// A stated fact.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FactResponse {
    #[schema(value_type = String)]
    fact_id: ResidentFactId,
    #[schema(value_type = Object)]
    statement: Statement,
    from: String,
    /// First day on which it no longer holds.
    until: Option<String>,
    evidence: Option<EvidenceResponse>,
    /// `claimed`, `verified` or `rejected`.
    state: String,
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Instant,
    #[schema(value_type = Option<String>)]
    recorded_by: Option<PersonId>,
    #[schema(value_type = Option<String>)]
    settled_by: Option<PersonId>,
    /// For `If-Match` when it is ended.
    version: i64,
}

/// On what a fact rests.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceResponse {
    kind: String,
    number: Option<String>,
}

impl From<FactView> for FactResponse {
    fn from(view: FactView) -> Self {
        let evidence = view
            .evidence
            .map(|evidence| EvidenceResponse { kind: evidence.kind().to_string(), number: evidence.number().map(str::to_owned) });
        Self {
            fact_id: view.fact_id,
            statement: view.statement,
            from: view.from.to_string(),
            until: view.until.map(|day| day.to_string()),
            evidence,
            state: view.state.to_string(),
            recorded_at: view.recorded_at,
            recorded_by: view.recorded_by,
            settled_by: view.settled_by,
            version: view.version,
        }
    }
}

/// Shows all that is stated of a resident
///
/// In the order of recording, with what was ended or rejected.
#[utoipa::path(get, path = "/residents/{resident_id}/facts", tag = "residents", params(("resident_id" = String, Path)), responses((status = OK, body = Vec<FactResponse>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<ResidentId>,
) -> Result<Json<Vec<FactResponse>>, Problem> {
    let views = state.store.facts(&who.ctx.actor, id).await?;
    Ok(Json(views.into_iter().map(FactResponse::from).collect()))
}

/// What came of comparing a claim with the papers.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleFactRequest {
    /// Whether the papers prove it.
    verified: bool,
}

/// Settles a claimed fact
///
/// By another person than the one who claimed it.
#[utoipa::path(post, path = "/resident_facts/{fact_id}/verification", tag = "residents", params(("fact_id" = String, Path)), request_body = SettleFactRequest, responses((status = OK, body = FactStepResponse)))]
pub(crate) async fn settle(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(fact): PathId<ResidentFactId>,
    body: Valid<SettleFactRequest>,
) -> Result<Json<FactStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, SettleFact { fact, verified: body.value.verified }).await?.into()))
}

/// The end of a fact.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndFactRequest {
    /// First day on which it no longer holds.
    #[schema(value_type = String, format = Date)]
    on: BusinessDate,
}

/// Ends a fact before its time
///
/// Needs `If-Match` with the version that the list of facts shows. Entitlements that rest on it are reviewed.
#[utoipa::path(post, path = "/resident_facts/{fact_id}/end", tag = "residents", params(("fact_id" = String, Path)), request_body = EndFactRequest, responses((status = OK, body = FactStepResponse)))]
pub(crate) async fn end(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(fact): PathId<ResidentFactId>,
    IfMatch(version): IfMatch,
    body: Valid<EndFactRequest>,
) -> Result<Json<FactStepResponse>, Problem> {
    Ok(Json(state.store.write(who.ctx, EndFact { fact, version, on: body.value.on }).await?.into()))
}
