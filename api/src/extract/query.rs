//! Parameters after the question mark.

use std::error::Error as _;

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use validator::Validate;

use super::fields;
use crate::problem::{Problem, RequestError};

/// Parameters that have the shape of `T`. Derive `Deserialize` with `deny_unknown_fields`, and `Validate`.
#[derive(Debug, Clone)]
pub struct ValidQuery<T>(pub T);

impl<T, S> FromRequestParts<S> for ValidQuery<T>
where
    T: DeserializeOwned + Validate,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(|_cause| RequestError::Refused)?;
        let faults = fields::check_parameters(&pairs);
        if !faults.is_empty() {
            return Err(Problem::fields(faults));
        }
        let Query(value) = Query::<T>::try_from_uri(&parts.uri).map_err(|rejection| {
            // The cause reads `field: words` where the field is known.
            let words = rejection.source().map_or_else(String::new, ToString::to_string);
            let named = |name: &str| words.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
            let found = pairs.iter().find_map(|(name, _)| Some((name.as_str(), named(name)?)));
            let (field, message) = found.unwrap_or(("", &words));
            Problem::fields(vec![fields::describe_parameter(field, message)])
        })?;
        value.validate().map_err(|broken| Problem::fields(fields::broken_rules(&broken)))?;
        Ok(Self(value))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields)]
    struct Page {
        #[validate(range(min = 1, max = 100))]
        limit: u32,
    }

    async fn fault(query: &str) -> Option<(String, String)> {
        let (mut parts, ()) = Request::get(format!("/a?{query}")).body(()).unwrap().into_parts();
        let problem = ValidQuery::<Page>::from_request_parts(&mut parts, &()).await.err()?;
        let text = format!("{problem:?}");
        assert!(!text.contains("11010519"), "{text}");
        problem.errors().first().map(|fault| (fault.field.clone(), fault.code.clone()))
    }

    #[tokio::test]
    async fn parameters_are_checked_like_bodies() {
        let is = |field: &str, code: &str| Some((field.to_owned(), code.to_owned()));
        assert_eq!(fault("limit=10").await, None);
        assert_eq!(fault("limit=110105194912310021").await, is("limit", "field.value"));
        assert_eq!(fault("").await, is("limit", "field.missing"));
        assert_eq!(fault("limit=1&page=2").await, is("page", "field.unknown"));
        assert_eq!(fault("limit=0").await, is("limit", "field.range"));
    }

    #[tokio::test]
    async fn a_doubled_parameter_is_named() {
        assert_eq!(fault("limit=1&limit=2").await, Some(("limit".to_owned(), "field.doubled".to_owned())));
    }

    #[tokio::test]
    async fn a_parameter_with_nul_is_refused() {
        assert_eq!(fault("limit=%00").await, Some(("limit".to_owned(), "field.nul".to_owned())));
        assert_eq!(fault("limit=1&a%00=1").await, Some(("(unknown field)".to_owned(), "field.nul".to_owned())));
    }

    #[tokio::test]
    async fn an_unknown_parameter_that_may_be_personal_is_not_repeated() {
        for name in ["110105194912310021", "a+110105194912310021", "110105194912310021:%20"] {
            assert_eq!(
                fault(&format!("limit=1&{name}=1")).await,
                Some(("(unknown field)".to_owned(), "field.unknown".to_owned())),
                "{name}"
            );
        }
    }
}
