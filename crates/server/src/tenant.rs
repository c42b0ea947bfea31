//! A tenant: one issuer with its own keys, applications, APIs, users and logs, as every room is handed it.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Map, Value};

use tokenhouse_guard::Guard;
use tokenhouse_protocol::crypto::{Random, RsaBits};
use tokenhouse_protocol::discovery::is_loopback_host;
use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::Clock;
use tokenhouse_store::{Change, Quota, Store};

use crate::accounts::Accounts;
use crate::audit::Audit;
use crate::config::Console;
use crate::directory::Directory;
use crate::host::without_usual_port;
use crate::keyring::Keyring;
use crate::quota;
use crate::registry::keys::{RSA_BITS, rsa_bits};
use crate::registry::secrets::Secrets;

/// A hundred years.
const MAX_HOURS: f64 = 876_000.0;

/// What every room needs and all tenants share. Cloning shares it.
#[derive(Clone)]
pub struct House {
    /// The clock.
    pub clock: Clock,
    /// The source of randomness.
    pub random: Random,
    /// The database.
    pub store: Store,
    /// Sealing and digests.
    pub secrets: Arc<Secrets>,
    /// People's passwords and the limits on trying them.
    pub accounts: Arc<Accounts>,
    /// The log's writer.
    pub audit: Arc<Audit>,
    /// How many entries each of a tenant's caches may hold.
    pub cache_entries: usize,
    /// How long administrators stay signed in to the console, if there is one.
    pub console: Console,
    /// The default tenant's issuer, which the configuration names: its host is in no row of the database.
    pub issuer: Issuer,
}

/// One tenant, loaded.
pub struct Tenant {
    /// The first part of every key in the database.
    pub id: TenantId,
    /// Who its tokens come from.
    pub issuer: Issuer,
    /// What it has chosen; replaced when it changes.
    settings: RwLock<Arc<Settings>>,
    /// Its applications, APIs and connections, cached.
    pub directory: Directory,
    /// Its signing keys, cached.
    pub keyring: Keyring,
    /// Checks the JWTs that come to the userinfo endpoint.
    pub userinfo_guard: Guard,
    /// Checks the tokens that come to the Management API.
    pub management_guard: Guard,
    /// What all tenants share.
    pub house: House,
}

impl Tenant {
    /// The tenant of a database row, answering as `issuer`.
    pub fn new(house: House, row: &tokenhouse_store::Tenant, issuer: Issuer) -> Self {
        let keyring = Keyring::new(&house, &row.id);
        let guard = |audience: String, realm: &str| {
            Guard::builder()
                .issuer(issuer.as_str())
                .audience(audience)
                .clock(house.clock.clone())
                .realm(realm)
                .keys(keyring.clone())
                .build()
                .expect("an issuer and an audience that are not empty make a guard")
        };
        let userinfo_guard = guard(issuer.userinfo(), "Users");
        let management_guard = guard(issuer.system_api(), "api/v2");
        Self {
            id: row.id.clone(),
            directory: Directory::new(&house, &row.id, &issuer),
            keyring,
            userinfo_guard,
            management_guard,
            settings: RwLock::new(Arc::new(Settings::read(&row.settings))),
            issuer,
            house,
        }
    }

    /// What it has chosen.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over changed settings.
    pub fn set_settings(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// Forgets what a change made untrue, on this node.
    pub fn forget(&self, change: &Change) {
        match change {
            Change::Keys => self.keyring.forget(),
            Change::Client(_) | Change::Api(_) | Change::Connection(_) | Change::User(_) | Change::Role(_) => {
                self.directory.forget(change);
            }
            // Who changes settings here takes them over at once; other nodes load the tenant anew: see `App`. An
            // administrator is read anew for every page.
            Change::Settings | Change::Administrator(_) => {}
        }
    }

    /// Forgets everything, since it is not known what changed.
    pub fn forget_all(&self) {
        self.directory.forget_all();
        self.keyring.forget();
    }
}

/// An issuer: an http or https URL that ends in `/` and carries its port unless it is the scheme's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issuer(String);

impl Issuer {
    /// Takes an issuer, adding the last `/` if it is missing.
    ///
    /// Refuses anything that is not `http://` or `https://` with a host, and queries, fragments and user names.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refused = |why: &str| {
            Err(format!(
                "the issuer {text:?} {why}; write it like https://auth.example.com/"
            ))
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return refused("has no scheme");
        };
        if scheme != "http" && scheme != "https" {
            return refused("is neither http nor https");
        }
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.is_empty() {
            return refused("has no host");
        }
        if rest.contains(['?', '#', '@', ' ', '"', '\\']) || rest.contains(char::is_control) || rest.contains("//") {
            return refused("has more than a host, a port and a path");
        }
        if authority.bytes().any(|b| b.is_ascii_uppercase()) {
            return refused("has capital letters in its host");
        }
        let usual = if scheme == "https" { ":443" } else { ":80" };
        if authority.ends_with(usual) {
            return refused("names the port that its scheme has anyway");
        }
        Ok(Self(if text.ends_with('/') {
            text.to_owned()
        } else {
            format!("{text}/")
        }))
    }

    /// The issuer as in `iss`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An address below the issuer; `path` has no leading slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The host, and the port unless it is the scheme's own, as in a `Host` header.
    pub fn authority(&self) -> &str {
        self.0.split('/').nth(2).unwrap_or_default()
    }

    /// The host without the port; an IPv6 address keeps its brackets.
    pub fn host(&self) -> &str {
        without_port(self.authority())
    }

    /// The host by which requests find it: the authority without a port that http or https has anyway.
    pub fn found_by(&self) -> &str {
        without_usual_port(self.authority())
    }

    /// Whether it has a path beside the last `/`. The server has no routes below one.
    pub fn has_path(&self) -> bool {
        self.0.splitn(4, '/').nth(3).is_some_and(|path| !path.is_empty())
    }

    /// Whether it is reached over TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether it names this machine itself.
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(self.host())
    }

    /// The origin (RFC 6454): scheme and authority.
    pub fn origin(&self) -> String {
        let scheme = self.0.split("://").next().unwrap_or_default();
        format!("{scheme}://{}", self.authority())
    }

    /// The identifier of the tenant's system API, the Management API: derived, never stored.
    pub fn system_api(&self) -> String {
        self.url("api/v2/")
    }

    /// The picture of whoever has none of their own: these letters.
    pub fn avatar(&self, letters: &str) -> String {
        self.url(&format!("avatars/{letters}.svg"))
    }

    /// The audience of tokens for the userinfo endpoint.
    pub fn userinfo(&self) -> String {
        self.url("userinfo")
    }
}

