//! Tokens in the requests of a tower service.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use tokenhouse_client::testing::Behaviour;
use tokenhouse_client::{Error, TokenClient};
use tower::{BoxError, ServiceBuilder, ServiceExt as _, service_fn};

use super::attach::{Api, Verdict, not_the_first};
use super::{house, token};

const ORIGIN: &str = "https://api.example.com";

/// Sends a request through the layer to the API, which is called and not connected to.
async fn send(client: &TokenClient, api: &Api, request: Request<String>) -> Result<StatusCode, BoxError> {
    let api = api.clone();
    let service = service_fn(move |request: Request<String>| {
        let (parts, body) = request.into_parts();
        let authorization = parts.headers.get(header::AUTHORIZATION);
        assert!(authorization.is_none_or(|value| value.is_sensitive() || value == "Bearer own"));
        let verdict = api.verdict(authorization.map(|value| value.to_str().unwrap()), body);
        let response = match verdict {
            Verdict::Takes => Response::builder(),
            Verdict::Refuses(challenge) => Response::builder().status(401).header("www-authenticate", challenge),
            Verdict::Forbids => Response::builder().status(403),
            Verdict::Redirects(to) => Response::builder().status(307).header("location", to),
        };
        async move { Ok::<_, Infallible>(response.body(()).unwrap()) }
    });
    let service = ServiceBuilder::new()
        .layer(client.layer(ORIGIN).unwrap())
        .service(service);
    service.oneshot(request).await.map(|response| response.status())
}

fn to(uri: &str) -> Request<String> {
    Request::post(uri).body("twice".into()).unwrap()
}

#[tokio::test]
async fn a_refused_token_is_given_up_and_the_request_repeated_once() {
    let (issuer, client) = house().await;
    let api = Api::start(not_the_first).await;
    assert_eq!(send(&client, &api, to(ORIGIN)).await.unwrap(), 200);
    assert_eq!(
        send(&client, &api, to("https://API.example.com:443/a")).await.unwrap(),
        200
    );
    let seen = api.seen();
    assert_eq!(api.authorizations(), ["Bearer t1", "Bearer t2", "Bearer t2"]);
    assert!(seen.iter().all(|(_, body)| body == "twice"));
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_second_refusal_is_the_answer() {
    let (issuer, client) = house().await;
    let api = Api::start(|_| Verdict::Refuses("Bearer")).await;
    assert_eq!(send(&client, &api, to(ORIGIN)).await.unwrap(), 401);
    assert_eq!((api.seen().len(), issuer.asked()), (2, 2));
}

#[tokio::test]
async fn the_token_goes_to_no_other_origin_and_over_no_other_header() {
    let (issuer, client) = house().await;
    let api = Api::start(|_| Verdict::Takes).await;
    for other in [
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com.evil.example/",
        "https://example.com/",
        "/relative",
    ] {
        send(&client, &api, to(other)).await.unwrap();
    }
    let mut own = to(ORIGIN);
    own.headers_mut()
        .insert(header::AUTHORIZATION, "Bearer own".parse().unwrap());
    send(&client, &api, own).await.unwrap();
    assert_eq!(api.authorizations(), ["", "", "", "", "", "Bearer own"]);
    assert_eq!(issuer.asked(), 0);
}

#[tokio::test]
async fn what_is_no_refusal_of_the_token_costs_no_token() {
    let (issuer, client) = house().await;
    let api = Api::start(|_| Verdict::Forbids).await;
    assert_eq!(send(&client, &api, to(ORIGIN)).await.unwrap(), 403);
    assert_eq!(
        (api.seen().len(), token(&client).await.as_str(), issuer.asked()),
        (1, "t1", 1)
    );
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let (issuer, client) = house().await;
    issuer.behave(Behaviour::Refuses {
        error: "invalid_client",
    });
    let api = Api::start(|_| Verdict::Takes).await;
    let error = send(&client, &api, to(ORIGIN)).await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(Error::Refused { .. })), "{error}");
    assert!(api.seen().is_empty());
}

#[tokio::test]
async fn of_a_body_that_does_not_clone_a_refused_token_is_given_up_and_nothing_repeated() {
    let (issuer, client) = house().await;
    let api = Api::start(not_the_first).await;
    let called = api.clone();
    let service = service_fn(move |request: Request<Body>| {
        let authorization = request.headers().get(header::AUTHORIZATION).cloned();
        let verdict = called.verdict(
            authorization.as_ref().map(|value| value.to_str().unwrap()),
            String::new(),
        );
        let status = if matches!(verdict, Verdict::Takes) { 200 } else { 401 };
        let response = Response::builder().status(status).body(()).unwrap();
        async move { Ok::<_, Infallible>(response) }
    });
    let service = ServiceBuilder::new()
        .layer(client.layer(ORIGIN).unwrap().once())
        .service(service);
    let send = |uri: &str| {
        let request = Request::post(uri).body(Body::from("once")).unwrap();
        service.clone().oneshot(request)
    };
    assert_eq!(send(ORIGIN).await.unwrap().status(), 401, "the answer, whatever comes");
    assert_eq!(send(ORIGIN).await.unwrap().status(), 200);
    assert_eq!(send("https://example.com/").await.unwrap().status(), 401);
    assert_eq!(api.authorizations(), ["Bearer t1", "Bearer t2", ""]);
    assert_eq!(issuer.asked(), 2);
}
