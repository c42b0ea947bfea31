//! Tokens that this guard has verified, so that a token costs its signature once (DESIGN §4, third walk).
//!
//! Bounded in bytes, in shards, and by a policy (S3-FIFO) that lets nothing in front of what is asked for again and
//! again. Only verified tokens enter, so strangers can fill nothing. The whole token is the key; its last characters,
//! which belong to the signature and look random, are all that is hashed, under a secret of every guard's own.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, OptionsBuilder, Weighter};

use crate::token::AccessToken;

/// How large a cache is if nothing is said.
pub(crate) const DEFAULT_BYTES: u64 = 16 * 1024 * 1024;
/// The size of a token with its claims, to begin with.
const EXPECTED_BYTES: u64 = 4096;
/// How much of a token is hashed, 96 bits of its signature: no two that were verified end alike.
const HASHED_BYTES: usize = 16;

/// The tokens of one guard.
pub(crate) struct TokenCache(Cache<String, AccessToken, Bytes, TailHash>);

impl TokenCache {
    /// A cache that takes at most about `bytes`.
    pub(crate) fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / EXPECTED_BYTES).unwrap_or(usize::MAX).max(1);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(items)
            .weight_capacity(bytes)
            .build()
            .expect("both capacities are set");
        Self(Cache::with_options(
            options,
            Bytes,
            TailHash::new(),
            DefaultLifecycle::default(),
        ))
    }

    /// Finds a token by what was sent: if it is one that was kept, nothing else needs to be known of its characters.
    pub(crate) fn find(&self, token: &[u8]) -> Option<AccessToken> {
        self.0.get(&Sent(token))
    }

    pub(crate) fn keep(&self, token: &str, verified: &AccessToken) {
        self.0.insert(token.to_owned(), verified.clone());
    }

    pub(crate) fn forget(&self, token: &[u8]) {
        self.0.remove(&Sent(token));
    }

    /// How many tokens there are, how many bytes they take, and how many they may.
    pub(crate) fn fill(&self) -> (usize, u64, u64) {
        (self.0.len(), self.0.weight(), self.0.capacity())
    }
}

/// A token as it was sent.
struct Sent<'a>(&'a [u8]);

impl Hash for Sent<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As a text does, but for what ends one: see `TailHasher`.
        state.write(self.0);
    }
}

impl Equivalent<String> for Sent<'_> {
    fn equivalent(&self, token: &String) -> bool {
        self.0 == token.as_bytes()
    }
}

/// Weighs a token by the memory it takes.
#[derive(Clone)]
pub(crate) struct Bytes;

impl Weighter<String, AccessToken> for Bytes {
    fn weight(&self, token: &String, verified: &AccessToken) -> u64 {
        (token.len() + verified.weight_bytes()) as u64
    }
}

/// Spreads the end of a token over 64 bits by one multiplication with what nobody knows: what is hashed is random in most
/// of its bits already, so that no more has to be done to it.
#[derive(Clone)]
pub(crate) struct TailHash(u64, u64);

impl TailHash {
    fn new() -> Self {
        let random = RandomState::new();
        Self(random.hash_one(0), random.hash_one(1))
    }
}

impl BuildHasher for TailHash {
    type Hasher = TailHasher;

    fn build_hasher(&self) -> TailHasher {
        TailHasher(self.0, self.1)
    }
}

/// See [`TailHash`].
pub(crate) struct TailHasher(u64, u64);

impl Hasher for TailHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut tail = [0; HASHED_BYTES];
        match bytes.last_chunk() {
            Some(last) => tail = *last,
            // No token that was ever verified is as short.
            None => tail[..bytes.len()].copy_from_slice(bytes),
        }
        let both = u128::from_le_bytes(tail);
        self.0 ^= both as u64;
        self.1 ^= (both >> 64) as u64;
    }

    /// What ends a text, which nothing follows here.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        let product = u128::from(self.0) * u128::from(self.1);
        product as u64 ^ (product >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokenhouse_protocol::jose::claims::Claims;
    use tokenhouse_protocol::time::Timestamp;

    use super::*;
    use crate::token::Lifetime;

    fn token(subject: &str) -> AccessToken {
        let claims = Claims::parse(format!(r#"{{"sub":"{subject}","scope":"read:messages"}}"#).as_bytes()).unwrap();
        let lifetime = Lifetime {
            not_before: None,
            expires_at: Timestamp::from_seconds(1),
            leeway_ms: 0,
        };
        AccessToken::new(claims, Arc::default(), lifetime, None)
    }

    /// A text as long as a token, of which nothing but the end differs.
    fn text(number: usize) -> String {
        format!("{}{number:08}", "a".repeat(800))
    }

    #[test]
    fn tokens_that_come_once_do_not_push_out_those_that_come_often() {
        let cache = TokenCache::new(1024 * 1024);
        let hot: Vec<_> = (0..50).map(text).collect();
        for round in 0..3 {
            for name in &hot {
                if cache.find(name.as_bytes()).is_none() {
                    assert_eq!(round, 0, "it was just kept");
                    cache.keep(name, &token(name));
                }
            }
        }
        for number in 1000..100_000 {
            cache.keep(&text(number), &token("once"));
        }
        let left = hot.iter().filter(|name| cache.find(name.as_bytes()).is_some()).count();
        assert_eq!(left, hot.len());
        let (tokens, bytes, capacity) = cache.fill();
        assert!(
            bytes <= capacity && tokens > 300,
            "{tokens} tokens in {bytes} of {capacity} bytes"
        );
    }

    #[test]
    fn a_token_is_found_by_all_of_it() {
        let cache = TokenCache::new(1024 * 1024);
        let name = text(1);
        cache.keep(&name, &token("a"));
        let other_head = format!("b{}", &name[1..]);
        assert!(cache.find(name.as_bytes()).is_some());
        assert!(cache.find(other_head.as_bytes()).is_none() && cache.find(&name.as_bytes()[1..]).is_none());
        cache.forget(name.as_bytes());
        assert!(cache.find(name.as_bytes()).is_none());
    }

    #[test]
    fn a_cache_weighs_what_is_in_it() {
        let cache = TokenCache::new(100_000);
        cache.keep("small", &token("a"));
        let (_, small, _) = cache.fill();
        cache.keep("large", &token(&"a".repeat(5_000)));
        let (_, both, _) = cache.fill();
        assert!(both - small > 5_000, "{small} and {both} bytes");
        cache.keep("too large", &token(&"a".repeat(200_000)));
        assert!(cache.find(b"too large").is_none());
    }
}
