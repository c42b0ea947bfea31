//! The quota on tokens (CONTRACT §4.11): what `Auth0-Client-Quota-Limit` and `Auth0-Organization-Quota-Limit` say, and
//! when the next token suits it, so that a client slows down before it is refused.
//!
//! The headers do not tell a quota that is enforced from one that only counts, nor that it was raised since. So a quota
//! that is used up is tried now and then: a refusal costs nothing of it, and a token that comes all the same says that
//! it only counts. Tokenhouse says so itself, in `Tokenhouse-Quota-Enforced`.

use reqwest::header::HeaderMap;
use tokenhouse_protocol::time::Timestamp;

use crate::Error;
use crate::pause::Pause;

/// The headers that tell of a quota.
const HEADERS: [&str; 2] = ["auth0-client-quota-limit", "auth0-organization-quota-limit"];
/// `false` where the quota that they tell of refuses nobody.
const ENFORCED: &str = "tokenhouse-quota-enforced";
/// Most buckets that are read: an hour and a day, of the client and of the organization.
const MAX_BUCKETS: usize = 8;
/// The longest window that we believe: a month.
const MAX_WINDOW_SECONDS: i64 = 31 * 86_400;
/// A quota is low when no more than one part in so many is left.
const LOW: u64 = 4;
/// The pause before a quota that is used up is tried, doubled with each refusal, and the longest.
const MIN_TRIAL_MS: i64 = 60_000;
const MAX_TRIAL_MS: i64 = 600_000;
/// Two ends of a window that are no further apart are the same: the headers count whole seconds, and answers take time.
const SAME_END_MS: i64 = 60_000;

/// One counter of a quota, as an answer told it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Bucket {
    /// The header that told it, as a position in [`HEADERS`].
    header: usize,
    name: String,
    quota: u64,
    remaining: u64,
    window: Pause,
    /// It refuses nobody.
    only_counts: bool,
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
    /// When one was last asked for.
    tried_at: Option<Timestamp>,
    /// How often the quota left none since.
    refusals: u32,
}

/// The buckets of an answer; what cannot be read is left out.
pub(crate) fn read(headers: &HeaderMap, now: Timestamp) -> Vec<Bucket> {
    let only_counts = headers.get(ENFORCED).is_some_and(|value| value == "false");
    let mut buckets = Vec::new();
    for (header, name) in HEADERS.iter().enumerate() {
        let texts = headers.get_all(*name).iter().filter_map(|value| value.to_str().ok());
        buckets.extend(
            texts
                .flat_map(|text| text.split(','))
                .filter_map(|text| Bucket::parse(text, header, only_counts, now)),
        );
    }
    buckets.truncate(MAX_BUCKETS);
    buckets
}

impl Bucket {
    /// Reads `b=per_hour;q=10;r=7;t=3540`.
    fn parse(text: &str, header: usize, only_counts: bool, now: Timestamp) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = text.split(';').filter_map(|field| field.split_once('='));
            fields
                .find(|(found, _)| found.trim() == name)
                .map(|(_, value)| value.trim())
        };
        let is_name = |name: &&str| name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let seconds: i64 = field("t")?.parse().ok()?;
        Some(Self {
            header,
            name: field("b").filter(is_name)?.to_owned(),
            quota: field("q")?.parse().ok()?,
            remaining: field("r")?.parse().ok()?,
            window: Pause::of_ms(seconds.clamp(0, MAX_WINDOW_SECONDS) * 1000, now),
            only_counts,
        })
    }

    /// Whether it leaves nothing, and that matters.
    pub(crate) fn is_used_up(&self) -> bool {
        self.remaining == 0 && !self.only_counts
    }

    /// Whether `other` told of the same counter, under the same limit.
    fn is(&self, other: &Self) -> bool {
        (self.header, &self.name, self.quota) == (other.header, &other.name, other.quota)
    }

    /// How long to wait for the next token if one was got at `since`, so that those that are left last to the end of the
    /// window.
    fn wait_ms(&self, since: Timestamp, now: Timestamp) -> i64 {
        if now < since || self.remaining.saturating_mul(LOW) > self.quota {
            return 0;
        }
        let spacing_ms =
            self.window.left_ms(since) / i64::try_from(self.remaining.saturating_add(1)).unwrap_or(i64::MAX);
        since.plus_ms(spacing_ms).ms() - now.ms()
    }
}

impl Quota {
    /// Takes note of an answer: of what it says, if it says anything, and whether there `was_got` a token, or none for
    /// want of quota.
    pub(crate) fn told(&mut self, mut buckets: Vec<Bucket>, was_got: bool, is_over: bool, now: Timestamp) {
        if buckets.is_empty() {
            return;
        }
        for bucket in &mut buckets {
            let before = self.buckets.iter().find(|before| before.is(bucket));
            // A token beyond the last: who counts does not refuse.
            let was_beyond = |before: &Bucket| {
                let apart_ms = bucket.window.left_ms(now) - before.window.left_ms(now);
                before.remaining == 0 && bucket.remaining == 0 && apart_ms.abs() <= SAME_END_MS
            };
            let is_known = before.is_some_and(|before| before.only_counts || was_beyond(before));
            bucket.only_counts |= is_known && !is_over;
        }
        self.buckets = buckets;
        if was_got {
            self.got_at = Some(now);
            self.refusals = 0;
        }
        if is_over {
            self.refusals = self.refusals.saturating_add(1);
        }
    }

