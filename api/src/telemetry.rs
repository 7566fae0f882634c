//! What operators see: log lines, metrics, and what a panic leaves behind.
//!
//! A log line holds codes, ids and route templates, never bodies, names, numbers or the address as it was
//! typed: a person may type anything into an address. Writing the log can neither stop nor break the service.

mod log;
mod metrics;
mod observe;
mod panic;

pub use log::{LogGuard, init, init_to};
pub use metrics::{Metrics, Refresh, metrics_router};
pub use observe::{UNMATCHED, observe};
pub use panic::log_panics;
