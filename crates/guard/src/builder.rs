//! The settings of a guard, each with a default that is safe.

use std::fmt;
use std::sync::Arc;
#[cfg(feature = "fetch")]
use std::time::Duration;

use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::time::Clock;

use crate::cache::{self, TokenCache};
#[cfg(feature = "fetch")]
use crate::introspection::{Endpoint, Introspection};
use crate::issuer::{Issuer, Source, secret_keys};
use crate::keys::KeySource;
use crate::policy::{Policy, Trusted};
use crate::refusal::Answers;
use crate::resource_metadata::Resource;
#[cfg(feature = "fetch")]
use crate::transport::FetchSettings;
use crate::verify::{KnownHeaders, Profile};
use crate::{Guard, Inner};

/// The leeway that is in force if none is set.
const DEFAULT_LEEWAY_SECONDS: u32 = 5;
/// The largest leeway that can be set.
const MAX_LEEWAY_SECONDS: u32 = 60;

/// What a request that needs keys gets while none are held; see [`Builder::when_cold`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Cold {
    /// It waits for the fetch that is under way, and is answered 503 with `Retry-After` if that fails.
    #[default]
    Wait,
    /// It is answered 503 with `Retry-After` at once.
    Refuse,
}

/// Collects the settings of a [`Guard`]. Needed: an issuer and an audience.
#[derive(Default)]
#[must_use]
pub struct Builder {
    issuers: Vec<Issuer>,
    /// What is said of all issuers that do not say it themselves.
    common: Issuer,
    leeway_seconds: Option<u32>,
    clock: Option<Clock>,
    cold: Cold,
    cache_bytes: Option<u64>,
    #[cfg(feature = "fetch")]
    fetch: FetchSettings,
    #[cfg(feature = "fetch")]
    introspection: Option<Introspection>,
    pub(crate) answers: Answers,
    pub(crate) resource: Resource,
}

impl Builder {
    /// Whose tokens are taken: equals `iss` byte for byte. Call it again for an API of several issuers; each has its own
    /// keys, and with [`Issuer`] its own audiences, algorithms and profile.
    pub fn issuer(mut self, issuer: impl Into<Issuer>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// The API's identifier, one of the token's `aud`. Call it again for an API of several names.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.common = self.common.audience(audience);
        self
    }

