//! The division table of the city.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use store::command::city::{ImportDivisions, ImportedDivisions};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    extract::{RequestCtx, Valid},
    problem::Problem,
    state::AppState,
};

/// The table of the statistics bureau.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportDivisionsRequest {
    /// CSV with the header `code,name`.
    #[validate(length(min = 1))]
    csv: String,
}

/// What the import did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportDivisionsResponse {
    /// Rows that are in the city now.
    imported: u64,
    /// Rows of other cities, left out.
    skipped: u64,
}

impl From<ImportedDivisions> for ImportDivisionsResponse {
    fn from(done: ImportedDivisions) -> Self {
        Self { imported: done.imported, skipped: done.skipped }
    }
}

/// Imports the division table
///
/// Takes the rows of this city and those above it; names of known codes are renewed.
#[utoipa::path(put, path = "/divisions", tag = "city", request_body = ImportDivisionsRequest, responses((status = OK, body = ImportDivisionsResponse)))]
pub(crate) async fn import(
    State(state): State<AppState>,
    who: RequestCtx,
    body: Valid<ImportDivisionsRequest>,
) -> Result<Json<ImportDivisionsResponse>, Problem> {
    let done = state.store.write(who.ctx, ImportDivisions { csv: body.value.csv }).await?;
    Ok(Json(done.into()))
}
