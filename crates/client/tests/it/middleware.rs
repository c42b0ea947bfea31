//! Tokens in requests of `reqwest-middleware`.

use std::time::Duration;

use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokenhouse_client::testing::Behaviour;
use tokenhouse_client::{Error, TokenClient};

use super::attach::{Api, Verdict, not_the_first};
use super::{house, token};

fn http(client: &TokenClient, origin: &str) -> ClientWithMiddleware {
    let plain = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    ClientBuilder::new(plain)
        .with(client.middleware(origin).unwrap())
        .build()
}

#[tokio::test]
async fn a_request_carries_the_token_that_is_kept() {
    let (issuer, client) = house().await;
    let api = Api::start(|_| Verdict::Takes).await;
    let http = http(&client, &api.origin);
    for _ in 0..3 {
        assert_eq!(
            http.get(format!("{}/a", api.origin)).send().await.unwrap().status(),
            200
        );
    }
    assert_eq!(api.authorizations(), ["Bearer t1"; 3]);
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_refused_token_is_given_up_and_the_request_repeated_once() {
    let (issuer, client) = house().await;
    let api = Api::start(not_the_first).await;
    let http = http(&client, &api.origin);
    let response = http.post(&api.origin).body("twice").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let twice = [("Bearer t1", "twice"), ("Bearer t2", "twice")].map(|(a, b)| (Some(a.to_owned()), b.to_owned()));
    assert_eq!(api.seen(), twice);
    assert_eq!(token(&client).await, "t2");
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_second_refusal_is_the_answer() {
    let (issuer, client) = house().await;
    let api = Api::start(|_| Verdict::Refuses("Bearer")).await;
    let http = http(&client, &api.origin);
    for _ in 0..5 {
        assert_eq!(http.get(&api.origin).send().await.unwrap().status(), 401);
    }
    assert_eq!(
        api.seen().len(),
        6,
        "one was repeated, and then no more while a pause lasts"
    );
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_body_that_cannot_be_repeated_is_sent_once_and_the_token_given_up_all_the_same() {
    let (issuer, client) = house().await;
    let api = Api::start(not_the_first).await;
    let http = http(&client, &api.origin);
    // Of a kind that reqwest does not know, as an upload's is: it cannot send it twice.
    let stream = || reqwest::Body::wrap("once".to_owned());
    assert_eq!(
        http.post(&api.origin).body(stream()).send().await.unwrap().status(),
        401
    );
    assert_eq!(api.seen().len(), 1);
    assert_eq!(
        http.post(&api.origin).body(stream()).send().await.unwrap().status(),
        200
    );
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn what_is_no_refusal_of_the_token_costs_no_token() {
    let (issuer, client) = house().await;
    let scope = Api::start(|_| Verdict::Refuses("Bearer error=\"insufficient_scope\"")).await;
    let forbidden = Api::start(|_| Verdict::Forbids).await;
    for (api, status) in [(scope, 401), (forbidden, 403)] {
        let http = http(&client, &api.origin);
        assert_eq!(http.get(&api.origin).send().await.unwrap().status(), status);
        assert_eq!(api.seen().len(), 1);
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn an_authorization_of_the_callers_own_is_left_alone() {
    let (issuer, client) = house().await;
    let api = Api::start(not_the_first).await;
    let http = http(&client, &api.origin);
    let response = http.get(&api.origin).bearer_auth("t1").send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!((api.seen().len(), issuer.asked()), (1, 0));
}

#[tokio::test]
async fn the_token_goes_to_no_other_origin() {
    let (issuer, client) = house().await;
    let stranger = Api::start(|_| Verdict::Refuses("Bearer")).await;
    let to = format!("{}/there", stranger.origin);
    let api = Api::start(move |_| Verdict::Redirects(to.clone())).await;
    let http = http(&client, &api.origin);
    assert_eq!(http.get(&api.origin).send().await.unwrap().status(), 401);
    assert_eq!(
        api.authorizations(),
        ["Bearer t1"],
        "the stranger's 401 is not the API's"
    );
    assert_eq!(http.get(&stranger.origin).send().await.unwrap().status(), 401);
    let same_host = api.origin.replace("127.0.0.1", "localhost");
    let _ = http.get(&same_host).send().await;
    assert_eq!(stranger.authorizations(), ["", "", ""]);
    assert_eq!(token(&client).await, "t1");
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let (issuer, client) = house().await;
    issuer.behave(Behaviour::TooManyRequests { retry_after_seconds: 7 });
    let api = Api::start(|_| Verdict::Takes).await;
    let error = http(&client, &api.origin).get(&api.origin).send().await.unwrap_err();
    let reqwest_middleware::Error::Middleware(error) = error else {
        panic!("{error}")
    };
    let error = error.downcast_ref::<Error>().unwrap();
    assert_eq!(error.retry_after_seconds(), 7);
    assert!(api.seen().is_empty());
}

#[tokio::test]
async fn where_no_other_token_is_to_be_had_the_refusal_is_the_answer() {
    let (issuer, client) = house().await;
    token(&client).await;
    issuer.behave(Behaviour::Garbage);
    let api = Api::start(not_the_first).await;
    let response = http(&client, &api.origin).get(&api.origin).send().await.unwrap();
    assert_eq!((response.status().as_u16(), api.seen().len()), (401, 1));
}
