//! Tokens that are no JWTs, against an issuer in this process that is asked about them (RFC 7662).
#![cfg(feature = "fetch")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up stops")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokenhouse_guard::{Builder, Clock, Denied, Guard, Introspection, KeySet, LocalKeys, Timestamp};
use tokio::net::TcpListener;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example.com/";
const API: &str = "https://api.example.com";
/// A token that the issuer answers with a 400.
const UNREADABLE: &str = "unreadable";

#[derive(Default)]
struct Issuer {
    url: String,
    /// What is answered, by token; `{"active":false}` for others.
    tokens: Mutex<HashMap<String, Value>>,
    is_down: Mutex<bool>,
    questions: AtomicUsize,
}

impl Issuer {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Arc::new(Self {
            url: format!("http://{}/introspect", listener.local_addr().unwrap()),
            ..Self::default()
        });
        let app = Router::new()
            .route("/introspect", post(introspect))
            .with_state(Arc::clone(&issuer));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        issuer
    }

    fn introspection(&self) -> Introspection {
        Introspection::new(&self.url, "my api", "s3cret:+/")
    }

    fn guard(&self, clock: &Clock, introspection: Introspection) -> Builder {
        Guard::builder()
            .issuer(ISSUER)
            .audience(API)
            .keys(LocalKeys::fixed(KeySet::new([])))
            .clock(clock.clone())
            .introspection(introspection)
    }

    /// Answers so for this token: active, with these members, of which a null takes one away.
    fn says(&self, token: &str, members: &Value) {
        let mut answer = json!({ "active": true, "iss": ISSUER, "aud": API, "sub": "a", "scope": "read:messages",
            "token_type": "Bearer", "exp": NOW + 3600 });
        for (name, value) in members.as_object().unwrap() {
            answer[name] = value.clone();
        }
        answer.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.tokens.lock().unwrap().insert(token.to_owned(), answer);
    }

    fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }
}

async fn introspect(State(issuer): State<Arc<Issuer>>, headers: HeaderMap, body: Bytes) -> Response {
    issuer.questions.fetch_add(1, Ordering::SeqCst);
    // "my%20api:s3cret%3A%2B%2F", each half form-encoded before it is joined (RFC 6749 §2.3.1).
    if headers[header::AUTHORIZATION] != "Basic bXklMjBhcGk6czNjcmV0JTNBJTJCJTJG" {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if *issuer.is_down.lock().unwrap() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let body = String::from_utf8(body.to_vec()).unwrap();
    let (token, hint) = body.split_once('&').unwrap();
    assert_eq!(hint, "token_type_hint=access_token");
    let token = token
        .strip_prefix("token=")
        .unwrap()
        .replace("%5F", "_")
        .replace("%2D", "-");
    if token == UNREADABLE {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let answer = issuer.tokens.lock().unwrap().get(&token).cloned();
    let answer = answer.unwrap_or(json!({ "active": false, "sub": "nobody" }));
    // The others who ask the same come meanwhile.
    tokio::task::yield_now().await;
    answer.to_string().into_response()
}

fn clock() -> Clock {
    Clock::set_to(Timestamp::from_seconds(NOW))
}

fn description<T>(result: Result<T, Denied>) -> String {
    match result {
        Err(Denied::InvalidToken(reason)) => reason.description.into_owned(),
        Err(Denied::Unavailable(_)) => "503".to_owned(),
        Err(other) => format!("{other:?}"),
        Ok(_) => "passed".to_owned(),
    }
}

#[tokio::test]
async fn one_question_serves_all_who_come_with_the_token_for_a_short_time() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock, issuer.introspection()).build().unwrap();
    issuer.says("opaque_1", &json!({}));
    let many: Vec<_> = (0..50)
        .map(|_| {
            let guard = guard.clone();
            tokio::spawn(async move { guard.verify("opaque_1").await })
        })
        .collect();
    for one in many {
        let token = one.await.unwrap().unwrap();
        assert!(token.has_scope("read:messages") && token.subject() == Some("a"));
    }
    assert_eq!(issuer.questions(), 1);
    issuer.says("opaque_1", &json!({ "active": false }));
    clock.advance_ms(29_999);
    assert!(guard.verify("opaque_1").await.is_ok());
    clock.advance_ms(1);
    assert_eq!(description(guard.verify("opaque_1").await), "The token is not active");
    assert_eq!(issuer.questions(), 2);
}

#[tokio::test]
async fn an_answer_is_not_believed_beyond_the_token_s_expiry() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock, issuer.introspection()).build().unwrap();
    issuer.says("opaque_1", &json!({ "exp": NOW + 10 }));
    assert!(guard.verify("opaque_1").await.is_ok());
    clock.advance_ms(16_000);
    assert_eq!(description(guard.verify("opaque_1").await), "The token is not active");
}

#[tokio::test]
async fn a_clock_that_was_set_back_prolongs_no_answer_and_no_pause() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock, issuer.introspection()).build().unwrap();
    issuer.says("opaque_1", &json!({}));
    assert!(guard.verify("opaque_1").await.is_ok());
    issuer.says("opaque_1", &json!({ "active": false }));
    clock.advance_ms(-60_000);
    assert_eq!(description(guard.verify("opaque_1").await), "The token is not active");
    assert_eq!(issuer.questions(), 2);
    *issuer.is_down.lock().unwrap() = true;
    assert_eq!(description(guard.verify("opaque_2").await), "503");
    *issuer.is_down.lock().unwrap() = false;
    clock.advance_ms(-60_000);
    assert_eq!(description(guard.verify("opaque_2").await), "The token is not active");
}

