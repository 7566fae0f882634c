//! Answers that several resources share.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use store::Answer;

use crate::{problem::Problem, router::API};

/// Tells that the answer is a repeat: the request took effect before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// `201 Created` with the address of what was made.
#[derive(Debug)]
pub struct Created<T> {
    path: String,
    answer: Answer<T>,
}

impl<T> Created<T> {
    /// `path` is the address of the new thing, below the beginning of the API.
    pub fn at(path: impl FnOnce(&T) -> String, answer: Answer<T>) -> Self {
        Self { path: path(&answer.value), answer }
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let Ok(location) = HeaderValue::try_from(format!("{API}{}", self.path)) else {
            return Problem::broken("request.location", "an address that no header can hold").into_response();
        };
        let mut response = (StatusCode::CREATED, [(header::LOCATION, location)], Json(self.answer.value)).into_response();
        if self.answer.replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
