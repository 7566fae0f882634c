//! What every handler can reach.

use std::sync::Arc;

use store::{Source, Store, SystemClock};

use crate::settings::{PublicUrl, TrustedProxies};

/// One city with its clock, as the handlers see it. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The city.
    pub store: Store,
    /// Where contexts come from.
    pub source: Source,
    /// The clock behind `source`, to move it in a demo city.
    pub clock: Arc<SystemClock>,
    /// Address under which people reach the service.
    pub public_url: Arc<PublicUrl>,
    /// Proxies whose word on the address of a client counts.
    pub trusted_proxies: Arc<TrustedProxies>,
}
