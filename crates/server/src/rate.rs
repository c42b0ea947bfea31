//! How many requests one application may make: a bucket of tokens each, refilled by the second. Unlike the limits on
//! logins it counts every request, so it stands behind authentication, where strangers cost nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokenhouse_protocol::id::{ClientId, TenantId};
use tokenhouse_protocol::time::{Clock, Timestamp};

/// Seconds of refilling that a bucket holds: what may come at once.
const BURST_S: i64 = 10;
/// Applications that are counted at a time; beyond, the full buckets are forgotten, which changes nothing.
const MAX_BUCKETS: usize = 10_000;

/// The limit and every application's bucket.
pub struct Rate {
    per_second: i64,
    clock: Clock,
    buckets: Mutex<HashMap<(TenantId, ClientId), Bucket>>,
}

/// Where an application stands after a request, as the headers say it (CONTRACT Decision 15).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Most requests at once.
    pub limit: i64,
    /// How many are left.
    pub remaining: i64,
    /// When the bucket is full again, or, where the request was one too many, when the next one may come.
    pub reset_s: i64,
    /// Seconds to wait, where the request was one too many.
    pub retry_after_s: Option<u32>,
}

/// Thousandths of requests that may come, at an instant.
struct Bucket {
    thousandths: i64,
    at: Timestamp,
}

impl Rate {
    /// A limit of `per_second` requests by each application, ten times as many at once; 0 for none.
    pub fn new(per_second: u32, clock: Clock) -> Self {
        Self {
            per_second: i64::from(per_second),
            clock,
            buckets: Mutex::default(),
        }
    }

    /// Counts a request; `None` where no limit is in force.
    pub fn take(&self, tenant: &TenantId, client: &ClientId) -> Option<Standing> {
        if self.per_second == 0 {
            return None;
        }
        let now = self.clock.now();
        let full = self.per_second * BURST_S * 1000;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS {
            buckets.retain(|_, bucket| bucket.filled(self.per_second, now) < full);
        }
        let bucket = buckets.entry((tenant.clone(), client.clone())).or_insert(Bucket {
            thousandths: full,
            at: now,
        });
        bucket.thousandths = bucket.filled(self.per_second, now);
        bucket.at = now;
        let is_over = bucket.thousandths < 1000;
        if !is_over {
            bucket.thousandths -= 1000;
        }
        // A bucket gains `per_second` thousandths a millisecond.
        let missing = if is_over { 1000 } else { full } - bucket.thousandths;
        let wait_ms = missing.div_euclid(self.per_second) + i64::from(missing % self.per_second > 0);
        let wait_s = (wait_ms + 999).div_euclid(1000).max(1);
        Some(Standing {
            limit: full / 1000,
            remaining: bucket.thousandths / 1000,
            reset_s: now.seconds() + wait_s,
            retry_after_s: is_over.then(|| u32::try_from(wait_s).unwrap_or(u32::MAX)),
        })
    }
}

impl Bucket {
    /// What it holds by `now`; a clock that goes back takes nothing away.
    fn filled(&self, per_second: i64, now: Timestamp) -> i64 {
        let elapsed_ms = (now.ms() - self.at.ms()).clamp(0, BURST_S * 1000);
        (self.thousandths + elapsed_ms * per_second).min(per_second * BURST_S * 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_by_the_clock_alone() {
        let clock = Clock::set_to(Timestamp::from_seconds(1000));
        let rate = Rate::new(2, clock.clone());
        let take = |client: &str| rate.take(&TenantId::default_tenant(), &ClientId::new(client)).unwrap();
        for left in (0..20).rev() {
            assert_eq!((take("a").remaining, take("b").retry_after_s), (left, None));
        }
        let over = take("a");
        assert_eq!(
            (over.limit, over.remaining, over.reset_s, over.retry_after_s),
            (20, 0, 1001, Some(1))
        );
        clock.advance_ms(500);
        assert_eq!(take("a").retry_after_s, None);
        assert!(take("a").retry_after_s.is_some());
        clock.advance_ms(1_000_000);
        assert_eq!(take("a").remaining, 19);
        clock.advance_ms(-1_000_000);
        assert_eq!(take("a").remaining, 18);
    }

    #[test]
    fn without_a_limit_there_is_no_standing() {
        let rate = Rate::new(0, Clock::system());
        assert_eq!(rate.take(&TenantId::default_tenant(), &ClientId::new("a")), None);
    }
}
