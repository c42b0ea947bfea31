//! The guard on axum routers and tower services, through the front door: what callers are told, what handlers learn.
#![cfg(feature = "axum")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up stops")]

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{Method, Request, header};
use http_body_util::BodyExt;
use tokenhouse_guard::{AccessToken, Builder, Clock, Guard, Key, KeySet, LocalKeys, Timestamp};
use tokenhouse_protocol::crypto::{Algorithm, RsaBits, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::jws::Signer;
use tower::ServiceExt;

mod authorization;
mod extractors;
mod layer;
mod optional;
mod refusals;
mod resource_metadata;

const NOW: i64 = 1_800_000_000;

/// An issuer, and a guard that knows its key.
struct House {
    signer: Signer,
    guard: Guard,
}

impl House {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(settings: impl FnOnce(Builder) -> Builder) -> Self {
        let key = std::sync::Arc::new(SigningKey::generate(Algorithm::EdDsa, RsaBits::Bits2048));
        let keys = KeySet::new([Key::new(Some("k1".into()), key.verifying_key())]);
        let builder = Guard::builder()
            .issuer("https://issuer.example.com/")
            .audience("https://api.example.com")
            .clock(Clock::set_to(Timestamp::from_seconds(NOW)))
            .keys(LocalKeys::fixed(keys));
        Self {
            signer: Signer::new(key, Some(&KeyId::new("k1")), "JWT"),
            guard: settings(builder).build().unwrap(),
        }
    }

    fn token(&self, scope: &str) -> String {
        self.token_of(scope, &["read:messages"])
    }

    fn token_of(&self, scope: &str, permissions: &[&str]) -> String {
        let claims = serde_json::json!({
            "iss": "https://issuer.example.com/", "sub": "reader@clients", "aud": "https://api.example.com",
            "iat": NOW, "exp": NOW + 60, "azp": "reader", "scope": scope, "permissions": permissions,
            "https://example.com/team": "press",
        });
        self.signer.sign(claims.to_string().as_bytes())
    }
}

/// Sends a request to an app, with this token if there is one.
async fn send(app: &Router, method: Method, path: &str, token: Option<&str>) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

/// The status, and the challenge if there is one.
fn outcome(response: &Response) -> (u16, Option<String>) {
    let challenge = response.headers().get(header::WWW_AUTHENTICATE);
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), challenge)
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn whoami(token: AccessToken) -> String {
    format!(
        "{} {} {:?}",
        token.subject().unwrap(),
        token.client_id().unwrap(),
        token.permissions()
    )
}
