//! Purchase lists: which services a programme may pay.

use std::collections::BTreeSet;

use axum::{Json, extract::State, http::StatusCode};
use domain::{
    catalogue::{ItemCode, PurchaseLine, PurchaseList, ServiceClass},
    division::Scope,
    error::{Fault, FieldError},
    id::{PersonId, PurchaseListId},
    money::Fen,
    policy::ProgrammeCode,
    time::BusinessDate,
};
use serde::{Deserialize, Serialize};
use store::{
    command::purchase::{DraftPurchaseList, DraftedPurchaseList, PublishPurchaseList},
    query::purchase::PurchaseListView,
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

/// One service that a programme may pay.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PurchaseLineBody {
    #[schema(value_type = String)]
    item: ItemCode,
    #[schema(value_type = String)]
    class: ServiceClass,
    /// Division prefixes in which it is bought, by the resident's residence; none means the whole city.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    divisions: BTreeSet<Scope>,
    /// Standard price of one catalogue unit, in fen; a policy may ask that a service costs no less.
    #[schema(value_type = Option<i64>)]
    standard_price_fen: Option<Fen>,
}

impl From<PurchaseLineBody> for PurchaseLine {
    fn from(body: PurchaseLineBody) -> Self {
        let PurchaseLineBody { item, class, divisions, standard_price_fen } = body;
        Self { item, class, divisions, standard_price: standard_price_fen }
    }
}

impl From<PurchaseLine> for PurchaseLineBody {
    fn from(line: PurchaseLine) -> Self {
        let PurchaseLine { item, class, divisions, standard_price } = line;
        Self { item, class, divisions, standard_price_fen: standard_price }
    }
}

/// What a programme may pay from a day on.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftPurchaseListRequest {
    #[schema(value_type = String)]
    programme: ProgrammeCode,
    /// First day of the list, after today.
    #[schema(value_type = String, format = Date)]
    effective_from: BusinessDate,
    /// Of several lines for one service that for the smallest division decides.
    lines: Vec<PurchaseLineBody>,
}

/// A drafted list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DraftPurchaseListResponse {
    #[schema(value_type = String)]
    purchase_list_id: PurchaseListId,
    /// What the publisher must have seen.
    digest: String,
}

impl From<DraftedPurchaseList> for DraftPurchaseListResponse {
    fn from(made: DraftedPurchaseList) -> Self {
        Self { purchase_list_id: made.purchase_list_id, digest: made.digest }
    }
}

/// Drafts which services a programme may pay, from a day on
///
/// A programme without a list in force pays whatever its policy covers. With one, what is not on it at the start of a visit is
/// not paid; quotes say so.
#[utoipa::path(post, path = "/purchase_lists", tag = "policies", request_body = DraftPurchaseListRequest, responses((status = CREATED, body = DraftPurchaseListResponse)))]
pub(crate) async fn draft(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<DraftPurchaseListRequest>,
) -> Result<Created<DraftPurchaseListResponse>, Problem> {
    let given = &body.value;
    let list = PurchaseList::new(given.lines.iter().cloned().map(PurchaseLine::from).collect()).map_err(|faults| {
        let fields: Vec<FieldError> = faults.iter().flat_map(Fault::fields).collect();
        Problem::fields(fields)
    })?;
    let command = DraftPurchaseList { programme: given.programme.clone(), effective_from: given.effective_from, list };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|_made: &DraftPurchaseListResponse| "/purchase_lists".to_owned(), answer))
}

/// What the publisher has seen.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishPurchaseListRequest {
    /// Digest of the draft.
    digest: String,
}

/// Publishes a purchase list that another person drafted
///
/// Booked visits from its first day on are priced again; a family whose share would grow is asked.
#[utoipa::path(post, path = "/purchase_lists/{purchase_list_id}/publication", tag = "policies", params(("purchase_list_id" = String, Path)), request_body = PublishPurchaseListRequest, responses((status = NO_CONTENT)))]
pub(crate) async fn publish(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(list): PathId<PurchaseListId>,
    body: Valid<PublishPurchaseListRequest>,
) -> Result<StatusCode, Problem> {
    state.store.write(who.ctx, PublishPurchaseList { list, digest: body.value.digest }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A purchase list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PurchaseListResponse {
    #[schema(value_type = String)]
    purchase_list_id: PurchaseListId,
    programme: String,
    #[schema(value_type = String, format = Date)]
    effective_from: BusinessDate,
    /// `draft` or `published`.
    state: String,
    digest: String,
    #[schema(value_type = String)]
    drafted_by: PersonId,
    #[schema(value_type = Option<String>)]
    published_by: Option<PersonId>,
    lines: Vec<PurchaseLineBody>,
}

impl From<PurchaseListView> for PurchaseListResponse {
    fn from(view: PurchaseListView) -> Self {
        Self {
            purchase_list_id: view.purchase_list_id,
            programme: view.programme.to_string(),
            effective_from: view.effective_from,
            state: view.state,
            digest: view.digest,
            drafted_by: view.drafted_by,
            published_by: view.published_by,
            lines: view.lines.into_iter().map(PurchaseLineBody::from).collect(),
        }
    }
}

/// Lists the purchase lists, those that begin last first
#[utoipa::path(get, path = "/purchase_lists", tag = "policies", responses((status = OK, body = Vec<PurchaseListResponse>)))]
pub(crate) async fn list(State(state): State<AppState>, who: RequestCtx) -> Result<Json<Vec<PurchaseListResponse>>, Problem> {
    let lists = state.store.purchase_lists(&who.ctx.actor).await?;
    Ok(Json(lists.into_iter().map(PurchaseListResponse::from).collect()))
}
