//! `gate.toml`: whose tokens, for which audience, which proxy asks, and the table. `examples/gate-nginx/gate.toml` shows
//! every key; what is not known is refused with its line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use axum::http::Method;
use axum::http::request::Parts;
use serde::Deserialize;

use tokenhouse_guard::{BuildError, Guard, Profile};
use tokenhouse_protocol::crypto::Algorithm;

use super::rules::{Rule, Rules};
use crate::cli::Failure;

/// Which proxy asks, and so where the question stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proxy {
    /// nginx `auth_request`: `X-Original-Method` and `X-Original-URI`, which its configuration sets.
    Nginx,
    /// Caddy `forward_auth`: `X-Forwarded-Method` and `X-Forwarded-Uri`.
    Caddy,
    /// Traefik ForwardAuth: the same.
    Traefik,
    /// Envoy `ext_authz` over HTTP, without a `path_prefix`: the question is a copy of the request.
    Envoy,
}

/// What a gate is configured with.
#[derive(Debug)]
pub struct GateConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Which proxy asks.
    pub proxy: Proxy,
    /// The table.
    pub rules: Rules,
    issuer: String,
    audiences: Vec<String>,
    jwks_url: Option<String>,
    ca: Option<Vec<u8>>,
    realm: String,
    leeway_seconds: u32,
    profile: Profile,
    algorithms: Option<Vec<Algorithm>>,
}

/// The file, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default = "default_listen")]
    listen: SocketAddr,
    proxy: Proxy,
    issuer: String,
    audience: OneOrMore,
    jwks_url: Option<String>,
    ca_file: Option<PathBuf>,
    #[serde(default = "default_realm")]
    realm: String,
    #[serde(default = "default_leeway")]
    leeway_seconds: u32,
    #[serde(default)]
    profile: Kind,
    algorithms: Option<Vec<String>>,
    #[serde(default)]
    rules: Vec<Rule>,
}

/// Which kind of tokens, as it is written.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Auth0,
    Untyped,
    Rfc9068,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl GateConfig {
    /// Reads a file.
    pub fn load(file: &Path) -> Result<Self, Failure> {
        let shown = file.display();
        let text = std::fs::read_to_string(file).map_err(|error| Failure(format!("cannot read {shown}: {error}")))?;
        let mut config = Self::parse(&text).map_err(|why| Failure(format!("{shown}: {why}")))?;
        if let Some(ca_file) = config.1 {
            // Beside the configuration, as it is written there.
            let ca_file = file.parent().unwrap_or(Path::new("")).join(ca_file);
            let read = std::fs::read(&ca_file);
            let failed = |error| Failure(format!("cannot read ca_file {}: {error}", ca_file.display()));
            config.0.ca = Some(read.map_err(failed)?);
        }
        Ok(config.0)
    }

    /// The configuration in a text, and the name of its `ca_file`.
    fn parse(text: &str) -> Result<(Self, Option<PathBuf>), String> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("line {line}: {}", error.message())
        })?;
        let config = Self {
            listen: written.listen,
            proxy: written.proxy,
            rules: Rules::new(written.rules)?,
            issuer: written.issuer,
            audiences: match written.audience {
                OneOrMore::One(audience) => vec![audience],
                OneOrMore::More(audiences) => audiences,
            },
            jwks_url: written.jwks_url,
            ca: None,
            realm: written.realm,
            leeway_seconds: written.leeway_seconds,
            profile: match written.profile {
                Kind::Auth0 => Profile::Auth0,
                Kind::Untyped => Profile::Untyped,
                Kind::Rfc9068 => Profile::Rfc9068,
            },
            algorithms: written.algorithms.map(|names| algorithms(&names)).transpose()?,
        };
        Ok((config, written.ca_file))
    }

    /// The guard that judges tokens.
    pub fn guard(&self) -> Result<Guard, BuildError> {
        let mut guard = Guard::builder()
            .issuer(self.issuer.as_str())
            .realm(self.realm.as_str())
            .leeway_seconds(self.leeway_seconds)
            .profile(self.profile);
        if let Some(algorithms) = &self.algorithms {
            guard = guard.algorithms(algorithms.iter().copied());
        }
        for audience in &self.audiences {
            guard = guard.audience(audience.as_str());
        }
        if let Some(url) = &self.jwks_url {
            guard = guard.jwks_url(url.as_str());
        }
        if let Some(ca) = &self.ca {
            guard = guard.ca_certificate(ca.clone());
        }
        guard.build()
    }
}

