//! Hostile tokens and requests at a guard's door (RFC 8725 §3, RFC 7515, RFC 7519, RFC 6750): each row is one attack,
//! and says the whole answer. What is refused never reaches the service.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up stops")]

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Request, Response};
use proptest::prelude::*;
use tokenhouse_guard::{AccessToken, Guard, GuardLayer, KeySet, LocalKeys, Profile};
use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::jwk::{Jwk, JwkSet};
use tower::{Layer, ServiceExt, service_fn};

use self::issuer::{Issuer, SECRET, claims, with};

mod claims;
mod form;
mod issuer;
mod keys;
mod tenants;

/// One attack, perhaps in several spellings, and the answer to each of them.
struct Row {
    name: &'static str,
    requests: Vec<Request<String>>,
    status: u16,
    challenge: String,
}

impl Row {
    /// Tokens that are refused with 401 and this description.
    fn new(name: &'static str, description: &str, tokens: impl IntoIterator<Item = String>) -> Self {
        Self {
            name,
            requests: tokens.into_iter().map(|token| bearer(&token)).collect(),
            status: 401,
            challenge: format!(r#"Bearer realm="api", error="invalid_token", error_description="{description}""#),
        }
    }

    /// A request that gets this answer.
    fn request(name: &'static str, request: Request<String>, status: u16, challenge: &str) -> Self {
        Self {
            name,
            requests: vec![request],
            status,
            challenge: challenge.to_owned(),
        }
    }
}

fn bearer(token: &str) -> Request<String> {
    Request::get("/messages")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(String::new())
        .unwrap()
}

/// Sends each request through the layer to a service that counts what reaches it.
async fn answers(layer: GuardLayer, rows: Vec<Row>) -> usize {
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reached);
    let service = layer.layer(service_fn(move |request: Request<String>| {
        assert!(request.extensions().get::<AccessToken>().is_some());
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok::<_, Infallible>(Response::new(String::new())))
    }));
    let count = rows.len();
    for row in rows {
        assert!(!row.requests.is_empty(), "{}", row.name);
        for (index, request) in row.requests.into_iter().enumerate() {
            let response = service.clone().oneshot(request).await.unwrap();
            let place = format!("{} (spelling {index})", row.name);
            let challenge = response
                .headers()
                .get(WWW_AUTHENTICATE)
                .map_or("", |value| value.to_str().unwrap());
            assert_eq!(
                (response.status().as_u16(), challenge),
                (row.status, row.challenge.as_str()),
                "{place}"
            );
            let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
            let error = match row.challenge.split_once("error=\"") {
                Some((_, rest)) => rest.split('"').next().unwrap(),
                None => "unauthorized",
            };
            assert_eq!(body["error"], error, "{place}");
            assert!(
                body["error_description"].as_str().unwrap().ends_with('.'),
                "{place}: a sentence says what to do"
            );
            assert_eq!(reached.load(Ordering::SeqCst), 0, "{place}");
        }
    }
    count
}

#[tokio::test]
async fn every_hostile_token_is_refused_with_the_right_words() {
    let issuer = Issuer::new();
    let layer = issuer.guard().build().unwrap().layer().scope("read:messages");
    let rows = [
        form::rows(&issuer),
        form::requests(&issuer),
        keys::rows(&issuer),
        claims::rows(&issuer),
    ];
    let count = answers(layer, rows.into_iter().flatten().collect()).await;
    assert!(count >= 60, "only {count} rows");
}

#[tokio::test]
async fn the_rfc_9068_profile_refuses_what_it_does_not_name() {
    let issuer = Issuer::new();
    let layer = issuer.guard().profile(Profile::Rfc9068).build().unwrap().layer();
    answers(layer, claims::strict_rows(&issuer)).await;
}

