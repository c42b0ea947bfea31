//! The configuration: `tokenhouse.toml`, the environment over it, and a default for every key, so that
//! no file is a valid file. The one place that reads the environment.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::web::door::Network;

pub use self::console::Console;

mod console;

/// What the variables of the environment begin with: `TOKENHOUSE_SERVER__ISSUER` is `[server] issuer`.
const PREFIX: &str = "TOKENHOUSE_";

/// Everything that can be configured. Unknown keys are refused.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens and who it is.
    pub server: Server,
    /// The certificate it serves https with; none means http, as behind a proxy.
    pub tls: TlsFiles,
    /// Where everything is kept.
    pub database: Database,
    /// Where the sealing key comes from.
    pub sealing: Sealing,
    /// What it says on stderr.
    pub log: Log,
    /// What hashing a password costs.
    pub passwords: Passwords,
    /// How often something may be tried.
    pub limits: Limits,
    /// The console, for administrators.
    pub console: Console,
    /// How long things are kept.
    pub retention: Retention,
    /// Where figures about it can be read.
    pub metrics: Metrics,
}

/// `[server]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The address it listens on.
    pub listen: SocketAddr,
    /// The default tenant's issuer: the URL at which people reach this server, ending in `/`.
    pub issuer: String,
    /// The data folder: the SQLite file and, in `dev`, the sealing key.
    pub data: PathBuf,
    /// Applications, APIs and connections that each tenant keeps in memory.
    pub cache_entries: usize,
    /// Proxies whose `X-Forwarded-For` is believed, by address or network: none.
    pub trusted_proxies: Vec<Network>,
}

/// `[tls]`: both files or neither; they are read again when they change.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsFiles {
    /// The certificate and those it is chained to, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_file: Option<PathBuf>,
    /// Its private key, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}

/// `[database]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://user:password@host/database`; empty means SQLite in the data folder.
    pub url: String,
}

/// `[sealing]`: one of the three; none means a file in the data folder, which `serve` refuses unless allowed.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sealing {
    /// The sealing key itself, base64: meant for the environment, `TOKENHOUSE_SEALING__KEY`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// A file that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// A program, with its arguments, that prints it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// The least grave that is written: error, warn, info, debug, trace.
    pub level: LogLevel,
}

/// How a line of the log looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// A JSON object a line.
    Json,
}

/// How grave a line of the log is.
#[expect(missing_docs, reason = "each is its name")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// `[passwords]`: argon2id's costs (RFC 9106 §4) and its queue.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Passwords {
    /// KiB of memory for one hash.
    pub memory_kib: u32,
    /// Passes over it.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Threads that hash; 0 means half of the cores, at least one.
    pub threads: usize,
    /// Logins that may wait; the next is refused with 429.
    pub queue: usize,
}

/// `[limits]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Failed logins to one account from one address before it is blocked there.
    pub failed_logins_per_account: u32,
    /// Failed logins from one address before it is blocked.
    pub failed_logins_per_address: u32,
    /// Seconds in which they count, and that a block lasts at most.
    pub failed_logins_window_s: u32,
    /// Requests a second that one application may make to the Management API, ten times as many at once; 0 for no limit.
    pub management_requests_per_s: u32,
}

/// `[retention]`
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days that log rows are kept; 0 means for ever. Usage is counted apart and stays.
    pub logs_days: u32,
}

/// `[metrics]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// The address on which Prometheus reads `/metrics`; empty means nowhere. Never the public one.
    #[serde(deserialize_with = "address_or_none", skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
}

/// The configuration cannot be used; says why and where.
#[derive(Debug)]
pub struct ConfigError(String);

impl Config {
    /// Reads `file`, if one is named, and the environment over it.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let table = match file {
            None => toml::Table::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| ConfigError(format!("cannot read {}: {error}", path.display())))?;
                text.parse()
                    .map_err(|error| ConfigError(format!("{}: {error}", path.display())))?
            }
        };
        let variables = std::env::vars().filter(|(name, _)| name.starts_with(PREFIX) && name.contains("__"));
        Self::merge(table, variables)
    }

    fn merge(mut table: toml::Table, variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        for (name, value) in variables {
            let path = name[PREFIX.len()..].to_ascii_lowercase();
            let Some((section, key)) = path.split_once("__") else {
                continue;
            };
            let section = table
                .entry(section.to_owned())
                .or_insert_with(|| toml::Value::Table(toml::Table::new()))
                .as_table_mut()
                .ok_or_else(|| ConfigError(format!("{name}: [{section}] is not a section of the file")))?;
            section.insert(key.to_owned(), typed(key, value));
        }
        table.try_into().map_err(|error: toml::de::Error| {
            ConfigError(format!(
                "{}: {}",
                error.message(),
                "see `tokenhouse config show` for every key"
            ))
        })
    }

    /// The configuration as a file, its secrets hidden.
    pub fn shown(&self) -> String {
        let mut shown = self.clone();
        if !shown.sealing.key.is_empty() {
            shown.sealing.key = "(hidden)".into();
        }
        if let Some((scheme, rest)) = shown.database.url.split_once("://")
            && let Some((_, host)) = rest.rsplit_once('@')
        {
            shown.database.url = format!("{scheme}://(hidden)@{host}");
        }
        toml::to_string(&shown).unwrap_or_default()
    }
}

