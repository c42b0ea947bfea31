//! The state of a guard, for health pages. It names the issuer's addresses and why a fetch failed: show it to operators.

use serde::Serialize;
use tokenhouse_protocol::time::Timestamp;

use crate::policy::Policy;

/// The state of a guard; see [`crate::Guard::status`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Status {
    /// Whether keys are held for every issuer, so that every good token can be verified.
    pub is_ready: bool,
    /// The issuers, in the order in which the guard was given them.
    pub issuers: Vec<IssuerStatus>,
    /// The verified tokens that are remembered; `None` if the cache is off.
    pub cache: Option<CacheStatus>,
}

/// The state of one issuer's keys.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct IssuerStatus {
    /// The issuer's name.
    pub issuer: String,
    /// How many keys may verify tokens now; 0 once they are too old.
    pub keys: usize,
    /// How long ago the issuer confirmed them, in seconds; `None` of keys that are not fetched, or never were.
    pub key_age_seconds: Option<i64>,
    /// What is known of the fetches.
    #[serde(flatten)]
    pub fetches: FetchStatus,
}

/// What is known of a source that fetches its keys. Times are milliseconds since 1970.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct FetchStatus {
    /// When the issuer last confirmed the keys that are held.
    pub confirmed_at: Option<Timestamp>,
    /// When the next fetch is due.
    pub next_fetch_at: Option<Timestamp>,
    /// How many fetches failed since the last that did not.
    pub failures: u32,
    /// Why the last of them failed.
    pub last_error: Option<String>,
}

/// The fill of the cache of verified tokens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CacheStatus {
    /// How many tokens are remembered.
    pub tokens: usize,
    /// About how many bytes they take.
    pub bytes: u64,
    /// About how many they may take.
    pub capacity_bytes: u64,
}

impl Status {
    pub(crate) fn of(policy: &Policy) -> Self {
        let now = policy.clock.now();
        let issuers = policy.issuers.iter().map(|trusted| {
            let fetches = trusted.keys.fetch_status();
            IssuerStatus {
                issuer: trusted.name.clone(),
                keys: trusted.keys.held().map_or(0, |keys| keys.len()),
                key_age_seconds: fetches.confirmed_at.map(|at| (now.ms() - at.ms()).max(0) / 1000),
                fetches,
            }
        });
        let issuers: Vec<_> = issuers.collect();
        Self {
            is_ready: issuers.iter().all(|issuer| issuer.keys > 0),
            issuers,
            cache: policy.cache.as_ref().map(|cache| {
                let (tokens, bytes, capacity_bytes) = cache.fill();
                CacheStatus {
                    tokens,
                    bytes,
                    capacity_bytes,
                }
            }),
        }
    }
}
