//! The settings of a guard, each with a default that is safe.

use std::fmt;
use std::sync::Arc;

use http::Response;
use http::request::Parts;
use tokenhouse_protocol::crypto::{Algorithm, VerifyingKey};
use tokenhouse_protocol::time::Clock;

use crate::error::{Refusal, Render};
use crate::keys::{Key, KeySet, KeySource, LocalKeys};
use crate::verify::{Policy, Profile};
use crate::{Guard, Inner};

/// The leeway that is in force if none is set.
const DEFAULT_LEEWAY_SECONDS: u32 = 5;
/// The largest leeway that can be set.
const MAX_LEEWAY_SECONDS: u32 = 60;

/// Collects the settings of a [`Guard`]. Needed: an issuer and an audience.
#[derive(Default)]
#[must_use]
pub struct Builder {
    issuer: Option<String>,
    audiences: Vec<String>,
    algorithms: Option<Vec<Algorithm>>,
    leeway_seconds: Option<u32>,
    profile: Profile,
    clock: Option<Clock>,
    realm: Option<String>,
    source: Source,
    #[cfg(feature = "fetch")]
    ca: Option<Vec<u8>>,
    render: Option<Arc<Render>>,
}

#[derive(Default)]
enum Source {
    /// The issuer's metadata says where the keys are.
    #[default]
    Discovery,
    #[cfg(feature = "fetch")]
    JwksUrl(String),
    Secret(Vec<u8>),
    Given(Arc<dyn KeySource>),
}

impl Builder {
    /// Whose tokens are taken: equals `iss` byte for byte.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// The API's identifier, one of the token's `aud`. Call it again for an API of several names.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The signature algorithms to take, instead of RS256, PS256, ES256 and EdDSA. HS256 only goes with [`Builder::secret`].
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// How far the issuer's clock may be from ours, 0 to 60 seconds; 5 if not set.
    pub fn leeway_seconds(mut self, seconds: u32) -> Self {
        self.leeway_seconds = Some(seconds);
        self
    }

    /// The kind of tokens to take; [`Profile::Auth0`] if not set.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The clock to go by, for tests that move it.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The realm in challenges; `api` if not set.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Fetches the keys from this address, without looking for the issuer's metadata.
    #[cfg(feature = "fetch")]
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.source = Source::JwksUrl(url.into());
        self
    }

    /// Trusts this authority, certificates in PEM, beside the machine's own when the keys are fetched over https.
    #[cfg(feature = "fetch")]
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(pem.into());
        self
    }

    /// Takes HS256 tokens signed with this secret of at least 32 bytes, and no others.
    pub fn secret(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.source = Source::Secret(secret.into());
        self
    }

    /// Takes the keys from here: fixed ones, or those of the program itself.
    pub fn keys(mut self, source: impl KeySource) -> Self {
        self.source = Source::Given(Arc::new(source));
        self
    }

    /// Answers refused requests with this in place of [`Refusal::response`]; start from [`Refusal::response_with`].
    pub fn on_refusal(mut self, render: impl Fn(&Refusal, &Parts) -> Response<String> + Send + Sync + 'static) -> Self {
        self.render = Some(Arc::new(render));
        self
    }

    /// The guard. Nothing is fetched before this returns.
    pub fn build(self) -> Result<Guard, BuildError> {
        let issuer = self
            .issuer
            .filter(|issuer| !issuer.is_empty())
            .ok_or(BuildError::NoIssuer)?;
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return Err(BuildError::NoAudience);
        }
        let leeway_seconds = self.leeway_seconds.unwrap_or(DEFAULT_LEEWAY_SECONDS);
        if leeway_seconds > MAX_LEEWAY_SECONDS {
            return Err(BuildError::Leeway);
        }
        let with_secret = matches!(self.source, Source::Secret(_));
        let algorithms = self.algorithms.unwrap_or_else(|| {
            Algorithm::ALL
                .into_iter()
                .filter(|algorithm| algorithm.is_symmetric() == with_secret)
                .collect()
        });
        // A public key must never be able to act as a secret, nor the other way round (RFC 8725 §2.1).
        if algorithms.is_empty()
            || algorithms
                .iter()
                .any(|algorithm| algorithm.is_symmetric() != with_secret)
        {
            return Err(BuildError::Algorithms);
        }
        let clock = self.clock.unwrap_or_else(Clock::system);
        let keys: Arc<dyn KeySource> = match self.source {
            Source::Given(source) => source,
            Source::Secret(secret) => {
                let key = VerifyingKey::hs256(&secret).map_err(|error| BuildError::Secret(error.to_string()))?;
                Arc::new(LocalKeys::fixed(KeySet::new([Key::new(None, key)])))
            }
            #[cfg(feature = "fetch")]
            Source::JwksUrl(url) => Arc::new(crate::keys::Remote::at(&url, self.ca.as_deref(), clock.clone())?),
            #[cfg(feature = "fetch")]
            Source::Discovery => Arc::new(crate::keys::Remote::discover(
                &issuer,
                self.ca.as_deref(),
                clock.clone(),
            )?),
            #[cfg(not(feature = "fetch"))]
            Source::Discovery => return Err(BuildError::NoKeys),
        };
        let leeway_ms = i64::from(leeway_seconds) * 1000;
        Ok(Guard(Arc::new(Inner {
            policy: Policy {
                issuer,
                audiences: self.audiences,
                algorithms,
                leeway_ms,
                profile: self.profile,
                clock,
                keys,
            },
            realm: self.realm.unwrap_or_else(|| "api".into()).into(),
            render: self.render,
        })))
    }
}

