//! The form of facts that a policy may ask of a resident or a visit. Which facts there are is said by the
//! policies; one that no policy asks changes nothing.

use std::collections::BTreeMap;

use domain::{error::FieldError, policy::FactValue};

/// Facts that one object may have.
const FACTS_MAX: usize = 32;
/// Longest text of a fact, in characters.
const TEXT_MAX: usize = 200;
/// Longest name of a fact, as in policy files.
const NAME_MAX: usize = 64;

/// What is wrong with facts given in a field.
pub(crate) fn faults(field: &str, facts: &BTreeMap<String, FactValue>) -> Vec<FieldError> {
    if facts.len() > FACTS_MAX {
        return vec![FieldError::new(field, "fact.count", "give at most 32 facts")];
    }
    let sound = |(name, value): &(&String, &FactValue)| {
        let named = (1..=NAME_MAX).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let short = match value {
            FactValue::Bool(_) | FactValue::Int(_) => true,
            FactValue::Text(text) => text.chars().count() <= TEXT_MAX && !text.contains(char::is_control),
        };
        named && short
    };
    let cure = "name a fact with small letters, digits and underscores, and write at most 200 characters";
    // The name is not repeated: it is what may be too long.
    if facts.iter().all(|fact| sound(&fact)) { Vec::new() } else { vec![FieldError::new(field, "fact.form", cure)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(facts: Vec<(String, FactValue)>) -> Vec<String> {
        faults("facts", &facts.into_iter().collect()).into_iter().map(|fault| fault.code).collect()
    }

    #[test]
    fn facts_have_short_names_and_values_and_are_few() {
        assert_eq!(codes(vec![("meal".to_owned(), FactValue::Text("午餐".to_owned()))]), Vec::<String>::new());
        let unfit = [("Meal", "a"), ("", "a"), ("meal\0", "a"), ("meal", "a\0"), (&*"m".repeat(65), "a"), ("meal", &*"a".repeat(201))];
        for (name, text) in unfit {
            assert_eq!(codes(vec![(name.to_owned(), FactValue::Text(text.to_owned()))]), ["fact.form"], "{name:?} {text:?}");
        }
        assert_eq!(codes((0..33).map(|n| (format!("fact_{n}"), FactValue::Bool(true))).collect()), ["fact.count"]);
    }
}
