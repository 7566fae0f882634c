//! Where a city's data lies.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::Unusable;

/// Connections to an embedded database: one writes at a time, the others read.
const SQLITE_CONNECTIONS: u32 = 8;
/// Connections to PostgreSQL of one process.
const POSTGRES_CONNECTIONS: u32 = 16;

/// The database of one city. Its address can hold a password and is never printed.
#[derive(Debug, Clone)]
pub struct Database {
    url: SecretString,
    engine: Engine,
}

/// Which database it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite {
        /// The file.
        file: PathBuf,
        /// What keeps a second copy of the program away from it.
        lock: PathBuf,
    },
    /// A server, which keeps several copies of the program apart by itself.
    Postgres,
}

impl Database {
    /// The embedded database of a folder: `DIR/yijia.db`, `DIR/lock`.
    pub(super) fn in_folder(dir: &Path) -> Result<Self, Unusable> {
        let file = dir.join("yijia.db");
        let text = file.to_str().ok_or_else(|| Unusable::new("the path of --dir is not UTF-8", "choose another folder"))?;
        // These two have a meaning in the address of a database.
        let escaped = text.replace('%', "%25").replace('?', "%3F");
        let lock = dir.join("lock");
        Ok(Self { url: format!("sqlite:{escaped}").into(), engine: Engine::Sqlite { file, lock } })
    }

    pub(super) fn parse(text: &str) -> Result<Self, Unusable> {
        let cure = "write sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME";
        let engine = match text.split_once(':') {
            Some(("sqlite", rest)) => parse_sqlite(rest)?,
            Some(("postgres" | "postgresql", rest)) => {
                let server = rest.strip_prefix("//").ok_or_else(|| Unusable::new("the address has no server", cure))?;
                let (authority, name) = split_authority(server);
                let has_name = name.strip_prefix('/').is_some_and(|name| !name.is_empty() && !name.starts_with('?'));
                if !has_name || (authority.is_empty() && !text.contains("host=")) {
                    return Err(Unusable::new("the address lacks a server or the name of a database", cure));
                }
                Engine::Postgres
            }
            Some(_) | None => return Err(Unusable::new("not the address of a database that this program knows", cure)),
        };
        Ok(Self { url: text.to_owned().into(), engine })
    }

    /// Which database it is.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The address, password included.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.expose_secret()
    }

    /// The parts of the address of a PostgreSQL database.
    ///
    /// # Errors
    /// What is wrong, without the address itself.
    pub fn server_parts(&self) -> Result<ServerParts, String> {
        let url = url::Url::parse(self.url()).ok();
        let name = url.as_ref().and_then(|url| url.path().strip_prefix('/')).filter(|name| !name.is_empty() && !name.contains(['/', '%']));
        let cure = "write DATABASE_URL as postgres://USER:PASSWORD@HOST:PORT/NAME, with %XX for signs of the password";
        match (&url, name) {
            (Some(url), Some(name)) => Ok(ServerParts { url: url.clone(), name: name.to_owned() }),
            (_, None) | (None, _) => Err(format!("the parts of DATABASE_URL cannot be told apart; {cure}")),
        }
    }

    /// How many connections one process opens at most.
    #[must_use]
    pub const fn connections_max(&self) -> u32 {
        match self.engine {
            Engine::Sqlite { .. } => SQLITE_CONNECTIONS,
            Engine::Postgres => POSTGRES_CONNECTIONS,
        }
    }

    /// The address for people to read: scheme, server and name. Where it is not written plainly a secret could stand
    /// in any part of it, and only the scheme is told.
    #[must_use]
    pub fn redacted(&self) -> String {
        let url = self.url();
        match (&self.engine, url.split_once("://")) {
            (Engine::Sqlite { .. }, _) => url.to_owned(),
            (Engine::Postgres, Some((scheme, rest))) => match plain_parts(rest) {
                Some((server, name)) => format!("{scheme}://{server}/{name}"),
                None => format!("{scheme}://…"),
            },
            (Engine::Postgres, None) => "…".to_owned(),
        }
    }

    /// Whether each part of the address stands where it is expected.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        match (&self.engine, self.url().split_once("://")) {
            (Engine::Sqlite { .. }, _) => true,
            (Engine::Postgres, Some((_, rest))) => plain_parts(rest).is_some(),
            (Engine::Postgres, None) => false,
        }
    }
}

