//! Phones that carers bind by a key.

use axum::{Json, extract::State, http::StatusCode};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    device::{KeyAlgorithm, PublicKey},
    error::{Fault as _, FieldError},
    id::{CarerId, DeviceId},
    time::Instant,
};
use serde::{Deserialize, Serialize};
use store::{
    command::device::{BindDevice, BoundDevice, RevokeDevice},
    query::device::DeviceView,
};
use utoipa::ToSchema;
use validator::Validate;

use super::once::once;
use crate::{
    extract::{IdempotencyKey, PathId, RequestCtx, Valid, ValidQuery},
    problem::Problem,
    rest::Created,
    state::AppState,
};

/// Reads base64url without padding; nothing usable is an empty text and a fault.
pub(super) fn read_bytes(field: &str, text: &str, faults: &mut Vec<FieldError>) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap_or_else(|_cause| {
        faults.push(FieldError::new(field, "encoding.form", "write base64url without padding"));
        Vec::new()
    })
}

/// The server's time, for this person alone.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeviceAnchorResponse {
    /// Sent back with a binding, or with events recorded without signal.
    anchor: String,
    #[schema(value_type = String, format = DateTime)]
    told_at: Instant,
}

/// Tells the time to a phone
///
/// A phone asks at each sync. What it records later without signal it proves by this time and the
/// milliseconds that its monotonic clock counted since; its wall clock proves nothing.
#[utoipa::path(get, path = "/device_anchor", tag = "devices", responses((status = OK, body = DeviceAnchorResponse)))]
pub(crate) async fn anchor(State(state): State<AppState>, who: RequestCtx) -> Result<Json<DeviceAnchorResponse>, Problem> {
    let told = state.store.device_anchor(&who.ctx.actor, who.ctx.now)?;
    Ok(Json(DeviceAnchorResponse { anchor: told.token, told_at: told.told_at }))
}

/// The key of a phone. The phone signs these lines, each ended by a line feed: `yijia device binding 1`,
/// `algorithm:…`, `public_key:` in hexadecimal digits, `anchor:…`.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct BindDeviceRequest {
    /// `ed25519` or `p256`.
    #[schema(value_type = String)]
    algorithm: KeyAlgorithm,
    /// In base64url: 32 bytes for ed25519, 65 bytes for p256.
    #[validate(length(min = 1, max = 100))]
    public_key: String,
    /// The server's time, told at most ten minutes ago.
    #[validate(length(min = 1, max = 100))]
    anchor: String,
    /// In base64url.
    #[validate(length(min = 1, max = 100))]
    signature: String,
}

/// A bound phone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BoundDeviceResponse {
    #[schema(value_type = String)]
    device_id: DeviceId,
    /// What the first event of the phone names as `previous`.
    chain_start: String,
}

impl From<BoundDevice> for BoundDeviceResponse {
    fn from(bound: BoundDevice) -> Self {
        Self { device_id: bound.device_id, chain_start: bound.genesis }
    }
}

/// Binds the carer's own phone
#[utoipa::path(post, path = "/devices", tag = "devices", request_body = BindDeviceRequest, responses((status = CREATED, body = BoundDeviceResponse)))]
pub(crate) async fn bind(
    State(state): State<AppState>,
    who: RequestCtx,
    key: IdempotencyKey,
    body: Valid<BindDeviceRequest>,
) -> Result<Created<BoundDeviceResponse>, Problem> {
    let given = &body.value;
    let (key_of_phone, signature) = read_key(given.algorithm, &given.public_key, &given.signature)?;
    let command = BindDevice { key: key_of_phone, anchor: given.anchor.clone(), signature };
    let answer = once(&state, who, key, &body, command).await?;
    Ok(Created::at(|made: &BoundDeviceResponse| format!("/devices/{}", made.device_id), answer))
}

/// A public key, and a signature that is still to be checked.
pub(super) fn read_key(algorithm: KeyAlgorithm, public_key: &str, signature: &str) -> Result<(PublicKey, Vec<u8>), Problem> {
    let mut faults = Vec::new();
    let bytes = read_bytes("public_key", public_key, &mut faults);
    let signature = read_bytes("signature", signature, &mut faults);
    let public = PublicKey::new(algorithm, bytes);
    let public = public
        .map_err(|fault| {
            if faults.is_empty() {
                faults.extend(fault.fields());
            }
        })
        .ok();
    let public = public.filter(|_| faults.is_empty());
    public.map(|public| (public, signature)).ok_or_else(|| Problem::fields(faults))
}

/// Whose phones.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct DevicesQuery {
    /// A carer of a provider that the asker manages; left out for one's own.
    carer_id: Option<CarerId>,
}

/// A phone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceResponse {
    #[schema(value_type = String)]
    device_id: DeviceId,
    algorithm: String,
    #[schema(value_type = String, format = DateTime)]
    bound_at: Instant,
    /// Since when nothing that it signs counts.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Instant>,
}

impl From<DeviceView> for DeviceResponse {
    fn from(view: DeviceView) -> Self {
        Self { device_id: view.device_id, algorithm: view.algorithm.to_string(), bound_at: view.bound_at, revoked_at: view.revoked_at }
    }
}

/// Shows the phones of a carer
#[utoipa::path(get, path = "/devices", tag = "devices", params(("carer_id" = Option<String>, Query, description = "A carer of a provider that you manage; left out for your own phones")), responses((status = OK, body = Vec<DeviceResponse>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    who: RequestCtx,
    ValidQuery(query): ValidQuery<DevicesQuery>,
) -> Result<Json<Vec<DeviceResponse>>, Problem> {
    let found = state.store.devices(&who.ctx.actor, query.carer_id).await?;
    Ok(Json(found.into_iter().map(DeviceResponse::from).collect()))
}

/// Revokes a phone
#[utoipa::path(delete, path = "/devices/{device_id}", tag = "devices", params(("device_id" = String, Path)), responses((status = NO_CONTENT)))]
pub(crate) async fn revoke(
    State(state): State<AppState>,
    who: RequestCtx,
    PathId(device): PathId<DeviceId>,
) -> Result<StatusCode, Problem> {
    state.store.write(who.ctx, RevokeDevice { device }).await?;
    Ok(StatusCode::NO_CONTENT)
}
