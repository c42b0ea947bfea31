//! What a program's own metrics learn of its guard.
#![cfg(feature = "metrics")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up stops")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tokenhouse_guard::{Algorithm, Clock, Guard, KeySet, LocalKeys, Timestamp};
use tokenhouse_protocol::crypto::{RsaBits, SigningKey};
use tokenhouse_protocol::jose::jws::Signer;

const NOW: i64 = 1_800_000_000;

/// Counters by name and labels, and gauges by name: the bits of their numbers.
#[derive(Default)]
struct Counted(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Counted {
    fn all(&self) -> Vec<(String, u64)> {
        let counters = self.0.lock().unwrap();
        let read = |(name, count): (&String, &Arc<AtomicU64>)| (name.clone(), count.load(Ordering::SeqCst));
        counters.iter().map(read).collect()
    }
}

impl Recorder for Counted {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let reason = key
            .labels()
            .map(|label| format!(" {}", label.value()))
            .collect::<String>();
        let mut counters = self.0.lock().unwrap();
        let counter = counters.entry(format!("{}{reason}", key.name())).or_default();
        Counter::from_arc(Arc::clone(counter))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let gauges = &mut *self.0.lock().unwrap();
        Gauge::from_arc(Arc::clone(gauges.entry(key.name().to_owned()).or_default()))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn tokens_are_counted_by_what_became_of_them() {
    let key = Arc::new(SigningKey::generate(Algorithm::EdDsa, RsaBits::Bits2048));
    let verifying = tokenhouse_guard::Key::new(None, key.verifying_key());
    let guard = Guard::builder()
        .issuer("https://issuer.example.com/")
        .audience("https://api.example.com")
        .clock(Clock::set_to(Timestamp::from_seconds(NOW)))
        .keys(LocalKeys::fixed(KeySet::new([verifying])))
        .build()
        .unwrap();
    let token = |audience: &str, exp: i64| {
        let claims = format!(r#"{{"iss":"https://issuer.example.com/","aud":"{audience}","exp":{exp}}}"#);
        Signer::new(Arc::clone(&key), None, "JWT").sign(claims.as_bytes())
    };
    let good = token("https://api.example.com", NOW + 60);
    let (other, old) = (token("other", NOW + 60), token("https://api.example.com", NOW - 60));
    let request = |uri: &str| http::Request::get(uri).body(()).unwrap().into_parts().0;
    let counted = Counted::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    metrics::with_local_recorder(&counted, || {
        runtime.block_on(async {
            for token in [&good, &good, &good, &other, &old, &"opaque".to_owned()] {
                let _ = guard.verify(token).await;
            }
            let _ = guard.authenticate(&request("/")).await;
        });
    });
    let expected = [
        ("tokenhouse_guard_cache_hits_total", 2),
        ("tokenhouse_guard_cache_misses_total", 1),
        ("tokenhouse_guard_refused_total audience", 1),
        ("tokenhouse_guard_refused_total expiry", 1),
        ("tokenhouse_guard_refused_total form", 1),
        ("tokenhouse_guard_refused_total no_token", 1),
        ("tokenhouse_guard_verified_total", 3),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    assert_eq!(counted.all(), expected);
}

#[cfg(feature = "fetch")]
#[test]
fn fetches_and_the_age_of_keys_are_seen() {
    let counted = Counted::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let document = || async { r#"{"keys":[]}"# };
    metrics::with_local_recorder(&counted, || {
        runtime.block_on(async {
            let app = axum::Router::new().route("/keys", axum::routing::get(document));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let keys = format!("http://{}/keys", listener.local_addr().unwrap());
            tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
            let guard = Guard::builder()
                .issuer("https://issuer.example.com/")
                .audience("https://api.example.com")
                .jwks_url(keys)
                .clock(Clock::set_to(Timestamp::from_seconds(NOW)))
                .build()
                .unwrap();
            guard.ready().await.unwrap();
            let aged = async {
                while !counted.all().iter().any(|(name, _)| name.ends_with("key_age_seconds")) {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(10), aged)
                .await
                .unwrap();
        });
    });
    let of = |name: &str| {
        let all = counted.all();
        all.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    };
    assert_eq!(of("tokenhouse_guard_key_fetches_total changed"), Some(1));
    let age = f64::from_bits(of("tokenhouse_guard_key_age_seconds").unwrap());
    assert_eq!(age, 0.0, "the clock stands");
}
