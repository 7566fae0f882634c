//! Price lists of providers.

use axum::{Json, extract::State};
use domain::{id::ProviderId, time::Instant};
use serde::Serialize;
use store::query::price::PriceView;
use utoipa::ToSchema;

use crate::{
    extract::{PathId, RequestCtx},
    problem::Problem,
    state::AppState,
};

/// A row of a price list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PriceResponse {
    /// Catalogue code of the service.
    item: String,
    /// `home`, `community` or `institution`.
    class: String,
    /// Price of one catalogue unit, in fen.
    unit_price_fen: i64,
    /// First day on which it is asked; a later row of the same service takes its place.
    effective_from: String,
    #[schema(value_type = String, format = DateTime)]
    published_at: Instant,
}

impl From<PriceView> for PriceResponse {
    fn from(view: PriceView) -> Self {
        Self {
            item: view.item,
            class: view.class,
            unit_price_fen: view.unit_price.get(),
            effective_from: view.effective_from.to_string(),
            published_at: view.published_at,
        }
    }
}

/// Shows the price list of a provider, with its history
#[utoipa::path(get, path = "/providers/{provider_id}/prices", tag = "providers", params(("provider_id" = String, Path)), responses((status = OK, body = Vec<PriceResponse>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(provider): PathId<ProviderId>,
) -> Result<Json<Vec<PriceResponse>>, Problem> {
    let views = state.store.prices(&who.ctx.actor, provider).await?;
    Ok(Json(views.into_iter().map(PriceResponse::from).collect()))
}
