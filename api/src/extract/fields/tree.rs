//! A JSON text as a tree that keeps the order of fields and shows doubled ones.

use std::{collections::HashSet, fmt, mem};

use domain::error::FieldError;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
    ser::SerializeMap as _,
};
use serde_json::Value;

use super::describe::{self, Step};

/// One value of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    Scalar(Value),
}

impl Node {
    pub(super) fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        matches!(self, Self::Object(fields) if fields.iter().any(|(field, _)| field == name))
    }

    /// Every field that stands twice in its object, and every text or name with a NUL, which no database of
    /// ours can store.
    pub(super) fn unstorable(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        self.collect_unstorable(&mut Vec::new(), &mut faults);
        faults
    }

    fn collect_unstorable(&self, path: &mut Vec<Step>, faults: &mut Vec<FieldError>) {
        match self {
            Self::Object(fields) => {
                let mut seen = HashSet::new();
                for (name, node) in fields {
                    path.push(Step::Field(name.clone()));
                    if !seen.insert(name.as_str()) {
                        faults.push(describe::doubled(path));
                    }
                    if name.contains('\0') {
                        faults.push(describe::nul(path));
                    }
                    node.collect_unstorable(path, faults);
                    path.pop();
                }
            }
            Self::Array(items) => {
                for (place, node) in items.iter().enumerate() {
                    path.push(Step::Item(place));
                    node.collect_unstorable(path, faults);
                    path.pop();
                }
            }
            Self::Scalar(Value::String(text)) if text.contains('\0') => faults.push(describe::nul(path)),
            Self::Scalar(_) => {}
        }
    }

    /// Takes all fields but those with the given names out of the object at the path, and returns their names.
    pub(super) fn remove_others(&mut self, path: &[Step], kept: &[&str]) -> Vec<String> {
        let Some(Self::Object(fields)) = self.find(path) else { return Vec::new() };
        let (keep, others) = mem::take(fields).into_iter().partition(|(name, _)| kept.contains(&name.as_str()));
        *fields = keep;
        let others: Vec<(String, Self)> = others;
        others.into_iter().map(|(name, _)| name).collect()
    }

    /// Takes the field at the end of the path out of its object. Tells whether there was one.
    pub(super) fn remove(&mut self, path: &[Step]) -> bool {
        let Some((Step::Field(name), parents)) = path.split_last() else { return false };
        let Some(Self::Object(fields)) = self.find(parents) else { return false };
        let before = fields.len();
        fields.retain(|(field, _)| field != name);
        fields.len() < before
    }

    /// Moves a field on the path behind its neighbours: the innermost one, or, when that was not enough so
    /// many times before, one further out. Tells whether there was one.
    pub(super) fn move_back(&mut self, path: &[Step], times: usize) -> bool {
        let fields = path.iter().enumerate().rev().filter(|(_, step)| matches!(step, Step::Field(_)));
        let Some((place, Step::Field(name))) = fields.clone().nth(times) else { return false };
        let Some(Self::Object(fields)) = path.get(..place).and_then(|parents| self.find(parents)) else { return false };
        let Some(from) = fields.iter().position(|(field, _)| field == name) else { return false };
        let field = fields.remove(from);
        fields.push(field);
        true
    }

    fn find(&mut self, path: &[Step]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, step| match (node, step) {
            (Self::Object(fields), Step::Field(name)) => fields.iter_mut().find(|(field, _)| field == name).map(|(_, node)| node),
            (Self::Array(items), Step::Item(place)) => items.get_mut(*place),
            (Self::Object(_) | Self::Array(_) | Self::Scalar(_), _) => None,
        })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, node) in fields {
                    map.serialize_entry(name, node)?;
                }
                map.end()
            }
            Self::Array(items) => items.serialize(serializer),
            Self::Scalar(value) => value.serialize(serializer),
        }
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(Node::Object(fields))
    }
}
