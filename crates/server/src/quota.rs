//! Token quotas (CONTRACT §4.11): what is read of `token_quota`, how a quota stands, and what this node last saw of an
//! application's counters. They are counted in the store, with the log row of each token (docs/decisions/0011).

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Counted, Quota, Span};

/// Reads what an application's `token_quota`, or `clients` of a tenant's `default_token_quota`, says of client
/// credentials; without a limit there is no quota. It is enforced unless it says otherwise.
pub fn read(stored: Option<&Value>) -> Option<Quota> {
    let said = stored?.get("client_credentials")?;
    let limit = |span: Span| {
        said.get(span.bucket())
            .and_then(Value::as_i64)
            .filter(|limit| *limit > 0)
    };
    let quota = Quota {
        per_hour: limit(Span::Hour),
        per_day: limit(Span::Day),
        is_enforced: said.get("enforce").and_then(Value::as_bool).unwrap_or(true),
    };
    (quota.per_hour.is_some() || quota.per_day.is_some()).then_some(quota)
}

/// A quota for people: `100 per hour, 1000 per day`.
pub fn in_words(quota: &Quota) -> String {
    let limit = |span: Span, words: &str| quota.limit(span).map(|limit| format!("{limit} {words}"));
    let only = (!quota.is_enforced).then(|| "only counted".to_owned());
    let parts = [limit(Span::Hour, "per hour"), limit(Span::Day, "per day"), only];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How an application's quota stood at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The quota.
    pub quota: Quota,
    /// The moment.
    pub at: Timestamp,
    /// What was used of it.
    pub counted: Counted,
}

/// One window of a quota as it stood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bucket {
    /// Which.
    pub span: Span,
    /// How many tokens it allows.
    pub quota: i64,
    /// How many of them are left.
    pub remaining: i64,
    /// Seconds until it begins anew, rounded up.
    pub resets_in_s: u32,
}

impl Standing {
    /// The windows that are limited.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> {
        Span::ALL.into_iter().filter_map(|span| {
            let quota = self.quota.limit(span)?;
            let left_ms = span.end(self.at).ms() - self.at.ms();
            Some(Bucket {
                span,
                quota,
                remaining: (quota - self.counted.used(span)).max(0),
                // At most a day.
                resets_in_s: u32::try_from((left_ms + 999) / 1000).unwrap_or(u32::MAX),
            })
        })
    }

    /// The window that is used up; of two, the one that lasts longer.
    pub fn used_up(&self) -> Option<Bucket> {
        let used_up = self.buckets().filter(|bucket| bucket.remaining == 0);
        used_up.max_by_key(|bucket| bucket.resets_in_s)
    }
}

/// What this node last saw of an application's counters. They only grow, so a quota that was seen to be used up stays so
/// to the end of its window, and whoever asks then costs the database nothing.
#[derive(Debug, Default)]
pub struct LastSeen(Mutex<[Seen; 2]>);

/// One counter as it was last seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    begin_ms: i64,
    used: i64,
}

impl LastSeen {
    /// Takes note of the counters of the windows that hold `at`.
    pub fn note(&self, at: Timestamp, counted: Counted) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (seen, span) in all.iter_mut().zip(Span::ALL) {
            let (begin_ms, used) = (span.begin(at).ms(), counted.used(span));
            if begin_ms > seen.begin_ms {
                *seen = Seen { begin_ms, used };
            } else if begin_ms == seen.begin_ms {
                seen.used = seen.used.max(used);
            }
        }
    }

    /// How a quota stands, if it is enforced and certain to be used up.
    pub fn used_up(&self, quota: Quota, at: Timestamp) -> Option<Standing> {
        if !quota.is_enforced {
            return None;
        }
        let all = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let used = |seen: Seen, span: Span| {
            if seen.begin_ms == span.begin(at).ms() {
                seen.used
            } else {
                0
            }
        };
        let [in_hour, in_day] = all;
        let counted = Counted {
            is_over: true,
            in_hour: used(in_hour, Span::Hour),
            in_day: used(in_day, Span::Day),
        };
        let standing = Standing { quota, at, counted };
        standing.used_up().is_some().then_some(standing)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_quota_is_enforced_unless_it_says_otherwise_and_none_without_a_limit() {
        let read = |said: Value| read(Some(&json!({ "client_credentials": said })));
        let quota = read(json!({"per_hour": 10})).unwrap();
        assert_eq!(
            (quota.per_hour, quota.per_day, quota.is_enforced),
            (Some(10), None, true)
        );
        let quota = read(json!({"per_day": 50, "enforce": false})).unwrap();
        assert_eq!(in_words(&quota), "50 per day, only counted");
        assert_eq!(
            (quota.per_hour, quota.per_day, quota.is_enforced),
            (None, Some(50), false)
        );
        for nothing in [
            json!({}),
            json!({"enforce": true}),
            json!({"per_hour": null}),
            json!(null),
        ] {
            assert_eq!(read(nothing.clone()), None, "{nothing}");
        }
    }

    #[test]
    fn what_was_seen_of_a_window_says_nothing_of_the_next() {
        let quota = Quota {
            per_hour: Some(2),
            per_day: Some(3),
            is_enforced: true,
        };
        let at = Timestamp::from_ms(1_795_000_000_000);
        let counted = |in_hour, in_day| Counted {
            is_over: false,
            in_hour,
            in_day,
        };
        let seen = LastSeen::default();
        assert_eq!(seen.used_up(quota, at), None);
        seen.note(at, counted(2, 2));
        assert_eq!(seen.used_up(quota, at).unwrap().used_up().unwrap().span, Span::Hour);
        let next_hour = Span::Hour.end(at);
        assert_eq!(seen.used_up(quota, next_hour), None);
        seen.note(next_hour, counted(1, 3));
        seen.note(at, counted(2, 2));
        let standing = seen.used_up(quota, next_hour).unwrap();
        assert_eq!(
            standing.used_up().unwrap().span,
            Span::Day,
            "an older sight changes nothing"
        );
        assert_eq!(seen.used_up(quota, Span::Day.end(at)), None);
        let raised = Quota {
            per_day: Some(4),
            ..quota
        };
        assert_eq!(seen.used_up(raised, next_hour), None);
    }
}