    /// Takes note that a token is asked for.
    pub(crate) fn tries(&mut self, now: Timestamp) {
        self.tried_at = Some(now);
    }

    /// In how many seconds somebody who has no token may ask.
    pub(crate) fn wait_seconds(&self, now: Timestamp) -> u64 {
        self.admit(Need::Now, None, now)
            .map_or_else(|error| error.retry_after_seconds(), |()| 0)
    }

    /// Whether a token may be asked for now. `slot_got_at` is when one was last got for the same API and scopes.
    ///
    /// Whoever has no token at all need not wait for others, only for their own part of what is left; and where nothing
    /// is left, for the next trial.
    pub(crate) fn admit(&self, need: Need, slot_got_at: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
        let since = match need {
            Need::Ahead => self.got_at,
            Need::Now => slot_got_at,
        };
        for bucket in self.buckets.iter().filter(|bucket| !bucket.only_counts) {
            let left_ms = bucket.window.left_ms(now);
            let (wait_ms, state) = match (bucket.remaining, need) {
                (0, Need::Ahead) => (left_ms, "is used up"),
                (0, Need::Now) => (left_ms.min(self.trial_ms(now)), "is used up"),
                (_, _) => (since.map_or(0, |since| bucket.wait_ms(since, now)), "is nearly used up"),
            };
            if left_ms > 0 && wait_ms > 0 {
                let Bucket {
                    name, quota, remaining, ..
                } = bucket;
                return Err(Error::Unavailable {
                    cause: format!("this application's token quota {state} ({name}: {remaining} of {quota} left)"),
                    retry_after_seconds: wait_ms.unsigned_abs().div_ceil(1000),
                });
            }
        }
        Ok(())
    }

    /// How long until a quota that is used up is tried.
    fn trial_ms(&self, now: Timestamp) -> i64 {
        let pause_ms = (MIN_TRIAL_MS << self.refusals.saturating_sub(1).min(4)).min(MAX_TRIAL_MS);
        self.tried_at
            .map_or(0, |tried_at| Pause::of_ms(pause_ms, tried_at).left_ms(now))
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
        quota.tries(at(0));
        quota.told(read(&headers, at(0)), true, false, at(0));
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
        assert_eq!(quota.buckets[1].window.left_ms(at(3200)), 40_000_000);
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
        assert_eq!([50, 99, 100].map(|now| wait(&quota, Need::Ahead, now)), [50, 1, 0]);
        let quota = told("b=per_hour;q=10;r=0;t=20");
        assert_eq!([5, 20].map(|now| wait(&quota, Need::Now, now)), [15, 0]);
    }

    #[test]
    fn whoever_has_no_token_tries_a_quota_that_is_used_up_ever_more_seldom() {
        let mut quota = told("b=per_day;q=10;r=0;t=80000");
        let mut waits = Vec::new();
        let mut now = 0;
        for _ in 0..7 {
            let seconds = wait(&quota, Need::Now, now);
            waits.push(seconds);
            now += i64::try_from(seconds).unwrap();
            assert!(quota.admit(Need::Now, Some(at(0)), at(now)).is_ok());
            quota.tries(at(now));
            quota.told(quota.buckets.clone(), false, true, at(now));
        }
        assert_eq!(waits, [60, 60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn a_token_beyond_the_last_says_that_the_quota_only_counts_until_it_refuses() {
        let mut quota = told("b=per_hour;q=10;r=0;t=3000");
        let again = |quota: &Quota, remaining: u64, now: i64| {
            let mut buckets = quota.buckets.clone();
            for bucket in &mut buckets {
                (bucket.remaining, bucket.only_counts) = (remaining, false);
                bucket.window = Pause::of_ms((3000 - now.min(3000)) * 1000 + 3_600_000 * (now / 3000), at(now));
            }
            buckets
        };
        quota.told(again(&quota, 0, 100), true, false, at(100));
        assert_eq!(wait(&quota, Need::Ahead, 101), 0);
        quota.told(again(&quota, 9, 3100), true, false, at(3100));
        quota.told(again(&quota, 1, 3200), true, false, at(3200));
        assert_eq!(
            wait(&quota, Need::Ahead, 3200),
            0,
            "it is the same quota in another hour"
        );
        quota.tries(at(3300));
        quota.told(again(&quota, 0, 3300), false, true, at(3300));
        assert!(wait(&quota, Need::Now, 3300) > 0, "now it is enforced");
    }

    #[test]
    fn the_last_token_of_a_window_says_nothing_of_the_next() {
        let mut quota = told("b=per_hour;q=1;r=0;t=100");
        let mut buckets = quota.buckets.clone();
        buckets[0].window = Pause::of_ms(3_600_000, at(100));
        quota.told(buckets, true, false, at(100));
        assert!(wait(&quota, Need::Ahead, 101) > 0);
    }

    #[test]
    fn a_clock_that_is_set_back_forgets_what_was_left() {
        for quota in ["b=per_hour;q=10;r=0;t=3000", "b=per_hour;q=10;r=1;t=3000"].map(told) {
            assert!(wait(&quota, Need::Now, 1) > 0);
            assert_eq!([Need::Now, Need::Ahead].map(|need| wait(&quota, need, -3600)), [0, 0]);
        }
    }
}
