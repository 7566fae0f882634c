//! Facts that a policy declares beyond the fixed ones, with their kind and, for texts, their values.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::document::{Entry, Section};

/// The value of a declared fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged, expecting = "write true or false, a whole number, or a text")]
pub enum FactValue {
    /// Yes or no.
    Bool(bool),
    /// A whole number; amounts are in fen.
    Int(i64),
    /// One of the declared texts.
    Text(String),
}

impl fmt::Display for FactValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What a declared fact may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactKind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// One of these texts.
    Text(BTreeSet<String>),
}

impl FactKind {
    /// Whether a value is of this kind.
    #[must_use]
    pub fn admits(&self, value: &FactValue) -> bool {
        match (self, value) {
            (Self::Bool, FactValue::Bool(_)) | (Self::Int, FactValue::Int(_)) => true,
            (Self::Text(texts), FactValue::Text(text)) => texts.contains(text),
            (Self::Bool, FactValue::Int(_) | FactValue::Text(_))
            | (Self::Int, FactValue::Bool(_) | FactValue::Text(_))
            | (Self::Text(_), FactValue::Bool(_) | FactValue::Int(_)) => false,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Int => "a whole number".to_owned(),
            Self::Text(texts) => format!("one of {}", texts.iter().cloned().collect::<Vec<_>>().join(", ")),
        }
    }
}

/// Of whom a declared fact is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum FactSubject {
    /// Of the resident: used in conditions.
    Resident,
    /// Of one visit: used when it is priced.
    Visit,
}

/// The declaration of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactDeclaration {
    /// Of whom it is known.
    pub subject: FactSubject,
    /// What it may hold.
    pub kind: FactKind,
}

/// The declared facts of a policy, by name.
pub type FactDeclarations = BTreeMap<String, FactDeclaration>;

/// Names of fixed facts, which no file may declare again.
const FIXED: [&str; 12] = [
    "age",
    "birth_date",
    "sex",
    "hukou",
    "residence",
    "level",
    "categories",
    "living",
    "status",
    "disability_grade",
    "disability_kind",
    "income_month_fen",
];

pub(super) fn read_declarations(section: &Section<'_>) -> FactDeclarations {
    let mut declarations = FactDeclarations::new();
    for (name, entry) in section.entries() {
        let declaration = read_declaration(&entry);
        let well_formed = name.len() <= 64
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !well_formed {
            entry.fault("wrong name of a fact", "write small letters, digits and underscores, beginning with a letter");
        } else if FIXED.contains(&name) {
            entry.fault(format!("{name} is a fixed fact"), "use it in conditions without declaring it");
        } else if let Some(declaration) = declaration {
            declarations.insert(name.to_owned(), declaration);
        }
    }
    declarations
}

fn read_declaration(entry: &Entry<'_>) -> Option<FactDeclaration> {
    let section = entry.section()?;
    let subject = section.require("of", "\"resident\"").and_then(|of| of.code("\"resident\" or \"visit\""));
    let kind = section.require("kind", "\"bool\"").and_then(|kind| kind.text().map(|text| (text, kind)));
    let values = section.get("values");
    section.refuse_unknown_keys();
    let (name, kind) = kind?;
    let kind = match (name, values) {
        ("bool", None) => FactKind::Bool,
        ("int", None) => FactKind::Int,
        ("text", Some(values)) => FactKind::Text(values.codes("a text")?),
        ("text", None) => {
            kind.fault("a text fact without its values", "add values = [\"…\"] with every value it may have");
            return None;
        }
        ("bool" | "int", Some(values)) => {
            values.fault("values of a fact that is not a text", "remove the key");
            return None;
        }
        _ => {
            kind.fault("wrong code", "write \"bool\", \"int\" or \"text\"");
            return None;
        }
    };
    Some(FactDeclaration { subject: subject?, kind })
}

/// Reads the value that a condition compares a declared fact with.
pub(super) fn read_value(name: &str, entry: &Entry<'_>, declarations: &FactDeclarations) -> Option<FactValue> {
    let declaration = declaration_of(name, entry, declarations)?;
    let value = if entry.is_boolean() {
        entry.boolean().map(FactValue::Bool)
    } else if entry.is_text() {
        entry.text().map(|text| FactValue::Text(text.to_owned()))
    } else {
        entry.integer(i64::MIN, i64::MAX).map(FactValue::Int)
    }?;
    if declaration.kind.admits(&value) {
        return Some(value);
    }
    entry.fault("value that the declared fact cannot have", format!("write {}", declaration.kind.describe()));
    None
}

/// The declaration of a resident's fact that a condition names.
pub(super) fn declaration_of<'d>(name: &str, entry: &Entry<'_>, declarations: &'d FactDeclarations) -> Option<&'d FactDeclaration> {
    let declaration = declarations.get(name).filter(|declaration| declaration.subject == FactSubject::Resident);
    if declaration.is_none() {
        entry.fault(
            format!("fact {name} of the resident is not declared"),
            format!("add {name} = {{ of = \"resident\", kind = … }} under [facts]"),
        );
    }
    declaration
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_is_refused_with_what_to_write() {
        for wrong in ["null", "1.5", "[1]", "{}"] {
            let error = serde_json::from_str::<FactValue>(wrong).unwrap_err();
            assert!(error.to_string().starts_with("write true or false, a whole number, or a text"), "{wrong}: {error}");
        }
    }
}
