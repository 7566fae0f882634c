//! Providers.

use axum::{Json, extract::State};
use domain::{division::Scope, id::ProviderId, provider::ProviderStatus};
use serde::{Deserialize, Serialize};
use store::query::list::{ProviderFilter, ProviderRow};
use utoipa::ToSchema;
use validator::Validate;

use super::{PageResponse, asked};
use crate::{
    extract::{RequestCtx, ValidQuery},
    problem::Problem,
    state::AppState,
};

/// Which providers.
#[derive(Debug, Deserialize, utoipa::IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProvidersQuery {
    /// Division prefix of the seat, of 2, 4, 6, 9 or 12 digits.
    #[param(value_type = Option<String>)]
    division: Option<Scope>,
    /// State of the admission, such as `reviewed` or `admitted`.
    #[param(value_type = Option<String>)]
    state: Option<ProviderStatus>,
    /// Most entries, 1 to 100; 50 if absent.
    #[validate(range(min = 1, max = 100))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    #[validate(length(max = 200))]
    cursor: Option<String>,
}

/// A provider in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderEntry {
    #[schema(value_type = String)]
    provider_id: ProviderId,
    name: String,
    credit_code: String,
    /// Division of its seat.
    division: String,
    state: String,
}

impl From<ProviderRow> for ProviderEntry {
    fn from(row: ProviderRow) -> Self {
        Self {
            provider_id: row.provider_id,
            name: row.name,
            credit_code: row.credit_code,
            division: row.division,
            state: row.state.to_string(),
        }
    }
}

/// Lists the providers within reach, the newest first
#[utoipa::path(get, path = "/providers", tag = "providers", params(ProvidersQuery), responses((status = OK, body = PageResponse<ProviderEntry>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<ProvidersQuery>,
) -> Result<Json<PageResponse<ProviderEntry>>, Problem> {
    let filter = ProviderFilter { division: query.division, state: query.state };
    Ok(Json(state.store.providers(&who.ctx.actor, &filter, &asked(query.limit, query.cursor)).await?.into()))
}
