//! The quota on tokens (CONTRACT §4.11): what `Auth0-Client-Quota-Limit` and `Auth0-Organization-Quota-Limit` say, and
//! when the next token suits it, so that a client slows down before it is refused.

use reqwest::header::HeaderMap;
use tokenhouse_protocol::time::Timestamp;

use crate::Error;

/// The headers that tell of a quota.
const HEADERS: [&str; 2] = ["auth0-client-quota-limit", "auth0-organization-quota-limit"];
/// Most buckets that are read: an hour and a day, of the client and of the organization.
const MAX_BUCKETS: usize = 8;
/// The longest window that we believe: a month.
const MAX_WINDOW_SECONDS: i64 = 31 * 86_400;
/// A quota is low when no more than one part in so many is left.
const LOW: u64 = 4;

/// One counter of a quota, as an answer told it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Bucket {
    name: String,
    quota: u64,
    remaining: u64,
    reset_at: Timestamp,
}

/// Why a token is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    /// The token that is held will soon expire.
    Ahead,
    /// There is none.
    Now,
}

/// What is known of the quota.
#[derive(Default)]
pub(crate) struct Quota {
    buckets: Vec<Bucket>,
    /// When a token was last got, for whichever API.
    got_at: Option<Timestamp>,
}

/// The buckets of an answer; what cannot be read is left out.
pub(crate) fn read(headers: &HeaderMap, now: Timestamp) -> Vec<Bucket> {
    let values = HEADERS.iter().flat_map(|name| headers.get_all(*name));
    let texts = values.filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .filter_map(|text| Bucket::parse(text, now))
        .take(MAX_BUCKETS)
        .collect()
}

impl Bucket {
    /// Reads `b=per_hour;q=10;r=7;t=3540`.
    fn parse(text: &str, now: Timestamp) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = text.split(';').filter_map(|field| field.split_once('='));
            fields
                .find(|(found, _)| found.trim() == name)
                .map(|(_, value)| value.trim())
        };
        let is_name = |name: &&str| name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let seconds: i64 = field("t")?.parse().ok()?;
        Some(Self {
            name: field("b").filter(is_name)?.to_owned(),
            quota: field("q")?.parse().ok()?,
            remaining: field("r")?.parse().ok()?,
            reset_at: now.plus_ms(seconds.clamp(0, MAX_WINDOW_SECONDS) * 1000),
        })
    }

    /// How far apart tokens should be got from `since` on, so that those that are left last to the end of the window.
    fn spacing_ms(&self, since: Timestamp) -> i64 {
        if self.remaining.saturating_mul(LOW) > self.quota {
            return 0;
        }
        let left_ms = (self.reset_at.ms() - since.ms()).max(0);
        left_ms / i64::try_from(self.remaining.saturating_add(1)).unwrap_or(i64::MAX)
    }
}

impl Quota {
    /// Takes note of an answer: of what it says, if it says anything, and that a token `was_got`.
    pub(crate) fn told(&mut self, buckets: Vec<Bucket>, was_got: bool, now: Timestamp) {
        if !buckets.is_empty() {
            self.buckets = buckets;
        }
        if was_got {
            self.got_at = Some(now);
        }
    }

    /// Whether a token may be asked for now. `slot_got_at` is when one was last got for the same API and scopes.
    ///
    /// Whoever has no token at all need not wait for others, only for their own part of what is left.
    pub(crate) fn admit(&self, need: Need, slot_got_at: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
        let since = match need {
            Need::Ahead => self.got_at,
            Need::Now => slot_got_at,
        };
        for bucket in self.buckets.iter().filter(|bucket| now < bucket.reset_at) {
            let (next_at, state) = match (bucket.remaining, since) {
                (0, _) => (bucket.reset_at, "is used up"),
                (_, Some(since)) => (since.plus_ms(bucket.spacing_ms(since)), "is nearly used up"),
                (_, None) => continue,
            };
            let wait_ms = (next_at.ms() - now.ms()).max(0).unsigned_abs();
            if wait_ms > 0 {
                let Bucket {
                    name, quota, remaining, ..
                } = bucket;
                return Err(Error::Unavailable {
                    cause: format!("this application's token quota {state} ({name}: {remaining} of {quota} left)"),
                    retry_after_seconds: wait_ms.div_ceil(1000),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn told(value: &'static str) -> Quota {
        let mut headers = HeaderMap::new();
        headers.insert(HEADERS[0], HeaderValue::from_static(value));
        let mut quota = Quota::default();
        quota.told(read(&headers, at(0)), true, at(0));
        quota
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn wait(quota: &Quota, need: Need, now: i64) -> u64 {
        let admitted = quota.admit(need, Some(at(0)), at(now));
        admitted.map_or_else(|error| error.retry_after_seconds(), |()| 0)
    }

    #[test]
    fn the_header_is_read_as_documented_and_nonsense_left_out() {
        let quota = told("b=per_hour;q=10;r=7;t=3540,b=per_day;q=50;r=47;t=43200, b=x, b=A;q=1;r=0;t=9,q=1;r=0;t=1");
        let names: Vec<_> = quota.buckets.iter().map(|bucket| bucket.name.as_str()).collect();
        assert_eq!(names, ["per_hour", "per_day"]);
        assert_eq!(quota.buckets[1].reset_at, at(43_200));
    }

    #[test]
    fn while_much_is_left_nothing_waits() {
        let quota = told("b=per_hour;q=10;r=7;t=3540,b=per_day;q=50;r=47;t=43200");
        assert_eq!((wait(&quota, Need::Ahead, 1), wait(&quota, Need::Now, 1)), (0, 0));
    }

    #[test]
    fn what_is_left_is_spread_over_the_rest_of_the_window() {
        let quota = told("b=per_hour;q=10;r=2;t=3000");
        assert_eq!(wait(&quota, Need::Ahead, 400), 600);
        assert_eq!(wait(&quota, Need::Now, 400), 600);
        assert_eq!(wait(&quota, Need::Now, 1000), 0);
        assert!(quota.admit(Need::Now, None, at(1)).is_ok(), "another API's first token");
        assert!(quota.admit(Need::Ahead, None, at(1)).is_err());
    }

    #[test]
    fn a_quota_that_is_used_up_is_renewed_with_its_window() {
        let quota = told("b=per_hour;q=10;r=0;t=100,b=per_day;q=50;r=40;t=43200");
        assert!(quota.admit(Need::Now, None, at(99)).is_err());
        assert!(quota.admit(Need::Now, None, at(100)).is_ok());
    }
}
