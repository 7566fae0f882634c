//! Broken shape rules (`validator`) as faults of fields.

use std::collections::BTreeMap;

use domain::error::FieldError;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

/// All broken rules, ordered by field.
pub(super) fn faults(broken: &ValidationErrors) -> Vec<FieldError> {
    let mut faults = Vec::new();
    collect("", broken, &mut faults);
    faults
}

fn collect(parent: &str, broken: &ValidationErrors, faults: &mut Vec<FieldError>) {
    let ordered: BTreeMap<_, _> = broken.errors().iter().collect();
    for (name, kind) in ordered {
        let field = if parent.is_empty() { name.to_string() } else { format!("{parent}.{name}") };
        match kind {
            ValidationErrorsKind::Field(errors) => faults.extend(errors.iter().map(|error| fault(&field, error))),
            ValidationErrorsKind::Struct(inner) => collect(&field, inner, faults),
            ValidationErrorsKind::List(items) => {
                for (place, inner) in items {
                    collect(&format!("{field}.{place}"), inner, faults);
                }
            }
        }
    }
}

fn fault(field: &str, error: &ValidationError) -> FieldError {
    let limit = |name: &str| error.params.get(name).map(ToString::to_string);
    let unit = if error.code == "length" { " characters or entries" } else { "" };
    let cure = match (&error.message, limit("equal"), limit("min"), limit("max")) {
        (Some(message), ..) => message.to_string(),
        (None, Some(equal), ..) => format!("use exactly {equal}{unit}"),
        (None, None, Some(min), Some(max)) => format!("use {min} to {max}{unit}"),
        (None, None, Some(min), None) => format!("use at least {min}{unit}"),
        (None, None, None, Some(max)) => format!("use at most {max}{unit}"),
        (None, None, None, None) => "write it as the description of the API says".to_owned(),
    };
    FieldError::new(field, format!("field.{}", error.code), cure)
}
