//! The issuer's keys as a guard sees them, and where they come from: over HTTP, or from the program itself.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use tokenhouse_protocol::crypto::{Algorithm, VerifyingKey};
use tokenhouse_protocol::jose::jwk::{JwkSet, JwkSetError};

#[cfg(feature = "fetch")]
pub(crate) use self::remote::Remote;

#[cfg(feature = "fetch")]
mod fetch;
#[cfg(feature = "fetch")]
mod remote;

/// The most keys that an issuer may publish.
const MAX_KEYS: usize = 100;

/// Where a guard gets keys. Implement it to take them from somewhere else; [`LocalKeys`] does for most programs.
pub trait KeySource: Send + Sync + 'static {
    /// The keys held now, without waiting. Called for every token.
    fn held(&self) -> Result<Arc<KeySet>, Unavailable>;

    /// The keys after looking again, because none are held or a token names one that is not among them.
    ///
    /// Callers are strangers as well: a source that does work here bounds it. By default there is nothing to look for.
    fn look_again(&self) -> LookAgain<'_> {
        Box::pin(std::future::ready(self.held()))
    }
}

/// The future of [`KeySource::look_again`].
pub type LookAgain<'a> = Pin<Box<dyn Future<Output = Result<Arc<KeySet>, Unavailable>> + Send + 'a>>;

/// There are no keys at the moment; nothing is said of the token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unavailable {
    /// When to try again; the answer's `Retry-After`.
    pub retry_after_seconds: u64,
    /// Why, for the log: callers are not told.
    pub cause: String,
}

impl Unavailable {
    /// No keys for so many seconds, and why.
    pub fn for_seconds(retry_after_seconds: u64, cause: impl Into<String>) -> Self {
        Self {
            retry_after_seconds,
            cause: cause.into(),
        }
    }
}

/// Keys of one issuer.
#[derive(Default)]
pub struct KeySet(Vec<Key>);

/// A key with its id. One algorithm belongs to each.
pub struct Key {
    kid: Option<String>,
    verifying: VerifyingKey,
}

impl Key {
    /// A key; without an id it is found by its algorithm alone.
    pub fn new(kid: Option<String>, verifying: VerifyingKey) -> Self {
        Self { kid, verifying }
    }
}

/// What a set has for a token.
pub(crate) enum Found<'a> {
    /// The keys to try: more than one only where an issuer gave several the same id.
    Keys(Vec<&'a VerifyingKey>),
    Nothing,
    /// The token names no key, and there are several that it could mean.
    Several,
}

impl KeySet {
    /// A set of these keys.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// The usable keys of a JWK set. Those for encryption, weak ones and unknown kinds are left out.
    pub fn from_jwks(jwks: &JwkSet) -> Self {
        let keys = jwks.keys.iter().flat_map(|jwk| {
            let usable = jwk.verifying_keys().unwrap_or_default();
            usable.into_iter().map(|verifying| Key::new(jwk.kid.clone(), verifying))
        });
        Self(keys.collect())
    }

    /// Reads a JWK set document of at most 100 keys.
    pub fn from_json(document: &[u8]) -> Result<Self, JwkSetError> {
        JwkSet::parse(document, MAX_KEYS).map(|jwks| Self::from_jwks(&jwks))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys of this algorithm and id. Without an id in the token, or in any key of the algorithm, the only one.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Found<'_> {
        let of_algorithm = || self.0.iter().filter(|key| key.verifying.algorithm() == algorithm);
        let nameless = of_algorithm().all(|key| key.kid.is_none());
        let keys: Vec<_> = of_algorithm()
            .filter(|key| kid.is_none() || nameless || key.kid.as_deref() == kid)
            .map(|key| &key.verifying)
            .collect();
        match keys.len() {
            0 => Found::Nothing,
            1 => Found::Keys(keys),
            _ if kid.is_none() || nameless => Found::Several,
            _ => Found::Keys(keys),
        }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| (&key.kid, key.verifying.algorithm())))
            .finish()
    }
}

/// Keys that the program has itself: an issuer guarding its own API, or a test.
#[derive(Clone)]
pub struct LocalKeys(Arc<dyn Fn() -> Arc<KeySet> + Send + Sync>);

impl LocalKeys {
    /// Asks `keys` for every token, so it should only hand out what it has ready.
    pub fn new(keys: impl Fn() -> Arc<KeySet> + Send + Sync + 'static) -> Self {
        Self(Arc::new(keys))
    }

    /// Always the same keys.
    pub fn fixed(keys: KeySet) -> Self {
        let keys = Arc::new(keys);
        Self::new(move || Arc::clone(&keys))
    }
}

impl KeySource for LocalKeys {
    fn held(&self) -> Result<Arc<KeySet>, Unavailable> {
        Ok((self.0)())
    }
}
