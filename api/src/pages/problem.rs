//! A problem as a page.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};
use i18n::Locale;

use super::Words;
use crate::problem::ProblemBody;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    words: Words,
    problem: &'a ProblemBody,
}

/// The page for a problem. If even that cannot be written, its bare title is the page.
pub(crate) fn problem_page(locale: Locale, problem: &ProblemBody) -> Response {
    let page = ProblemPage { words: Words(locale), problem };
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(_cause) => problem.title.clone().into_response(),
    }
}
