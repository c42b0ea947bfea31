//! Keys over HTTP, on good days and bad ones, against an issuer in this process and with a clock that is moved.
#![cfg(feature = "fetch")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up stops")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokenhouse_guard::{Clock, Denied, Guard, Timestamp};
use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::jwk::{Jwk, JwkSet};
use tokenhouse_protocol::jose::jws::Signer;
use tokio::net::TcpListener;

const NOW: i64 = 1_800_000_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// How the issuer's key endpoint behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Day {
    Good,
    Down,
    Garbage,
    TooManyKeys,
    TooLarge,
    Redirecting,
    OtherIssuer,
    OnlyRfc8414,
}

struct Issuer {
    url: Mutex<String>,
    day: Mutex<Day>,
    keys: Mutex<Vec<(String, Arc<SigningKey>)>>,
    /// Requests for keys, and those of them answered with 304.
    fetches: AtomicUsize,
    not_modified: AtomicUsize,
}

impl Issuer {
    async fn start() -> Arc<Self> {
        let issuer = Arc::new(Self {
            url: Mutex::default(),
            day: Mutex::new(Day::Good),
            keys: Mutex::default(),
            fetches: AtomicUsize::new(0),
            not_modified: AtomicUsize::new(0),
        });
        issuer.publish("k1");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        *issuer.url.lock().unwrap() = format!("http://{}/", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route(
                "/.well-known/oauth-authorization-server",
                get(metadata_by_the_other_name),
            )
            .route("/keys", get(keys))
            .route("/elsewhere", get(elsewhere))
            .with_state(Arc::clone(&issuer));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        issuer
    }

    fn publish(&self, kid: &str) -> Arc<SigningKey> {
        let key = Arc::new(SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048));
        self.keys.lock().unwrap().push((kid.to_owned(), Arc::clone(&key)));
        key
    }

    fn revoke(&self, kid: &str) {
        self.keys.lock().unwrap().retain(|(held, _)| held != kid);
    }

