//! An issuer in this process that has bad days, and counts what it is asked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokenhouse_guard::{Builder, Clock, Guard, Timestamp};
use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::jwk::{Jwk, JwkSet};
use tokenhouse_protocol::jose::jws::Signer;
use tokio::net::TcpListener;

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const SECOND_MS: i64 = 1_000;
pub(crate) const MINUTE_MS: i64 = 60 * SECOND_MS;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
/// The `max-age` of the key set.
pub(crate) const MAX_AGE_MS: i64 = 5 * MINUTE_MS;

/// How the whole issuer behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Day {
    Good,
    Down,
    Slow,
    Garbage,
    TenThousandKeys,
    Redirecting,
    NoUsableKey,
}

pub(crate) struct Issuer {
    pub(crate) url: String,
    day: Mutex<Day>,
    has_metadata: AtomicBool,
    has_moved: AtomicBool,
    keys: Mutex<Vec<(String, Signer, Jwk)>>,
    metadata_fetches: AtomicUsize,
    key_fetches: AtomicUsize,
    unchanged: AtomicUsize,
    uncached: AtomicUsize,
    tokens: AtomicUsize,
}

impl Issuer {
    /// An issuer with one key, `k1`.
    pub(crate) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Arc::new(Self {
            url: format!("http://{}/", listener.local_addr().unwrap()),
            day: Mutex::new(Day::Good),
            has_metadata: AtomicBool::new(true),
            has_moved: AtomicBool::new(false),
            keys: Mutex::default(),
            metadata_fetches: AtomicUsize::new(0),
            key_fetches: AtomicUsize::new(0),
            unchanged: AtomicUsize::new(0),
            uncached: AtomicUsize::new(0),
            tokens: AtomicUsize::new(0),
        });
        issuer.publish("k1");
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/moved", get(moved))
            .route("/elsewhere", get(elsewhere))
            .with_state(Arc::clone(&issuer));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        issuer
    }

    pub(crate) fn guard(&self, clock: &Clock) -> Builder {
        Guard::builder()
            .issuer(&self.url)
            .audience("https://api.example.com")
            .clock(clock.clone())
            .fetch_timeout(Duration::from_millis(100))
    }

    pub(crate) fn publish(&self, kid: &str) {
        let key = Arc::new(SigningKey::generate(Algorithm::EdDsa, RsaBits::Bits2048));
        let id = KeyId::new(kid);
        let jwk = Jwk::from_signing_key(&key, &id).unwrap();
        let signer = Signer::new(key, Some(&id), "JWT");
        self.keys.lock().unwrap().push((kid.to_owned(), signer, jwk));
    }

    pub(crate) fn revoke(&self, kid: &str) {
        self.keys.lock().unwrap().retain(|(held, ..)| held != kid);
    }

    pub(crate) fn is(&self, day: Day) {
        *self.day.lock().unwrap() = day;
    }

    pub(crate) fn loses_its_metadata(&self) {
        self.has_metadata.store(false, Ordering::SeqCst);
    }

    /// From now on the metadata names another address, whose key set has the `ETag` that the first one had.
    pub(crate) fn moves_its_keys(&self) {
        self.has_moved.store(true, Ordering::SeqCst);
    }

    /// How often keys were asked for, and how often the answer was 304.
    pub(crate) fn key_fetches(&self) -> (usize, usize) {
        let unchanged = self.unchanged.load(Ordering::SeqCst);
        (self.key_fetches.load(Ordering::SeqCst), unchanged)
    }

    /// How often keys were asked for past every cache on the way.
    pub(crate) fn uncached(&self) -> usize {
        self.uncached.load(Ordering::SeqCst)
    }

    /// All requests for metadata and keys.
    pub(crate) fn fetches(&self) -> usize {
        self.metadata_fetches.load(Ordering::SeqCst) + self.key_fetches.load(Ordering::SeqCst)
    }

    /// A token like no other.
    pub(crate) fn token(&self, kid: &str) -> String {
        let number = self.tokens.fetch_add(1, Ordering::SeqCst);
        let claims = serde_json::json!({
            "iss": self.url, "sub": "a", "aud": "https://api.example.com", "exp": NOW + 900_000, "jti": number.to_string(),
        });
        let keys = self.keys.lock().unwrap();
        let (_, signer, _) = keys.iter().find(|(held, ..)| held == kid).unwrap();
        signer.sign(claims.to_string().as_bytes())
    }

    /// The claims of a good token under a header of a stranger's.
    pub(crate) fn invented(&self, kid: &str) -> String {
        let stranger =
            tokenhouse_protocol::jose::base64url::encode(format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{kid}"}}"#));
        let good = self.token("k1");
        format!("{stranger}.{}", good.split_once('.').unwrap().1)
    }
}

