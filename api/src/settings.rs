//! What the operator decides: the database, the addresses, the key file, how much is logged.
//!
//! Values come from, the lowest first, the defaults, a TOML file (`--config`), the environment, and the
//! command line. Every fault of all of them is found at once and named with its variable, its place and its
//! cure; a program that is half configured does not start. Where each value came from is kept for
//! `yijia config show`, which leaves secrets out.

mod database;
mod layer;
mod log;
mod mail;
mod proxies;
mod public_url;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use domain::error::{Fault, FieldError, Kind};
use figment::Figment;

pub use database::{Database, Engine, ServerParts};
pub use log::LogFilter;
pub use mail::MailSettings;
pub use proxies::TrustedProxies;
pub use public_url::PublicUrl;

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::EnumIter)]
pub enum Key {
    /// Where the city's data lies: `sqlite:PATH` or `postgres://…`.
    DatabaseUrl,
    /// Address and port of pages and API.
    Listen,
    /// Address and port of the metrics, or `off`.
    MetricsListen,
    /// File with the encryption keys.
    KeyFile,
    /// What is logged.
    Log,
    /// Address under which people reach the service.
    PublicUrl,
    /// Mail server for messages, or `off`.
    MailUrl,
    /// From whom mails come.
    MailSender,
    /// Address of the gateway that takes text messages as mails, or `off`.
    TextMail,
    /// Proxies whose word on the address of a client counts, or `none`.
    TrustedProxies,
}

impl Key {
    /// Name of the environment variable.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::DatabaseUrl => "DATABASE_URL",
            Self::Listen => "YIJIA_LISTEN",
            Self::MetricsListen => "YIJIA_METRICS_LISTEN",
            Self::KeyFile => "YIJIA_KEY_FILE",
            Self::Log => "YIJIA_LOG",
            Self::PublicUrl => "YIJIA_PUBLIC_URL",
            Self::MailUrl => "YIJIA_MAIL_URL",
            Self::MailSender => "YIJIA_MAIL_SENDER",
            Self::TextMail => "YIJIA_TEXT_MAIL",
            Self::TrustedProxies => "YIJIA_TRUSTED_PROXIES",
        }
    }

    /// Name in a configuration file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DatabaseUrl => "database_url",
            Self::Listen => "listen",
            Self::MetricsListen => "metrics_listen",
            Self::KeyFile => "key_file",
            Self::Log => "log",
            Self::PublicUrl => "public_url",
            Self::MailUrl => "mail_url",
            Self::MailSender => "mail_sender",
            Self::TextMail => "text_mail",
            Self::TrustedProxies => "trusted_proxies",
        }
    }
}

/// Where settings are looked for. Reading the environment is the caller's part, so that the same inputs give
/// the same settings.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// `--config FILE`.
    pub file: Option<PathBuf>,
    /// `--dir DIR`, the folder of an embedded database.
    pub dir: Option<PathBuf>,
    /// The environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Values that the command line gives, with the name of the option.
    pub options: Vec<(Key, &'static str, String)>,
    /// Address of the metrics where no source names one; none = no metrics.
    pub metrics_listen_default: Option<&'static str>,
}

impl Inputs {
    /// The environment of this process, and nothing else.
    #[must_use]
    pub fn of_process() -> Self {
        Self { environment: std::env::vars_os().collect(), ..Self::default() }
    }
}

/// One fault of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFault {
    /// Variable, or the file where no variable is concerned.
    pub variable: String,
    /// Where the faulty value stands.
    pub place: String,
    /// What is wrong. Never holds the value, which may be a secret.
    pub fault: String,
    /// What to do.
    pub cure: String,
}

impl SettingFault {
    fn new(variable: impl Into<String>, place: impl Into<String>, problem: Unusable) -> Self {
        Self { variable: variable.into(), place: place.into(), fault: problem.fault, cure: problem.cure }
    }
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}; {}", self.variable, self.place, self.fault, self.cure)
    }
}

/// What is wrong with one value, and the cure.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unusable {
    fault: String,
    cure: String,
}

impl Unusable {
    fn new(fault: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { fault: fault.into(), cure: cure.into() }
    }
}

/// All faults of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct SettingsError(pub Vec<SettingFault>);