impl Proxy {
    /// The method and the target of the request that is asked about.
    ///
    /// Fails where the proxy does not say it, or says it twice: then it is not configured as `docs/gate.md` shows.
    pub fn original(self, asking: &Parts) -> Result<(Method, String), &'static str> {
        let names = match self {
            Self::Nginx => ("x-original-method", "x-original-uri"),
            Self::Caddy | Self::Traefik => ("x-forwarded-method", "x-forwarded-uri"),
            Self::Envoy => {
                let target = asking.uri.path_and_query().map_or("/", |target| target.as_str());
                return Ok((asking.method.clone(), target.to_owned()));
            }
        };
        const MISSING: &str =
            "The proxy did not say which request it asks about, or said it twice: docs/gate.md shows how.";
        let only = |name| {
            let mut values = asking.headers.get_all(name).iter();
            let first = values.next().and_then(|value| value.to_str().ok()).ok_or(MISSING)?;
            values.next().map_or(Ok(first), |_| Err(MISSING))
        };
        let method = only(names.0)?.parse().map_err(|_| MISSING)?;
        Ok((method, only(names.1)?.to_owned()))
    }
}

/// Algorithms by their names in a token's header (RFC 7518 §3.1).
fn algorithms(names: &[String]) -> Result<Vec<Algorithm>, String> {
    let named = |name: &String| Algorithm::named(name).map_err(|_| format!("algorithms: {name:?} is none"));
    names.iter().map(named).collect()
}

fn default_listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 4180))
}

fn default_realm() -> String {
    "api".to_owned()
}

fn default_leeway() -> u32 {
    5
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "proxy = \"nginx\"\nissuer = \"https://i/\"\naudience = \"a\"\n[[rules]]\npath = \"/\"\n";

    #[test]
    fn a_mistake_is_refused_with_its_line() {
        assert!(GateConfig::parse(LEAST).is_ok());
        for (text, why) in [
            (LEAST.replace("nginx", "apache"), "line 1: unknown variant"),
            (LEAST.replace("path", "paths"), "line 5: unknown field `paths`"),
            (LEAST.replace("issuer", "isuer"), "line 2: unknown field `isuer`"),
            (LEAST.replace("[[rules]]\npath = \"/\"\n", ""), "there are no [[rules]]"),
            (format!("profile = \"okta\"\n{LEAST}"), "line 1: unknown variant"),
            (
                format!("algorithms = [\"none\"]\n{LEAST}"),
                "algorithms: \"none\" is none",
            ),
        ] {
            let refused = GateConfig::parse(&text).unwrap_err();
            assert!(refused.starts_with(why), "{refused}");
        }
    }

    #[test]
    fn a_question_that_stands_there_twice_or_not_at_all_is_none() {
        let asking = |headers: &[(&'static str, &'static str)]| {
            let mut request = axum::http::Request::new(());
            for (name, value) in headers {
                request
                    .headers_mut()
                    .append(*name, axum::http::HeaderValue::from_static(value));
            }
            request.into_parts().0
        };
        let (method, uri) = (("x-original-method", "GET"), ("x-original-uri", "/a?b"));
        let good = asking(&[method, uri]);
        assert_eq!(Proxy::Nginx.original(&good), Ok((Method::GET, "/a?b".to_owned())));
        for bad in [&[][..], &[method], &[uri], &[method, uri, uri], &[method, method, uri]] {
            assert!(Proxy::Nginx.original(&asking(bad)).is_err(), "{bad:?}");
        }
        assert!(Proxy::Caddy.original(&good).is_err());
    }
}
