//! Our own client under a quota of our own server (CONTRACT §4.11): it slows down by the headers, before it is refused.

use serde_json::json;
use tokio::task::yield_now;

use tokenhouse::router::router;
use tokenhouse::serve;
use tokenhouse_client::TokenClient;
use tokenhouse_store::LogRow;

use super::token_quota::set;
use crate::house::{AUDIENCE, House, ISSUER, NOW_S};
use crate::management::Api;

/// An hour and a half of an application that wants a valid token at every moment, each good for a minute: how long it
/// was told to wait each time it had none.
async fn waits(house: &House) -> Vec<u64> {
    let api = Api::of(house).await;
    let path = format!("resource-servers/{}", AUDIENCE.replace(':', "%3A").replace('/', "%2F"));
    let a_minute = json!({"token_lifetime": 60, "token_lifetime_for_web": 60});
    api.expect(200, "PATCH", &path, a_minute).await;
    let listeners = serve::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listeners[0].local_addr().unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let serving = tokio::spawn(serve::serve(listeners, router(&house.app), None, stopped));
    let sample = &house.samples.sample;
    let client = TokenClient::builder()
        .issuer(ISSUER)
        .token_url(format!("http://{address}/oauth/token"))
        .credentials(sample.client_id.as_str(), sample.client_secret.as_str())
        .audience(AUDIENCE)
        .clock(house.clock.clone())
        .build()
        .unwrap();
    let mut waits = Vec::new();
    for _ in 0..540 {
        if let Err(error) = client.token().await {
            waits.push(error.retry_after_seconds());
            assert!(error.to_string().contains("quota"), "{error}");
        }
        // What is renewed ahead is got meanwhile.
        for _ in 0..5 {
            yield_now().await;
        }
        house.advance_s(10);
    }
    stop.send(true).unwrap();
    serving.await.unwrap();
    waits
}

#[tokio::test]
async fn our_client_slows_down_by_these_headers_before_it_is_refused() {
    let house = House::new().await;
    set(&house, json!({"per_hour": 10, "per_day": 100})).await;
    let waits = waits(&house).await;
    let rows = house.logs().await;
    let is_sample = |row: &&LogRow| row.client_id.as_ref().unwrap().as_str() == house.samples.sample.client_id;
    let at = |kind: &str| -> Vec<i64> {
        let of_kind = rows.iter().filter(|row| row.kind == kind).filter(is_sample);
        of_kind.map(|row| row.at.seconds() - NOW_S).collect()
    };
    let (given, refused) = (at("seccft"), at("feccft"));
    let in_first_hour: Vec<_> = given.iter().filter(|at| **at < 3600).collect();
    assert!((8..=10).contains(&in_first_hour.len()), "{given:?}");
    assert!(
        in_first_hour.iter().any(|at| **at > 1500),
        "what was left is spread: {given:?}"
    );
    assert!(
        given.iter().any(|at| (3600..3700).contains(at)),
        "the new hour is used at once: {given:?}"
    );
    let tenth = given.get(9).copied().unwrap_or(0);
    assert!(
        refused.len() <= 8 && refused.iter().all(|at| *at > tenth),
        "it tries now and then once nothing is left, and no sooner: {given:?}, {refused:?}"
    );
    assert!(
        waits.len() > 100 && waits.iter().all(|wait| *wait <= 3600),
        "it said how long"
    );
}

#[tokio::test]
async fn our_client_never_waits_for_a_quota_that_only_counts() {
    let house = House::new().await;
    set(&house, json!({"per_hour": 10, "per_day": 20, "enforce": false})).await;
    let waits = waits(&house).await;
    assert!(waits.is_empty(), "{waits:?}");
}
