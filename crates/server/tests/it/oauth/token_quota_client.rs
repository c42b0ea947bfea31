//! Our own client under a quota of our own server (CONTRACT §4.11): it slows down by the headers, before it is refused.

use serde_json::json;
use tokio::task::yield_now;

use tokenhouse::router::router;
use tokenhouse::serve;
use tokenhouse_client::TokenClient;

use super::token_quota::set;
use crate::house::{AUDIENCE, House, ISSUER, NOW_S};
use crate::management::Api;

#[tokio::test]
async fn our_client_slows_down_by_these_headers_and_is_never_refused() {
    let house = House::new().await;
    set(&house, json!({"per_hour": 10, "per_day": 100})).await;
    let api = Api::of(&house).await;
    let path = format!("resource-servers/{}", AUDIENCE.replace(':', "%3A").replace('/', "%2F"));
    api.expect(
        200,
        "PATCH",
        &path,
        json!({"token_lifetime": 60, "token_lifetime_for_web": 60}),
    )
    .await;
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
    // An hour and a half of an application that wants a valid token at every moment, each good for a minute.
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
    let rows = house.logs().await;
    assert!(rows.iter().all(|row| row.kind != "feccft"), "it was refused");
    let at: Vec<i64> = rows
        .iter()
        .filter(|row| row.kind == "seccft" && row.client_id.as_ref().unwrap().as_str() == sample.client_id)
        .map(|row| row.at.seconds() - NOW_S)
        .collect();
    let in_first_hour: Vec<_> = at.iter().filter(|at| **at < 3600).collect();
    assert!((8..=10).contains(&in_first_hour.len()), "{at:?}");
    assert!(
        in_first_hour.iter().any(|at| **at > 1500),
        "what was left is spread: {at:?}"
    );
    assert!(
        at.iter().any(|at| (3600..3700).contains(at)),
        "the new hour is used at once: {at:?}"
    );
    assert!(
        waits.len() > 100 && waits.iter().all(|wait| *wait <= 3600),
        "it said how long"
    );
}