pub(crate) fn clock() -> Clock {
    Clock::set_to(Timestamp::from_seconds(NOW))
}

async fn metadata(State(issuer): State<Arc<Issuer>>) -> Response {
    issuer.metadata_fetches.fetch_add(1, Ordering::SeqCst);
    let url = &issuer.url;
    if !issuer.has_metadata.load(Ordering::SeqCst) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    match bad(&issuer).await {
        Some(answer) => answer,
        None => {
            let path = if issuer.has_moved.load(Ordering::SeqCst) {
                "moved"
            } else {
                "keys"
            };
            format!(r#"{{"issuer":"{url}","jwks_uri":"{url}{path}"}}"#).into_response()
        }
    }
}

async fn keys(State(issuer): State<Arc<Issuer>>, headers: HeaderMap) -> Response {
    let kids = published(&issuer).0;
    key_set(&issuer, &headers, &kids.join("-")).await
}

async fn moved(State(issuer): State<Arc<Issuer>>, headers: HeaderMap) -> Response {
    key_set(&issuer, &headers, "k1").await
}

async fn key_set(issuer: &Issuer, headers: &HeaderMap, etag: &str) -> Response {
    issuer.key_fetches.fetch_add(1, Ordering::SeqCst);
    let is_uncached = headers
        .get(header::CACHE_CONTROL)
        .is_some_and(|value| value == "no-cache");
    issuer.uncached.fetch_add(usize::from(is_uncached), Ordering::SeqCst);
    if let Some(answer) = bad(issuer).await {
        return answer;
    }
    let document = published(issuer).1;
    let etag = format!("\"{etag}\"");
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|sent| sent.as_bytes() == etag.as_bytes())
    {
        issuer.unchanged.fetch_add(1, Ordering::SeqCst);
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let headers = [
        (header::ETAG, etag.as_str()),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, document).into_response()
}

/// Good documents, at the end of a redirect that nobody may follow.
async fn elsewhere(State(issuer): State<Arc<Issuer>>) -> String {
    published(&issuer).1
}

fn published(issuer: &Issuer) -> (Vec<String>, String) {
    let held = issuer.keys.lock().unwrap();
    let keys = held.iter().map(|(_, _, jwk)| jwk.clone()).collect();
    let kids = held.iter().map(|(kid, ..)| kid.clone()).collect();
    (kids, JwkSet { keys }.to_json())
}

/// What the issuer answers on a bad day, whatever it is asked.
async fn bad(issuer: &Issuer) -> Option<Response> {
    let day = *issuer.day.lock().unwrap();
    Some(match day {
        Day::Good => return None,
        Day::Down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Day::Slow => std::future::pending().await,
        Day::Garbage => "<html>please sign in</html>".into_response(),
        Day::TenThousandKeys => {
            // Small ones, so that not the size of the document is what is wrong with it; with the metadata in front.
            let keys = [r#"{"kty":"OKP"}"#; 10_000].join(",");
            let url = &issuer.url;
            format!(r#"{{"issuer":"{url}","jwks_uri":"{url}keys","keys":[{keys}]}}"#).into_response()
        }
        Day::NoUsableKey => {
            let keys = format!("{}keys", issuer.url);
            let both = serde_json::json!({ "issuer": issuer.url, "jwks_uri": keys, "keys": [{ "kty": "oct" }, 7] });
            both.to_string().into_response()
        }
        Day::Redirecting => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
    })
}
