//! The description of the API, read for people.

use i18n::Locale;
use serde_json::{Map, Value};

use super::{Answer, DESCRIPTION, Field, Group, Kind, Operation, ReferencePage, Schema, Text, Words};
use crate::access::{Access, Rules};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The whole page in one language.
pub(super) fn page(words: Words, document: &Value, rules: &Rules) -> ReferencePage {
    let other = Words(match words.0 {
        Locale::ZhCn => Locale::En,
        Locale::En => Locale::ZhCn,
    });
    ReferencePage {
        words,
        other,
        description: DESCRIPTION,
        about: text(document, "/info/description"),
        groups: groups(words, document, rules),
        schemas: schemas(words, document),
        refusals: catalogue(words.0, "problem."),
        cures: catalogue(words.0, "cure."),
    }
}

fn groups(words: Words, document: &Value, rules: &Rules) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (path, item) in object(document, "/paths") {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let tag = text(operation, "/tags/0");
            let read = read_operation(words, document, rules, method, path, operation);
            let anchor = format!("tag-{tag}");
            if let Some(group) = groups.iter_mut().find(|group| group.anchor == anchor) {
                group.operations.push(read);
            } else {
                let heading = i18n::text(words.0, &format!("page.reference.tag.{tag}")).map_or(tag, Into::into);
                groups.push(Group { anchor, heading, operations: vec![read] });
            }
        }
    }
    groups
}

fn read_operation(words: Words, document: &Value, rules: &Rules, method: &str, path: &str, operation: &Value) -> Operation {
    let method = method.to_uppercase();
    let rule = rules.iter().find(|rule| rule.path == path && rule.method.as_str() == method);
    let who = match rule.map(|rule| rule.access) {
        Some(Access::Public) | None => vec![words.get("page.home.everybody")],
        Some(Access::SignedIn | Access::Session) => vec![words.get("page.home.signed_in")],
        Some(Access::Action(action)) => action.roles().iter().map(|role| words.get(&format!("role.{role}"))).collect(),
    };
    let parameters = array(operation, "/parameters").iter().map(|parameter| Field {
        name: text(parameter, "/name"),
        kind: place_of(words, parameter),
        required: parameter.get("required").and_then(Value::as_bool).unwrap_or(false),
        description: text(parameter, "/description"),
    });
    Operation {
        anchor: format!("{}-{}", method.to_lowercase(), path.replace(['/', '{', '}'], "-")),
        summary: text(operation, "/summary"),
        description: text(operation, "/description"),
        who,
        parameters: parameters.collect(),
        body: content(words, document, operation.pointer("/requestBody")),
        answers: answers(words, document, operation),
        method,
        path: path.to_owned(),
    }
}

/// What a parameter holds and where it stands.
fn place_of(words: Words, parameter: &Value) -> Kind {
    let kind = parameter.get("schema").map(|schema| kind(words, schema)).unwrap_or_default();
    let place = words.get(&format!("page.reference.in.{}", text(parameter, "/in")));
    Kind { words: format!("{place}, {}", kind.words), schema: kind.schema }
}

fn answers(words: Words, document: &Value, operation: &Value) -> Vec<Answer> {
    let all = object(operation, "/responses");
    // The one form of refusals is described once for all.
    let good = all.filter(|(status, _)| *status != "default");
    let read = |(status, answer): (&String, &Value)| Answer {
        status: status.clone(),
        description: text(answer, "/description"),
        body: content(words, document, Some(answer)),
    };
    good.map(read).collect()
}

/// Fields of what is sent or answered.
fn content(words: Words, document: &Value, holder: Option<&Value>) -> Vec<Field> {
    let mut kinds = holder.map(|holder| object(holder, "/content")).into_iter().flatten();
    let Some((media, content)) = kinds.next() else { return Vec::new() };
    let Some(schema) = content.get("schema") else { return Vec::new() };
    let named = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next());
    let found = named.and_then(|name| document.pointer(&format!("/components/schemas/{name}")));
    let fields = fields(words, found.unwrap_or(schema));
    if !fields.is_empty() {
        return fields;
    }
    vec![Field { name: media.clone(), kind: kind(words, schema), required: true, description: String::new() }]
}

fn schemas(words: Words, document: &Value) -> Vec<Schema> {
    let read = |(name, schema): (&String, &Value)| Schema {
        name: name.clone(),
        description: text(schema, "/description"),
        fields: fields(words, schema),
    };
    object(document, "/components/schemas").map(read).collect()
}

/// The fields of an object, those of its parts among them.
fn fields(words: Words, schema: &Value) -> Vec<Field> {
    let required = array(schema, "/required");
    let own = object(schema, "/properties").map(|(name, property)| Field {
        name: name.clone(),
        kind: kind(words, property),
        required: required.iter().any(|wanted| wanted == name),
        description: text(property, "/description"),
    });
    let of_parts = array(schema, "/allOf").iter().flat_map(|part| fields(words, part));
    own.chain(of_parts).collect()
}

/// What a schema holds, in words.
fn kind(words: Words, schema: &Value) -> Kind {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next()) {
        return Kind { words: String::new(), schema: Some(name.to_owned()) };
    }
    if let Some(items) = schema.get("items") {
        let of = kind(words, items);
        return Kind { words: format!("{} {}", words.get("page.reference.list"), of.words).trim().to_owned(), schema: of.schema };
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        // Something or nothing, mostly.
        if let Some(one) = array(schema, &format!("/{choice}")).iter().find(|one| one.get("type").and_then(Value::as_str) != Some("null")) {
            return kind(words, one);
        }
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).filter(|one| *one != "null").collect(),
        Some(_) | None => Vec::new(),
    };
    let format = schema.get("format").and_then(Value::as_str).map(|format| format!(" ({format})")).unwrap_or_default();
    let codes: Vec<&str> = array(schema, "/enum").iter().filter_map(Value::as_str).collect();
    let codes = if codes.is_empty() { String::new() } else { format!(": {}", codes.join(", ")) };
    Kind { words: format!("{}{format}{codes}", types.join(", ")), schema: None }
}

/// Codes of the catalogue with their texts.
fn catalogue(locale: Locale, prefix: &str) -> Vec<Text> {
    let keys = i18n::keys(locale);
    let codes = keys.iter().filter_map(|key| Some((key, key.strip_prefix(prefix)?)));
    codes.filter_map(|(key, code)| Some(Text { code: code.to_owned(), text: i18n::text(locale, key)?.into() })).collect()
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn array<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn object<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}
