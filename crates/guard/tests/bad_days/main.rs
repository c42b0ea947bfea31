//! The bad days of an issuer, on a clock that is moved: what a guard's callers notice of them, and how often the issuer
//! is asked. `--ignored` adds the flood at its real pace, which takes a minute.
#![cfg(feature = "fetch")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up stops")]

use std::time::Duration;

use tokenhouse_guard::{AccessToken, Cold, Denied, Guard};

use self::issuer::{Day, HOUR_MS, Issuer, MAX_AGE_MS, MINUTE_MS, clock};

mod flood;
mod issuer;

/// Every way in which an issuer can fail to give its keys.
const BAD_DAYS: [Day; 6] = [
    Day::Down,
    Day::Slow,
    Day::Garbage,
    Day::TenThousandKeys,
    Day::Redirecting,
    Day::NoUsableKey,
];

/// What the status says of such a day.
fn reason(day: Day) -> &'static str {
    match day {
        Day::Good => "",
        Day::Down => "503",
        Day::Slow => "timed out",
        Day::Garbage => "no metadata",
        Day::TenThousandKeys => "10000 keys, more than 100",
        Day::Redirecting => "302",
        Day::NoUsableKey => "no key that can be used",
    }
}

fn is_unavailable(result: &Result<AccessToken, Denied>) -> bool {
    matches!(result, Err(Denied::Unavailable(unavailable)) if unavailable.retry_after_seconds >= 1)
}

fn is_invalid(result: &Result<AccessToken, Denied>) -> bool {
    matches!(result, Err(Denied::InvalidToken(_)))
}

/// Waits for the background task, which works beside the test.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let waited = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), waited).await;
    assert!(waited.is_ok(), "{what} within ten seconds");
}

fn keys_of(guard: &Guard) -> usize {
    guard.status().issuers[0].keys
}

#[tokio::test]
async fn a_day_without_an_issuer_costs_no_refusal_and_after_it_all_are_503() {
    for day in BAD_DAYS {
        let (issuer, clock) = (Issuer::start().await, clock());
        let guard = issuer.guard(&clock).build().unwrap();
        let hot = issuer.token("k1");
        guard.verify(&hot).await.unwrap();
        let warm = issuer.fetches();
        assert_eq!(warm, 2, "the metadata and the keys");
        issuer.is(day);
        let failures = || guard.status().issuers[0].fetches.failures;
        // 23 hours and 59 minutes, a little at a time; a slow issuer is waited for twice only, since that takes its time.
        let mut minutes = 0;
        for (attempt, step) in (1..).zip([30; 47].into_iter().chain([29])) {
            clock.advance_ms(step * MINUTE_MS);
            minutes += step;
            for token in [&hot, &issuer.token("k1")] {
                let verified = guard.verify(token).await;
                assert!(verified.is_ok(), "{day:?}, after {minutes} minutes: {verified:?}");
            }
            if day != Day::Slow || attempt <= 2 {
                until("an attempt", || failures() >= attempt).await;
            }
        }
        assert_eq!(minutes, 24 * 60 - 1);
        clock.advance_ms(2 * MINUTE_MS);
        for token in [&hot, &issuer.token("k1"), &issuer.invented("k2")] {
            let refused = guard.verify(token).await;
            assert!(
                is_unavailable(&refused),
                "{day:?}, after 24 hours and a minute: {refused:?}"
            );
        }
        let asked = issuer.fetches() - warm;
        assert!(
            (2..=2 * 49).contains(&asked),
            "{day:?}: one attempt, of two requests, each time the clock moved: {asked}"
        );
        let status = &guard.status().issuers[0];
        let error = status.fetches.last_error.as_deref().unwrap();
        assert_eq!(status.keys, 0, "{day:?}");
        assert!(error.contains(reason(day)), "{day:?}: {error}");
        issuer.is(Day::Good);
        clock.advance_ms(MINUTE_MS);
        assert!(guard.verify(&hot).await.is_ok(), "{day:?} is over");
    }
}

