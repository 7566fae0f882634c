//! Writes a problem: once, at the border, in the reader's language.

use axum::{
    Json,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{error::Kind, id::RequestId};
use i18n::Locale;

use super::{Problem, RequestError};
use crate::pages;

/// Gives every answer that carries a [`Problem`] its body, and logs what the caller is not told.
pub async fn render(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let locale = pages::locale_of(request.uri(), request.headers());
    let page = wants_page(request.uri().path(), request.headers());
    // Programs name no language and need the numbers and names of the case, which stand in the English detail.
    let detailed_in = if page || names_chinese(request.headers()) { locale } else { Locale::En };
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Problem>().cloned().or_else(|| unexplained(&response)) else {
        return response;
    };
    log(&problem);
    let body = problem.body(locale, detailed_in, id);
    let mut rendered = if page {
        pages::problem_page(locale, &body)
    } else {
        let mut rendered = Json(body).into_response();
        rendered.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        rendered
    };
    rendered.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(locale.tag()));
    combine(response, rendered, &problem)
}

/// The head of the refusal with the body of its description.
fn combine(response: Response, rendered: Response, problem: &Problem) -> Response {
    let (mut head, _) = response.into_parts();
    let (written, body) = rendered.into_parts();
    head.status = problem.status();
    head.headers.remove(header::CONTENT_LENGTH);
    for (name, value) in &written.headers {
        head.headers.insert(name, value.clone());
    }
    Response::from_parts(head, body)
}

/// A refusal by a part of the framework that knows no problems, told by its plain text.
fn unexplained(response: &Response<Body>) -> Option<Problem> {
    let plain = response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !plain {
        return None;
    }
    if response.status().is_server_error() {
        return Some(Problem::broken("request.failed", format!("an answer {} without a reason", response.status().as_u16())));
    }
    response.status().is_client_error().then(|| RequestError::Refused.into())
}

fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")));
    accepts && !path.starts_with("/api/")
}

/// Whether `Accept-Language` names Chinese.
fn names_chinese(headers: &HeaderMap) -> bool {
    let members =
        headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut languages = members.filter_map(|member| member.split([';', '-']).next());
    languages.any(|language| language.trim().eq_ignore_ascii_case("zh"))
}

fn log(problem: &Problem) {
    let (code, cause) = (problem.0.code, problem.0.cause.as_deref().unwrap_or_default());
    match problem.0.kind {
        Kind::Broken => tracing::error!(code, cause, "request failed"),
        Kind::Unavailable => tracing::warn!(code, cause, "request put off"),
        Kind::Invalid | Kind::Unauthenticated | Kind::Forbidden | Kind::NotFound | Kind::Conflict | Kind::Stale => {
            tracing::info!(code, "request refused");
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, middleware::from_fn, routing::get};
    use domain::{
        error::{Fault as _, FieldError},
        resident::ResidentError,
    };
    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn programs_get_json_and_people_get_pages() {
        let headers = |accept: &'static str| HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        assert!(wants_page("/orders", &headers("text/html,application/xhtml+xml,*/*;q=0.8")));
        assert!(!wants_page("/orders", &headers("application/json")));
        assert!(!wants_page("/api/v1/orders", &headers("text/html")));
        assert!(!wants_page("/orders", &HeaderMap::new()));
    }

    /// What a reader of a language is told about a faulty form.
    async fn answer(language: &str) -> Value {
        let (spoken, body) = answer_to(Request::get("/api/v1/residents").header(header::ACCEPT_LANGUAGE, language)).await;
        assert_eq!(spoken, language);
        body
    }

    async fn answer_to(request: axum::http::request::Builder) -> (HeaderValue, Value) {
        let form = || async { Problem::fields(ResidentError::Phone.fields().into_iter().chain([unknown_to_the_catalogue()]).collect()) };
        let app = Router::new().route("/api/v1/residents", get(form)).layer(from_fn(render));
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let language = response.headers()[header::CONTENT_LANGUAGE].clone();
        (language, serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap())
    }

    fn unknown_to_the_catalogue() -> FieldError {
        FieldError::new("line 3", "policy.fault", "write a share")
    }

    #[tokio::test]
    async fn a_chinese_reader_gets_title_detail_and_cures_in_chinese() {
        let body = answer("zh-CN").await;
        assert_eq!(body["title"], "填写的内容有误，请按提示修改");
        assert_eq!(body["detail"], body["title"]);
        let cure = "请填写手机号码，例如 13800001234；或带区号的固定电话，例如 022-23123456";
        assert_eq!(body["errors"][0], json!({ "field": "phone", "code": "resident.phone", "cure": cure }));
        assert_eq!(body["errors"][1]["cure"], "write a share", "a cure without a Chinese text stays English");
    }

    #[tokio::test]
    async fn a_program_that_names_no_language_gets_the_english_detail() {
        for language in [None, Some("*"), Some("fr")] {
            let request =
                language.iter().fold(Request::get("/api/v1/residents"), |request, tag| request.header(header::ACCEPT_LANGUAGE, *tag));
            let (_, body) = answer_to(request).await;
            assert_eq!(body["title"], "填写的内容有误，请按提示修改", "{language:?}");
            assert_eq!(body["detail"], "some fields are not usable", "{language:?}");
        }
    }

    #[tokio::test]
    async fn an_english_reader_gets_the_words_of_the_domain() {
        let body = answer("en").await;
        assert_eq!(body["title"], "Some fields need a change");
        assert_eq!(body["detail"], "some fields are not usable");
        assert_eq!(body["errors"][0]["cure"], ResidentError::Phone.fields()[0].cure);
        assert_eq!(body["errors"][1]["cure"], "write a share");
    }
}