    fn is(&self, day: Day) {
        *self.day.lock().unwrap() = day;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    fn token(&self, kid: &str) -> String {
        let key = self
            .keys
            .lock()
            .unwrap()
            .iter()
            .find(|(held, _)| held == kid)
            .map(|(_, key)| Arc::clone(key));
        self.token_by(key.unwrap(), kid)
    }

    fn token_by(&self, key: Arc<SigningKey>, kid: &str) -> String {
        let claims = serde_json::json!({
            "iss": *self.url.lock().unwrap(), "sub": "a", "aud": "https://api.example.com", "exp": NOW + 900_000,
        });
        Signer::new(key, Some(&KeyId::new(kid)), "JWT").sign(claims.to_string().as_bytes())
    }

    fn guard(&self, clock: &Clock) -> Guard {
        let url = self.url.lock().unwrap().clone();
        Guard::builder()
            .issuer(url)
            .audience("https://api.example.com")
            .clock(clock.clone())
            .build()
            .unwrap()
    }
}

async fn metadata(State(issuer): State<Arc<Issuer>>) -> Response {
    let day = *issuer.day.lock().unwrap();
    let url = issuer.url.lock().unwrap().clone();
    let claimed = if day == Day::OtherIssuer {
        "http://other.example/"
    } else {
        &url
    };
    match day {
        Day::Down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Day::OnlyRfc8414 => StatusCode::NOT_FOUND.into_response(),
        _ => format!(r#"{{"issuer":"{claimed}","jwks_uri":"{url}keys"}}"#).into_response(),
    }
}

async fn metadata_by_the_other_name(State(issuer): State<Arc<Issuer>>) -> String {
    let url = issuer.url.lock().unwrap().clone();
    format!(r#"{{"issuer":"{url}","jwks_uri":"{url}keys"}}"#)
}

async fn keys(State(issuer): State<Arc<Issuer>>, headers: HeaderMap) -> Response {
    issuer.fetches.fetch_add(1, Ordering::SeqCst);
    let day = *issuer.day.lock().unwrap();
    let held = issuer.keys.lock().unwrap();
    let jwks: Vec<_> = held
        .iter()
        .map(|(kid, key)| Jwk::from_signing_key(key, &KeyId::new(kid.as_str())).unwrap())
        .collect();
    match day {
        Day::Down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Day::Garbage => "<html>please sign in</html>".into_response(),
        Day::TooManyKeys => JwkSet {
            keys: vec![jwks[0].clone(); 101],
        }
        .to_json()
        .into_response(),
        Day::TooLarge => (" ".repeat(600_000) + &JwkSet { keys: jwks }.to_json()).into_response(),
        Day::Redirecting => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
        Day::Good | Day::OtherIssuer | Day::OnlyRfc8414 => {
            let etag = format!(
                "\"{}\"",
                held.iter().map(|(kid, _)| kid.as_str()).collect::<Vec<_>>().join("-")
            );
            if headers
                .get(header::IF_NONE_MATCH)
                .is_some_and(|sent| sent.as_bytes() == etag.as_bytes())
            {
                issuer.not_modified.fetch_add(1, Ordering::SeqCst);
                return StatusCode::NOT_MODIFIED.into_response();
            }
            let headers = [
                (header::ETAG, etag.as_str()),
                (header::CACHE_CONTROL, "public, max-age=300"),
            ];
            (headers, JwkSet { keys: jwks }.to_json()).into_response()
        }
    }
}

/// Good keys, at the end of a redirect that nobody may follow.
async fn elsewhere(State(issuer): State<Arc<Issuer>>) -> String {
    let held = issuer.keys.lock().unwrap();
    let jwk = |(kid, key): &(String, Arc<SigningKey>)| Jwk::from_signing_key(key, &KeyId::new(kid.as_str())).unwrap();
    JwkSet {
        keys: held.iter().map(jwk).collect(),
    }
    .to_json()
}

fn clock() -> Clock {
    Clock::set_to(Timestamp::from_seconds(NOW))
}

/// Waits for the background task, which works beside the test: the test turns to it until `holds`.
async fn until(holds: impl AsyncFn() -> bool) {
    let waited = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waited)
        .await
        .expect("it becomes so within ten seconds");
}

fn is_unavailable<T>(result: &Result<T, Denied>) -> bool {
    matches!(result, Err(Denied::Unavailable(_)))
}

fn is_invalid<T>(result: &Result<T, Denied>) -> bool {
    matches!(result, Err(Denied::InvalidToken(_)))
}

#[tokio::test]
async fn many_tokens_at_a_cold_guard_cost_one_fetch_and_warm_ones_none() {
    let issuer = Issuer::start().await;
    let guard = issuer.guard(&clock());
    let token = issuer.token("k1");
    let many: Vec<_> = (0..50)
        .map(|_| {
            let (guard, token) = (guard.clone(), token.clone());
            tokio::spawn(async move { guard.verify(&token).await.is_ok() })
        })
        .collect();
    for one in many {
        assert!(one.await.unwrap());
    }
    assert!(guard.verify(&token).await.is_ok());
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn an_issuer_that_is_down_costs_nothing_for_a_day_and_then_a_503() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock);
    let token = issuer.token("k1");
    assert!(guard.verify(&token).await.is_ok());
    issuer.is(Day::Down);
    clock.advance_ms(24 * HOUR_MS - MINUTE_MS);
    assert!(guard.verify(&token).await.is_ok());
    let unknown = issuer.token_by(issuer.publish("k2"), "k2");
    assert!(is_unavailable(&guard.verify(&unknown).await), "this waits for a fetch");
    assert!(
        guard.verify(&token).await.is_ok(),
        "a fetch that failed takes nothing away"
    );
    clock.advance_ms(2 * MINUTE_MS);
    assert!(is_unavailable(&guard.verify(&token).await));
    issuer.is(Day::Good);
    clock.advance_ms(MINUTE_MS);
    assert!(guard.verify(&token).await.is_ok());
}

#[tokio::test]
async fn no_day_is_bad_enough_to_lose_the_keys_that_are_held() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock);
    let token = issuer.token("k1");
    assert!(guard.verify(&token).await.is_ok());
    let unknown = issuer.token_by(issuer.publish("k2"), "k2");
    for day in [
        Day::Garbage,
        Day::TooManyKeys,
        Day::TooLarge,
        Day::Redirecting,
        Day::Down,
    ] {
        issuer.is(day);
        clock.advance_ms(2 * HOUR_MS);
        assert!(is_unavailable(&guard.verify(&unknown).await), "this waits for a fetch");
        assert!(guard.verify(&token).await.is_ok());
    }
}

