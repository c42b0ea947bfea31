//! What the process's own log says while the database cannot be used. Every request fails then, and a line for each would
//! fill the disk that may be the cause: the first failure of a kind is told in full, and of the others one line a second
//! says how many there were.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokenhouse_protocol::time::Clock;

use crate::StoreError;

/// Kinds of failure that are told apart at a time; beyond, the cause is not looked at.
const MAX_KINDS: usize = 32;

/// The failures of one process that come by the request.
pub struct Outages {
    clock: Clock,
    window: Mutex<Window>,
}

/// The failures of the current second, and those that began before and go on.
struct Window {
    second: i64,
    /// How many of each kind, by what failed and why, are not told yet.
    kinds: HashMap<(&'static str, String), u64>,
}

/// Failures of one kind that were not told one by one.
#[derive(Debug, PartialEq, Eq)]
struct Sum {
    what: &'static str,
    cause: String,
    more: u64,
}

impl Outages {
    pub(crate) fn new(clock: Clock) -> Self {
        let window = Window {
            second: clock.now().seconds(),
            kinds: HashMap::new(),
        };
        Self {
            clock,
            window: Mutex::new(window),
        }
    }

    /// Notes that something failed, and answers whether it is to be told in full: it is the first of its kind since a
    /// second had none. `what` is the line's text and `cause` why; a sum of those that follow repeats both.
    #[must_use = "what is not the first is counted here and told later"]
    pub fn is_first(&self, what: &'static str, cause: &str) -> bool {
        let second = self.clock.now().seconds();
        let (is_first, sums) = {
            let mut window = self.lock();
            let sums = window.turn(second);
            (window.note(what, cause), sums)
        };
        tell(&sums);
        is_first
    }

    /// Notes that a batch of so many jobs was not written; `unrecorded` of them are refusals, which are lost.
    pub(crate) fn not_written(&self, jobs: usize, unrecorded: usize, error: &StoreError) {
        let what = "a batch was not written";
        if self.is_first(what, &error.to_string()) {
            tracing::error!(jobs, unrecorded, %error, "{what}");
        }
    }

    /// Tells the sums of a second that is over; called about once a second.
    pub fn flush(&self) {
        let second = self.clock.now().seconds();
        let sums = self.lock().turn(second);
        tell(&sums);
    }

    /// Tells every sum there is, before the end.
    pub fn finish(&self) {
        let sums = self.lock().close();
        tell(&sums);
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    /// Counts a failure, and answers whether it is the first of its kind.
    fn note(&mut self, what: &'static str, cause: &str) -> bool {
        let mut kind = (what, cause.to_owned());
        if self.kinds.len() >= MAX_KINDS && !self.kinds.contains_key(&kind) {
            kind.1 = "various".into();
        }
        match self.kinds.get_mut(&kind) {
            Some(more) => {
                *more += 1;
                false
            }
            None => {
                self.kinds.insert(kind, 0);
                true
            }
        }
    }

    /// Begins a new second if this is another one; gives the sums of the one that ended. A kind of which it had no more is
    /// forgotten, so that the next is told in full.
    fn turn(&mut self, second: i64) -> Vec<Sum> {
        if second == self.second {
            return Vec::new();
        }
        self.second = second;
        let sums = self.sums();
        self.kinds.retain(|_, more| std::mem::take(more) > 0);
        sums
    }

    /// Forgets every kind, and gives what was not told of it.
    fn close(&mut self) -> Vec<Sum> {
        let sums = self.sums();
        self.kinds.clear();
        sums
    }

    fn sums(&self) -> Vec<Sum> {
        let untold = self.kinds.iter().filter(|(_, more)| **more > 0);
        let mut sums: Vec<_> = untold
            .map(|((what, cause), more)| Sum {
                what,
                cause: cause.clone(),
                more: *more,
            })
            .collect();
        sums.sort_unstable_by(|one, other| (one.what, &one.cause).cmp(&(other.what, &other.cause)));
        sums
    }
}

fn tell(sums: &[Sum]) {
    for Sum { what, cause, more } in sums {
        tracing::error!(cause, "{what}: and {more} more");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "the disk is full";

    fn sum(what: &'static str, cause: &str, more: u64) -> Sum {
        Sum {
            what,
            cause: cause.into(),
            more,
        }
    }

    fn window() -> Window {
        Window {
            second: 0,
            kinds: HashMap::new(),
        }
    }

    #[test]
    fn of_an_outage_the_first_failure_is_told_and_then_one_sum_a_second() {
        let mut window = window();
        assert!(window.note("refused", FULL));
        for second in 1..=3 {
            for _ in 0..1000 {
                assert!(!window.note("refused", FULL));
                assert_eq!(window.turn(second - 1), []);
            }
            assert_eq!(window.turn(second), [sum("refused", FULL, 1000)]);
        }
        // A second without any, and it is news again.
        assert_eq!(window.turn(4), []);
        assert!(window.note("refused", FULL));
        assert!(!window.note("refused", FULL));
        assert_eq!(window.close(), [sum("refused", FULL, 1)]);
        assert_eq!(window.close(), []);
    }

    #[test]
    fn another_failure_or_another_cause_is_told_by_itself() {
        let mut window = window();
        for (what, cause) in [("refused", FULL), ("refused", "it is locked"), ("not read", FULL)] {
            assert!(window.note(what, cause), "{what} {cause}");
            assert!(!window.note(what, cause), "{what} {cause}");
        }
        let sums = [
            sum("not read", FULL, 1),
            sum("refused", "it is locked", 1),
            sum("refused", FULL, 1),
        ];
        assert_eq!(window.turn(1), sums);
    }

    #[test]
    fn causes_that_are_all_different_are_bounded() {
        let mut window = window();
        let first = (0..10_000).filter(|number| window.note("refused", &number.to_string()));
        assert_eq!(first.count(), MAX_KINDS + 1);
        assert_eq!(
            window.turn(1),
            [sum("refused", "various", 10_000 - MAX_KINDS as u64 - 1)]
        );
    }
}
