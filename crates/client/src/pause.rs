//! A time in which something is left alone. It ends, too, when the clock is set back to before it began: what was noted
//! by a clock that was wrong says nothing.

use tokenhouse_protocol::time::Timestamp;

/// From one moment until another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pause {
    from: Timestamp,
    until: Timestamp,
}

impl Pause {
    /// `length_ms` from now on.
    pub(crate) fn of_ms(length_ms: i64, now: Timestamp) -> Self {
        Self {
            from: now,
            until: now.plus_ms(length_ms),
        }
    }

    /// How much of it is left; 0 when it is over.
    pub(crate) fn left_ms(self, now: Timestamp) -> i64 {
        match now < self.from {
            true => 0,
            false => self.until.ms().saturating_sub(now.ms()).max(0),
        }
    }

    pub(crate) fn is_over(self, now: Timestamp) -> bool {
        self.left_ms(now) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_at_its_end_and_when_the_clock_is_set_back() {
        let at = |ms: i64| Timestamp::from_ms(1_800_000_000_000 + ms);
        let pause = Pause::of_ms(1000, at(0));
        assert_eq!([0, 400, 1000, 5000].map(|ms| pause.left_ms(at(ms))), [1000, 600, 0, 0]);
        assert!(pause.is_over(at(-1)), "it was noted by another clock");
    }
}
