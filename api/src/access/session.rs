//! The cookie that keeps a session on a browser.

use axum::http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use crate::settings::PublicUrl;

/// Name of the cookie. With TLS the prefix makes browsers refuse it from anybody but this very server.
pub(super) const fn cookie_name(public_url: &PublicUrl) -> &'static str {
    if public_url.is_https() { "__Host-yijia_session" } else { "yijia_session" }
}

/// The value of `Set-Cookie` for a new session that lasts so many seconds; none for a token that no cookie
/// can hold.
#[must_use]
pub fn set_cookie(public_url: &PublicUrl, token: &SecretString, seconds: i64) -> Option<HeaderValue> {
    let token = token.expose_secret();
    let fits = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let mut value = HeaderValue::try_from(cookie(public_url, token, seconds)).ok().filter(|_| fits)?;
    value.set_sensitive(true);
    Some(value)
}

/// The value of `Set-Cookie` that takes the cookie away.
#[must_use]
pub fn clear_cookie(public_url: &PublicUrl) -> Option<HeaderValue> {
    HeaderValue::try_from(cookie(public_url, "", 0)).ok()
}

fn cookie(public_url: &PublicUrl, value: &str, seconds: i64) -> String {
    let secure = if public_url.is_https() { "; Secure" } else { "" };
    format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", cookie_name(public_url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_bound_to_the_server_and_closed_to_scripts() {
        let plain: PublicUrl = "http://127.0.0.1:8600".parse().unwrap();
        let tls: PublicUrl = "https://yijia.example".parse().unwrap();
        let token = SecretString::from("abc-_1");
        assert_eq!(set_cookie(&plain, &token, 60).unwrap(), "yijia_session=abc-_1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        assert_eq!(
            set_cookie(&tls, &token, 60).unwrap(),
            "__Host-yijia_session=abc-_1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(clear_cookie(&plain).unwrap(), "yijia_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        assert!(set_cookie(&plain, &SecretString::from("a; Domain=evil"), 60).is_none());
    }
}
