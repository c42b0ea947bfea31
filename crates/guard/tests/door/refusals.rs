//! The answers to requests that do not pass: their formats, and an author's own.

use axum::Router;
use axum::routing::get;
use http::{HeaderValue, Method, Response, header};
use serde_json::{Value, json};
use tokenhouse_guard::{AccessToken, Builder, ErrorFormat, KeySource, Refusal, Unavailable};

use crate::{House, outcome, send, text};

/// An issuer whose keys nobody has.
struct NoKeys;

impl KeySource for NoKeys {
    fn held(&self) -> Result<std::sync::Arc<tokenhouse_guard::KeySet>, Unavailable> {
        Err(Unavailable::for_seconds(7, "connection refused at 10.0.0.1"))
    }
}

async fn inside(token: AccessToken) -> Result<&'static str, Refusal> {
    token.require_scope("inside")?;
    Ok("in")
}

fn app(house: &House) -> Router {
    Router::new()
        .route("/", get(inside).layer(house.guard.layer()))
        .route("/scoped", get(inside).layer(house.guard.layer().scope("outside")))
}

async fn problem(house: &House, path: &str, token: Option<&str>) -> Value {
    let response = send(&app(house), Method::GET, path, token).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    serde_json::from_str(&text(response).await).unwrap()
}

#[tokio::test]
async fn problem_details_are_rfc_9457s() {
    let house = House::with(|builder| builder.error_format(ErrorFormat::Problem));
    assert_eq!(
        problem(&house, "/", None).await,
        json!({
            "title": "Unauthorized", "status": 401, "error": "unauthorized",
            "detail": "Unauthorized. Send an access token for this API in the header \"Authorization: Bearer <token>\".",
        })
    );
    for path in ["/", "/scoped"] {
        let forbidden = problem(&house, path, Some(&house.token(""))).await;
        assert_eq!(
            (&forbidden["title"], &forbidden["status"]),
            (&json!("Forbidden"), &json!(403)),
            "{path}"
        );
        assert_eq!(forbidden["error"], "insufficient_scope", "{path}");
    }
}

#[tokio::test]
async fn plain_text_is_one_line() {
    let house = House::with(|builder| builder.error_format(ErrorFormat::Text).realm("messages"));
    let response = send(&app(&house), Method::GET, "/scoped", Some(&house.token(""))).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert!(
        outcome(&response)
            .1
            .unwrap()
            .starts_with(r#"Bearer realm="messages", error="insufficient_scope""#)
    );
    assert_eq!(
        text(response).await,
        "Insufficient Scope. The token does not allow this. Ask for one with the scope outside.\n"
    );
}

#[tokio::test]
async fn without_keys_the_answer_is_503_and_when_to_come_back() {
    for format in [ErrorFormat::Json, ErrorFormat::Problem, ErrorFormat::Text] {
        let house = House::with(|builder| builder.keys(NoKeys).error_format(format));
        let response = send(&app(&house), Method::GET, "/", Some(&house.token(""))).await;
        assert_eq!(outcome(&response), (503, None), "{format:?}");
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
        assert!(!text(response).await.contains("10.0.0.1"), "the cause is for the log");
    }
}

/// An author who answers in a shape of their own, and forgets everything else.
fn teapot(builder: Builder) -> Builder {
    builder.on_refusal(|refusal, parts| {
        let mut response = Response::new(format!("{} {}", refusal.denied.error(), parts.uri.path()));
        response.headers_mut().insert("x-own", HeaderValue::from_static("yes"));
        response
    })
}

#[tokio::test]
async fn an_author_answers_refusals_of_the_layer_and_of_handlers_alike() {
    let house = House::with(teapot);
    let insufficient = |scope: &str| {
        format!(
            r#"Bearer realm="api", error="insufficient_scope", error_description="Insufficient Scope", scope="{scope}""#
        )
    };
    for (path, token, status, challenge, body) in [
        ("/", None, 401, r#"Bearer realm="api""#.to_owned(), "unauthorized /"),
        (
            "/scoped",
            Some(""),
            403,
            insufficient("outside"),
            "insufficient_scope /scoped",
        ),
        ("/", Some(""), 403, insufficient("inside"), "insufficient_scope /"),
    ] {
        let token = token.map(|scope| house.token(scope));
        let response = send(&app(&house), Method::GET, path, token.as_deref()).await;
        assert_eq!(outcome(&response), (status, Some(challenge)), "{path}");
        assert_eq!(response.headers()["x-own"], "yes", "{path}");
        assert_eq!(text(response).await, body);
    }
    let allowed = send(&app(&house), Method::GET, "/", Some(&house.token("inside"))).await;
    assert_eq!(text(allowed).await, "in");
}

#[tokio::test]
async fn an_author_cannot_lose_the_retry_after_either() {
    let house = House::with(|builder| teapot(builder).keys(NoKeys));
    let response = send(&app(&house), Method::GET, "/", Some(&house.token(""))).await;
    assert_eq!(outcome(&response), (503, None));
    assert_eq!(response.headers()[header::RETRY_AFTER], "7");
}
