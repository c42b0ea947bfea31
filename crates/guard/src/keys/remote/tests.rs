//! When keys are asked for again: ahead of need, as the issuer says, and not by all guards at the same time.

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(1_800_000_000_000 + ms)
}

fn state() -> State {
    State {
        held: None,
        due_at: at(0),
        due_since: at(0),
        begun: 0,
        asked: 0,
        asked_at: None,
        failures: 0,
        cause: String::new(),
    }
}

/// After how many seconds keys are asked for again that came with this `max-age`, the dice having fallen so.
fn due_after_seconds(max_age_seconds: Option<u64>, fraction: f64) -> i64 {
    let mut state = state();
    let fetched = Fetched {
        keys: Some(Arc::default()),
        validator: None,
        max_age_seconds,
    };
    state.succeeded(fetched, at(0), fraction);
    assert!(!state.is_due(at(0)));
    (state.due_at.ms() - at(0).ms() + 500) / 1000
}

#[test]
fn keys_are_asked_for_again_before_their_lifetime_ends_sooner_or_later_by_chance() {
    assert_eq!(due_after_seconds(Some(1000), 0.0), 700);
    assert_eq!(due_after_seconds(Some(1000), 0.5), 750);
    assert_eq!(due_after_seconds(Some(1000), 1.0), 800);
}

#[test]
fn the_issuer_says_how_long_within_bounds_and_five_minutes_if_it_does_not() {
    assert_eq!(due_after_seconds(None, 0.0), 210);
    assert_eq!(due_after_seconds(Some(600), 0.0), 420);
    assert_eq!(due_after_seconds(Some(0), 0.0), 42, "a minute at least");
    assert_eq!(due_after_seconds(Some(u64::MAX), 1.0), 2880, "an hour at most");
}

#[test]
fn pauses_after_failures_grow_to_half_a_minute_and_differ_by_a_quarter() {
    let pauses = |fraction| {
        let mut state = state();
        [(); 7].map(|()| {
            state.failed("down".into(), at(0), fraction);
            state.due_at.ms() - at(0).ms()
        })
    };
    assert_eq!(pauses(0.0), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    assert_eq!(pauses(1.0), [750, 1500, 3000, 6000, 12_000, 22_500, 22_500]);
}

#[test]
fn a_clock_that_is_set_back_makes_an_attempt_due() {
    let mut state = state();
    state.failed("down".into(), at(0), 0.0);
    assert!(!state.is_due(at(999)));
    assert!(state.is_due(at(1000)) && state.is_due(at(-1)) && state.is_due(at(-1_800_000)));
}