    /// The signature algorithms to take, instead of RS256, PS256, ES256 and EdDSA: also RS384, RS512, PS384, PS512, ES384
    /// and ES512. HS256 only goes with [`Builder::secret`].
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.common = self.common.algorithms(algorithms);
        self
    }

    /// How far the issuer's clock may be from ours, 0 to 60 seconds; 5 if not set.
    pub fn leeway_seconds(mut self, seconds: u32) -> Self {
        self.leeway_seconds = Some(seconds);
        self
    }

    /// The kind of tokens to take; [`Profile::Auth0`] if not set.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.common = self.common.profile(profile);
        self
    }

    /// Takes tokens of RFC 9068 only, to the letter: the same as `profile(Profile::Rfc9068)`.
    pub fn rfc9068(self) -> Self {
        self.profile(Profile::Rfc9068)
    }

    /// How many bytes of verified tokens are remembered, about; 16 MiB if not set. A token that is remembered costs
    /// under a microsecond in place of its signature; it is refused from the moment it expires or its key is revoked.
    pub fn token_cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = Some(bytes);
        self
    }

    /// Verifies each token each time.
    pub fn without_token_cache(self) -> Self {
        self.token_cache_bytes(0)
    }

    /// What requests get while no keys are held; they wait for the first fetch if not set.
    ///
    /// For a program that should not even start without its issuer there is [`Guard::ready`].
    pub fn when_cold(mut self, cold: Cold) -> Self {
        self.cold = cold;
        self
    }

    /// The clock to go by, for tests that move it.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Fetches the keys from this address, without looking for the issuer's metadata.
    #[cfg(feature = "fetch")]
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.common = self.common.jwks_url(url);
        self
    }

    /// Trusts this authority, certificates in PEM, beside the machine's own when the keys are fetched over https.
    #[cfg(feature = "fetch")]
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.fetch.ca = Some(pem.into());
        self
    }

    /// How long one request to an issuer may take, 100 ms to 30 s; 5 s if not set.
    #[cfg(feature = "fetch")]
    pub fn fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch.timeout = timeout;
        self
    }

    /// How long keys are served that their issuer, being down, no longer confirms: a minute to 30 days; 24 hours if not
    /// set. After that the guard answers 503, since a key may have been revoked that it does not know of.
    #[cfg(feature = "fetch")]
    pub fn max_key_age(mut self, age: Duration) -> Self {
        self.fetch.max_key_age = age;
        self
    }

    /// Asks this endpoint about tokens that are no JWTs (RFC 7662); see [`Introspection`].
    #[cfg(feature = "fetch")]
    pub fn introspection(mut self, introspection: Introspection) -> Self {
        self.introspection = Some(introspection);
        self
    }

    /// Takes HS256 tokens signed with this secret of at least 32 bytes, and no others.
    pub fn secret(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.common = self.common.secret(secret);
        self
    }

    /// Takes the keys from here: fixed ones, or those of the program itself.
    pub fn keys(mut self, source: impl KeySource) -> Self {
        self.common = self.common.keys(source);
        self
    }

    /// The guard. Nothing is fetched before this returns.
    pub fn build(mut self) -> Result<Guard, BuildError> {
        let leeway_seconds = self.leeway_seconds.unwrap_or(DEFAULT_LEEWAY_SECONDS);
        if leeway_seconds > MAX_LEEWAY_SECONDS {
            return Err(BuildError::Leeway);
        }
        #[cfg(feature = "fetch")]
        self.fetch.check()?;
        let names: Vec<_> = self.issuers.iter().map(|issuer| issuer.name.as_str()).collect();
        let resource = std::mem::take(&mut self.resource).build(&names)?;
        if let Some(resource) = &resource {
            self.answers.resource_metadata = Some(resource.url().to_owned());
            // What a client finds by our metadata it asks for by our address (RFC 8707), whichever issuer it goes to.
            let of_issuers = self.issuers.iter_mut().map(|issuer| &mut issuer.audiences);
            for audiences in of_issuers
                .filter(|own| !own.is_empty())
                .chain([&mut self.common.audiences])
            {
                if !audiences.iter().any(|audience| audience == resource.resource()) {
                    audiences.push(resource.resource().to_owned());
                }
            }
        }
        let clock = self.clock.take().unwrap_or_else(Clock::system);
        let answers = Arc::new(std::mem::take(&mut self.answers));
        let issuers = self.trusted(&clock)?;
        #[cfg(feature = "fetch")]
        let introspection = match self.introspection {
            Some(introspection) => Some(Endpoint::new(introspection, &self.common.audiences, &self.fetch)?),
            None => None,
        };
        let cache_bytes = self.cache_bytes.unwrap_or(cache::DEFAULT_BYTES);
        Ok(Guard(Arc::new(Inner {
            policy: Policy {
                issuers,
                leeway_ms: i64::from(leeway_seconds) * 1000,
                waits_when_cold: self.cold == Cold::Wait,
                clock,
                answers: Arc::clone(&answers),
                cache: (cache_bytes > 0).then(|| TokenCache::new(cache_bytes)),
                headers: KnownHeaders::default(),
                #[cfg(feature = "fetch")]
                introspection,
            },
            answers,
            resource,
        })))
    }

    /// What is demanded of each issuer's tokens.
    fn trusted(&mut self, clock: &Clock) -> Result<Vec<Trusted>, BuildError> {
        let issuers = std::mem::take(&mut self.issuers);
        if issuers.is_empty() {
            return Err(BuildError::NoIssuer);
        }
        // One issuer's keys must not verify what claims to be another's.
        if issuers.len() > 1 && !matches!(self.common.source, Source::Discovery) {
            return Err(BuildError::SharedKeys);
        }
        let mut trusted: Vec<Trusted> = Vec::new();
        for issuer in issuers {
            if issuer.name.is_empty() {
                return Err(BuildError::NoIssuer);
            }
            if trusted.iter().any(|other| other.name == issuer.name) {
                return Err(BuildError::SameIssuer(issuer.name));
            }
            let audiences = match issuer.audiences.is_empty() {
                true => self.common.audiences.clone(),
                false => issuer.audiences,
            };
            if audiences.is_empty() || audiences.iter().any(String::is_empty) {
                return Err(BuildError::NoAudience);
            }
            let source = match issuer.source {
                Source::Discovery => std::mem::take(&mut self.common.source),
                own => own,
            };
            let algorithms = source.algorithms(issuer.algorithms.or_else(|| self.common.algorithms.clone()))?;
            trusted.push(Trusted {
                audiences,
                algorithms,
                profile: issuer.profile.or(self.common.profile).unwrap_or_default(),
                keys: self.key_source(&issuer.name, source, clock)?,
                name: issuer.name,
            });
        }
        Ok(trusted)
    }

    fn key_source(&self, issuer: &str, source: Source, clock: &Clock) -> Result<Arc<dyn KeySource>, BuildError> {
        match source {
            Source::Given(source) => Ok(source),
            Source::Secret(secret) => secret_keys(&secret),
            #[cfg(feature = "fetch")]
            Source::JwksUrl(url) => Ok(Arc::new(crate::keys::Remote::at(issuer, &url, &self.fetch, clock)?)),
            #[cfg(feature = "fetch")]
            Source::Discovery => Ok(Arc::new(crate::keys::Remote::discover(issuer, &self.fetch, clock)?)),
            #[cfg(not(feature = "fetch"))]
            Source::Discovery => {
                let _ = (issuer, clock);
                Err(BuildError::NoKeys)
            }
        }
    }
}

