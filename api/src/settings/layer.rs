//! The sources of settings, laid over each other.

use std::path::Path;

use figment::{
    Error, Figment, Metadata, Profile, Provider,
    value::{Dict, Map, Value},
};
use strum::IntoEnumIterator as _;

use super::{Inputs, Key, SettingFault, Unusable};

/// Variables that begin like ours and belong to the test suite.
const TEST_VARIABLES: &str = "YIJIA_TEST_";

/// One source: its name, as `config show` prints it, and its values.
struct Layer {
    name: String,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

/// Lays defaults, file, environment and options over each other; values that cannot be read are left out and
/// noted.
pub(super) fn stack(inputs: &Inputs, faults: &mut Vec<SettingFault>) -> Figment {
    let mut layers = vec![defaults(inputs)];
    layers.extend(inputs.file.as_deref().and_then(|path| file(path, faults)));
    layers.extend(environment(inputs, faults));
    for (key, option, text) in &inputs.options {
        layers.push(Layer { name: (*option).to_owned(), values: one(*key, text) });
    }
    layers.into_iter().fold(Figment::new(), Figment::merge)
}

fn one(key: Key, text: &str) -> Dict {
    Dict::from([(key.name().to_owned(), Value::from(text))])
}

fn defaults(inputs: &Inputs) -> Layer {
    let mut values = Dict::new();
    values.extend(one(Key::Listen, "127.0.0.1:8600"));
    values.extend(one(Key::MetricsListen, inputs.metrics_listen_default.unwrap_or("off")));
    values.extend(one(Key::Log, "info"));
    values.extend(one(Key::MailUrl, "off"));
    values.extend(one(Key::MailSender, "no-reply@localhost.localdomain"));
    values.extend(one(Key::TextMail, "off"));
    values.extend(one(Key::TrustedProxies, "none"));
    Layer { name: "default".to_owned(), values }
}

fn environment(inputs: &Inputs, faults: &mut Vec<SettingFault>) -> Vec<Layer> {
    let mut layers = Vec::new();
    for (name, value) in &inputs.environment {
        let Some(name) = name.to_str() else { continue };
        let Some(key) = Key::iter().find(|key| key.variable() == name) else {
            if name.starts_with("YIJIA_") && !name.starts_with(TEST_VARIABLES) {
                let known: Vec<_> = Key::iter().map(Key::variable).collect();
                let problem = Unusable::new("there is no such setting", format!("remove it or write one of {}", known.join(", ")));
                faults.push(SettingFault::new(name, "environment", problem));
            }
            continue;
        };
        match value.to_str() {
            Some(text) => layers.push(Layer { name: "environment".to_owned(), values: one(key, text) }),
            None => faults.push(SettingFault::new(name, "environment", Unusable::new("not UTF-8", "write it in UTF-8"))),
        }
    }
    layers
}

fn file(path: &Path, faults: &mut Vec<SettingFault>) -> Option<Layer> {
    let name = path.display().to_string();
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        // Reading a pipe would wait without an end.
        faults.push(SettingFault::new("--config", name, Unusable::new("no ordinary file", "name a readable TOML file")));
        return None;
    }
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) => {
            let problem = Unusable::new(format!("cannot be read: {cause}"), "name a readable TOML file");
            faults.push(SettingFault::new("--config", name, problem));
            return None;
        }
    };
    let table: toml::Table = match toml::from_str(&text) {
        Ok(table) => table,
        Err(cause) => {
            // The whole text of the cause would quote the line, and with it perhaps a password.
            let line = cause.span().and_then(|span| text.get(..span.start)).map_or(1, |before| 1 + before.matches('\n').count());
            let problem = Unusable::new(format!("not TOML: {}", cause.message()), "write lines such as listen = \"127.0.0.1:8600\"");
            faults.push(SettingFault::new("--config", format!("{name}:{line}"), problem));
            return None;
        }
    };
    let mut values = Dict::new();
    for (written, value) in table {
        let known: Vec<_> = Key::iter().map(Key::name).collect();
        match (Key::iter().find(|key| key.name() == written), value) {
            (Some(key), toml::Value::String(text)) => values.extend(one(key, &text)),
            (Some(key), _) => {
                let problem = Unusable::new("not a text", format!("write the value of {written} in quotes"));
                faults.push(SettingFault::new(key.variable(), name.as_str(), problem));
            }
            (None, _) => {
                let problem = Unusable::new("there is no such setting", format!("remove it or write one of {}", known.join(", ")));
                faults.push(SettingFault::new(written, name.as_str(), problem));
            }
        }
    }
    Some(Layer { name, values })
}
