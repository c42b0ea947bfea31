//! Bad days: the issuer is down, slow, refuses, asks for patience, or answers nonsense.

use std::sync::{Arc, Mutex};

use axum::routing::get;
use serde_json::json;
use tokenhouse_client::Error;
use tokenhouse_client::testing::{Behaviour, TestIssuer};
use tokio::net::TcpListener;

use super::{API, DAY_MS, eventually, house, meanwhile, token};

const DOWN: Behaviour = Behaviour::Unavailable { retry_after_seconds: 0 };

#[tokio::test]
async fn a_failing_issuer_costs_nothing_while_the_token_is_valid() {
    let (issuer, client) = house().await;
    token(&client).await;
    for behaviour in [
        DOWN,
        Behaviour::Hangs,
        Behaviour::Garbage,
        Behaviour::Refuses {
            error: "invalid_client",
        },
        Behaviour::TooManyRequests {
            retry_after_seconds: 30,
        },
    ] {
        issuer.behave(behaviour);
        issuer
            .clock()
            .advance_ms(if issuer.asked() == 1 { DAY_MS - 150_000 } else { 25_000 });
        for _ in 0..50 {
            assert_eq!(token(&client).await, "t1");
            tokio::task::yield_now().await;
        }
    }
    assert!(issuer.asked() > 2, "it was tried");
    issuer.clock().advance_ms(120_000);
    assert!(client.token().await.is_err());
    issuer.behave(Behaviour::Gives);
    issuer.clock().advance_ms(60_000);
    assert_eq!(token(&client).await, "t2");
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_asked_once_for_all_who_wait() {
    let (issuer, client) = house().await;
    issuer.hold();
    issuer.behave(DOWN);
    let many: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.token().await.unwrap_err() })
        })
        .collect();
    eventually(async || issuer.asked() == 1).await;
    meanwhile().await;
    issuer.release();
    for one in many {
        let error = one.await.unwrap();
        assert!(matches!(error, Error::Unavailable { .. }), "{error}");
        assert_eq!(error.retry_after_seconds(), 1);
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_refusal_says_what_the_issuer_said_and_is_not_repeated_at_once() {
    let (issuer, client) = house().await;
    issuer.behave(Behaviour::Answers {
        status: 401,
        headers: Vec::new(),
        body: r#"{"error":"access_denied","error_description":"Unauthorized"}"#.into(),
    });
    for _ in 0..5 {
        let error = client.token().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the issuer refuses a token: 401 access_denied: Unauthorized"
        );
    }
    assert_eq!(issuer.asked(), 1);
    issuer.behave(Behaviour::Gives);
    issuer.clock().advance_ms(1000);
    assert_eq!(token(&client).await, "t1");
}

#[tokio::test]
async fn an_api_that_is_refused_keeps_no_other_api_waiting() {
    let (issuer, client) = house().await;
    let forbidden = client.for_audience("https://forbidden.example.com");
    issuer.behave(Behaviour::Refuses { error: "access_denied" });
    for _ in 0..5 {
        assert!(forbidden.token().await.is_err());
        issuer.clock().advance_ms(60_000);
    }
    assert!(forbidden.token().await.is_err());
    issuer.behave(Behaviour::Gives);
    assert_eq!(token(&client).await, "t1");
}

#[tokio::test]
async fn pauses_grow_while_the_issuer_fails() {
    let (issuer, client) = house().await;
    issuer.behave(DOWN);
    // A minute of asking every 100 ms.
    for _ in 0..600 {
        assert!(client.token().await.is_err());
        issuer.clock().advance_ms(100);
    }
    let asked = issuer.asked();
    assert!((4..=8).contains(&asked), "{asked}");
}

