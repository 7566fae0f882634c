//! The first page: what this is, and who may ask for what.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::Request,
    response::{Html, IntoResponse as _, Response},
};
use domain::access::Role;
use i18n::Locale;
use strum::IntoEnumIterator as _;

use super::{Words, locale_of};
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
    groups: Vec<Group>,
}

/// Routes under a heading.
struct Group {
    heading: String,
    routes: Vec<String>,
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
        let described =
            |wanted: &dyn Fn(&Rule) -> bool| rules.iter().filter(|rule| rule.described && wanted(rule)).map(Rule::name).collect();
        let mut groups = vec![
            Group { heading: words.get("page.home.everybody"), routes: described(&|rule| rule.access == Access::Public) },
            Group { heading: words.get("page.home.signed_in"), routes: described(&|rule| rule.access == Access::SignedIn) },
        ];
        for role in Role::iter() {
            let routes = described(&|rule| rule.access.roles().is_some_and(|roles| roles.contains(&role)));
            groups.push(Group { heading: words.get(&format!("role.{role}")), routes });
        }
        groups.retain(|group| !group.routes.is_empty());
        Self { words, other, description: DESCRIPTION, groups }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_the_routes_in_both_languages() {
        let rules = crate::router::parts().unwrap().rules;
        for locale in Locale::ALL {
            let text = HomePage::new(locale, &rules).render().unwrap();
            assert!(text.contains("POST /api/v1/sessions") && text.contains(DESCRIPTION), "{text}");
            assert!(text.contains(&format!("lang=\"{locale}\"")));
            assert!(!text.contains("<script"));
        }
    }
}
