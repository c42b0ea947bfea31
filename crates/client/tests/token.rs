//! A client and an issuer in this process, on a clock that is moved.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up stops")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokenhouse_client::{Builder, Clock, Error, Timestamp, TokenClient};
use tokio::net::TcpListener;

const DAY_MS: i64 = 86_400_000;

/// What the issuer does when it is asked.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Gives,
    Refuses,
    AsksForPatience,
    Fails,
    Redirects,
    Floods,
}

struct Issuer {
    url: Mutex<String>,
    mood: Mutex<Mood>,
    asked: AtomicUsize,
    body: Mutex<String>,
}

impl Issuer {
    async fn start() -> Arc<Self> {
        let issuer = Arc::new(Self {
            url: Mutex::default(),
            mood: Mutex::new(Mood::Gives),
            asked: AtomicUsize::new(0),
            body: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        *issuer.url.lock().unwrap() = format!("http://{}/", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/oauth/token", post(token))
            .with_state(Arc::clone(&issuer));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        issuer
    }

    fn url(&self) -> String {
        self.url.lock().unwrap().clone()
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn builder(&self, clock: &Clock) -> Builder {
        let builder = TokenClient::builder()
            .token_url(self.url() + "oauth/token")
            .clock(clock.clone());
        builder.credentials("app", "p&=s +").audience("https://api.example.com")
    }

    fn client(&self, clock: &Clock) -> TokenClient {
        self.builder(clock).build().unwrap()
    }
}

async fn metadata(State(issuer): State<Arc<Issuer>>) -> String {
    let url = issuer.url();
    format!(r#"{{"issuer":"{url}","token_endpoint":"{url}oauth/token","jwks_uri":"{url}keys"}}"#)
}

async fn token(State(issuer): State<Arc<Issuer>>, body: String) -> Response {
    let number = issuer.asked.fetch_add(1, Ordering::SeqCst) + 1;
    *issuer.body.lock().unwrap() = body;
    let mood = *issuer.mood.lock().unwrap();
    match mood {
        Mood::Gives => {
            format!(r#"{{"access_token":"t{number}","scope":"a b","expires_in":86400,"token_type":"Bearer"}}"#)
                .into_response()
        }
        Mood::Refuses => {
            let body = r#"{"error":"access_denied","error_description":"Unauthorized"}"#;
            (StatusCode::UNAUTHORIZED, body).into_response()
        }
        Mood::AsksForPatience => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "120")], "{}").into_response(),
        Mood::Fails => (StatusCode::BAD_GATEWAY, "<html>").into_response(),
        Mood::Redirects => (StatusCode::TEMPORARY_REDIRECT, [("location", "/oauth/token")]).into_response(),
        Mood::Floods => "x".repeat(1 << 20).into_response(),
    }
}

fn clock() -> Clock {
    Clock::set_to(Timestamp::from_seconds(1_800_000_000))
}

#[tokio::test]
async fn many_tasks_cost_one_request() {
    let issuer = Issuer::start().await;
    let client = issuer.client(&clock());
    let many: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.token().await.unwrap().expose().to_owned() })
        })
        .collect();
    for one in many {
        assert_eq!(one.await.unwrap(), "t1");
    }
    assert_eq!(issuer.asked(), 1);
    assert_eq!(
        *issuer.body.lock().unwrap(),
        "grant_type=client_credentials&client_id=app&client_secret=p%26%3Ds+%2B&audience=https%3A%2F%2Fapi.example.com"
    );
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_it_expires() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let client = issuer.client(&clock);
    let token = client.token().await.unwrap();
    assert_eq!(token.expires_at(), clock.now().plus_ms(DAY_MS));
    assert_eq!(token.scope(), Some("a b"));
    clock.advance_ms(DAY_MS - 600_000);
    assert_eq!(client.token().await.unwrap().expose(), "t1");
    assert_eq!(issuer.asked(), 1);
    clock.advance_ms(591_000);
    assert_eq!(client.token().await.unwrap().expose(), "t2");
}

#[tokio::test]
async fn a_token_is_renewed_ahead_while_the_old_one_serves() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let client = issuer.client(&clock);
    client.token().await.unwrap();
    clock.advance_ms(DAY_MS - 60_000);
    assert_eq!(client.token().await.unwrap().expose(), "t1", "nobody waits");
    let renewed = async {
        while client.token().await.unwrap().expose() != "t2" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), renewed).await.unwrap();
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_failing_issuer_costs_nothing_while_the_token_is_valid() {
    let (issuer, clock) = (Issuer::start().await, clock());
    let client = issuer.client(&clock);
    client.token().await.unwrap();
    issuer.is(Mood::Fails);
    clock.advance_ms(DAY_MS - 60_000);
    for _ in 0..20 {
        assert_eq!(client.token().await.unwrap().expose(), "t1");
        tokio::task::yield_now().await;
    }
    clock.advance_ms(120_000);
    assert!(matches!(client.token().await, Err(Error::Unavailable { .. })));
    issuer.is(Mood::Gives);
    clock.advance_ms(60_000);
    assert!(client.token().await.is_ok());
}

#[tokio::test]
async fn a_refusal_says_what_the_issuer_said_and_is_not_repeated_at_once() {
    let (issuer, clock) = (Issuer::start().await, clock());
    issuer.is(Mood::Refuses);
    let client = issuer.client(&clock);
    for _ in 0..5 {
        let error = client.token().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the issuer refuses a token: 401 access_denied: Unauthorized"
        );
    }
    assert_eq!(issuer.asked(), 1);
    issuer.is(Mood::Gives);
    clock.advance_ms(1000);
    assert!(client.token().await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_asks_for_patience_gets_it() {
    let (issuer, clock) = (Issuer::start().await, clock());
    issuer.is(Mood::AsksForPatience);
    let client = issuer.client(&clock);
    assert_eq!(client.token().await.unwrap_err().retry_after_seconds(), 120);
    clock.advance_ms(119_000);
    assert_eq!(client.token().await.unwrap_err().retry_after_seconds(), 1);
    assert_eq!(issuer.asked(), 1);
    issuer.is(Mood::Gives);
    clock.advance_ms(1000);
    assert!(client.token().await.is_ok());
}

#[tokio::test]
async fn redirects_are_not_followed_and_long_answers_not_read() {
    for mood in [Mood::Redirects, Mood::Floods] {
        let issuer = Issuer::start().await;
        issuer.is(mood);
        assert!(matches!(
            issuer.client(&clock()).token().await,
            Err(Error::Answer { .. })
        ));
        assert_eq!(issuer.asked(), 1);
    }
}

#[tokio::test]
async fn the_token_endpoint_is_found_by_the_issuer() {
    let issuer = Issuer::start().await;
    let client = issuer.builder(&clock()).issuer(issuer.url()).build().unwrap();
    assert_eq!(client.token().await.unwrap().expose(), "t1");
    let other = issuer.url().replace("127.0.0.1", "localhost");
    let stranger = issuer.builder(&clock()).issuer(other).build().unwrap();
    assert!(matches!(
        stranger.token().await,
        Err(Error::Answer { .. } | Error::Unavailable { .. })
    ));
}

#[tokio::test]
async fn nothing_that_is_printed_shows_the_token() {
    let issuer = Issuer::start().await;
    let client = issuer.client(&clock());
    let token = client.token().await.unwrap();
    assert!(!format!("{token:?} {client:?}").contains("t1"));
}
