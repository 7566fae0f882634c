//! The reference of the API, rendered here from its description: what can be asked, who may, with which fields,
//! and what the refusals mean. It works without script, on a phone and on paper.

mod read;

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::Request,
    response::{Html, IntoResponse as _, Response},
};
use i18n::Locale;
use utoipa::openapi::OpenApi;

use super::{Words, locale_of};
use crate::{access::Rules, problem::Problem, router::DESCRIPTION};

/// Where the reference is.
pub(super) const REFERENCE: &str = "/api/reference";

/// The reference in each language, rendered once.
#[derive(Debug, Clone)]
pub(crate) struct Reference(Arc<Vec<(Locale, String)>>);

#[derive(Template)]
#[template(path = "reference.html")]
struct ReferencePage {
    words: Words,
    other: Words,
    description: &'static str,
    about: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
    refusals: Vec<Text>,
    cures: Vec<Text>,
}

/// Operations under one heading.
struct Group {
    anchor: String,
    heading: String,
    operations: Vec<Operation>,
}

struct Operation {
    anchor: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    /// Who may, in words.
    who: Vec<String>,
    parameters: Vec<Field>,
    /// Fields of the body, or the one schema that it is.
    body: Vec<Field>,
    answers: Vec<Answer>,
}

struct Answer {
    status: String,
    description: String,
    body: Vec<Field>,
}

/// A named object of the API.
struct Schema {
    name: String,
    description: String,
    fields: Vec<Field>,
}

/// A parameter or field.
struct Field {
    name: String,
    kind: Kind,
    required: bool,
    description: String,
}

/// What a field holds: some words, and the schema to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Kind {
    words: String,
    schema: Option<String>,
}

/// A code with what it says.
struct Text {
    code: String,
    text: String,
}

impl Reference {
    /// Renders the reference.
    ///
    /// # Errors
    /// A description that is none, as text.
    pub(crate) fn new(openapi: &OpenApi, rules: &Rules) -> Result<Self, String> {
        let document = serde_json::to_value(openapi).map_err(|cause| cause.to_string())?;
        let render = |locale| {
            let page = read::page(Words(locale), &document, rules);
            page.render().map(|text| (locale, text)).map_err(|cause| cause.to_string())
        };
        Ok(Self(Arc::new(Locale::ALL.into_iter().map(render).collect::<Result<_, String>>()?)))
    }
}

/// `GET /api/reference`.
pub(super) async fn reference(Extension(reference): Extension<Reference>, request: Request) -> Result<Response, Problem> {
    let wanted = locale_of(request.uri(), request.headers());
    let found = reference.0.iter().find(|(locale, _)| *locale == wanted).map(|(_, text)| text.clone());
    found.map(|text| Html(text).into_response()).ok_or_else(|| Problem::broken("page.template", "no reference in that language"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_stands_in_the_reference_with_its_rule_in_both_languages() {
        let parts = crate::router::parts().unwrap();
        let reference = Reference::new(&parts.openapi, &parts.rules).unwrap();
        for (locale, text) in reference.0.iter() {
            for rule in parts.rules.iter().filter(|rule| rule.described) {
                let heading = format!("<code>{} {}</code>", rule.method, rule.path);
                assert!(text.contains(&heading), "{locale}: {heading}");
            }
            assert!(!text.contains("<script") && !text.contains("style=") && !text.contains("://"), "nothing from elsewhere");
            assert!(text.contains(&format!("lang=\"{locale}\"")));
            assert!(text.contains("order.too_late") || text.contains("access.not_found"), "refusals are listed");
        }
    }

    #[test]
    fn every_link_within_the_reference_leads_somewhere() {
        let parts = crate::router::parts().unwrap();
        let reference = Reference::new(&parts.openapi, &parts.rules).unwrap();
        for (locale, text) in reference.0.iter() {
            let mut links = 0;
            for link in text.split("href=\"#").skip(1) {
                let anchor = link.split('"').next().unwrap();
                links += 1;
                assert!(text.contains(&format!("id=\"{anchor}\"")), "{locale}: #{anchor}");
            }
            assert!(links > 50, "{locale}: {links}");
        }
    }

    #[test]
    fn the_fields_of_a_body_say_what_they_hold() {
        let parts = crate::router::parts().unwrap();
        let document = serde_json::to_value(&parts.openapi).unwrap();
        let page = read::page(Words(Locale::En), &document, &parts.rules);
        let operations: Vec<_> = page.groups.iter().flat_map(|group| &group.operations).collect();
        let quote = operations.iter().find(|operation| operation.path == "/api/v1/quotes" && operation.method == "POST").unwrap();
        let item = quote.body.iter().find(|field| field.name == "item").unwrap();
        assert!(item.required);
        assert!(!quote.who.is_empty() && quote.answers.iter().any(|answer| answer.status == "201"));
        assert!(operations.iter().any(|operation| operation.parameters.iter().any(|parameter| parameter.name == "resident_id")));
    }
}
