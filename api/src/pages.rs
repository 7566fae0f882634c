//! Pages for people: rendered here, in Chinese and English, working without script.

mod home;
mod problem;
mod reference;
mod words;

use axum::{
    http::{HeaderMap, Method, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use i18n::Locale;

use crate::{access::Access, router::RouteTable};

pub(crate) use problem::problem_page;
pub(crate) use reference::Reference;
use words::Words;

const STYLE: &str = include_str!("../assets/page.css");

/// All pages.
pub(crate) fn routes() -> RouteTable {
    RouteTable::default()
        .page(Method::GET, "/", Access::Public, get(home::home))
        .page(Method::GET, reference::REFERENCE, Access::Public, get(reference::reference))
        .page(Method::GET, "/assets/page.css", Access::Public, get(style))
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")], STYLE).into_response()
}

/// The language of an answer: `?lang=`, or else what the browser prefers.
pub(crate) fn locale_of(uri: &Uri, headers: &HeaderMap) -> Locale {
    let parameters = uri.query().unwrap_or_default().split('&');
    let asked = parameters.filter_map(|parameter| parameter.strip_prefix("lang=")).find_map(|tag| tag.parse().ok());
    let preferred = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    asked.unwrap_or_else(|| Locale::negotiate(preferred))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_goes_before_the_browser_and_chinese_is_the_default() {
        let english = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, "en-GB,en;q=0.9".parse().unwrap())]);
        for (address, headers, wanted) in [
            ("/", HeaderMap::new(), Locale::ZhCn),
            ("/", english.clone(), Locale::En),
            ("/?lang=zh-CN", english.clone(), Locale::ZhCn),
            ("/?a=b&lang=en", HeaderMap::new(), Locale::En),
            ("/?lang=fr", english, Locale::En),
        ] {
            assert_eq!(locale_of(&address.parse().unwrap(), &headers), wanted, "{address}");
        }
    }
}
