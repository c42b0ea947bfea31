//! The circuit breaker: an issuer that failed several times in a row, for whichever token, is tried by one request at a
//! time; and what it asked for when it asked for patience holds for all tokens.

use tokenhouse_protocol::time::Timestamp;

use crate::Error;
use crate::pause::Pause;

/// Failures in a row after which only single requests try.
const FAILURES: u32 = 3;
/// The first pause, doubled with each failure, and the longest.
const MIN_PAUSE_MS: i64 = 1000;
const MAX_PAUSE_MS: i64 = 30_000;
/// How long one trial may take before the next is let through: a request's timeout and some more.
const TRIAL_MS: i64 = 15_000;

/// How long to wait after so many failures before this one: from three quarters of the pause to the whole, by `chance`,
/// so that many programs do not come back at the same time.
pub(crate) fn pause_ms(failures_before: u32, chance: u8) -> i64 {
    let pause_ms = (MIN_PAUSE_MS << failures_before.min(5)).min(MAX_PAUSE_MS);
    pause_ms - pause_ms / 4 * i64::from(chance) / 255
}

/// What is known of the issuer's health.
#[derive(Default)]
pub(crate) struct Breaker {
    failures: u32,
    /// The last failure, while there is one.
    error: Option<Error>,
    /// For how long the issuer asked to be left alone.
    asked: Option<Pause>,
    /// For how long nobody tries, or somebody is trying.
    tried: Option<Pause>,
}

impl Breaker {
    /// Whether a request may go out now. While the issuer is being tried, the one who is let through keeps others out.
    pub(crate) fn admit(&mut self, now: Timestamp) -> Result<(), Error> {
        let wait_ms = left_ms(self.asked, now).max(left_ms(self.tried, now));
        if let (1.., Some(error)) = (wait_ms, &self.error) {
            return Err(error.clone().after_seconds(wait_ms.unsigned_abs().div_ceil(1000)));
        }
        if self.failures >= FAILURES {
            self.tried = Some(Pause::of_ms(TRIAL_MS, now));
        }
        Ok(())
    }

    /// Takes note that the issuer answered as an issuer does, be it with a refusal.
    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }

    /// Takes note of a failure of the issuer or of the way to it.
    pub(crate) fn failed(&mut self, error: &Error, now: Timestamp, chance: u8) {
        self.failures = self.failures.saturating_add(1);
        self.error = Some(error.clone());
        let asked_ms = i64::try_from(error.retry_after_seconds())
            .unwrap_or(0)
            .saturating_mul(1000);
        self.asked = Some(Pause::of_ms(asked_ms.max(left_ms(self.asked, now)), now));
        if let Some(more) = self.failures.checked_sub(FAILURES) {
            self.tried = Some(Pause::of_ms(pause_ms(more.saturating_add(1), chance), now));
        }
    }
}

/// What is left of a pause, if there is one.
fn left_ms(pause: Option<Pause>, now: Timestamp) -> i64 {
    pause.map_or(0, |pause| pause.left_ms(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    fn failure(retry_after_seconds: u64) -> Error {
        Error::Unavailable {
            cause: "x".into(),
            retry_after_seconds,
        }
    }

    #[test]
    fn three_failures_let_one_request_through_at_a_time() {
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            breaker.failed(&failure(0), at(0), 0);
            assert!(breaker.admit(at(0)).is_ok());
        }
        breaker.failed(&failure(0), at(0), 0);
        assert_eq!(breaker.admit(at(0)).unwrap_err().retry_after_seconds(), 2);
        assert!(breaker.admit(at(2)).is_ok());
        assert!(breaker.admit(at(2)).is_err(), "one is on its way");
        breaker.failed(&failure(0), at(3), 0);
        assert!(breaker.admit(at(6)).is_err());
        assert!(breaker.admit(at(7)).is_ok());
        assert!(breaker.admit(at(22)).is_ok(), "the trial was lost");
        breaker.answered();
        assert!(breaker.admit(at(22)).is_ok());
        assert!(breaker.admit(at(22)).is_ok());
    }

    #[test]
    fn patience_that_was_asked_for_is_kept_from_the_first_failure_on() {
        let mut breaker = Breaker::default();
        breaker.failed(&failure(120), at(0), 0);
        breaker.failed(&failure(0), at(1), 0);
        assert_eq!(breaker.admit(at(119)).unwrap_err().retry_after_seconds(), 1);
        assert!(breaker.admit(at(120)).is_ok());
    }

    #[test]
    fn a_clock_that_is_set_back_ends_every_pause() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            breaker.failed(&failure(120), at(3600), 0);
        }
        assert!(breaker.admit(at(3600)).is_err());
        assert!(breaker.admit(at(0)).is_ok());
        assert!(breaker.admit(at(0)).is_err(), "one is on its way");
    }

    #[test]
    fn pauses_grow_to_half_a_minute_and_differ() {
        assert_eq!(pause_ms(0, 0), 1000);
        assert_eq!(pause_ms(0, 255), 750);
        assert_eq!(pause_ms(9, 0), 30_000);
    }
}