/// Where a PostgreSQL database is, in the parts that PostgreSQL's own programs take.
#[derive(Clone)]
pub struct ServerParts {
    url: url::Url,
    /// Name of the database.
    pub name: String,
}

impl fmt::Debug for ServerParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerParts").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ServerParts {
    /// The address, password included.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.to_string()
    }

    /// Another database of the same server.
    #[must_use]
    pub fn with_name(&self, name: &str) -> Self {
        let mut url = self.url.clone();
        url.set_path(name);
        Self { url, name: name.to_owned() }
    }

    /// Environment variables of PostgreSQL's programs, the password among them.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let mut variables = vec![("PGDATABASE", self.name.clone())];
        variables.extend(self.url.host_str().map(|host| ("PGHOST", decode(host.trim_matches(['[', ']'])))));
        variables.extend(self.url.port().map(|port| ("PGPORT", port.to_string())));
        variables.extend(Some(self.url.username()).filter(|user| !user.is_empty()).map(|user| ("PGUSER", decode(user))));
        variables.extend(self.url.password().map(|password| ("PGPASSWORD", decode(password))));
        for (name, value) in self.url.query_pairs() {
            let variable = match name.as_ref() {
                "host" => "PGHOST",
                "port" => "PGPORT",
                "user" => "PGUSER",
                "password" => "PGPASSWORD",
                "sslmode" => "PGSSLMODE",
                "sslrootcert" => "PGSSLROOTCERT",
                "sslcert" => "PGSSLCERT",
                "sslkey" => "PGSSLKEY",
                _ => continue,
            };
            variables.retain(|(known, _)| *known != variable);
            variables.push((variable, value.into_owned()));
        }
        variables
    }
}

/// Server and name of `[USER[:PASSWORD]@]SERVER[:PORT]/NAME[?…]`, when no sign in it can be read in two ways.
fn plain_parts(text: &str) -> Option<(&str, &str)> {
    let server_on = match text.split_once('@') {
        Some((user, _)) if user.contains(['/', '?', '#', ';']) => return None,
        Some((_, rest)) => rest,
        None => text,
    };
    let (path, _parameters) = server_on.split_once('?').unwrap_or((server_on, ""));
    let (server, name) = path.split_once('/')?;
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port),
        Some(_) | None => (server, "0"),
    };
    let is_word = |text: &str, more: &[char]| text.chars().all(|sign| sign.is_ascii_alphanumeric() || more.contains(&sign));
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_word(host, &['.', '-', '_']),
    };
    let sound = !server_on.contains(['@', '#', ';']) && is_host && port.parse::<u16>().is_ok() && !name.is_empty();
    (sound && is_word(name, &['_', '-', '.'])).then_some((server, name))
}

/// Splits `user:password@host:port/name?…` before the name. A password may hold a slash.
fn split_authority(text: &str) -> (&str, &str) {
    let end_of_user = text.rfind('@').unwrap_or(0);
    let slash = text.get(end_of_user..).and_then(|server| server.find('/')).map_or(text.len(), |place| place + end_of_user);
    text.split_at_checked(slash).unwrap_or((text, ""))
}

fn parse_sqlite(rest: &str) -> Result<Engine, Unusable> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path == ":memory:" || path.contains("mode=memory") {
        return Err(Unusable::new("names no file", "write sqlite:PATH; a database in memory would be gone with the process"));
    }
    if path.contains(['?', '%']) {
        return Err(Unusable::new("holds ? or %", "write the path alone; the program sets SQLite up itself"));
    }
    let file = PathBuf::from(path);
    let mut lock = file.clone().into_os_string();
    lock.push(".lock");
    Ok(Engine::Sqlite { file, lock: lock.into() })
}
