//! Floods of tokens with invented kids, while the issuer rotates: what honest callers notice of them.

use std::sync::Arc;
use std::time::Duration;

use tokenhouse_guard::{Clock, Guard};
use tokio::time::MissedTickBehavior;

use super::issuer::{Day, Issuer, SECOND_MS, clock};
use super::{is_invalid, is_unavailable};

/// What callers noticed of a flood.
#[derive(Default, Debug)]
struct Noticed {
    refused_known: usize,
    refused_announced: usize,
    /// How long after it first signed the unannounced key's tokens were taken.
    found_after_ms: Option<i64>,
}

/// The moments of a flood, in milliseconds: a key signs that nobody knew; another is published, and signs later.
const UNANNOUNCED_MS: i64 = 500;
const ANNOUNCED_MS: i64 = 3_000;
const ANNOUNCED_SIGNS_MS: i64 = 9_000;

/// What happens at the issuer at this moment of a flood, and what its honest callers see.
async fn honest_callers(issuer: &Issuer, guard: &Guard, ms: i64, noticed: &mut Noticed) {
    match ms {
        UNANNOUNCED_MS => issuer.publish("unannounced"),
        ANNOUNCED_MS => issuer.publish("announced"),
        _ => {}
    }
    noticed.refused_known += usize::from(guard.verify(&issuer.token("k1")).await.is_err());
    if ms >= UNANNOUNCED_MS && noticed.found_after_ms.is_none() {
        let found = guard.verify(&issuer.token("unannounced")).await.is_ok();
        noticed.found_after_ms = found.then_some(ms - UNANNOUNCED_MS);
    }
    if ms >= ANNOUNCED_SIGNS_MS {
        noticed.refused_announced += usize::from(guard.verify(&issuer.token("announced")).await.is_err());
    }
}

fn assert_nobody_noticed(issuer: &Issuer, noticed: &Noticed, flood_ms: i64) {
    let Noticed {
        refused_known,
        refused_announced,
        found_after_ms,
    } = noticed;
    assert_eq!((*refused_known, *refused_announced), (0, 0));
    let found_after_ms = found_after_ms.expect("an unannounced key is found");
    assert!(found_after_ms <= 6 * SECOND_MS, "{found_after_ms} ms");
    let (fetches, _) = issuer.key_fetches();
    let allowed = usize::try_from(flood_ms / (5 * SECOND_MS)).unwrap() + 3;
    assert!(fetches <= allowed, "{fetches} fetches in {flood_ms} ms of flood");
}

/// The flood with ten invented kids in each millisecond of a clock that is moved.
#[tokio::test]
async fn a_flood_of_invented_kids_hides_no_rotation() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock).build().unwrap();
    guard.verify(&issuer.token("k1")).await.unwrap();
    let invented: Vec<_> = (0..1000).map(|number| issuer.invented(&format!("x{number}"))).collect();
    let mut invented = invented.iter().cycle();
    let mut noticed = Noticed::default();
    let flood_ms = 10 * SECOND_MS;
    for ms in 0..flood_ms {
        for token in invented.by_ref().take(10) {
            assert!(is_invalid(&guard.verify(token).await));
        }
        if ms % 50 == 0 {
            honest_callers(&issuer, &guard, ms, &mut noticed).await;
        }
        clock.advance_ms(1);
    }
    assert_nobody_noticed(&issuer, &noticed, flood_ms);
}

/// The same at its real pace: 10 000 a second for a minute.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: scripts/test --long"]
async fn a_minute_of_flood_hides_no_rotation() {
    let issuer = Issuer::start().await;
    let guard = Arc::new(issuer.guard(&Clock::system()).build().unwrap());
    guard.verify(&issuer.token("k1")).await.unwrap();
    let invented: Vec<_> = (0..1000).map(|number| issuer.invented(&format!("x{number}"))).collect();
    let flood_ms = 60 * SECOND_MS;
    let flood = tokio::spawn({
        let guard = Arc::clone(&guard);
        async move {
            let mut tick = tokio::time::interval(Duration::from_millis(10));
            tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut invented = invented.into_iter().cycle();
            let mut refused = 0;
            for _ in 0..flood_ms / 10 {
                tick.tick().await;
                let burst: Vec<_> = invented.by_ref().take(100).collect();
                // Those that wait for a fetch do not hold up the others.
                let guard = Arc::clone(&guard);
                tokio::spawn(async move {
                    for token in burst {
                        assert!(is_invalid(&guard.verify(&token).await));
                    }
                });
                refused += 100;
            }
            refused
        }
    });
    let mut noticed = Noticed::default();
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    for step in 0..flood_ms / 50 {
        tick.tick().await;
        honest_callers(&issuer, &guard, step * 50, &mut noticed).await;
    }
    assert_eq!(flood.await.unwrap(), 600_000);
    assert_nobody_noticed(&issuer, &noticed, flood_ms);
}

/// Whoever invents kids while the issuer hangs keeps some requests waiting, and no more.
#[tokio::test]
async fn while_the_issuer_hangs_a_bounded_number_waits_and_the_others_are_told_to_come_back() {
    const WAITING: usize = 1024;
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer
        .guard(&clock)
        .fetch_timeout(Duration::from_secs(30))
        .build()
        .unwrap();
    let honest = issuer.token("k1");
    guard.verify(&honest).await.unwrap();
    issuer.is(Day::Slow);
    let (answered, mut answers) = tokio::sync::mpsc::unbounded_channel();
    let all: Vec<_> = (0..2 * WAITING)
        .map(|number| {
            let (guard, token) = (guard.clone(), issuer.invented(&format!("x{number}")));
            let answered = answered.clone();
            tokio::spawn(async move { answered.send(guard.verify(&token).await) })
        })
        .collect();
    for _ in 0..WAITING {
        assert!(is_unavailable(&answers.recv().await.unwrap()));
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(answers.try_recv().is_err(), "the others wait");
    assert!(guard.verify(&honest).await.is_ok(), "its key is held");
    all.iter().for_each(tokio::task::JoinHandle::abort);
}
