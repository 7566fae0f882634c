//! The first page: what is here, and for whom.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::Request,
    response::{Html, IntoResponse as _, Response},
};
use domain::{access::Role, catalogue::ItemCode};
use i18n::Locale;
use strum::IntoEnumIterator as _;

use super::{Words, locale_of, reference::REFERENCE};
use crate::{
    access::{Access, Rule, Rules},
    problem::Problem,
    router::DESCRIPTION,
};

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    words: Words,
    other: Words,
    description: &'static str,
    reference: &'static str,
    services: Vec<String>,
    held_by: Vec<HeldBy>,
}

/// How many routes somebody may use.
struct HeldBy {
    who: String,
    routes: usize,
}

/// `GET /`.
pub(super) async fn home(Extension(rules): Extension<Arc<Rules>>, request: Request) -> Result<Response, Problem> {
    let locale = locale_of(request.uri(), request.headers());
    let page = HomePage::new(locale, &rules);
    let text = page.render().map_err(|cause| Problem::broken("page.template", cause.to_string()))?;
    Ok(Html(text).into_response())
}

impl HomePage {
    fn new(locale: Locale, rules: &Rules) -> Self {
        let words = Words(locale);
        let other = Words(match locale {
            Locale::ZhCn => Locale::En,
            Locale::En => Locale::ZhCn,
        });
        let count = |wanted: &dyn Fn(&Rule) -> bool| rules.iter().filter(|rule| rule.described && wanted(rule)).count();
        let mut held_by = vec![
            HeldBy { who: words.get("page.home.everybody"), routes: count(&|rule| rule.access == Access::Public) },
            HeldBy {
                who: words.get("page.home.signed_in"),
                routes: count(&|rule| matches!(rule.access, Access::SignedIn | Access::Session)),
            },
        ];
        for role in Role::iter() {
            let routes = count(&|rule| rule.access.roles().is_some_and(|roles| roles.contains(&role)));
            held_by.push(HeldBy { who: words.get(&format!("role.{role}")), routes });
        }
        let services = ItemCode::iter().map(|item| words.get(&format!("item.{item}"))).collect();
        Self { words, other, description: DESCRIPTION, reference: REFERENCE, services, held_by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_what_is_here_in_both_languages() {
        let rules = crate::router::parts().unwrap().rules;
        for locale in Locale::ALL {
            let text = HomePage::new(locale, &rules).render().unwrap();
            assert!(text.contains(DESCRIPTION) && text.contains(REFERENCE), "{text}");
            for word in ["item.bathing", "item.day_care", "role.carer", "role.volunteer"] {
                assert!(text.contains(&*i18n::text(locale, word).unwrap()), "{locale}: {word}");
            }
            assert!(text.contains(&format!("lang=\"{locale}\"")));
            assert!(!text.contains("<script"));
        }
    }
}