/// A host without its port; an IPv6 address keeps its brackets.
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty() => name,
        Some(_) | None => host,
    }
}

/// Which statuses and words refusals have (CONTRACT Decision 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ErrorDialect {
    /// Auth0's observable behaviour.
    #[default]
    Auth0,
    /// RFC 6749 §5.2 to the letter.
    Rfc6749,
}

/// What a tenant has chosen; the rest of its settings is only carried.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `friendly_name`: what people call the tenant.
    pub friendly_name: Option<String>,
    /// `error_dialect`.
    pub error_dialect: ErrorDialect,
    /// `default_audience`: the API of requests that name none.
    pub default_audience: Option<String>,
    /// `default_directory`: the connection of the password grant.
    pub default_directory: Option<String>,
    /// `default_token_lifetime`: seconds that tokens of new APIs live which do not say it; a day unless set.
    pub default_token_lifetime_s: Option<i64>,
    /// `session_lifetime`, in seconds: after that an administrator signs in again.
    pub session_lifetime_s: Option<i64>,
    /// `idle_session_lifetime`, in seconds: the same, without use.
    pub idle_session_lifetime_s: Option<i64>,
    /// `rsa_bits`: the size of new RSA keys; 2048 unless set (CONTRACT Decision 3).
    pub rsa_bits: Option<RsaBits>,
    /// `default_token_quota.clients`: the quota of applications that have none of their own (CONTRACT §4.11).
    pub default_quota: Option<Quota>,
}

impl Settings {
    /// Reads the settings that the house acts on from those stored; empty texts are unset.
    pub fn read(stored: &Map<String, Value>) -> Self {
        let text = |name: &str| {
            stored
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        Self {
            friendly_name: text("friendly_name"),
            error_dialect: match text("error_dialect").as_deref() {
                Some("rfc6749") => ErrorDialect::Rfc6749,
                Some(_) | None => ErrorDialect::Auth0,
            },
            default_audience: text("default_audience"),
            default_directory: text("default_directory"),
            default_token_lifetime_s: stored.get("default_token_lifetime").and_then(Value::as_i64),
            session_lifetime_s: seconds(stored, "session_lifetime"),
            idle_session_lifetime_s: seconds(stored, "idle_session_lifetime"),
            rsa_bits: stored.get(RSA_BITS).and_then(rsa_bits),
            default_quota: quota::read(stored.get("default_token_quota").and_then(|quota| quota.get("clients"))),
        }
    }
}

/// A setting in hours, which may be a part of one, as seconds; `None` for less than a minute and for a hundred years.
fn seconds(stored: &Map<String, Value>, name: &str) -> Option<i64> {
    let hours = stored.get(name).and_then(Value::as_f64)?;
    if !(1.0 / 60.0..MAX_HOURS).contains(&hours) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded by a hundred years")]
    let seconds = (hours * 3600.0).round() as i64;
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_issuer_ends_in_a_slash_and_keeps_its_port() {
        let issuer = Issuer::parse("http://localhost:4000").unwrap();
        assert_eq!(issuer.as_str(), "http://localhost:4000/");
        assert_eq!(issuer.authority(), "localhost:4000");
        assert_eq!(issuer.origin(), "http://localhost:4000");
        assert_eq!(issuer.system_api(), "http://localhost:4000/api/v2/");
    }

    #[test]
    fn an_issuer_is_found_by_its_host_without_a_usual_port_and_says_whether_it_has_a_path() {
        // A port that is usual for the other scheme: requests are found without it all the same.
        assert_eq!(Issuer::parse("https://a.example:80").unwrap().found_by(), "a.example");
        assert_eq!(
            Issuer::parse("https://a.example:81").unwrap().found_by(),
            "a.example:81"
        );
        assert!(!Issuer::parse("https://a.example").unwrap().has_path());
        assert!(Issuer::parse("https://a.example/b").unwrap().has_path());
    }

    #[test]
    fn a_host_loses_its_port_but_not_its_brackets() {
        assert_eq!(without_port("localhost:4000"), "localhost");
        assert_eq!(without_port("[::1]:4000"), "[::1]");
        assert_eq!(without_port("[::1]"), "[::1]");
        assert_eq!(without_port("localhost"), "localhost");
    }

    #[test]
    fn what_is_no_issuer_is_refused() {
        for bad in [
            "localhost",
            "ftp://a/",
            "https:///",
            "https://a/?b",
            "https://u@a/",
            "https://A.example/",
            "https://a//b",
        ] {
            assert!(Issuer::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_issuer_or_refused_and_an_issuer_prints_back(text in "(https?://)?[a-z0-9.:/?#@\\[\\] -]{0,40}") {
            if let Ok(issuer) = Issuer::parse(&text) {
                prop_assert_eq!(Issuer::parse(issuer.as_str()), Ok(issuer));
            }
        }
    }
}
