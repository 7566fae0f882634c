//! Who acts for a resident, by a recorded relation and consent.

use axum::{Json, extract::State};
use domain::{
    error::Fault as _,
    id::{PersonId, ResidentId},
    resident::{Consent, ConsentChannel, ConsentPurpose, Relation, ResidentError},
    time::BusinessDate,
};
use serde::{Deserialize, Serialize};
use store::{
    command::family::{BindFamilyMember, BoundFamilyMember, EndRelation},
    query::registry::FamilyMemberView,
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

/// Somebody who is to act for a resident, or the resident's own account.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct BindFamilyMemberRequest {
    /// Login of an account with the role `family_member` or `resident`.
    #[validate(length(min = 3, max = 64))]
    login: String,
    #[schema(value_type = String)]
    relation: Relation,
    consent: ConsentRequest,
}

/// The resident's consent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentRequest {
    /// Version of the text that was agreed to.
    version: String,
    #[schema(value_type = Vec<String>)]
    purposes: Vec<ConsentPurpose>,
    #[schema(value_type = String, format = Date)]
    given_on: BusinessDate,
    #[schema(value_type = String)]
    channel: ConsentChannel,
}

impl ConsentRequest {
    pub(super) fn read(&self) -> Result<Consent, ResidentError> {
        Consent::new(&self.version, self.purposes.iter().copied(), self.given_on, self.channel)
    }
}

/// A bound family member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BindFamilyMemberResponse {
    #[schema(value_type = String)]
    resident_id: ResidentId,
    #[schema(value_type = String)]
    person_id: PersonId,
}

impl From<BoundFamilyMember> for BindFamilyMemberResponse {
    fn from(made: BoundFamilyMember) -> Self {
        Self { resident_id: made.resident_id, person_id: made.person_id }
    }
}

/// Binds a family member to a resident
///
/// From now on they may act for the resident, by the recorded relation and consent.
#[utoipa::path(post, path = "/residents/{resident_id}/family_members", tag = "residents", params(("resident_id" = String, Path)), request_body = BindFamilyMemberRequest, responses((status = CREATED, body = BindFamilyMemberResponse)))]
pub(crate) async fn bind(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(resident): PathId<ResidentId>,
    key: IdempotencyKey,
    body: Valid<BindFamilyMemberRequest>,
) -> Result<Created<BindFamilyMemberResponse>, Problem> {
    let consent = body.value.consent.read().map_err(|fault| Problem::fields(fault.fields()))?;
    let command = BindFamilyMember { resident, login: body.value.login.clone(), relation: body.value.relation, consent };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &BindFamilyMemberResponse| format!("/residents/{}", made.resident_id), answer))
}

/// Somebody who acts, or acted, for a resident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FamilyMemberResponse {
    #[schema(value_type = String)]
    person_id: PersonId,
    name: String,
    relation: String,
    consent: ConsentResponse,
    from: String,
    /// First day on which they no longer act.
    until: Option<String>,
}

/// What the resident consented to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsentResponse {
    /// Version of the text.
    version: String,
    purposes: Vec<String>,
    given_on: String,
    channel: String,
    /// First day on which it no longer holds.
    withdrawn_on: Option<String>,
}

impl From<FamilyMemberView> for FamilyMemberResponse {
    fn from(view: FamilyMemberView) -> Self {
        let consent = ConsentResponse {
            version: view.consent.version().to_owned(),
            purposes: view.consent.purposes().iter().map(ToString::to_string).collect(),
            given_on: view.consent.given_on().to_string(),
            channel: view.consent.channel().to_string(),
            withdrawn_on: view.consent.withdrawn_on().map(|day| day.to_string()),
        };
        Self {
            person_id: view.person_id,
            name: view.name,
            relation: view.relation.to_string(),
            consent,
            from: view.from.to_string(),
            until: view.until.map(|day| day.to_string()),
        }
    }
}

/// Shows who acts for a resident
///
/// Those who act now first, then those who did.
#[utoipa::path(get, path = "/residents/{resident_id}/family_members", tag = "residents", params(("resident_id" = String, Path)), responses((status = OK, body = Vec<FamilyMemberResponse>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(id): PathId<ResidentId>,
) -> Result<Json<Vec<FamilyMemberResponse>>, Problem> {
    let views = state.store.family_members(&who.ctx.actor, id, BusinessDate::of(who.ctx.now)).await?;
    Ok(Json(views.into_iter().map(FamilyMemberResponse::from).collect()))
}

/// Why a relation ends.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndRelationRequest {
    /// Whether the resident withdraws the consent.
    consent_withdrawn: bool,
}

/// An ended relation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndRelationResponse {
    #[schema(value_type = String)]
    person_id: PersonId,
    /// First day on which they no longer act.
    ended_on: String,
}

/// Ends a relation
///
/// From now on the person does not act for the resident. Family members end their own relation; those of others are
/// ended by the resident or, at the resident's word, by the community.
#[utoipa::path(post, path = "/residents/{resident_id}/family_members/{person_id}/end", tag = "residents", params(("resident_id" = String, Path), ("person_id" = String, Path)), request_body = EndRelationRequest, responses((status = OK, body = EndRelationResponse)))]
pub(crate) async fn end(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId((resident, person)): PathId<(ResidentId, PersonId)>,
    body: Valid<EndRelationRequest>,
) -> Result<Json<EndRelationResponse>, Problem> {
    let command = EndRelation { resident, person, consent_withdrawn: body.value.consent_withdrawn };
    let ended = state.store.write(who.ctx, command).await?;
    Ok(Json(EndRelationResponse { person_id: ended.person_id, ended_on: ended.ended_on.to_string() }))
}