#[tokio::test]
async fn a_guard_with_a_secret_takes_no_public_key() {
    let issuer = Issuer::new();
    let guard = issuer.guard().secret(SECRET).build().unwrap();
    answers(guard.layer(), keys::secret_rows(&issuer)).await;
    assert!(guard.verify(&issuer.hs256(SECRET)).await.is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_token_with_any_character_changed_is_refused(place in any::<prop::sample::Index>(), other in "[ -~]") {
        static HOUSE: LazyLock<(Guard, String)> = LazyLock::new(|| {
            let issuer = Issuer::new();
            (issuer.guard().build().unwrap(), issuer.es256(&claims()))
        });
        let (guard, good) = &*HOUSE;
        let place = place.index(good.len());
        let changed = format!("{}{other}{}", &good[..place], &good[place + 1..]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert_eq!(runtime.block_on(guard.verify(&changed)).is_ok(), changed == *good);
    }
}

#[tokio::test]
async fn honest_tokens_pass() {
    let issuer = Issuer::new();
    let guard = issuer.guard().build().unwrap();
    for token in [
        issuer.rs256(&claims()),
        issuer.ps256(&claims()),
        issuer.es256(&claims()),
        issuer.eddsa(&claims()),
        issuer.rs256_with(r#"{"alg":"RS256","typ":"at+jwt","kid":"rsa"}"#, claims()),
        issuer.rs256_with(r#"{"alg":"RS256","typ":"application/at+JWT","kid":"rsa"}"#, claims()),
        issuer.rs256(&with(
            "aud",
            r#"["https://other.example.com","https://api.example.com"]"#,
        )),
        // The last moment of the leeway, and the first.
        issuer.rs256(&with("exp", "1799999996")),
        issuer.rs256(&with("nbf", "1800000005")),
    ] {
        let token = guard.verify(&token).await.unwrap();
        assert_eq!(token.subject(), Some("reader@clients"));
        assert!(token.has_scope("read:messages"));
    }
}

#[tokio::test]
async fn longer_hashes_and_larger_curves_pass_where_they_are_allowed() {
    let others = Algorithm::VERIFIED.into_iter();
    for algorithm in others.filter(|one| !Algorithm::SIGNING.contains(one)) {
        let key = SigningKey::generate(algorithm, RsaBits::Bits2048);
        let jwk = Jwk::from_signing_key(&key, &KeyId::new("k")).unwrap();
        let document = JwkSet { keys: vec![jwk] }.to_json();
        let guard = || {
            let keys = LocalKeys::fixed(KeySet::from_json(document.as_bytes()).unwrap());
            Issuer::new().guard().keys(keys)
        };
        let token = issuer::signed(
            &key,
            format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"k"}}"#),
            claims(),
        );
        let refused = guard().build().unwrap().verify(&token).await.unwrap_err();
        assert_eq!(refused.description(), "Unexpected 'alg' value", "{algorithm}");
        let guard = guard().algorithms([algorithm]).build().unwrap();
        assert!(guard.verify(&token).await.is_ok(), "{algorithm}");
        let changed = format!("{token}A");
        assert!(guard.verify(&changed).await.is_err(), "{algorithm}");
    }
}

#[tokio::test]
async fn a_token_without_a_type_passes_only_where_the_issuer_is_said_to_give_none() {
    let issuer = Issuer::new();
    let untyped = issuer.rs256_with(r#"{"alg":"RS256","kid":"rsa"}"#, claims());
    let other = issuer.rs256_with(r#"{"alg":"RS256","typ":"logout+jwt","kid":"rsa"}"#, claims());
    for (profile, passes) in [
        (Profile::Auth0, false),
        (Profile::Untyped, true),
        (Profile::Rfc9068, false),
    ] {
        let guard = issuer.guard().profile(profile).build().unwrap();
        assert_eq!(guard.verify(&untyped).await.is_ok(), passes, "{profile:?}");
        let refused = guard.verify(&other).await.unwrap_err();
        assert_eq!(refused.description(), "Unexpected 'typ' value", "{profile:?}");
    }
}
