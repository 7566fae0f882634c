//! Ability assessments (GB/T 42195-2022).

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use domain::{
    assessment::ChangeFacts,
    id::{AssessmentId, PersonId, ResidentId},
    time::BusinessDate,
};
use serde::{Deserialize, Serialize};
use store::{
    command::assessment::{ConfirmAssessment, ConfirmedAssessment, RecordAssessment, RecordedAssessment},
    query::assessment::{AssessmentView, ConfirmedRecord},
};
use utoipa::ToSchema;
use validator::Validate;

use super::once::once;
use crate::{
    extract::{IdempotencyKey, PathId, RequestCtx, Valid},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// Facts that change the level.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeFactsRequest {
    coma: bool,
    /// ICD F00 to F03, diagnosed.
    dementia: bool,
    /// ICD F04 to F99, diagnosed by a psychiatrist.
    mental_disorder: bool,
    /// Falls, choking, wandering and the like within the last 30 days.
    risk_events_30d: u32,
}

impl From<ChangeFactsRequest> for ChangeFacts {
    fn from(given: ChangeFactsRequest) -> Self {
        Self { coma: given.coma, dementia: given.dementia, mental_disorder: given.mental_disorder, risk_events_30d: given.risk_events_30d }
    }
}

/// The first assessor's record.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordAssessmentRequest {
    #[schema(value_type = String, format = Date)]
    assessed_on: BusinessDate,
    /// Score of each of the 26 items, by code: `B.1.1` to `B.4.5`.
    items: BTreeMap<String, i64>,
    facts: ChangeFactsRequest,
}

/// An assessment that waits for the second assessor.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordAssessmentResponse {
    #[schema(value_type = String)]
    assessment_id: AssessmentId,
}

impl From<RecordedAssessment> for RecordAssessmentResponse {
    fn from(made: RecordedAssessment) -> Self {
        Self { assessment_id: made.assessment_id }
    }
}

/// Records an assessment as its first assessor
#[utoipa::path(post, path = "/residents/{resident_id}/assessments", tag = "assessments", params(("resident_id" = String, Path)), request_body = RecordAssessmentRequest, responses((status = CREATED, body = RecordAssessmentResponse)))]
pub(crate) async fn record(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(resident): PathId<ResidentId>,
    key: IdempotencyKey,
    body: Valid<RecordAssessmentRequest>,
) -> Result<Created<RecordAssessmentResponse>, Problem> {
    let given = &body.value;
    let command = RecordAssessment { resident, assessed_on: given.assessed_on, items: given.items.clone(), facts: given.facts.into() };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &RecordAssessmentResponse| format!("/assessments/{}", made.assessment_id), answer))
}

/// The second assessor's own record of the same assessment.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmAssessmentRequest {
    /// Score of each of the 26 items, by code.
    items: BTreeMap<String, i64>,
    facts: ChangeFactsRequest,
}

/// A confirmed assessment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConfirmAssessmentResponse {
    #[schema(value_type = String)]
    assessment_id: AssessmentId,
    /// Sums of self-care, mobility, mental state, and perception and participation.
    subtotals: [u8; 4],
    total: u8,
    /// Level by the sum, 0 (able) to 4 (wholly dependent).
    preliminary_level: u8,
    /// Level after the change rules.
    final_level: u8,
    /// The change rules that applied.
    changes: Vec<String>,
    /// First day on which it no longer counts.
    valid_until: String,
}

impl From<ConfirmedAssessment> for ConfirmAssessmentResponse {
    fn from(made: ConfirmedAssessment) -> Self {
        Self {
            assessment_id: made.assessment_id,
            subtotals: made.subtotals,
            total: made.total,
            preliminary_level: made.preliminary_level.number(),
            final_level: made.final_level.number(),
            changes: made.changes,
            valid_until: made.valid_until.to_string(),
        }
    }
}

/// Confirms an assessment as its second assessor
///
/// Both records must say the same; the items that differ are named.
#[utoipa::path(post, path = "/assessments/{assessment_id}/confirmation", tag = "assessments", params(("assessment_id" = String, Path)), request_body = ConfirmAssessmentRequest, responses((status = OK, body = ConfirmAssessmentResponse)))]
pub(crate) async fn confirm(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(assessment): PathId<AssessmentId>,
    body: Valid<ConfirmAssessmentRequest>,
) -> Result<Json<ConfirmAssessmentResponse>, Problem> {
    let command = ConfirmAssessment { assessment, items: body.value.items, facts: body.value.facts.into() };
    Ok(Json(state.store.write(who.ctx, command).await?.into()))
}

/// An assessment of a resident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AssessmentResponse {
    #[schema(value_type = String)]
    assessment_id: AssessmentId,
    assessed_on: String,
    /// First day on which it no longer counts.
    valid_until: String,
    #[schema(value_type = String)]
    first_assessor: PersonId,
    /// What both assessors found; absent while the second one has still to judge.
    confirmed: Option<ConfirmedRecordResponse>,
}

/// What both assessors found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConfirmedRecordResponse {
    #[schema(value_type = String)]
    second_assessor: PersonId,
    /// Score of each of the 26 items, by code.
    items: BTreeMap<&'static str, u8>,
    coma: bool,
    dementia: bool,
    mental_disorder: bool,
    risk_events_30d: u32,
    /// Sums of self-care, mobility, mental state, and perception and participation.
    subtotals: [u8; 4],
    total: u8,
    /// Level by the sum, 0 (able) to 4 (wholly dependent).
    preliminary_level: u8,
    /// Level after the change rules.
    final_level: u8,
    /// The change rules that applied.
    changes: Vec<String>,
}

impl From<AssessmentView> for AssessmentResponse {
    fn from(view: AssessmentView) -> Self {
        Self {
            assessment_id: view.assessment_id,
            assessed_on: view.assessed_on.to_string(),
            valid_until: view.valid_until.to_string(),
            first_assessor: view.first_assessor,
            confirmed: view.confirmed.map(ConfirmedRecordResponse::from),
        }
    }
}

impl From<ConfirmedRecord> for ConfirmedRecordResponse {
    fn from(record: ConfirmedRecord) -> Self {
        let ChangeFacts { coma, dementia, mental_disorder, risk_events_30d } = record.facts;
        Self {
            second_assessor: record.second_assessor,
            items: record.items,
            coma,
            dementia,
            mental_disorder,
            risk_events_30d,
            subtotals: record.outcome.subtotals,
            total: record.outcome.total,
            preliminary_level: record.outcome.preliminary.number(),
            final_level: record.outcome.final_level.number(),
            changes: record.outcome.changes.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Lists the assessments of a resident, the latest first
///
/// One that waits for its second assessor shows no scores.
#[utoipa::path(get, path = "/residents/{resident_id}/assessments", tag = "assessments", params(("resident_id" = String, Path)), responses((status = OK, body = Vec<AssessmentResponse>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(resident): PathId<ResidentId>,
) -> Result<Json<Vec<AssessmentResponse>>, Problem> {
    let views = state.store.assessments(&who.ctx.actor, resident).await?;
    Ok(Json(views.into_iter().map(AssessmentResponse::from).collect()))
}