/// A variable's value in the type that TOML gives it: a number, a truth or a list where it reads as one.
/// The sealing key and the database's address are text whatever they look like.
fn typed(key: &str, value: String) -> toml::Value {
    if key == "key" || key == "url" {
        return toml::Value::String(value);
    }
    let parsed = format!("value = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut table| table.remove("value"));
    match parsed {
        Some(value @ (toml::Value::Integer(_) | toml::Value::Boolean(_) | toml::Value::Array(_))) => value,
        Some(_) | None => toml::Value::String(value),
    }
}

/// An address, or none where the text is empty.
fn address_or_none<'de, D: Deserializer<'de>>(value: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(value)?;
    let refused = |_| D::Error::custom(format!("{text:?} is not an address like 127.0.0.1:9400"));
    (!text.is_empty()).then(|| text.parse().map_err(refused)).transpose()
}

impl Passwords {
    /// How many threads hash.
    pub fn threads(&self) -> usize {
        match self.threads {
            0 => (std::thread::available_parallelism().map_or(1, usize::from) / 2).max(1),
            threads => threads,
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 4000)),
            issuer: "http://localhost:4000/".into(),
            data: "./tokenhouse-data".into(),
            cache_entries: 100_000,
            trusted_proxies: Vec::new(),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { logs_days: 30 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Human,
            level: LogLevel::Info,
        }
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            iterations: 2,
            parallelism: 1,
            threads: 0,
            queue: 64,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            failed_logins_per_account: 10,
            failed_logins_per_address: 100,
            failed_logins_window_s: 900,
            management_requests_per_s: 100,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<Vec<_>>()
            .into_iter()
    }

    #[test]
    fn no_file_is_a_valid_file() {
        assert_eq!(
            Config::merge(toml::Table::new(), variables(&[]))
                .unwrap()
                .server
                .listen
                .port(),
            4000
        );
    }

    #[test]
    fn the_environment_is_over_the_file() {
        let file = "[server]\nissuer = \"https://a/\"\n[passwords]\nqueue = 3"
            .parse()
            .unwrap();
        let environment = [
            ("TOKENHOUSE_SERVER__ISSUER", "https://b/"),
            ("TOKENHOUSE_PASSWORDS__QUEUE", "4"),
        ];
        let config = Config::merge(file, variables(&environment)).unwrap();
        assert_eq!(
            (config.server.issuer.as_str(), config.passwords.queue),
            ("https://b/", 4)
        );
    }

    #[test]
    fn unknown_keys_are_refused() {
        let refused = Config::merge("[server]\nlisen = \"x\"".parse().unwrap(), variables(&[])).unwrap_err();
        assert!(refused.to_string().contains("lisen"), "{refused}");
    }

    #[test]
    fn a_proxy_that_is_no_address_is_refused_and_named() {
        let file = |text: &str| Config::merge(text.parse().unwrap(), variables(&[]));
        let good = file("[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]").unwrap();
        assert!(good.shown().contains("\"10.0.0.0/8\", \"::1/128\""), "{}", good.shown());
        let refused = file("[server]\ntrusted_proxies = [\"10.0.0.0/33\"]").unwrap_err();
        assert!(refused.to_string().contains("10.0.0.0/33"), "{refused}");
    }

    #[test]
    fn what_is_shown_hides_secrets() {
        let environment = [
            ("TOKENHOUSE_SEALING__KEY", "c2VjcmV0"),
            ("TOKENHOUSE_DATABASE__URL", "postgres://me:hunter2@db/tokenhouse"),
        ];
        let shown = Config::merge(toml::Table::new(), variables(&environment))
            .unwrap()
            .shown();
        assert!(!shown.contains("c2VjcmV0") && !shown.contains("hunter2"), "{shown}");
    }
}
