//! Faults of fields in words that never repeat the faulty value.

use std::borrow::Cow;

use domain::error::FieldError;
use serde_path_to_error::{Path, Segment};

/// Code of a field that the type does not have.
pub(super) const UNKNOWN: &str = "field.unknown";
/// Longest name of a field that is repeated, in bytes.
const NAME_MAX: usize = 40;
/// Most digits of a name that is repeated: enough for the names of our types, too few for a number of anybody.
const NAME_DIGITS_MAX: usize = 4;
/// Most steps of a path that are repeated; the types of this service are not that deep.
const STEPS_MAX: usize = 16;
/// Stands for a name that is not repeated, since it is the caller's own text and may be personal.
const NAMELESS: &str = "(unknown field)";

/// One step from a value to a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Field(String),
    Item(usize),
}

/// The steps that lead to a fault.
pub(super) fn steps(path: &Path) -> Vec<Step> {
    let steps = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Map { key } => Some(Step::Field(key.clone())),
        Segment::Enum { variant } => Some(Step::Field(variant.clone())),
        Segment::Unknown => None,
    });
    steps.collect()
}

/// A path as the API writes it: `items.0.quantity`.
pub(super) fn path_text(path: &[Step]) -> String {
    let steps = path.iter().take(STEPS_MAX).map(|step| match step {
        Step::Field(name) => Cow::Borrowed(if is_name(name) { name.as_str() } else { NAMELESS }),
        Step::Item(place) => Cow::Owned(place.to_string()),
    });
    steps.collect::<Vec<_>>().join(".")
}

/// The path of a field that the type does not have: its name is repeated only if it is of small letters and
/// underscores.
fn unknown_path_text(path: &[Step]) -> String {
    let Some((Step::Field(name), parents)) = path.split_last() else { return path_text(path) };
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let last = Step::Field(if plain { name.as_str() } else { NAMELESS }.to_owned());
    path_text(&parents.iter().cloned().chain([last]).collect::<Vec<_>>())
}

/// Whether a text can be the name of a field, or the code of an assessment item (`B.1.1`), and nothing personal.
fn is_name(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let code = matches!(text.as_bytes(), [b'A'..=b'Z', b'.', b'0'..=b'9', b'.', b'0'..=b'9']);
    let named = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    code || (named && (1..=NAME_MAX).contains(&text.len()) && digits <= NAME_DIGITS_MAX)
}

/// A field that the type does not have.
pub(super) fn unknown(path: &[Step], message: &str) -> FieldError {
    let cure = expected(message).map_or_else(|| "remove it".to_owned(), |known| format!("remove it or write {}", plain(known)));
    FieldError::new(unknown_path_text(path), UNKNOWN, cure)
}

/// The names that the reader knows beside an unknown one, which stands at the end of the path; none when its
/// words do not tell.
pub(super) fn known_names<'m>(path: &[Step], message: &'m str) -> Option<Vec<&'m str>> {
    let Some(Step::Field(name)) = path.last() else { return None };
    let rest = message.strip_prefix("unknown field `")?.strip_prefix(name.as_str())?.strip_prefix('`')?;
    let listed = rest.strip_prefix(", expected ").or_else(|| rest.starts_with(", there are no fields").then_some(""))?;
    Some(listed.split('`').skip(1).step_by(2).collect())
}

pub(super) fn doubled(path: &[Step]) -> FieldError {
    FieldError::new(path_text(path), "field.doubled", "give this field once")
}

pub(super) fn nul(path: &[Step]) -> FieldError {
    FieldError::new(path_text(path), "field.nul", "remove the character U+0000")
}

pub(super) fn missing(field: String) -> FieldError {
    FieldError::new(field, "field.missing", "give this field")
}

/// Turns the reader's words into a fault. What it quotes of the value stands before `, expected`; only what
/// comes after is kept. Words of our own types quote nothing.
pub(super) fn fault(path: &[Step], message: &str) -> FieldError {
    let message = message.rfind(" at line ").and_then(|end| message.get(..end)).unwrap_or(message);
    let field = path_text(path);
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        let path: Vec<_> = path.iter().cloned().chain([Step::Field(name.to_owned())]).collect();
        return missing(path_text(&path));
    }
    if message.starts_with("unknown field ") {
        return unknown(path, message);
    }
    if let Some(name) = message.strip_prefix("duplicate field `").and_then(|rest| rest.strip_suffix('`')) {
        return doubled(&path.iter().cloned().chain([Step::Field(name.to_owned())]).collect::<Vec<_>>());
    }
    let code = if message.starts_with("invalid type: ") { "field.type" } else { "field.value" };
    let quotes =
        ["invalid type: ", "invalid value: ", "invalid length ", "unknown variant "].iter().any(|start| message.starts_with(start));
    let cure = match (quotes, expected(message)) {
        (true, Some(wanted)) => format!("write {}", plain(wanted)),
        (true, None) => "write it as the description of the API says".to_owned(),
        (false, _) => message.to_owned(),
    };
    FieldError::new(field, code, cure)
}

fn expected(message: &str) -> Option<&str> {
    message.rsplit_once(", expected ").map(|(_, wanted)| wanted)
}

/// The reader's names of types in plainer words.
fn plain(wanted: &str) -> String {
    match wanted {
        "a string" => "a text".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 up".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        struct_name if struct_name.starts_with("struct ") => "an object".to_owned(),
        other => other.replace('`', ""),
    }
}