#[tokio::test]
async fn after_three_failures_one_request_tries_for_all_apis() {
    let issuer = TestIssuer::start().await.unwrap();
    let client = issuer.builder().build().unwrap();
    let apis: Vec<_> = (0..20)
        .map(|number| client.for_audience(format!("{API}/{number}")))
        .collect();
    issuer.behave(DOWN);
    for api in &apis {
        assert!(api.token().await.is_err());
    }
    assert_eq!(issuer.asked(), 3);
    issuer.clock().advance_ms(40_000);
    issuer.hold();
    let waiting: Vec<_> = apis
        .iter()
        .map(|api| {
            let api = api.clone();
            tokio::spawn(async move { api.token().await.is_ok() })
        })
        .collect();
    eventually(async || issuer.asked() == 4).await;
    meanwhile().await;
    issuer.behave(Behaviour::Gives);
    issuer.release();
    let mut served = 0;
    for one in waiting {
        served += usize::from(one.await.unwrap());
    }
    assert_eq!((served, issuer.asked()), (1, 4), "the others were told to come again");
    for api in &apis {
        assert!(api.token().await.is_ok(), "the trial went well: all may ask");
    }
}

#[tokio::test]
async fn an_issuer_that_asks_for_patience_gets_it_from_all_apis() {
    let (issuer, client) = house().await;
    issuer.behave(Behaviour::TooManyRequests {
        retry_after_seconds: 120,
    });
    assert_eq!(client.token().await.unwrap_err().retry_after_seconds(), 120);
    let other = client.for_audience("https://other.example.com");
    assert_eq!(other.token().await.unwrap_err().retry_after_seconds(), 120);
    issuer.clock().advance_ms(119_000);
    assert_eq!(client.token().await.unwrap_err().retry_after_seconds(), 1);
    assert_eq!(issuer.asked(), 1);
    issuer.behave(Behaviour::Gives);
    issuer.clock().advance_ms(1000);
    assert_eq!(token(&client).await, "t1");
}

