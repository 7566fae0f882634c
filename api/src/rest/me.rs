//! Who asks.

use axum::Json;
use domain::{
    access::{Grant, Reach, Role},
    division::Scope,
    id::{AccountId, PersonId, ProviderId, ResidentId, SessionId},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::RequestCtx;

/// The person who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeResponse {
    #[schema(value_type = String)]
    person_id: PersonId,
    #[schema(value_type = String)]
    account_id: AccountId,
    #[schema(value_type = String)]
    session_id: SessionId,
    /// The roles that the person holds now.
    roles: Vec<HeldRole>,
}

/// A role with what it reaches: a division prefix, a provider, or single residents.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldRole {
    #[schema(value_type = String)]
    role: Role,
    #[schema(value_type = Option<String>)]
    division: Option<Scope>,
    #[schema(value_type = Option<String>)]
    provider_id: Option<ProviderId>,
    #[schema(value_type = Option<Vec<String>>)]
    resident_ids: Option<Vec<ResidentId>>,
}

impl From<Grant> for HeldRole {
    fn from(grant: Grant) -> Self {
        let none = Self { role: grant.role, division: None, provider_id: None, resident_ids: None };
        match grant.reach {
            Reach::Division(scope) => Self { division: Some(scope), ..none },
            Reach::Provider(provider) => Self { provider_id: Some(provider), ..none },
            Reach::Bound(residents) => Self { resident_ids: Some(residents), ..none },
        }
    }
}

/// Tells who is signed in, and as what
#[utoipa::path(get, path = "/me", tag = "sessions", responses((status = OK, body = MeResponse)))]
pub(crate) async fn read_me(who: RequestCtx) -> Json<MeResponse> {
    let signed_in = who.signed_in;
    Json(MeResponse {
        person_id: signed_in.person,
        account_id: signed_in.account,
        session_id: signed_in.session,
        roles: signed_in.grants.into_iter().map(HeldRole::from).collect(),
    })
}
