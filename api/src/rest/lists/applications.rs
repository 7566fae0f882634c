//! Applications.

use axum::{Json, extract::State};
use domain::{
    access::Role,
    application::ApplicationState,
    id::{ApplicationId, ResidentId},
    time::BusinessDate,
};
use serde::{Deserialize, Serialize};
use store::query::list::{ApplicationFilter, ApplicationRow};
use utoipa::ToSchema;
use validator::Validate;

use super::{PageResponse, asked};
use crate::{
    extract::{RequestCtx, ValidQuery},
    problem::Problem,
    state::AppState,
};

/// Which applications.
#[derive(Debug, Deserialize, utoipa::IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApplicationsQuery {
    /// Such as `filed`, `accepted`, `reviewed`.
    #[param(value_type = Option<String>)]
    state: Option<ApplicationState>,
    #[param(value_type = Option<String>)]
    resident_id: Option<ResidentId>,
    /// Role that must act next.
    #[param(value_type = Option<String>)]
    owner_role: Option<Role>,
    /// `true` for those whose deadline has passed.
    #[serde(default)]
    overdue: bool,
    /// Most entries, 1 to 100; 50 if absent.
    #[validate(range(min = 1, max = 100))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[validate(length(max = 200))]
    cursor: Option<String>,
}

/// An application in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApplicationEntry {
    #[schema(value_type = String)]
    application_id: ApplicationId,
    #[schema(value_type = String)]
    resident_id: ResidentId,
    programme: String,
    state: String,
    applied_on: String,
    /// Who must act next.
    owner_role: Option<String>,
    /// By when.
    deadline_on: Option<String>,
}

impl From<ApplicationRow> for ApplicationEntry {
    fn from(row: ApplicationRow) -> Self {
        Self {
            application_id: row.application_id,
            resident_id: row.resident_id,
            programme: row.programme,
            state: row.state.to_string(),
            applied_on: row.applied_on.to_string(),
            owner_role: row.owner_role.map(|role| role.to_string()),
            deadline_on: row.deadline_on.map(|day| day.to_string()),
        }
    }
}

/// Lists the applications of residents within reach, the newest first
#[utoipa::path(get, path = "/applications", tag = "applications", params(ApplicationsQuery), responses((status = OK, body = PageResponse<ApplicationEntry>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<ApplicationsQuery>,
) -> Result<Json<PageResponse<ApplicationEntry>>, Problem> {
    let filter = ApplicationFilter {
        state: query.state,
        resident: query.resident_id,
        owner_role: query.owner_role,
        overdue_on: query.overdue.then(|| BusinessDate::of(who.ctx.now)),
    };
    Ok(Json(state.store.applications(&who.ctx.actor, &filter, &asked(query.limit, query.cursor)).await?.into()))
}