#[tokio::test]
async fn a_cold_guard_without_an_issuer_says_503_and_when_to_come_back() {
    for day in [
        Day::Down,
        Day::Garbage,
        Day::TooManyKeys,
        Day::TooLarge,
        Day::Redirecting,
        Day::OtherIssuer,
    ] {
        let issuer = Issuer::start().await;
        issuer.is(day);
        let guard = issuer.guard(&clock());
        let Err(Denied::Unavailable(unavailable)) = guard.verify(&issuer.token("k1")).await else {
            panic!("no keys, no answer");
        };
        assert!(unavailable.retry_after_seconds >= 1, "{}", unavailable.cause);
        let fetches = issuer.fetches();
        assert!(is_unavailable(&guard.verify(&issuer.token("k1")).await));
        assert_eq!(
            issuer.fetches(),
            fetches,
            "a request does not hurry a guard that is waiting"
        );
    }
}

#[tokio::test]
async fn a_guard_recovers_when_its_issuer_comes_up() {
    let (issuer, clock) = (Issuer::start().await, clock());
    issuer.is(Day::Down);
    let guard = issuer.guard(&clock);
    assert!(is_unavailable(&guard.verify(&issuer.token("k1")).await));
    issuer.is(Day::Good);
    clock.advance_ms(MINUTE_MS);
    assert!(guard.verify(&issuer.token("k1")).await.is_ok());
}

#[tokio::test]
async fn a_key_that_was_not_published_before_it_signs_is_found_at_once() {
    let issuer = Issuer::start().await;
    let guard = issuer.guard(&clock());
    assert!(guard.verify(&issuer.token("k1")).await.is_ok());
    issuer.publish("k2");
    assert!(guard.verify(&issuer.token("k2")).await.is_ok());
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn a_flood_of_invented_kids_costs_one_conditional_fetch_in_five_seconds() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock);
    assert!(guard.verify(&issuer.token("k1")).await.is_ok());
    let stranger = Arc::new(SigningKey::generate(Algorithm::Es256, RsaBits::Bits2048));
    for round in 1..=3 {
        for invented in 0..100 {
            let token = issuer.token_by(Arc::clone(&stranger), &format!("{round}-{invented}"));
            assert!(is_invalid(&guard.verify(&token).await));
        }
        assert_eq!(issuer.fetches(), 1 + round);
        assert_eq!(issuer.not_modified.load(Ordering::SeqCst), round);
        clock.advance_ms(5_000);
    }
    issuer.publish("k2");
    assert!(
        guard.verify(&issuer.token("k2")).await.is_ok(),
        "a flood delays a new key by five seconds at most"
    );
}

#[tokio::test]
async fn a_key_that_cannot_be_looked_for_is_not_an_unknown_key() {
    let issuer = Issuer::start().await;
    let guard = issuer.guard(&clock());
    assert!(guard.verify(&issuer.token("k1")).await.is_ok());
    issuer.is(Day::Down);
    issuer.publish("k2");
    assert!(is_unavailable(&guard.verify(&issuer.token("k2")).await));
    assert!(guard.verify(&issuer.token("k1")).await.is_ok());
}

#[tokio::test]
async fn a_stranger_makes_us_fetch_nothing() {
    let issuer = Issuer::start().await;
    let guard = issuer.guard(&clock());
    assert!(guard.verify(&issuer.token("k1")).await.is_ok());
    let other = Issuer::start().await;
    other.publish("k2");
    assert!(is_invalid(&guard.verify(&other.token("k2")).await));
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_revoked_key_dies_at_the_next_refresh() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock);
    let token = issuer.token("k1");
    assert!(guard.verify(&token).await.is_ok());
    issuer.publish("k2");
    issuer.revoke("k1");
    clock.advance_ms(5 * MINUTE_MS);
    until(async || is_invalid(&guard.verify(&token).await)).await;
    assert!(guard.verify(&issuer.token("k2")).await.is_ok());
}

#[tokio::test]
async fn metadata_by_rfc_8414s_name_will_do() {
    let issuer = Issuer::start().await;
    issuer.is(Day::OnlyRfc8414);
    assert!(issuer.guard(&clock()).verify(&issuer.token("k1")).await.is_ok());
}

#[test]
fn a_guard_can_be_made_before_there_is_a_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let issuer = runtime.block_on(Issuer::start());
    let guard = issuer.guard(&clock());
    assert!(runtime.block_on(guard.verify(&issuer.token("k1"))).is_ok());
}
