//! Tokens at a guard of another tenant, at a guard of several issuers, and at one that remembers them.

use std::sync::{Arc, Mutex};

use tokenhouse_guard::{Algorithm, Builder, Clock, Denied, Guard, KeySet, LocalKeys, Profile, Timestamp};
use tokenhouse_protocol::crypto::{RsaBits, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::jwk::{Jwk, JwkSet};

use super::issuer::{NOW, SECRET, signed};

/// One issuer with one key. All have the same key id.
struct Tenant {
    name: &'static str,
    key: SigningKey,
}

impl Tenant {
    fn new(name: &'static str) -> Self {
        let key = SigningKey::generate(Algorithm::EdDsa, RsaBits::Bits2048);
        Self { name, key }
    }

    fn issuer(&self) -> tokenhouse_guard::Issuer {
        tokenhouse_guard::Issuer::new(self.name).keys(LocalKeys::fixed(self.keys()))
    }

    fn keys(&self) -> KeySet {
        let jwk = Jwk::from_signing_key(&self.key, &KeyId::new("k1")).unwrap();
        KeySet::from_jwks(&JwkSet { keys: vec![jwk] })
    }

    fn guard(&self) -> Guard {
        builder().issuer(self.issuer()).build().unwrap()
    }

    fn token(&self, issuer: &str, audience: &str) -> String {
        self.token_of_type("JWT", issuer, audience)
    }

    fn token_of_type(&self, typ: &str, issuer: &str, audience: &str) -> String {
        signed(
            &self.key,
            format!(r#"{{"alg":"EdDSA","typ":"{typ}","kid":"k1"}}"#),
            format!(
                r#"{{"iss":"{issuer}","aud":"{audience}","sub":"a","client_id":"c","jti":"j","iat":{NOW},"exp":{}}}"#,
                NOW + 60
            ),
        )
    }
}

const RED: &str = "https://red.example.com/";
const BLUE: &str = "https://blue.example.com/";
const API: &str = "https://api.example.com";

fn builder() -> Builder {
    Guard::builder()
        .audience(API)
        .clock(Clock::set_to(Timestamp::from_seconds(NOW)))
}

fn reason<T>(result: Result<T, Denied>) -> String {
    match result {
        Err(Denied::InvalidToken(reason)) => reason.description.into_owned(),
        Err(other) => format!("{other:?}"),
        Ok(_) => "passed".to_owned(),
    }
}

#[tokio::test]
async fn a_token_that_is_hot_at_one_tenant_is_refused_at_another() {
    let (red, blue) = (Tenant::new(RED), Tenant::new(BLUE));
    let (at_red, at_blue) = (red.guard(), blue.guard());
    let token = red.token(RED, API);
    for _ in 0..3 {
        assert!(at_red.verify(&token).await.is_ok());
        assert_eq!(reason(at_blue.verify(&token).await), "Unexpected 'iss' value");
    }
    assert_eq!(at_red.status().cache.unwrap().tokens, 1);
    assert_eq!(
        at_blue.status().cache.unwrap().tokens,
        0,
        "what is refused is not remembered"
    );
}

#[tokio::test]
async fn an_issuer_speaks_for_itself_alone() {
    let (red, blue) = (Tenant::new(RED), Tenant::new(BLUE));
    let guard = builder().issuer(red.issuer()).issuer(blue.issuer()).build().unwrap();
    for (token, answer) in [
        (red.token(RED, API), "passed"),
        (blue.token(BLUE, API), "passed"),
        (red.token(BLUE, API), "signature verification failed"),
        (blue.token(RED, API), "signature verification failed"),
        (red.token("https://green.example.com/", API), "Unexpected 'iss' value"),
        (
            red.token("https://red.example.com/ https://blue.example.com/", API),
            "Unexpected 'iss' value",
        ),
    ] {
        assert_eq!(reason(guard.verify(&token).await), answer, "{token}");
    }
}

#[tokio::test]
async fn what_is_demanded_of_one_issuer_is_not_softened_by_another() {
    let (red, blue) = (Tenant::new(RED), Tenant::new(BLUE));
    let guard = builder()
        .issuer(red.issuer().audience("red messages").profile(Profile::Rfc9068))
        .issuer(blue.issuer().algorithms([Algorithm::Es256]))
        .issuer(tokenhouse_guard::Issuer::new("https://secret.example.com/").secret(SECRET))
        .build()
        .unwrap();
    let typed = |audience| red.token_of_type("at+jwt", RED, audience);
    for (token, answer) in [
        (typed("red messages"), "passed"),
        (typed(API), "Unexpected 'aud' value"),
        (red.token(RED, "red messages"), "Unexpected 'typ' value"),
        (blue.token(BLUE, API), "Unexpected 'alg' value"),
        (red.token("https://secret.example.com/", API), "Unexpected 'alg' value"),
    ] {
        assert_eq!(reason(guard.verify(&token).await), answer);
    }
    let secret = SigningKey::hs256(SECRET).unwrap();
    let hs256 = |issuer: &str| {
        let claims = format!(r#"{{"iss":"{issuer}","aud":"{API}","exp":{}}}"#, NOW + 60);
        signed(&secret, r#"{"alg":"HS256","typ":"JWT"}"#, claims)
    };
    assert_eq!(
        reason(guard.verify(&hs256("https://secret.example.com/")).await),
        "passed"
    );
    assert_eq!(reason(guard.verify(&hs256(RED)).await), "Unexpected 'alg' value");
}

#[tokio::test]
async fn a_remembered_token_dies_when_it_expires() {
    let clock = Clock::set_to(Timestamp::from_seconds(NOW));
    let red = Tenant::new(RED);
    let guard = builder().issuer(red.issuer()).clock(clock.clone()).build().unwrap();
    let token = red.token(RED, API);
    for _ in 0..2 {
        guard.verify(&token).await.unwrap();
    }
    clock.advance_ms(64_999);
    guard.verify(&token).await.expect("the last moment of the leeway");
    clock.advance_ms(1);
    assert_eq!(
        reason(guard.verify(&token).await),
        "\"exp\" claim timestamp check failed"
    );
    assert_eq!(guard.status().cache.unwrap().tokens, 0);
}

#[tokio::test]
async fn a_remembered_token_dies_with_its_key_even_if_another_has_the_key_s_id() {
    let (red, usurper) = (Tenant::new(RED), Tenant::new(RED));
    let held = Arc::new(Mutex::new(Arc::new(red.keys())));
    let source = LocalKeys::new({
        let held = Arc::clone(&held);
        move || Arc::clone(&held.lock().unwrap())
    });
    let guard = builder().issuer(RED).keys(source).build().unwrap();
    let token = red.token(RED, API);
    guard.verify(&token).await.unwrap();
    *held.lock().unwrap() = Arc::new(red.keys());
    guard.verify(&token).await.expect("the same key, read again");
    assert_eq!(guard.status().cache.unwrap().tokens, 1);
    *held.lock().unwrap() = Arc::new(usurper.keys());
    assert_eq!(reason(guard.verify(&token).await), "signature verification failed");
    *held.lock().unwrap() = Arc::new(KeySet::new([]));
    let revoked = reason(guard.verify(&token).await);
    assert_eq!(revoked, "no applicable key found in the JSON Web Key Set");
}

#[tokio::test]
async fn a_remembered_token_changed_by_a_character_is_another_token() {
    let red = Tenant::new(RED);
    let guard = red.guard();
    let token = red.token(RED, API);
    guard.verify(&token).await.unwrap();
    // The hash sees the end alone: what differs before it must not matter.
    for place in (0..token.len()).step_by(7) {
        let other = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
        let changed = format!("{}{other}{}", &token[..place], &token[place + 1..]);
        assert!(guard.verify(&changed).await.is_err(), "at {place}");
    }
    for changed in [
        format!("{token} "),
        format!("{token}="),
        token.to_uppercase(),
        token[1..].to_owned(),
    ] {
        assert!(guard.verify(&changed).await.is_err());
    }
}

#[tokio::test]
async fn a_guard_without_a_cache_remembers_nothing() {
    let red = Tenant::new(RED);
    let guard = builder().issuer(red.issuer()).without_token_cache().build().unwrap();
    assert!(guard.verify(&red.token(RED, API)).await.is_ok());
    assert_eq!(guard.status().cache, None);
}

#[tokio::test]
async fn claims_of_the_api_s_own_are_read_once_as_its_type() {
    #[derive(serde::Deserialize)]
    struct Named {
        sub: String,
    }
    #[derive(serde::Deserialize, Debug)]
    struct Missing {
        #[expect(dead_code, reason = "it is never there")]
        team: u32,
    }
    let red = Tenant::new(RED);
    let guard = red.guard();
    let token = red.token(RED, API);
    let first = guard.verify(&token).await.unwrap().typed::<Named>().unwrap();
    assert_eq!(first.extras().sub, "a");
    let again = guard.verify(&token).await.unwrap();
    assert_eq!(reason(again.typed::<Missing>()), "Unexpected claims");
    let again = again.typed::<Named>().unwrap();
    assert!(
        std::ptr::eq(first.extras(), again.extras()),
        "the token is the same, and so is what was read"
    );
    assert_eq!(again.subject(), Some("a"));
}
