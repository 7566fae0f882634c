//! Ids in addresses.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The ids in the address, typed: `PathId(order): PathId<OrderId>`, or a tuple for several.
///
/// An id that is malformed or of another kind names nothing, so the answer is the same as for one that does not exist.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

impl<T, S> FromRequestParts<S> for PathId<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(ids) = Path::<T>::from_request_parts(parts, state).await.map_err(|_cause| Problem::not_found())?;
        Ok(Self(ids))
    }
}