/// A setting that makes no guard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BuildError {
    /// No issuer was named.
    NoIssuer,
    /// No audience was named, or an empty one.
    NoAudience,
    /// The leeway is over 60 seconds.
    Leeway,
    /// No algorithm, or HS256 without a secret, or another one with a secret.
    Algorithms,
    /// The secret cannot be used, for this reason.
    Secret(String),
    /// An address that is no http or https URL.
    Address(String),
    /// No HTTP client could be made, for this reason: most often the machine has no root certificates.
    Client(String),
    /// Without the feature `fetch` the guard needs a key source.
    NoKeys,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIssuer => f.write_str("a guard needs an issuer"),
            Self::NoAudience => f.write_str("a guard needs an audience, the identifier of the API it protects"),
            Self::Leeway => write!(f, "the leeway is at most {MAX_LEEWAY_SECONDS} seconds"),
            Self::Algorithms => f.write_str("a guard takes HS256 with a secret, and without one any of the others"),
            Self::Secret(reason) => f.write_str(reason),
            Self::Address(address) => write!(f, "\"{address}\" is not an http or https URL"),
            Self::Client(reason) => write!(f, "no HTTP client could be made: {reason}"),
            Self::NoKeys => f.write_str("without the feature \"fetch\" a guard needs a key source"),
        }
    }
}

impl std::error::Error for BuildError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn local() -> Builder {
        Guard::builder()
            .issuer("https://i/")
            .audience("a")
            .keys(LocalKeys::fixed(KeySet::new([])))
    }

    #[test]
    fn unsafe_settings_make_no_guard() {
        let error = |builder: Builder| builder.build().map(|_| ()).unwrap_err();
        assert!(local().build().is_ok());
        assert_eq!(error(Guard::builder().audience("a")), BuildError::NoIssuer);
        assert_eq!(error(Guard::builder().issuer("https://i/")), BuildError::NoAudience);
        assert_eq!(error(local().audience("")), BuildError::NoAudience);
        assert_eq!(error(local().leeway_seconds(61)), BuildError::Leeway);
        assert_eq!(error(local().algorithms([])), BuildError::Algorithms);
        assert_eq!(
            error(local().algorithms([Algorithm::Rs256, Algorithm::Hs256])),
            BuildError::Algorithms
        );
        assert_eq!(
            error(local().secret([1; 32]).algorithms([Algorithm::Rs256])),
            BuildError::Algorithms
        );
        assert!(matches!(error(local().secret([1; 31])), BuildError::Secret(_)));
    }
}