impl Fault for SettingsError {
    fn code(&self) -> &'static str {
        "settings.invalid"
    }
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
    fn fields(&self) -> Vec<FieldError> {
        self.0.iter().map(|fault| FieldError::new(fault.variable.as_str(), self.code(), fault.cure.as_str())).collect()
    }
}

/// One value as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Shown {
    /// Variable.
    pub variable: &'static str,
    /// Value, without secrets; none when nothing is set.
    pub value: Option<String>,
    /// Where it came from.
    pub source: String,
}

/// The settings of one process.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The city's database.
    pub database: Database,
    /// Address and port of pages and API.
    pub listen: SocketAddr,
    /// Address and port of the metrics; none = no metrics.
    pub metrics_listen: Option<SocketAddr>,
    /// File with the encryption keys.
    pub key_file: PathBuf,
    /// What is logged.
    pub log: LogFilter,
    /// Address under which people reach the service.
    pub public_url: PublicUrl,
    /// How messages leave.
    pub mail: MailSettings,
    /// Proxies whose word on the address of a client counts.
    pub trusted_proxies: TrustedProxies,
}

/// The outcome of looking for settings: what was found where, and the settings if all of it is usable.
#[derive(Debug, Clone)]
pub struct Found {
    /// Every value with its source.
    pub shown: Vec<Shown>,
    /// The settings, or all faults.
    pub settings: Result<Settings, SettingsError>,
}

impl Settings {
    /// Reads and checks all sources.
    ///
    /// # Errors
    /// Every fault that was found.
    pub fn load(inputs: &Inputs) -> Result<Self, SettingsError> {
        Self::find(inputs).settings
    }

    /// As [`Self::load`], with the source of each value.
    #[must_use]
    pub fn find(inputs: &Inputs) -> Found {
        let mut reader = Reader::open(inputs);
        let settings = reader.settings(inputs);
        let Reader { faults, shown, .. } = reader;
        let settings = match settings {
            Some(settings) if faults.is_empty() => Ok(settings),
            Some(_) | None => Err(SettingsError(faults)),
        };
        Found { shown, settings }
    }
}

/// Reads values one by one and notes what is wrong with them.
struct Reader {
    figment: Figment,
    faults: Vec<SettingFault>,
    shown: Vec<Shown>,
}

impl Reader {
    fn open(inputs: &Inputs) -> Self {
        let mut faults = Vec::new();
        let figment = layer::stack(inputs, &mut faults);
        Self { figment, faults, shown: Vec::new() }
    }

    /// The text of a setting and its source.
    fn text(&self, key: Key) -> Option<(String, String)> {
        let value = self.figment.find_value(key.name()).ok()?;
        let source = self.figment.get_metadata(value.tag()).map_or_else(String::new, |metadata| metadata.name.to_string());
        value.into_string().map(|text| (text, source))
    }

    fn show(&mut self, key: Key, value: Option<String>, source: impl Into<String>) {
        self.shown.push(Shown { variable: key.variable(), value, source: source.into() });
    }

    fn fault(&mut self, key: Key, place: impl Into<String>, problem: Unusable) {
        self.faults.push(SettingFault::new(key.variable(), place, problem));
    }

    /// Reads a setting that has a default or may be absent.
    fn read<T>(&mut self, key: Key, parse: impl FnOnce(&str) -> Result<T, Unusable>) -> Option<T> {
        let Some((text, source)) = self.text(key) else {
            self.show(key, None, "not set");
            return None;
        };
        match parse(&text) {
            Ok(value) => {
                self.show(key, Some(text), source);
                Some(value)
            }
            Err(problem) => {
                self.show(key, Some("(unusable)".to_owned()), source.as_str());
                self.fault(key, source, problem);
                None
            }
        }
    }