#[tokio::test]
async fn no_request_of_a_warm_guard_waits_for_an_issuer() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer
        .guard(&clock)
        .fetch_timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    guard.verify(&issuer.token("k1")).await.unwrap();
    issuer.is(Day::Slow);
    clock.advance_ms(HOUR_MS);
    let asked = issuer.fetches();
    for _ in 0..1000 {
        let token = issuer.token("k1");
        let verified = tokio::time::timeout(Duration::from_secs(5), guard.verify(&token));
        assert!(verified.await.expect("the fetch takes 30 s").is_ok());
    }
    until("a refresh began", || issuer.fetches() > asked).await;
    assert_eq!(
        issuer.fetches(),
        asked + 1,
        "one fetch is in flight, however many requests there are"
    );
}

#[tokio::test]
async fn a_key_that_is_published_before_it_signs_costs_no_refusal_and_one_fetch() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock).build().unwrap();
    guard.verify(&issuer.token("k1")).await.unwrap();
    issuer.publish("k2");
    clock.advance_ms(MAX_AGE_MS);
    guard.verify(&issuer.token("k1")).await.unwrap();
    until("the new key is held", || keys_of(&guard) == 2).await;
    let fetches = issuer.key_fetches();
    assert_eq!(fetches, (2, 0));
    for kid in ["k2", "k1", "k2"] {
        assert!(guard.verify(&issuer.token(kid)).await.is_ok(), "{kid}");
    }
    assert_eq!(issuer.key_fetches(), fetches);
}

#[tokio::test]
async fn a_key_that_signs_before_it_was_known_costs_no_refusal_and_one_fetch() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock).build().unwrap();
    guard.verify(&issuer.token("k1")).await.unwrap();
    issuer.publish("k2");
    issuer.revoke("k1");
    let many: Vec<_> = (0..100)
        .map(|_| {
            let (guard, token) = (guard.clone(), issuer.token("k2"));
            tokio::spawn(async move { guard.verify(&token).await })
        })
        .collect();
    for one in many {
        assert!(one.await.unwrap().is_ok());
    }
    assert_eq!(issuer.key_fetches(), (2, 0));
}

#[tokio::test]
async fn a_new_key_is_looked_for_past_caches_and_known_ones_are_refreshed_from_them() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock).build().unwrap();
    guard.verify(&issuer.token("k1")).await.unwrap();
    assert_eq!(issuer.uncached(), 0);
    issuer.publish("k2");
    guard.verify(&issuer.token("k2")).await.unwrap();
    assert_eq!(issuer.uncached(), 1);
    clock.advance_ms(MAX_AGE_MS);
    guard.verify(&issuer.token("k2")).await.unwrap();
    until("a refresh", || guard.status().issuers[0].key_age_seconds == Some(0)).await;
    assert_eq!((issuer.key_fetches(), issuer.uncached()), ((3, 1), 1));
}

#[tokio::test]
async fn a_revoked_key_and_its_remembered_tokens_die_at_the_next_refresh() {
    let (issuer, clock) = (Issuer::start().await, clock());
    issuer.publish("k2");
    let guard = issuer.guard(&clock).build().unwrap();
    let (doomed, safe) = (issuer.token("k1"), issuer.token("k2"));
    for token in [&doomed, &safe, &doomed, &safe] {
        guard.verify(token).await.unwrap();
    }
    assert_eq!(guard.status().cache.unwrap().tokens, 2);
    issuer.revoke("k1");
    guard.verify(&doomed).await.expect("nobody knows it yet");
    clock.advance_ms(MAX_AGE_MS);
    guard.verify(&safe).await.unwrap();
    until("the refresh", || keys_of(&guard) == 1).await;
    assert!(is_invalid(&guard.verify(&doomed).await));
    assert!(guard.verify(&safe).await.is_ok());
    assert_eq!(guard.status().cache.unwrap().tokens, 1);
    assert!(
        issuer.key_fetches().0 <= 3,
        "the first, the refresh, and one for the key that is gone"
    );
}

