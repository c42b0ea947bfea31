//! A token that was verified before costs no memory: who has it is given the `Arc` that is kept.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "every line here is a test's; clippy excuses only marked functions"
)]

use std::alloc::System;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokenhouse_guard::{AccessToken, Clock, Guard, Issuer, Key, KeySet, LocalKeys, Timestamp};
use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::jws::Signer;

/// Counts what the one test of this file allocates.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ISSUER: &str = "https://issuer.example.com/";
const AUDIENCE: &str = "https://api.example.com";

/// What the guard says, which has all that it needs.
fn verified(guard: &Guard, token: &str) -> AccessToken {
    match pin!(guard.verify(token)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(verified) => verified.unwrap(),
        Poll::Pending => panic!("keys that are here are not waited for"),
    }
}

#[test]
fn a_token_that_is_remembered_allocates_nothing() {
    let key = Arc::new(SigningKey::generate(Algorithm::EdDsa, RsaBits::Bits2048));
    let kid = KeyId::new("k1");
    let keys = KeySet::new([Key::new(Some("k1".into()), key.verifying_key())]);
    let claims = format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"a","exp":1800000600,"scope":"a b"}}"#);
    let token = Signer::new(key, Some(&kid), "JWT").sign(claims.as_bytes());
    let guard = Guard::builder()
        .issuer(Issuer::new(ISSUER).keys(LocalKeys::fixed(keys)))
        .audience(AUDIENCE)
        .clock(Clock::set_to(Timestamp::from_seconds(1_800_000_000)))
        .build()
        .unwrap();
    let mut counted = Region::new(ALLOCATOR);
    let first = verified(&guard, &token);
    assert!(
        counted.change_and_reset().allocations > 0,
        "what is new is kept, and counted"
    );
    for _ in 0..1000 {
        let hot = verified(&guard, &token);
        assert_eq!(hot.subject(), first.subject());
    }
    let counted = counted.change();
    assert_eq!((counted.allocations, counted.reallocations), (0, 0));
}
