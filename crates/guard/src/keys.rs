//! The issuer's keys as a guard sees them, and where they come from: over HTTP, or from the program itself.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokenhouse_protocol::crypto::{Algorithm, VerifyingKey};
use tokenhouse_protocol::jose::jwk::{JwkSet, JwkSetError};
use tokenhouse_protocol::time::Timestamp;

use crate::status::FetchStatus;
use crate::token::VerifiedBy;

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

    /// The same for a guard that just read the clock, which a source that wants to know the time need not read again.
    fn held_at(&self, now: Timestamp) -> Result<Arc<KeySet>, Unavailable> {
        let _ = now;
        self.held()
    }

    /// The keys after looking again, because none are held or a token names one that is not among them.
    ///
    /// Callers are strangers as well: a source that does work here bounds it. By default there is nothing to look for.
    fn look_again(&self) -> LookAgain<'_> {
        Box::pin(std::future::ready(self.held()))
    }

    /// What is known of fetches, for [`crate::Guard::status`]. A source that fetches nothing has nothing to say.
    fn fetch_status(&self) -> FetchStatus {
        FetchStatus::default()
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

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no keys are to be had: {}", self.cause)
    }
}

impl std::error::Error for Unavailable {}

/// Keys of one issuer.
pub struct KeySet {
    keys: Vec<Key>,
    /// Tells this set from every other that was made since the program began.
    number: u64,
}

/// A key with its id. One algorithm belongs to each.
pub struct Key {
    kid: Option<String>,
    verifying: VerifyingKey,
    fingerprint: [u8; 32],
}

impl Key {
    /// A key; without an id it is found by its algorithm alone.
    pub fn new(kid: Option<String>, verifying: VerifyingKey) -> Self {
        let fingerprint = verifying.fingerprint();
        Self {
            kid,
            verifying,
            fingerprint,
        }
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifying.verify(message, signature)
    }
}

/// What a set has for a token.
pub(crate) enum Found<'a> {
    One(&'a Key),
    /// An issuer gave several keys of one algorithm the same id: each is tried.
    Namesakes(Vec<&'a Key>),
    Nothing,
    /// The token names no key, and there are several that it could mean.
    Several,
}

impl KeySet {
    /// A set of these keys.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            keys: keys.into_iter().collect(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The usable keys of a JWK set. Those for encryption, weak ones and unknown kinds are left out.
    pub fn from_jwks(jwks: &JwkSet) -> Self {
        let keys = jwks.keys.iter().flat_map(|jwk| {
            let usable = jwk.verifying_keys().unwrap_or_default();
            usable.into_iter().map(|verifying| Key::new(jwk.kid.clone(), verifying))
        });
        Self::new(keys)
    }

    /// Reads a JWK set document of at most 100 keys.
    pub fn from_json(document: &[u8]) -> Result<Self, JwkSetError> {
        JwkSet::parse(document, MAX_KEYS).map(|jwks| Self::from_jwks(&jwks))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys of this algorithm and id. Without an id in the token, or in any key of the algorithm, the only one.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Found<'_> {
        let of_algorithm = || self.keys.iter().filter(|key| key.verifying.algorithm() == algorithm);
        let nameless = of_algorithm().all(|key| key.kid.is_none());
        let is_any = kid.is_none() || nameless;
        let mut keys = of_algorithm().filter(|key| is_any || key.kid.as_deref() == kid);
        match (keys.next(), keys.next()) {
            (None, _) => Found::Nothing,
            (Some(key), None) => Found::One(key),
            (Some(_), Some(_)) if is_any => Found::Several,
            (Some(first), Some(second)) => Found::Namesakes([first, second].into_iter().chain(keys).collect()),
        }
    }

    /// Whether the key that verified a token is in this set: not, once it was revoked.
    pub(crate) fn holds(&self, verified_by: &VerifiedBy) -> bool {
        let VerifiedBy {
            fingerprint, seen_in, ..
        } = verified_by;
        if seen_in.load(Ordering::Relaxed) == self.number {
            return true;
        }
        let holds = self.keys.iter().any(|key| key.fingerprint == *fingerprint);
        if holds {
            seen_in.store(self.number, Ordering::Relaxed);
        }
        holds
    }

    /// What is noted in a token that `key`, of this set and of the guard's issuer at this place, verified.
    pub(crate) fn note(&self, key: &Key, issuer: usize) -> VerifiedBy {
        VerifiedBy {
            issuer,
            fingerprint: key.fingerprint,
            seen_in: AtomicU64::new(self.number),
        }
    }
}

impl Default for KeySet {
    fn default() -> Self {
        Self::new([])
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|key| (&key.kid, key.verifying.algorithm())))
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
