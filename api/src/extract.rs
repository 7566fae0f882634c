//! What handlers take: bodies, keys, ids, versions and contexts, each checked before the handler runs.
//!
//! Every refusal is a [`crate::problem::Problem`]. Nothing here knows a rule of the domain.

mod body;
mod client;
mod context;
mod fields;
mod key;
mod path;
mod query;
mod version;

pub use body::{BODY_LENGTH_MAX, Valid};
pub use client::ClientAddress;
pub use context::{PublicCtx, RequestCtx};
pub use key::IdempotencyKey;
pub use path::PathId;
pub use query::ValidQuery;
pub use version::{IfMatch, etag};
