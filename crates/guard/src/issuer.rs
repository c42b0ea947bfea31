//! Whose tokens a guard takes, and what it demands of each issuer's.

use std::fmt;
use std::sync::Arc;

use tokenhouse_protocol::crypto::{Algorithm, VerifyingKey};

use crate::builder::BuildError;
use crate::keys::{Key, KeySet, KeySource, LocalKeys};
use crate::verify::Profile;

/// An issuer, and how its tokens differ from what the guard's builder says of all.
///
/// ```
/// use tokenhouse_guard::{Guard, Issuer, Profile};
///
/// let guard = Guard::builder()
///     .audience("https://api.example.com")
///     .issuer("https://tenant.example.com/")
///     .issuer(Issuer::new("https://partner.example.com").audience("messages").profile(Profile::Rfc9068));
/// ```
#[derive(Default)]
#[must_use]
pub struct Issuer {
    pub(crate) name: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) algorithms: Option<Vec<Algorithm>>,
    pub(crate) profile: Option<Profile>,
    pub(crate) source: Source,
}

/// Where an issuer's keys come from.
#[derive(Default)]
pub(crate) enum Source {
    /// The issuer's metadata says where the keys are.
    #[default]
    Discovery,
    #[cfg(feature = "fetch")]
    JwksUrl(String),
    Secret(Vec<u8>),
    Given(Arc<dyn KeySource>),
}

impl Issuer {
    /// The issuer of this name: equals the tokens' `iss` byte for byte.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// An identifier of the API in this issuer's tokens, in place of the guard's. Call it again for several.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The signature algorithms to take from this issuer; see [`crate::Builder::algorithms`].
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// The kind of tokens that this issuer makes.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// Fetches this issuer's keys from this address, without looking for its metadata.
    #[cfg(feature = "fetch")]
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.source = Source::JwksUrl(url.into());
        self
    }

    /// Takes HS256 tokens of this issuer signed with this secret of at least 32 bytes, and no others.
    pub fn secret(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.source = Source::Secret(secret.into());
        self
    }

    /// Takes this issuer's keys from here.
    pub fn keys(mut self, source: impl KeySource) -> Self {
        self.source = Source::Given(Arc::new(source));
        self
    }
}

impl From<&str> for Issuer {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Issuer {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<&String> for Issuer {
    fn from(name: &String) -> Self {
        Self::new(name)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("name", &self.name)
            .field("audiences", &self.audiences)
            .field("algorithms", &self.algorithms)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// The algorithms that go with these keys: `chosen`, or all that can.
    ///
    /// A public key must never be able to act as a secret, nor the other way round (RFC 8725 §2.1).
    pub(crate) fn algorithms(&self, chosen: Option<Vec<Algorithm>>) -> Result<Vec<Algorithm>, BuildError> {
        let with_secret = matches!(self, Self::Secret(_));
        let goes = |algorithm: &Algorithm| algorithm.is_symmetric() == with_secret;
        let algorithms = chosen.unwrap_or_else(|| Algorithm::SIGNING.into_iter().filter(goes).collect());
        if algorithms.is_empty() || !algorithms.iter().all(goes) {
            return Err(BuildError::Algorithms);
        }
        Ok(algorithms)
    }
}

/// A key source that holds one HS256 secret.
pub(crate) fn secret_keys(secret: &[u8]) -> Result<Arc<dyn KeySource>, BuildError> {
    let key = VerifyingKey::hs256(secret).map_err(|error| BuildError::Secret(error.to_string()))?;
    Ok(Arc::new(LocalKeys::fixed(KeySet::new([Key::new(None, key)]))))
}
