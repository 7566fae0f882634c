//! Reads JSON into a type and finds all faulty fields, not just the first.
//!
//! A derived reader stops at its first fault. To find the others the text is read again with that field moved
//! behind all its neighbours (a derived reader takes fields in the order in which they come), until a fault
//! repeats. Only faulty bodies pay for it.

mod describe;
mod shape;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, HashSet};

use domain::error::FieldError;
use serde::de::DeserializeOwned;
use utoipa::{
    PartialSchema,
    openapi::{
        RefOr,
        schema::{Schema, SchemaType, Type},
    },
};
use validator::{Validate, ValidationErrors};

use crate::problem::{Problem, RequestError};
use describe::{Step, path_text};
use tree::Node;

/// Most fields and list entries of a body. A tree of this size is walked within milliseconds.
const PARTS_MAX: usize = 10_000;
/// Most readings of a faulty body.
const ROUNDS_MAX: usize = 100;
/// Most bytes that are read again for the sake of further faults, so that long bodies get few rounds.
const REREAD_MAX: usize = 1024 * 1024;

/// Reads a body.
///
/// # Errors
/// Text that is not JSON, or every faulty field.
pub(super) fn read<T: DeserializeOwned + PartialSchema + Validate>(raw: &[u8]) -> Result<T, Problem> {
    if parts(raw) > PARTS_MAX {
        let cure = format!("send at most {PARTS_MAX} fields and list entries at once");
        return Err(Problem::fields(vec![FieldError::new("", "field.count", cure)]));
    }
    let tree: Node = serde_json::from_slice(raw).map_err(|cause| RequestError::Malformed { line: cause.line(), column: cause.column() })?;
    // A derived reader of an object would also take a list of its fields in order.
    if is_object::<T>() && !tree.is_object() {
        return Err(Problem::fields(vec![FieldError::new("", "field.type", "write an object")]));
    }
    let unstorable = tree.unstorable();
    if !unstorable.is_empty() {
        return Err(Problem::fields(unstorable));
    }
    let value: T = serde_json::from_slice(raw).map_err(|_cause| Problem::fields(faults::<T>(tree, raw.len())))?;
    value.validate().map_err(|broken| Problem::fields(broken_rules(&broken)))?;
    Ok(value)
}

/// How many fields and list entries a text has at most: its commas and opening brackets outside of strings.
fn parts(raw: &[u8]) -> usize {
    let (mut count, mut quoted, mut escaped) = (0, false, false);
    for byte in raw {
        match byte {
            b'"' if !escaped => quoted = !quoted,
            b',' | b'[' | b'{' if !quoted => count += 1,
            _ => {}
        }
        escaped = quoted && *byte == b'\\' && !escaped;
    }
    count
}

/// Every field of the tree that `T` refuses, as far as the limits of reading again reach.
fn faults<T: DeserializeOwned + PartialSchema>(mut tree: Node, length: usize) -> Vec<FieldError> {
    let mut faults = Distinct::default();
    faults.extend(missing::<T>(&tree));
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    let rounds = (1 + REREAD_MAX / length.max(1)).min(ROUNDS_MAX);
    for _ in 0..rounds {
        let Some((path, message)) = first_fault::<T>(&tree) else { break };
        let all_unknown = remove_unknown(&mut tree, &path, &message);
        if !all_unknown.is_empty() {
            faults.extend(all_unknown);
            continue;
        }
        let fault = describe::fault(&path, &message);
        let unknown = fault.code == describe::UNKNOWN;
        let times = met.entry(fault.field.clone()).and_modify(|times| *times += 1).or_insert(0);
        let moved = if unknown { tree.remove(&path) } else { tree.move_back(&path, *times) };
        faults.extend([fault]);
        if !moved {
            break;
        }
    }
    faults.listed
}

/// Faults in the order in which they were found, each once.
#[derive(Default)]
struct Distinct {
    seen: HashSet<(String, String, String)>,
    listed: Vec<FieldError>,
}

impl Distinct {
    fn extend(&mut self, faults: impl IntoIterator<Item = FieldError>) {
        for fault in faults {
            if self.seen.insert((fault.field.clone(), fault.code.clone(), fault.cure.clone())) {
                self.listed.push(fault);
            }
        }
    }
}

/// Takes the unknown field at the end of the path and all its unknown neighbours out of the tree: the reader
/// says which names it knows, so that one reading finds them all. Nothing when its words are about another fault.
fn remove_unknown(tree: &mut Node, path: &[Step], message: &str) -> Vec<FieldError> {
    let Some((known, (_, parents))) = describe::known_names(path, message).zip(path.split_last()) else { return Vec::new() };
    let names = tree.remove_others(parents, &known);
    let place = |name| parents.iter().cloned().chain([Step::Field(name)]).collect::<Vec<_>>();
    names.into_iter().map(|name| describe::unknown(&place(name), message)).collect()
}

/// The first fault that a reader of `T` meets: its place and the reader's words.
fn first_fault<T: DeserializeOwned>(tree: &Node) -> Option<(Vec<Step>, String)> {
    let text = serde_json::to_vec(tree).ok()?;
    let mut reader = serde_json::Deserializer::from_slice(&text);
    let error = serde_path_to_error::deserialize::<_, T>(&mut reader).err()?;
    let message = error.inner().to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    Some((describe::steps(error.path()), message.get(..end).unwrap_or(&message).to_owned()))
}

fn is_object<T: PartialSchema>() -> bool {
    matches!(T::schema(), RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Object))
}

/// The fields of the outermost object that must be there and are not.
fn missing<T: PartialSchema>(tree: &Node) -> Vec<FieldError> {
    match T::schema() {
        RefOr::T(Schema::Object(object)) if tree.is_object() => {
            let absent = object.required.into_iter().filter(|name| !tree.has(name));
            absent.map(|name| describe::missing(path_text(&[Step::Field(name)]))).collect()
        }
        RefOr::T(_) | RefOr::Ref(_) => Vec::new(),
    }
}

/// What no parameter of an address may have: a NUL, or another one of the same name.
pub(super) fn check_parameters(pairs: &[(String, String)]) -> Vec<FieldError> {
    let fields = pairs.iter().map(|(name, value)| (name.clone(), Node::Scalar(value.as_str().into()))).collect();
    Node::Object(fields).unstorable()
}

/// A faulty parameter of an address.
pub(super) fn describe_parameter(name: &str, message: &str) -> FieldError {
    let path = if name.is_empty() { Vec::new() } else { vec![Step::Field(name.to_owned())] };
    describe::fault(&path, message)
}

/// The broken shape rules of a value.
pub(super) fn broken_rules(broken: &ValidationErrors) -> Vec<FieldError> {
    shape::faults(broken)
}
