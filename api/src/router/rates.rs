//! How often somebody may ask: per address and, for whoever is signed in, per session. Kept in the memory of this
//! process; the limits on guessing at one login lie in the database, see `store::command::account`.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::{
    extract::ClientAddress,
    problem::{Problem, RequestError},
    settings::TrustedProxies,
};

/// Requests a second of one address, and at one time.
const ADDRESS: (u32, u32) = (200, 1_200);
/// Requests a second of one session, and at one time.
const SESSION: (u32, u32) = (50, 400);
/// Attempts to sign in a second of one address, and at one time. A whole office can share an address.
const SIGN_IN: (u32, u32) = (1, 60);
/// How many callers are remembered before those that have been quiet are forgotten.
const REMEMBERED: usize = 20_000;

/// The counts of this process.
#[derive(Debug)]
pub(super) struct Rates {
    address: DefaultKeyedRateLimiter<IpAddr>,
    session: DefaultKeyedRateLimiter<u64>,
    sign_in: DefaultKeyedRateLimiter<IpAddr>,
    trusted: Arc<TrustedProxies>,
}

impl Rates {
    pub(super) fn new(trusted: Arc<TrustedProxies>) -> Self {
        let quota = |(rate, burst)| {
            let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(number(rate)).allow_burst(number(burst))
        };
        Self {
            address: RateLimiter::keyed(quota(ADDRESS)),
            session: RateLimiter::keyed(quota(SESSION)),
            sign_in: RateLimiter::keyed(quota(SIGN_IN)),
            trusted,
        }
    }

    /// Whether a request may go on; counts it.
    fn admit(&self, request: &Request) -> bool {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let ClientAddress(address) = ClientAddress::of(peer, request.headers(), &self.trusted);
        let network = address.map(network_of);
        let mut admitted = network.is_none_or(|network| self.address.check_key(&network).is_ok());
        if admitted && let Some(session) = session_of(request) {
            admitted = self.session.check_key(&session).is_ok();
        }
        if admitted && signs_in(request) {
            admitted = network.is_none_or(|network| self.sign_in.check_key(&network).is_ok());
        }
        if self.address.len().max(self.session.len()) > REMEMBERED {
            self.address.retain_recent();
            self.session.retain_recent();
            self.sign_in.retain_recent();
        }
        admitted
    }
}

/// One household of the IPv6 net holds a whole network; within it addresses are free to choose.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 72)).into(),
    }
}

/// What tells the sessions of one address apart, before anybody has looked them up.
fn session_of(request: &Request) -> Option<u64> {
    let shown = request.headers().get(header::AUTHORIZATION).or_else(|| request.headers().get(header::COOKIE))?;
    let mut hasher = DefaultHasher::new();
    shown.as_bytes().hash(&mut hasher);
    Some(hasher.finish())
}

fn signs_in(request: &Request) -> bool {
    let path = request.uri().path();
    let below = path.strip_prefix(super::API).unwrap_or(path);
    request.method() == Method::POST && (below.starts_with("/sessions") || below.starts_with("/sign_in_codes"))
}

/// Refuses whoever asks too often.
pub(super) async fn limit(State(rates): State<Arc<Rates>>, request: Request, next: Next) -> Response {
    if rates.admit(&request) { next.run(request).await } else { Problem::from(RequestError::TooMany).into_response() }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::StatusCode, middleware::from_fn_with_state, routing::post};
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(router: &Router, path: &str, peer: &str) -> Response {
        let mut request = Request::post(path).body(Body::empty()).unwrap();
        let peer: IpAddr = peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 1))));
        router.clone().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn who_signs_in_too_often_is_put_off_and_others_are_not() {
        let rates = Arc::new(Rates::new(Arc::default()));
        let router = Router::new()
            .route("/api/v1/sessions", post(async || ()))
            .route("/api/v1/orders", post(async || ()))
            .layer(from_fn_with_state(rates, limit));
        let mut last = StatusCode::OK;
        // One more token comes each second; a slow machine needs a few tries more.
        for _attempt in 0..SIGN_IN.1 * 2 {
            let answered = ask(&router, "/api/v1/sessions", "2001:db8::1").await;
            last = answered.status();
            if last == StatusCode::TOO_MANY_REQUESTS {
                assert!(answered.headers().contains_key(header::RETRY_AFTER));
                break;
            }
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(ask(&router, "/api/v1/sessions", "198.51.100.1").await.status(), StatusCode::OK);
        assert_eq!(ask(&router, "/api/v1/orders", "2001:db8::1").await.status(), StatusCode::OK, "other requests go on");
    }

    #[test]
    fn a_household_counts_as_one() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:2::9"));
        assert_ne!(network("2001:db8:0:100::1"), network("2001:db8:0:200::1"));
        assert_ne!(network("198.51.100.1"), network("198.51.100.2"));
    }
}
