//! The address from which a request comes.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};

use crate::{settings::TrustedProxies, state::AppState};

/// Most entries of `X-Forwarded-For` that are looked at.
const HOPS_MAX: usize = 16;

/// The address of whoever asks.
///
/// That of the connection, or, behind proxies that the operator trusts, the last one in `X-Forwarded-For` that is not a trusted proxy itself. What a stranger writes there counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub Option<IpAddr>);

impl ClientAddress {
    /// As text, if it is known.
    #[must_use]
    pub fn text(self) -> Option<String> {
        self.0.map(|address| address.to_string())
    }

    /// Of the connection and the headers of a request.
    #[must_use]
    pub fn of(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &TrustedProxies) -> Self {
        let Some(mut address) = peer.map(|peer| peer.to_canonical()) else { return Self(None) };
        let forwarded: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
        for hop in forwarded.join(",").rsplit(',').take(HOPS_MAX) {
            if !trusted.contains(address) {
                break;
            }
            let Ok(before) = hop.trim().parse::<IpAddr>() else { break };
            address = before.to_canonical();
        }
        Self(Some(address))
    }
}

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        Ok(Self::of(peer, &parts.headers, &state.trusted_proxies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let headers = forwarded.iter().map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap()));
        let trusted = "127.0.0.1, 10.0.0.0/8".parse().unwrap();
        ClientAddress::of(Some(peer.parse().unwrap()), &headers.collect(), &trusted).text().unwrap()
    }

    #[test]
    fn only_a_trusted_proxy_can_name_another_address() {
        assert_eq!(client("198.51.100.7", &["203.0.113.9"]), "198.51.100.7");
        assert_eq!(client("127.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("::ffff:127.0.0.1", &["203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn what_a_stranger_wrote_before_the_proxies_counts_for_nothing() {
        assert_eq!(client("127.0.0.1", &["192.0.2.1, 203.0.113.9, 10.1.2.3"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &["192.0.2.1", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &["203.0.113.9, nonsense"]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
    }
}