    fn settings(&mut self, inputs: &Inputs) -> Option<Settings> {
        let database = self.database(inputs.dir.as_deref());
        let listen = self.read(Key::Listen, |text| parse_address(text, "127.0.0.1:8600"));
        let metrics_listen = self.read(Key::MetricsListen, parse_metrics_address).flatten();
        let key_file = self.key_file(inputs.dir.as_deref());
        let log = self.read(Key::Log, LogFilter::parse);
        let public_url = match (self.text(Key::PublicUrl), listen) {
            (None, Some(listen)) => {
                let derived = PublicUrl::of_listener(listen);
                self.show(Key::PublicUrl, Some(derived.as_str().to_owned()), "made from YIJIA_LISTEN");
                Some(derived)
            }
            (None, None) | (Some(_), _) => self.read(Key::PublicUrl, PublicUrl::parse),
        };
        let mail = self.mail();
        let trusted_proxies = self.read(Key::TrustedProxies, TrustedProxies::parse);
        if let (Some(listen), Some(metrics)) = (listen, metrics_listen)
            && listen == metrics
            && listen.port() != 0
        {
            let problem = Unusable::new("the same address and port as YIJIA_LISTEN", "choose another port, such as 127.0.0.1:9600");
            self.fault(Key::MetricsListen, "together with YIJIA_LISTEN", problem);
        }
        Some(Settings {
            database: database?,
            listen: listen?,
            metrics_listen,
            key_file: key_file?,
            log: log?,
            public_url: public_url?,
            mail: mail?,
            trusted_proxies: trusted_proxies?,
        })
    }

    /// The three settings of messages belong together; the address of the server can hold a password and is shown
    /// only as set.
    fn mail(&mut self) -> Option<MailSettings> {
        let url = self.text(Key::MailUrl);
        let shown = |text: &str| if text == "off" { "off" } else { "(set)" }.to_owned();
        let (url, place) = url.map_or_else(|| ("off".to_owned(), "default".to_owned()), |(url, place)| (url, place));
        self.show(Key::MailUrl, Some(shown(&url)), place.as_str());
        let sender = self.read(Key::MailSender, |text| Ok(text.to_owned()))?;
        let text = self.read(Key::TextMail, |text| Ok(text.to_owned()))?;
        match MailSettings::of(&url, &sender, &text) {
            Ok(mail) => Some(mail),
            Err((key, problem)) => {
                self.fault(key, place, problem);
                None
            }
        }
    }

    fn database(&mut self, dir: Option<&Path>) -> Option<Database> {
        let given = self.text(Key::DatabaseUrl);
        let (parsed, source) = match (dir, given) {
            (Some(dir), None) => (Database::in_folder(dir), "--dir".to_owned()),
            (Some(_), Some((_, source))) => {
                let problem = Unusable::new("set although --dir names an embedded database", "give one of the two");
                (Err(problem), source)
            }
            (None, Some((text, source))) => (Database::parse(&text), source),
            (None, None) => {
                let cure = "set it to sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME, or give --dir DIR";
                (Err(Unusable::new("missing", cure)), "not set".to_owned())
            }
        };
        match parsed {
            Ok(database) => {
                self.show(Key::DatabaseUrl, Some(database.redacted()), source);
                Some(database)
            }
            Err(problem) => {
                self.show(Key::DatabaseUrl, None, source.as_str());
                self.fault(Key::DatabaseUrl, source, problem);
                None
            }
        }
    }

    fn key_file(&mut self, dir: Option<&Path>) -> Option<PathBuf> {
        match (dir, self.text(Key::KeyFile)) {
            (Some(dir), None) => {
                let path = dir.join("keys.json");
                self.show(Key::KeyFile, Some(path.display().to_string()), "--dir");
                Some(path)
            }
            (None, None) => {
                let cure = "name the file that holds the encryption keys, such as /var/lib/yijia/keys.json; yijia migrate makes it for a new database";
                self.show(Key::KeyFile, None, "not set");
                self.fault(Key::KeyFile, "not set", Unusable::new("missing", cure));
                None
            }
            (_, Some(_)) => self.read(Key::KeyFile, |text| match text {
                "" => Err(Unusable::new("empty", "name a file, or remove the setting")),
                _ => Ok(PathBuf::from(text)),
            }),
        }
    }
}

fn parse_address(text: &str, example: &str) -> Result<SocketAddr, Unusable> {
    text.parse().map_err(|_cause| Unusable::new("not an IP address with a port", format!("write it as {example} or [::1]:8600")))
}

fn parse_metrics_address(text: &str) -> Result<Option<SocketAddr>, Unusable> {
    if text == "off" { Ok(None) } else { parse_address(text, "127.0.0.1:9600").map(Some) }
}
