//! The description of the API (OpenAPI 3.1).

use axum::{
    Extension,
    body::Bytes,
    http::Method,
    response::{IntoResponse, Response},
};
use utoipa::{
    OpenApi as _,
    openapi::{
        Content, OpenApi, PathItem, Ref, RefOr, Response as Described, ResponseBuilder,
        extensions::Extensions,
        path::Operation,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::StartError;
use crate::{
    access::{Access, Found, Rules},
    problem::{FieldFault, ProblemBody},
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Yijia",
        description = "Home elderly-care services of one city. Money is in fen, instants are RFC 3339, ids begin with their kind. \
            Creating requests need an Idempotency-Key; a repeat with the same key and body gets the same answer \
            (not for POST /accounts, whose answer shows secrets once: its login is the key). \
            Every refusal is a problem (RFC 9457) that names all faulty fields."
    ),
    components(schemas(ProblemBody, FieldFault))
)]
struct Document;

/// The description before any route is in it.
pub(super) fn document() -> OpenApi {
    Document::openapi()
}

/// Adds what holds for all routes: how to sign in, who may ask, and the one form of refusals.
pub(super) fn complete(openapi: &mut OpenApi, rules: &Rules) {
    let components = openapi.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("yijia_session"))));
    components.responses.insert("Problem".to_owned(), RefOr::T(problem_response()));
    for (path, item) in &mut openapi.paths.paths {
        for (method, operation) in operations(item) {
            if let Found::Access(access) = rules.find(&method, path) {
                complete_operation(operation, access);
            }
            operation.operation_id = Some(operation_name(&method, path));
        }
    }
}

fn problem_response() -> Described {
    let schema = Ref::from_schema_name("Problem");
    let builder = ResponseBuilder::new().description("The request was refused or failed.");
    builder.content("application/problem+json", Content::new(Some(schema))).build()
}

fn complete_operation(operation: &mut Operation, access: Access) {
    operation.responses.responses.insert("default".to_owned(), RefOr::Ref(Ref::from_response_name("Problem")));
    let who = match access {
        Access::Public => Vec::new(),
        Access::SignedIn | Access::Session => vec!["*".to_owned()],
        Access::Action(action) => action.roles().iter().map(ToString::to_string).collect(),
    };
    if access != Access::Public {
        let none: [&str; 0] = [];
        operation.security = Some(vec![SecurityRequirement::new("bearer", none), SecurityRequirement::new("cookie", none)]);
    }
    operation.extensions.get_or_insert_with(Extensions::default).insert("x-roles".to_owned(), who.into());
}

/// Names of handlers repeat from resource to resource; a description wants each name once.
fn operation_name(method: &Method, path: &str) -> String {
    let path = path.strip_prefix(super::API).unwrap_or(path);
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let words = segments.map(|segment| segment.trim_matches(['{', '}']).replace('.', "_"));
    std::iter::once(method.as_str().to_ascii_lowercase()).chain(words).collect::<Vec<_>>().join("_")
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let known = [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::DELETE, &mut item.delete),
        (Method::PATCH, &mut item.patch),
    ];
    known.into_iter().filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// The description as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Description(Bytes);

impl Description {
    pub(super) fn new(openapi: &OpenApi) -> Result<Self, StartError> {
        let text = openapi.to_pretty_json().map_err(|cause| StartError::Description(cause.to_string()))?;
        Ok(Self(text.into()))
    }
}

/// `GET /api/v1/openapi.json`.
pub(super) async fn openapi(Extension(Description(text)): Extension<Description>) -> Response {
    (super::json_type(), text).into_response()
}