#[tokio::test]
async fn what_an_issuer_says_of_a_token_is_checked() {
    let issuer = Issuer::start().await;
    let guard = issuer.guard(&clock(), issuer.introspection()).build().unwrap();
    for (members, answer) in [
        (json!({ "token_type": "bearer", "exp": null, "iss": null }), "passed"),
        (json!({ "aud": ["other", API] }), "passed"),
        (json!({ "aud": "https://other.example.com" }), "Unexpected 'aud' value"),
        (json!({ "aud": null }), "Unexpected 'aud' value"),
        (json!({ "iss": "https://issuer.example.com" }), "Unexpected 'iss' value"),
        (json!({ "token_type": "DPoP" }), "Unexpected 'token_type' value"),
        (json!({ "token_use": "refresh_token" }), "Unexpected 'token_use' value"),
        (json!({ "cnf": { "jkt": "a" } }), "Unexpected 'cnf' value"),
        (json!({ "exp": NOW - 6 }), "The token is not active"),
        (json!({ "nbf": NOW + 6 }), "The token is not active"),
        (json!({ "exp": "tomorrow" }), "The token is not active"),
        (json!({ "active": "true" }), "503"),
        (json!({ "active": null }), "503"),
    ] {
        let token = format!("opaque-{}", issuer.questions());
        issuer.says(&token, &members);
        // After a question that was not answered nothing is asked for a second: each row has a guard of its own.
        let fresh = issuer.guard(&clock(), issuer.introspection()).build().unwrap();
        assert_eq!(description(fresh.verify(&token).await), answer, "{members}");
    }
    issuer.says("unnamed", &json!({ "aud": null }));
    assert_eq!(description(guard.verify("unnamed").await), "Unexpected 'aud' value");
    let trusting = issuer
        .guard(&clock(), issuer.introspection().without_audience())
        .build()
        .unwrap();
    assert!(trusting.verify("unnamed").await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_a_503_and_is_left_alone_for_a_second() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock, issuer.introspection()).build().unwrap();
    issuer.says("known", &json!({}));
    assert!(guard.verify("known").await.is_ok());
    *issuer.is_down.lock().unwrap() = true;
    for number in 0..100 {
        assert_eq!(description(guard.verify(&format!("opaque{number}")).await), "503");
    }
    assert_eq!(issuer.questions(), 2);
    assert!(guard.verify("known").await.is_ok(), "what is known is not asked again");
    *issuer.is_down.lock().unwrap() = false;
    clock.advance_ms(1_000);
    assert_eq!(description(guard.verify("opaque0").await), "The token is not active");
}

#[tokio::test]
async fn a_token_that_the_issuer_cannot_read_keeps_no_other_waiting() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let guard = issuer.guard(&clock, issuer.introspection()).build().unwrap();
    issuer.says("opaque_1", &json!({}));
    assert_eq!(description(guard.verify(UNREADABLE).await), "503");
    assert_eq!(description(guard.verify("opaque_1").await), "passed");
    assert_eq!(issuer.questions(), 2);
}

#[tokio::test]
async fn invented_tokens_push_out_none_that_is_used() {
    let issuer = Issuer::start().await;
    let guard = issuer.guard(&clock(), issuer.introspection()).build().unwrap();
    issuer.says("known", &json!({}));
    for _ in 0..3 {
        guard.verify("known").await.unwrap();
    }
    for number in 0..500 {
        let invented = format!("invented{number}");
        assert_eq!(description(guard.verify(&invented).await), "The token is not active");
        assert_eq!(description(guard.verify(&invented).await), "The token is not active");
    }
    assert_eq!(issuer.questions(), 501, "a no is remembered as well");
    guard.verify("known").await.unwrap();
    assert_eq!(issuer.questions(), 501);
}

#[tokio::test]
async fn a_jwt_is_never_sent() {
    let issuer = Issuer::start().await;
    let guard = issuer.guard(&clock(), issuer.introspection()).build().unwrap();
    let encode = tokenhouse_protocol::jose::base64url::encode;
    for head in [r#"{"alg":"RS256"}"#, " \n{\"alg\":\"RS256\"}", "{"] {
        for rest in ["", ".e30.AA", ".e30", ".e30.AA.AA.AA"] {
            let token = encode(head) + rest;
            let refused = guard.verify(&token).await;
            assert!(matches!(refused, Err(Denied::InvalidToken(_))), "{token}");
        }
    }
    assert_eq!(issuer.questions(), 0);
}

#[test]
fn settings_that_are_not_safe_make_no_guard() {
    let build = |introspection: Introspection| {
        let keys = LocalKeys::fixed(KeySet::new([]));
        let builder = Guard::builder().issuer(ISSUER).audience(API).keys(keys);
        builder.introspection(introspection).build().map(|_| ())
    };
    let at = |url: &str| Introspection::new(url, "a", "b");
    assert!(build(at("https://issuer.example.com/introspect")).is_ok());
    assert!(build(at("issuer.example.com/introspect")).is_err());
    assert!(build(at("https://a.example/").remember_for(Duration::from_mins(6))).is_err());
}