#[tokio::test]
async fn a_cold_guard_waits_or_refuses_as_its_author_says() {
    for day in BAD_DAYS {
        let (issuer, clock) = (Issuer::start().await, clock());
        issuer.is(day);
        let waiting = issuer.guard(&clock).build().unwrap();
        assert!(is_unavailable(&waiting.verify(&issuer.token("k1")).await), "{day:?}");
        let asked = issuer.fetches();
        for _ in 0..100 {
            assert!(is_unavailable(&waiting.verify(&issuer.token("k1")).await), "{day:?}");
        }
        assert_eq!(
            issuer.fetches(),
            asked,
            "{day:?}: requests do not hurry a guard that is waiting"
        );
        assert!(!waiting.status().is_ready);
    }
    let (issuer, clock) = (Issuer::start().await, clock());
    issuer.is(Day::Slow);
    let patient = issuer.guard(&clock).fetch_timeout(Duration::from_secs(30));
    let refusing = patient.when_cold(Cold::Refuse).build().unwrap();
    let token = issuer.token("k1");
    let answer = tokio::time::timeout(Duration::from_secs(5), refusing.verify(&token));
    assert!(is_unavailable(&answer.await.expect("it does not wait")));
}

#[tokio::test]
async fn a_program_can_wait_for_its_keys_before_it_starts() {
    let (issuer, clock) = (Issuer::start().await, clock());
    issuer.is(Day::Down);
    let guard = issuer.guard(&clock).build().unwrap();
    assert!(guard.ready().await.is_err());
    issuer.is(Day::Good);
    clock.advance_ms(MINUTE_MS);
    guard.ready().await.unwrap();
    let status = serde_json::to_value(guard.status()).unwrap();
    assert_eq!(status["is_ready"], true);
    assert_eq!(status["issuers"][0]["keys"], 1);
    assert_eq!(status["issuers"][0]["failures"], 0);
}

#[tokio::test]
async fn an_issuer_that_lost_its_metadata_keeps_its_keys() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock).build().unwrap();
    let hot = issuer.token("k1");
    guard.verify(&hot).await.unwrap();
    issuer.loses_its_metadata();
    for _ in 0..23 {
        clock.advance_ms(HOUR_MS);
        guard.verify(&hot).await.unwrap();
        until("a refresh", || guard.status().issuers[0].key_age_seconds == Some(0)).await;
    }
    assert_eq!(issuer.key_fetches(), (24, 23));
}

#[tokio::test]
async fn an_issuer_that_lost_its_metadata_and_was_down_for_a_moment_keeps_its_keys() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock).build().unwrap();
    let hot = issuer.token("k1");
    guard.verify(&hot).await.unwrap();
    issuer.loses_its_metadata();
    issuer.is(Day::Down);
    clock.advance_ms(MAX_AGE_MS);
    guard.verify(&hot).await.unwrap();
    until("an attempt", || guard.status().issuers[0].fetches.failures >= 1).await;
    issuer.is(Day::Good);
    clock.advance_ms(MINUTE_MS);
    guard.verify(&hot).await.unwrap();
    until("a refresh", || guard.status().issuers[0].key_age_seconds == Some(0)).await;
}

#[tokio::test]
async fn a_validator_says_nothing_of_the_keys_at_another_address() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock).build().unwrap();
    guard.verify(&issuer.token("k1")).await.unwrap();
    issuer.publish("k2");
    issuer.moves_its_keys();
    clock.advance_ms(HOUR_MS);
    guard.verify(&issuer.token("k1")).await.unwrap();
    until("a refresh", || guard.status().issuers[0].key_age_seconds == Some(0)).await;
    assert_eq!(keys_of(&guard), 2);
    assert_eq!(issuer.key_fetches(), (2, 0));
}

#[tokio::test]
async fn a_clock_that_is_set_back_puts_no_fetch_off() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock).build().unwrap();
    guard.verify(&issuer.token("k1")).await.unwrap();
    let warm = issuer.fetches();
    clock.advance_ms(-HOUR_MS / 2);
    assert!(guard.verify(&issuer.token("k1")).await.is_ok());
    until("a fetch", || issuer.fetches() > warm).await;
}
