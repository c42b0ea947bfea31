//! Faults of endpoints, keys and the clock, asked for under `/dev/` and taken back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::house::{AUDIENCE, Answer, Ask, House, NOW_S};

/// Every route that steers `dev`, with a body that it takes.
const ROUTES: [(&str, &str, &str); 9] = [
    ("GET", "/dev/state", ""),
    ("DELETE", "/dev/state", ""),
    ("PUT", "/dev/faults/jwks", r#"{"status":503}"#),
    ("PUT", "/dev/faults/metadata", r#"{"status":503}"#),
    ("PUT", "/dev/faults/token", r#"{"status":503}"#),
    ("PUT", "/dev/faults/next_token", r#"{"is":"expired"}"#),
    ("POST", "/dev/rotate", ""),
    ("POST", "/dev/revoke", ""),
    ("POST", "/dev/clock", r#"{"forward_s":1}"#),
];

/// A request that steers `dev`.
pub(super) async fn steer(house: &House, method: &str, path: &str, body: Option<Value>) -> Answer {
    let ask = Ask::new(method, path).header("tokenhouse-dev", "1");
    house
        .ask(match body {
            Some(body) => ask.header("content-type", "application/json").body(body.to_string()),
            None => ask,
        })
        .await
}

async fn state(house: &House) -> Value {
    steer(house, "GET", "/dev/state", None).await.json()
}

fn with_body(method: &str, path: &str, body: &str) -> Ask {
    let ask = Ask::new(method, path).header("tokenhouse-dev", "1");
    match body {
        "" => ask,
        body => ask.header("content-type", "application/json").body(body),
    }
}

#[tokio::test]
async fn a_body_is_read_whatever_it_is_called() {
    let dev = House::with_faults().await;
    let send = async |content_type: &str, path: &str, body: &str| {
        let ask = Ask::new("POST", path).header("tokenhouse-dev", "1");
        dev.ask(ask.header("content-type", content_type).body(body)).await
    };
    let signs = async || state(&dev).await["keys"].as_array().unwrap().clone();
    let published = signs().await;
    let kid = send("text/plain", "/dev/rotate", r#"{"without_publishing":true}"#)
        .await
        .json()["kid"]
        .clone();
    assert!(
        published.iter().all(|key| key["kid"] != kid),
        "{kid} was published before"
    );
    for bad in [r#"{"kid":"nobody's"}"#, r#"{"kidd":"a"}"#, "kid=a"] {
        let answer = send("application/x-www-form-urlencoded", "/dev/revoke", bad).await;
        assert!((400..500).contains(&answer.status), "{bad}: {}", answer.status);
    }
    assert_eq!(send("application/json", "/dev/rotate", "").await.status, 200);
}

#[tokio::test]
async fn every_other_server_has_none_of_these_routes() {
    let serve = House::shared().await;
    for (method, path, body) in ROUTES {
        assert_eq!(
            serve.ask(with_body(method, path, body)).await.status,
            404,
            "{method} {path}"
        );
    }
    let dev = House::with_faults().await;
    for (method, path, body) in ROUTES {
        let status = dev.ask(with_body(method, path, body)).await.status;
        assert!([200, 204].contains(&status), "{method} {path}: {status}");
    }
}

#[tokio::test]
async fn a_page_cannot_steer() {
    let house = House::with_faults().await;
    for (method, path, body) in ROUTES {
        let ask = with_body(method, path, body);
        let from_page = ask.clone().header("origin", "http://localhost:4000");
        assert_eq!(house.ask(from_page).await.status, 403, "{method} {path}");
        assert_eq!(
            house.ask(ask.clone().without("tokenhouse-dev")).await.status,
            403,
            "{method} {path}"
        );
        assert_eq!(
            house.ask(ask.host("rebound.example.com:4000")).await.status,
            421,
            "{method} {path}"
        );
        let preflight = Ask::new("OPTIONS", path).header("origin", "http://localhost:4000");
        let answer = house.ask(preflight).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{method} {path}");
    }
    assert_eq!(house.client_credentials(&house.samples.sample).await.status, 200);
    assert_eq!(state(&house).await["faults"], json!({}));
}

#[tokio::test]
async fn the_key_set_fails_is_garbage_or_slow_until_the_reset() {
    let house = House::with_faults().await;
    let path = "/.well-known/jwks.json";
    let fault = |body| steer(&house, "PUT", "/dev/faults/jwks", Some(body));
    assert_eq!(fault(json!({ "status": 503, "retry_after_s": 7 })).await.status, 204);
    for _ in 0..3 {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "7"));
    }
    assert_eq!(fault(json!({ "garbage": true })).await.status, 204);
    let garbage = house.get(path).await;
    assert_eq!(garbage.status, 200);
    assert!(
        serde_json::from_str::<Value>(&garbage.body).is_err(),
        "{}",
        garbage.body
    );
    assert_eq!(fault(json!({ "delay_ms": 40 })).await.status, 204);
    let began = Instant::now();
    assert_eq!(house.get(path).await.json()["keys"].as_array().unwrap().len(), 2);
    assert!(began.elapsed() >= Duration::from_millis(40));
    assert_eq!(state(&house).await["requests"]["jwks"], 5);
    assert_eq!(steer(&house, "DELETE", "/dev/state", None).await.status, 204);
    let began = state(&house).await;
    assert_eq!((&began["faults"], &began["requests"]), (&json!({}), &json!({})));
}

#[tokio::test]
async fn the_token_endpoint_fails_so_many_times() {
    let house = House::with_faults().await;
    let fault = json!({ "status": 429, "retry_after_s": 3, "times": 2 });
    steer(&house, "PUT", "/dev/faults/token", Some(fault)).await;
    for expected in [429, 429, 200] {
        let answer = house.client_credentials(&house.samples.sample).await;
        assert_eq!(answer.status, expected);
        assert_eq!(answer.header("retry-after"), if expected == 429 { "3" } else { "" });
    }
    // What was refused at the door never came in.
    assert_eq!(house.logs().await.len(), 1);
    assert_eq!(state(&house).await["requests"], json!({ "token": 3 }));
}

#[tokio::test]
async fn what_makes_no_fault_is_refused_with_a_sentence() {
    let house = House::with_faults().await;
    for (method, path, body) in [
        ("PUT", "/dev/faults/jwks", json!({})),
        ("PUT", "/dev/faults/jwks", json!({ "status": 200 })),
        ("PUT", "/dev/faults/jwks", json!({ "delay_ms": 60_001 })),
        ("PUT", "/dev/faults/jwks", json!({ "status": 503, "times": 0 })),
        ("PUT", "/dev/faults/jwks", json!({ "state": 503 })),
        ("PUT", "/dev/faults/userinfo", json!({ "status": 503 })),
        ("PUT", "/dev/faults/next_token", json!({ "is": "stale" })),
        ("POST", "/dev/rotate", json!({ "alg": "none" })),
        ("POST", "/dev/rotate", json!({ "alg": "EdDSA" })),
        ("POST", "/dev/revoke", json!({ "kid": "nobodys" })),
        ("POST", "/dev/clock", json!({ "forward_s": 0 })),
        ("POST", "/dev/clock", json!({ "forward_s": i64::MAX })),
    ] {
        let answer = steer(&house, method, path, Some(body.clone())).await;
        assert!([400, 422].contains(&answer.status), "{path} {body}: {}", answer.status);
        assert!(answer.json()["error_description"].is_string(), "{path} {body}");
    }
    assert_eq!(state(&house).await["faults"], json!({}));
}

#[tokio::test]
async fn a_rotation_is_known_to_an_api_beforehand_unless_it_was_not_published() {
    let house = House::with_faults().await;
    let api = house.guard("localhost:4000", AUDIENCE).await;
    let rotated = steer(&house, "POST", "/dev/rotate", None).await;
    assert_eq!(rotated.status, 200);
    let token = house.token(&house.samples.sample).await;
    assert_eq!(rotated.json()["kid"], token.kid());
    assert!(api.verify(&token.raw).await.is_ok());

    let api = house.guard("localhost:4000", AUDIENCE).await;
    let unpublished = Some(json!({ "without_publishing": true }));
    assert_eq!(steer(&house, "POST", "/dev/rotate", unpublished).await.status, 200);
    let token = house.token(&house.samples.sample).await;
    assert!(api.verify(&token.raw).await.is_err(), "the API cannot know the key");
    assert!(house.accepts(&token).await, "it is published now");
}

#[tokio::test]
async fn a_revoked_key_takes_its_tokens_with_it() {
    let house = House::with_faults().await;
    let token = house.token(&house.samples.sample).await;
    let revoked = steer(&house, "POST", "/dev/revoke", None).await;
    assert_eq!(revoked.json()["kid"], token.kid());
    assert!(!house.accepts(&token).await);
    let new = house.token(&house.samples.sample).await;
    assert!(house.accepts(&new).await);
    let keys = state(&house).await["keys"].clone();
    let of = |state: &str| {
        keys.as_array()
            .unwrap()
            .iter()
            .filter(|key| key["state"] == state)
            .count()
    };
    assert_eq!((of("current"), of("next"), of("revoked")), (1, 1, 1), "{keys}");
}

#[tokio::test]
async fn the_clock_goes_forward_and_comes_back() {
    let house = House::with_faults().await;
    for _ in 0..2 {
        let moved = steer(&house, "POST", "/dev/clock", Some(json!({ "forward_s": 3600 }))).await;
        assert_eq!(moved.status, 204);
    }
    let token = house.token(&house.samples.sample).await;
    assert_eq!(token.claims["iat"], NOW_S + 7200);
    assert_eq!(state(&house).await["clock"]["forward_s"], 7200);
    steer(&house, "DELETE", "/dev/state", None).await;
    assert_eq!(house.token(&house.samples.sample).await.claims["iat"], NOW_S);
}

#[tokio::test]
async fn the_reset_puts_the_keys_back() {
    let house = House::with_faults().await;
    let before = state(&house).await["keys"].clone();
    let token = house.token(&house.samples.sample).await;
    for (path, body) in [
        ("/dev/rotate", json!({})),
        ("/dev/rotate", json!({ "without_publishing": true })),
        ("/dev/revoke", json!({})),
        ("/dev/revoke", json!({ "kid": token.kid() })),
    ] {
        let answer = steer(&house, "POST", path, Some(body)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
    assert!(!house.accepts(&token).await, "its key was revoked");
    for _ in 0..2 {
        assert_eq!(steer(&house, "DELETE", "/dev/state", None).await.status, 204);
        assert_eq!(state(&house).await["keys"], before);
    }
    assert_eq!(house.token(&house.samples.sample).await.kid(), token.kid());
    assert!(house.accepts(&token).await, "its key is as it was");
}
