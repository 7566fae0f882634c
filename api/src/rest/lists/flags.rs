//! Findings of supervision.

use axum::{Json, extract::State};
use domain::{
    id::{FlagId, ProviderId},
    time::{Instant, Month},
};
use serde::{Deserialize, Serialize};
use store::query::list::{FlagFilter, FlagRow};
use utoipa::ToSchema;
use validator::Validate;

use super::{PageResponse, asked};
use crate::{
    extract::{RequestCtx, ValidQuery},
    problem::Problem,
    state::AppState,
};

/// Which findings.
#[derive(Debug, Deserialize, utoipa::IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FlagsQuery {
    /// Such as `in_hospital`.
    #[validate(length(max = 64))]
    rule: Option<String>,
    /// Such as `2026-10`.
    #[param(value_type = Option<String>)]
    month: Option<Month>,
    #[param(value_type = Option<String>)]
    provider_id: Option<ProviderId>,
    /// Most entries, 1 to 100; 50 if absent.
    #[validate(range(min = 1, max = 100))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[validate(length(max = 200))]
    cursor: Option<String>,
}

/// A finding of supervision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlagEntry {
    #[schema(value_type = String)]
    flag_id: FlagId,
    /// The rule that found it.
    rule: String,
    /// Id of what it is about.
    object: String,
    #[schema(value_type = Option<String>)]
    provider_id: Option<ProviderId>,
    month: String,
    /// What it rests on: values and ids.
    evidence: serde_json::Value,
    #[schema(value_type = String, format = DateTime)]
    raised_at: Instant,
}

impl From<FlagRow> for FlagEntry {
    fn from(row: FlagRow) -> Self {
        Self {
            flag_id: row.flag_id,
            rule: row.rule,
            object: row.object,
            provider_id: row.provider_id,
            month: row.month.to_string(),
            evidence: row.evidence,
            raised_at: row.raised_at,
        }
    }
}

/// Lists the findings of supervision, the newest first
#[utoipa::path(get, path = "/flags", tag = "settlement", params(FlagsQuery), responses((status = OK, body = PageResponse<FlagEntry>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    query: ValidQuery<FlagsQuery>,
) -> Result<Json<PageResponse<FlagEntry>>, Problem> {
    let FlagsQuery { rule, month, provider_id, limit, cursor } = query.0;
    let filter = FlagFilter { rule, month, provider: provider_id };
    Ok(Json(state.store.flags(&who.ctx.actor, &filter, &asked(limit, cursor)).await?.into()))
}
