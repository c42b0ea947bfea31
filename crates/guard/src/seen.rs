//! What can be seen of a guard from outside by the `metrics` facade; without the feature `metrics`, nothing.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `tokenhouse_guard_verified_total` | counter | |
//! | `tokenhouse_guard_refused_total` | counter | `reason`: the check that failed, `no_token`, `several_methods`, `scope`, `introspection`, `unavailable` |
//! | `tokenhouse_guard_cache_hits_total`, `tokenhouse_guard_cache_misses_total` | counter | |
//! | `tokenhouse_guard_key_fetches_total` | counter | `outcome`: `changed`, `unchanged`, `failed` |
//! | `tokenhouse_guard_key_age_seconds` | gauge | `issuer` |
//! | `tokenhouse_guard_introspections_total` | counter | `outcome`: `active`, `inactive`, `failed` |

use crate::error::Denied;

/// A token passed that was verified before.
pub(crate) fn remembered() {
    #[cfg(feature = "metrics")]
    {
        metrics::counter!("tokenhouse_guard_verified_total").increment(1);
        metrics::counter!("tokenhouse_guard_cache_hits_total").increment(1);
    }
}

/// A token passed that was verified now, after the cache did not know it.
pub(crate) fn verified(with_cache: bool) {
    #[cfg(feature = "metrics")]
    {
        metrics::counter!("tokenhouse_guard_verified_total").increment(1);
        if with_cache {
            metrics::counter!("tokenhouse_guard_cache_misses_total").increment(1);
        }
    }
    #[cfg(not(feature = "metrics"))]
    let _ = with_cache;
}

/// A token or a request was refused by this check.
pub(crate) fn refused(check: &'static str, denied: &Denied) {
    #[cfg(feature = "metrics")]
    {
        let reason = match denied {
            Denied::Unavailable(_) => "unavailable".to_owned(),
            Denied::NoToken
            | Denied::InvalidRequest(_)
            | Denied::InvalidToken(_)
            | Denied::InsufficientScope { .. }
            | Denied::Forbidden(_) => check.replace(' ', "_"),
        };
        metrics::counter!("tokenhouse_guard_refused_total", "reason" => reason).increment(1);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (check, denied);
}

/// How a fetch of keys ended.
#[cfg(feature = "fetch")]
pub(crate) fn fetched(outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tokenhouse_guard_key_fetches_total", "outcome" => outcome).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = outcome;
}

/// How long ago an issuer confirmed the keys that are held.
#[cfg(feature = "fetch")]
pub(crate) fn key_age(issuer: &std::sync::Arc<str>, age_ms: i64) {
    #[cfg(feature = "metrics")]
    {
        #[expect(clippy::cast_precision_loss, reason = "a few days at most")]
        let seconds = age_ms as f64 / 1000.0;
        let issuer = std::sync::Arc::clone(issuer);
        metrics::gauge!("tokenhouse_guard_key_age_seconds", "issuer" => issuer).set(seconds);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (issuer, age_ms);
}

/// What an issuer said of a token.
#[cfg(feature = "fetch")]
pub(crate) fn asked(outcome: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("tokenhouse_guard_introspections_total", "outcome" => outcome).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = outcome;
}