#[tokio::test]
async fn a_rate_limit_says_when_it_is_renewed() {
    let (issuer, client) = house().await;
    let reset = issuer.clock().now().seconds() + 45;
    issuer.behave(Behaviour::Answers {
        status: 429,
        headers: vec![("x-ratelimit-reset", reset.to_string())],
        body: r#"{"error":"too_many_requests"}"#.into(),
    });
    assert_eq!(client.token().await.unwrap_err().retry_after_seconds(), 45);
    issuer.clock().advance_ms(44_000);
    assert!(client.token().await.is_err());
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn redirects_are_not_followed_and_long_answers_not_read() {
    for behaviour in [Behaviour::Redirects, Behaviour::Floods, Behaviour::Garbage] {
        let (issuer, client) = house().await;
        issuer.behave(behaviour.clone());
        let error = client.token().await.unwrap_err();
        assert!(matches!(error, Error::Answer { .. }), "{behaviour:?}: {error}");
        assert_eq!(issuer.asked(), 1);
    }
}

#[tokio::test]
async fn an_issuer_that_lost_its_metadata_and_answered_nonsense_once_still_gives_tokens() {
    let (issuer, client) = house().await;
    token(&client).await;
    issuer.lose_metadata();
    issuer.behave(Behaviour::Garbage);
    issuer.clock().advance_ms(DAY_MS);
    assert!(client.token().await.is_err());
    issuer.behave(Behaviour::Gives);
    issuer.clock().advance_ms(60_000);
    assert_eq!(token(&client).await, "t2");
}

#[tokio::test]
async fn an_expired_token_and_an_unreachable_issuer_are_an_error_with_a_time() {
    let (issuer, client) = house().await;
    token(&client).await;
    let clock = issuer.clock().clone();
    drop(issuer);
    clock.advance_ms(DAY_MS);
    let error = client.token().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(
        error.retry_after_seconds() > 0 && error.to_string().contains("127.0.0.1"),
        "{error}"
    );
}

#[tokio::test]
async fn a_day_of_short_outages_refuses_nobody() {
    const STEP_SECONDS: u64 = 10;
    let (issuer, client) = house().await;
    issuer.give_for_seconds(3600);
    token(&client).await;
    let failures = [DOWN, Behaviour::Hangs, Behaviour::Garbage];
    for second in (0..86_400).step_by(STEP_SECONDS as usize) {
        // Two minutes of every ten it fails, each time in another way.
        let (outage, within) = (second / 600, second % 600);
        issuer.behave(match within {
            0..120 => failures[outage % failures.len()].clone(),
            _ => Behaviour::Gives,
        });
        issuer.clock().advance_ms(STEP_SECONDS as i64 * 1000);
        let token = client.token().await;
        assert!(token.is_ok(), "after {second} s: {token:?}");
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    // Renewed each hour, a little ahead, and a few tries in vain.
    assert!((24..=28).contains(&issuer.given()), "{}", issuer.given());
    assert!(issuer.asked() < 150, "{}", issuer.asked());
}

#[tokio::test]
async fn a_clock_that_is_set_back_an_hour_keeps_nobody_from_asking() {
    const HOUR_MS: i64 = 3_600_000;
    let (issuer, client) = house().await;
    issuer.behave(Behaviour::TooManyRequests {
        retry_after_seconds: 1800,
    });
    assert!(client.token().await.is_err());
    issuer.behave(Behaviour::Gives);
    assert!(client.token().await.is_err(), "it asked for patience");
    issuer.clock().advance_ms(-HOUR_MS);
    assert_eq!(token(&client).await, "t1", "half an hour of another clock");

    // What a clock that was ahead said of the token's end is not believed.
    issuer.clock().advance_ms(-HOUR_MS);
    assert_eq!(token(&client).await, "t1");
    eventually(async || token(&client).await == "t2").await;
}

#[tokio::test]
async fn a_token_that_is_over_as_it_comes_is_a_failure_with_a_pause() {
    let (issuer, client) = house().await;
    issuer.give_for_seconds(0);
    for _ in 0..50 {
        let error = client.token().await.unwrap_err();
        assert!(error.to_string().contains("expires_in 0 s"), "{error}");
        assert_eq!(error.retry_after_seconds(), 1);
    }
    assert_eq!(issuer.asked(), 1);
    issuer.give_for_seconds(60);
    issuer.clock().advance_ms(1000);
    assert_eq!(token(&client).await, "t2");
}

#[tokio::test]
async fn a_token_that_was_given_up_is_what_there_is_while_the_issuer_is_down() {
    let (issuer, client) = house().await;
    let first = client.token().await.unwrap();
    issuer.behave(DOWN);
    assert!(client.invalidate(&first));
    for _ in 0..5 {
        assert_eq!(token(&client).await, "t1");
    }
    assert_eq!(issuer.asked(), 2, "another was asked for once");
    issuer.behave(Behaviour::Gives);
    issuer.clock().advance_ms(1000);
    assert_eq!(token(&client).await, "t2");
    // An issuer that is well and refuses means it.
    let second = client.token().await.unwrap();
    issuer.behave(Behaviour::Refuses { error: "access_denied" });
    issuer.clock().advance_ms(600_000);
    assert!(client.invalidate(&second));
    assert!(client.token().await.is_err());
}

#[tokio::test]
async fn a_token_endpoint_that_moved_is_found_again() {
    let (before, after) = (TestIssuer::start().await.unwrap(), TestIssuer::start().await.unwrap());
    let endpoint = Arc::new(Mutex::new(before.token_url()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}/", listener.local_addr().unwrap());
    let (named, name) = (Arc::clone(&endpoint), issuer.clone());
    let metadata = get(async move || {
        let token_endpoint = named.lock().unwrap().clone();
        let jwks_uri = format!("{name}keys");
        json!({ "issuer": name, "token_endpoint": token_endpoint, "jwks_uri": jwks_uri }).to_string()
    });
    let app = axum::Router::new().route("/.well-known/openid-configuration", metadata);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let client = before.builder().issuer(issuer).audience(API).build().unwrap();
    token(&client).await;
    // The old one still answers: an hour later the new one is asked.
    *endpoint.lock().unwrap() = after.token_url();
    before.clock().advance_ms(DAY_MS);
    token(&client).await;
    assert_eq!((before.asked(), after.asked()), (1, 1));
    // One that is gone is doubted at once.
    let third = TestIssuer::start().await.unwrap();
    *endpoint.lock().unwrap() = third.token_url();
    after.behave(DOWN);
    let refused = client.token().await.unwrap();
    assert!(client.invalidate(&refused));
    token(&client).await;
    before.clock().advance_ms(2000);
    token(&client).await;
    assert_eq!((after.asked(), third.asked()), (2, 1));
}