/// A setting that makes no guard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BuildError {
    /// No issuer was named.
    NoIssuer,
    /// This issuer was named twice.
    SameIssuer(String),
    /// Keys, an address or a secret were given to all of several issuers.
    SharedKeys,
    /// No audience was named, or an empty one.
    NoAudience,
    /// A setting is out of these bounds.
    Bounds(&'static str),
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
    /// This is no address of an API that could be published.
    Resource(String),
    /// The metadata of an API was asked for, or described, whose address was not given.
    NoResource,
    /// This cannot be a scope.
    Scope(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIssuer => f.write_str("a guard needs an issuer"),
            Self::NoAudience => f.write_str("a guard needs an audience, the identifier of the API it protects"),
            Self::SameIssuer(issuer) => write!(f, "the issuer {issuer} is named twice"),
            Self::SharedKeys => f.write_str("of several issuers each has its own keys: give them to its Issuer"),
            Self::Bounds(bounds) => f.write_str(bounds),
            Self::Leeway => write!(f, "the leeway is at most {MAX_LEEWAY_SECONDS} seconds"),
            Self::Algorithms => f.write_str("a guard takes HS256 with a secret, and without one any of the others"),
            Self::Secret(reason) => f.write_str(reason),
            Self::Address(address) => write!(f, "\"{address}\" is not an http or https URL"),
            Self::Client(reason) => write!(f, "no HTTP client could be made: {reason}"),
            Self::NoKeys => f.write_str("without the feature \"fetch\" a guard needs a key source"),
            Self::Resource(url) => write!(
                f,
                "\"{url}\" is not an API's address: https (http on this machine itself), no query and no fragment"
            ),
            Self::NoResource => f.write_str("the API's metadata needs its address: give the builder a resource"),
            Self::Scope(name) => write!(f, "{name:?} cannot be a scope: visible ASCII without spaces and quotes"),
        }
    }
}

impl std::error::Error for BuildError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KeySet, LocalKeys};

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

    #[test]
    fn issuers_do_not_share_keys() {
        let error = |builder: Builder| builder.build().map(|_| ()).unwrap_err();
        let issuer = |name: &str| Issuer::new(name).keys(LocalKeys::fixed(KeySet::new([])));
        let builder = || Guard::builder().audience("a").issuer(issuer("https://i/"));
        assert!(builder().issuer(issuer("https://j/")).build().is_ok());
        assert_eq!(error(local().issuer("https://j/")), BuildError::SharedKeys);
        assert_eq!(
            error(builder().issuer(issuer("https://i/"))),
            BuildError::SameIssuer("https://i/".into())
        );
    }
}
