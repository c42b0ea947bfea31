//! The spans that a program's traces have of its guard.
#![cfg(feature = "fetch")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up stops")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use tokenhouse_guard::{Algorithm, Guard};
use tokenhouse_protocol::crypto::{RsaBits, SigningKey};
use tokenhouse_protocol::id::KeyId;
use tokenhouse_protocol::jose::jwk::{Jwk, JwkSet};
use tokenhouse_protocol::jose::jws::Signer;
use tokio::net::TcpListener;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The names of the guard's spans, in the order in which they began.
#[derive(Clone, Default)]
struct Spans(Arc<(Mutex<Vec<&'static str>>, AtomicU64)>);

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tokenhouse_guard")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let (names, count) = &*self.0;
        names.lock().unwrap().push(span.metadata().name());
        Id::from_u64(count.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn fetches_and_verifications_are_spans_and_remembered_tokens_are_none() {
    let key = Arc::new(SigningKey::generate(Algorithm::EdDsa, RsaBits::Bits2048));
    let jwk = Jwk::from_signing_key(&key, &KeyId::new("k1")).unwrap();
    let document = JwkSet { keys: vec![jwk] }.to_json();
    let claims = r#"{"iss":"https://issuer.example.com/","aud":"https://api.example.com","exp":9000000000}"#;
    let token = Signer::new(key, Some(&KeyId::new("k1")), "JWT").sign(claims.as_bytes());
    let spans = Spans::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tracing::subscriber::with_default(spans.clone(), || {
        runtime.block_on(async {
            let app = Router::new().route("/keys", get(move || std::future::ready(document.clone())));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let keys = format!("http://{}/keys", listener.local_addr().unwrap());
            tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
            let guard = Guard::builder()
                .issuer("https://issuer.example.com/")
                .audience("https://api.example.com")
                .jwks_url(keys)
                .build()
                .unwrap();
            guard.ready().await.unwrap();
            for _ in 0..3 {
                guard.verify(&token).await.unwrap();
            }
        });
    });
    assert_eq!(*spans.0.0.lock().unwrap(), ["fetch_keys", "verify_token"]);
}
