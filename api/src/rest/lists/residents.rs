//! Residents.

use axum::{Json, extract::State};
use domain::{division::Scope, id::ResidentId, resident::LifeStatus};
use serde::{Deserialize, Serialize};
use store::query::list::{ResidentFilter, ResidentRow};
use utoipa::ToSchema;
use validator::Validate;

use super::{PageResponse, asked};
use crate::{
    extract::{RequestCtx, ValidQuery},
    problem::Problem,
    state::AppState,
};

/// Which residents.
#[derive(Debug, Deserialize, utoipa::IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ResidentsQuery {
    /// Division prefix of 2, 4, 6, 9 or 12 digits.
    #[param(value_type = Option<String>)]
    division: Option<Scope>,
    /// `alive`, `hospital`, `institution`, `moved` or `dead`.
    #[param(value_type = Option<String>)]
    status: Option<LifeStatus>,
    /// Most entries, 1 to 100; 50 if absent.
    #[validate(range(min = 1, max = 100))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[validate(length(max = 200))]
    cursor: Option<String>,
}

/// A resident in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResidentEntry {
    #[schema(value_type = String)]
    resident_id: ResidentId,
    name: String,
    /// Community of residence.
    residence: String,
    residence_name: Option<String>,
    status: String,
}

impl From<ResidentRow> for ResidentEntry {
    fn from(row: ResidentRow) -> Self {
        Self {
            resident_id: row.resident_id,
            name: row.name,
            residence: row.residence,
            residence_name: row.residence_name,
            status: row.status.to_string(),
        }
    }
}

/// Lists the residents within reach, the newest first
#[utoipa::path(get, path = "/residents", tag = "residents", params(ResidentsQuery), responses((status = OK, body = PageResponse<ResidentEntry>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<ResidentsQuery>,
) -> Result<Json<PageResponse<ResidentEntry>>, Problem> {
    let filter = ResidentFilter { division: query.division, status: query.status };
    Ok(Json(state.store.residents(&who.ctx.actor, &filter, &asked(query.limit, query.cursor)).await?.into()))
}
