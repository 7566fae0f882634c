//! The address under which people reach the service.

use std::{net::SocketAddr, str::FromStr};

use axum::http::Uri;

use super::{Key, SettingFault, Unusable};

/// Scheme and server, in the form in which a browser writes an origin: lower case, no default port, no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    https: bool,
}

impl PublicUrl {
    pub(super) fn parse(text: &str) -> Result<Self, Unusable> {
        let cure = "write scheme and server alone, such as https://yijia.example";
        let uri: Uri = text.parse().map_err(|_cause| Unusable::new("not an address", cure))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(Unusable::new("begins neither with https:// nor with http://", cure)),
        };
        let server = uri.authority().map(|authority| authority.as_str().to_ascii_lowercase()).unwrap_or_default();
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !server.contains('@') && !text.contains('#');
        if !bare || server.is_empty() {
            return Err(Unusable::new("holds more than scheme and server", cure));
        }
        let (scheme, default_port) = if https { ("https", ":443") } else { ("http", ":80") };
        let server = server.strip_suffix(default_port).unwrap_or(&server);
        Ok(Self { origin: format!("{scheme}://{server}"), https })
    }

    /// The address of a listener without a proxy before it.
    #[must_use]
    pub fn of_listener(listen: SocketAddr) -> Self {
        let origin = format!("http://{listen}");
        Self { origin: origin.strip_suffix(":80").map_or_else(|| origin.clone(), ToOwned::to_owned), https: false }
    }

    /// Scheme and server, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// Whether browsers come over TLS.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }
}

impl FromStr for PublicUrl {
    type Err = SettingFault;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).map_err(|unusable| SettingFault::new(Key::PublicUrl.variable(), "text", unusable))
    }
}
