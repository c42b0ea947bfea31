//! Routes for everybody, which learn who calls where a token is shown.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Method, Request, header};
use tokenhouse_guard::axum::{Authorization, Authorized};
use tokenhouse_guard::{AccessToken, Requirement};
use tower::ServiceExt;

use crate::{House, outcome, send, text, whoami};

struct ReadMessages;

impl Authorization for ReadMessages {
    const SCOPES: &[&str] = &["read:messages"];
}

async fn greet(token: Option<AccessToken>) -> String {
    let name = token.as_ref().and_then(AccessToken::subject).unwrap_or("stranger");
    format!("hello {name}")
}

fn app(house: &House) -> Router {
    Router::new()
        .route("/", get(greet).post(|| async { "written" }))
        .route("/me", get(whoami))
        .route("/messages", get(|_: Authorized<ReadMessages>| async { "read" }))
        .route_layer(house.guard.layer().optional())
}

#[tokio::test]
async fn without_a_credential_the_handler_runs_without_a_token() {
    let house = House::new();
    let response = send(&app(&house), Method::GET, "/", None).await;
    assert_eq!(text(response).await, "hello stranger");
    let response = send(&app(&house), Method::GET, "/", Some(&house.token(""))).await;
    assert_eq!(text(response).await, "hello reader@clients");
}

#[tokio::test]
async fn a_bad_credential_is_refused_all_the_same() {
    let house = House::new();
    for credential in ["Bearer opaque", "Bearer", "Basic YTpi", "", "Bearer a b"] {
        let request = Request::get("/").header(header::AUTHORIZATION, credential);
        let response = app(&house).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 401, "{credential:?}");
        assert!(
            response.headers().contains_key(header::WWW_AUTHENTICATE),
            "{credential:?}"
        );
    }
}

#[tokio::test]
async fn a_handler_that_takes_a_token_refuses_whoever_has_none() {
    let house = House::new();
    let bare = (401, Some(r#"Bearer realm="api""#.to_owned()));
    for path in ["/me", "/messages"] {
        let response = send(&app(&house), Method::GET, path, None).await;
        assert_eq!(outcome(&response), bare, "{path}");
    }
    let forbidden = send(&app(&house), Method::GET, "/messages", Some(&house.token(""))).await;
    assert_eq!(forbidden.status(), 403);
    let allowed = send(
        &app(&house),
        Method::GET,
        "/messages",
        Some(&house.token("read:messages")),
    )
    .await;
    assert_eq!(text(allowed).await, "read");
}

#[tokio::test]
async fn where_something_is_required_a_token_is_too() {
    let house = House::new();
    let route = || get(greet).post(|| async { "written" }).delete(|| async { "gone" });
    let of_scope = Router::new().route("/", route().layer(house.guard.layer().optional().scope("a")));
    assert_eq!(send(&of_scope, Method::GET, "/", None).await.status(), 401);
    let layer = house
        .guard
        .layer()
        .optional()
        .require_for(Method::GET, Requirement::nothing());
    let layer = layer.require_for(Method::POST, Requirement::scopes(["write"]).unwrap());
    let by_method = Router::new().route("/", route().layer(layer));
    for (method, token, status) in [
        (Method::GET, None, 200),
        (Method::HEAD, None, 200),
        (Method::POST, None, 401),
        (Method::POST, Some("read"), 403),
        (Method::POST, Some("write"), 200),
        (Method::DELETE, None, 401),
        (Method::DELETE, Some("write"), 403),
    ] {
        let token = token.map(|scope| house.token(scope));
        let response = send(&by_method, method.clone(), "/", token.as_deref()).await;
        assert_eq!(response.status(), status, "{method} {token:?}");
    }
}
