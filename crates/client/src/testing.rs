//! For tests of your own program: an issuer in the same process that fails as it is told, and a clock that is moved.
//! Its tokens are `t1`, `t2` and so on: for tokens that an API verifies, run `tokenhouse dev`.
//!
//! ```
//! use tokenhouse_client::Error;
//! use tokenhouse_client::testing::{Behaviour, TestIssuer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = TestIssuer::start().await?;
//! let client = issuer.builder().audience("https://api.example.com").build()?;
//! assert_eq!(client.token().await?.expose(), "t1");
//!
//! issuer.behave(Behaviour::Unavailable { retry_after_seconds: 60 });
//! issuer.clock().advance_ms(86_000_000);
//! assert_eq!(client.token().await?.expose(), "t1", "valid for some minutes more");
//!
//! issuer.clock().advance_ms(86_400_000);
//! assert!(matches!(client.token().await, Err(Error::Unavailable { .. })));
//! # Ok(()) }
//! ```

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use reqwest::Url;
use serde_json::json;
use tokenhouse_protocol::discovery::OPENID_CONFIGURATION;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{Builder, Clock, Timestamp, TokenClient};

/// When the clock begins: 2027-01-15T08:00:00Z.
const BEGINNING_SECONDS: i64 = 1_800_000_000;
/// How long tokens are valid unless said otherwise.
const LIFETIME_SECONDS: u64 = 86_400;
/// Most requests that are remembered.
const MAX_REQUESTS: usize = 10_000;

/// What the issuer does when it is asked for a token.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Behaviour {
    /// Gives a token.
    Gives,
    /// Refuses with 401 and this error.
    Refuses {
        /// The word for programs, such as `invalid_client`.
        error: &'static str,
    },
    /// Answers 503 with `Retry-After`.
    Unavailable {
        /// In how many seconds it wants to be asked again.
        retry_after_seconds: u64,
    },
    /// Answers 429 with `Retry-After`.
    TooManyRequests {
        /// In how many seconds it wants to be asked again.
        retry_after_seconds: u64,
    },
    /// Sends the asker elsewhere, with 307.
    Redirects,
    /// Answers 200 with a page.
    Garbage,
    /// Answers 200 with a megabyte.
    Floods,
    /// Closes the connection without an answer.
    Hangs,
    /// Answers with this status and body, and these headers.
    Answers {
        /// The status.
        status: u16,
        /// Names and values.
        headers: Vec<(&'static str, String)>,
        /// The body, of the type application/json.
        body: String,
    },
}

/// An issuer on 127.0.0.1, with its metadata and its token endpoint. It is gone when it is dropped.
pub struct TestIssuer {
    desk: Arc<Desk>,
    server: JoinHandle<()>,
}

struct Desk {
    url: String,
    clock: Clock,
    held: watch::Sender<bool>,
    state: Mutex<Rules>,
}

struct Rules {
    behaviour: Behaviour,
    lifetime_seconds: u64,
    rotated: Option<String>,
    quota: Option<String>,
    has_metadata: bool,
    asked: usize,
    given: usize,
    requests: Vec<BTreeMap<String, String>>,
}

impl TestIssuer {
    /// Starts it on a free port. Must be called inside a tokio runtime with I/O.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let desk = Arc::new(Desk {
            url: format!("http://{}/", listener.local_addr()?),
            clock: Clock::set_to(Timestamp::from_seconds(BEGINNING_SECONDS)),
            held: watch::Sender::new(false),
            state: Mutex::new(Rules {
                behaviour: Behaviour::Gives,
                lifetime_seconds: LIFETIME_SECONDS,
                rotated: None,
                quota: None,
                has_metadata: true,
                asked: 0,
                given: 0,
                requests: Vec::new(),
            }),
        });
        let app = Router::new()
            .route(&format!("/{OPENID_CONFIGURATION}"), get(metadata))
            .route("/oauth/token", post(token))
            .with_state(Arc::clone(&desk));
        let server = tokio::spawn(async move {
            // Serving ends with the task alone.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { desk, server })
    }

    /// The issuer's name, `http://127.0.0.1:PORT/`.
    pub fn url(&self) -> &str {
        &self.desk.url
    }

    /// Where it gives tokens.
    pub fn token_url(&self) -> String {
        format!("{}oauth/token", self.desk.url)
    }

    /// The clock that [`TestIssuer::builder`]'s clients go by. It stands still until it is moved.
    pub fn clock(&self) -> &Clock {
        &self.desk.clock
    }

    /// A client of this issuer, on its clock, with credentials that it takes.
    pub fn builder(&self) -> Builder {
        TokenClient::builder()
            .issuer(self.url())
            .credentials("app", "secret")
            .clock(self.desk.clock.clone())
    }

    /// From now on it does this.
    pub fn behave(&self, behaviour: Behaviour) {
        self.desk.rules().behaviour = behaviour;
    }

    /// From now on tokens are valid for so long; a day at first.
    pub fn give_for_seconds(&self, lifetime_seconds: u64) {
        self.desk.rules().lifetime_seconds = lifetime_seconds;
    }

    /// From now on each token comes with this refresh token.
    pub fn rotate_to(&self, refresh_token: Option<&str>) {
        self.desk.rules().rotated = refresh_token.map(str::to_owned);
    }

    /// From now on each answer has this `Auth0-Client-Quota-Limit`, such as `b=per_hour;q=10;r=7;t=3540`; not those to
    /// requests for the audience of its Management API, `…/api/v2/`, which is outside quotas.
    pub fn announce_quota(&self, header: Option<&str>) {
        self.desk.rules().quota = header.map(str::to_owned);
    }

    /// From now on it answers 500 where its metadata was.
    pub fn lose_metadata(&self) {
        self.desk.rules().has_metadata = false;
    }

    /// From now on requests are counted and not answered, until [`TestIssuer::release`].
    pub fn hold(&self) {
        self.desk.held.send_replace(true);
    }

    /// Answers the requests that were held, and those that follow.
    pub fn release(&self) {
        self.desk.held.send_replace(false);
    }

    /// How often a token was asked for.
    pub fn asked(&self) -> usize {
        self.desk.rules().asked
    }

    /// How many tokens were given.
    pub fn given(&self) -> usize {
        self.desk.rules().given
    }

    /// The parameters of each request for a token, and its header `authorization` where there was one; ten thousand
    /// requests at most.
    pub fn requests(&self) -> Vec<BTreeMap<String, String>> {
        self.desk.rules().requests.clone()
    }
}

impl Drop for TestIssuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Desk {
    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn metadata(State(desk): State<Arc<Desk>>) -> Response {
    if !desk.rules().has_metadata {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let url = &desk.url;
    json!({ "issuer": url, "token_endpoint": format!("{url}oauth/token"), "jwks_uri": format!("{url}keys") })
        .to_string()
        .into_response()
}

async fn token(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: String) -> Response {
    let parameters = parameters(&headers, &body);
    let audience = parameters.get("audience").cloned();
    {
        let mut rules = desk.rules();
        rules.asked += 1;
        if rules.requests.len() < MAX_REQUESTS {
            rules.requests.push(parameters);
        }
    }
    let mut held = desk.held.subscribe();
    // The desk, which holds the sender, outlives this.
    let _ = held.wait_for(|held| !held).await;
    let mut rules = desk.rules();
    let mut response = match rules.behaviour.clone() {
        Behaviour::Gives => rules.give(),
        Behaviour::Refuses { error } => {
            (StatusCode::UNAUTHORIZED, json!({ "error": error }).to_string()).into_response()
        }
        Behaviour::Unavailable { retry_after_seconds } => (
            StatusCode::SERVICE_UNAVAILABLE,
            [(RETRY_AFTER, retry_after_seconds.to_string())],
        )
            .into_response(),
        Behaviour::TooManyRequests { retry_after_seconds } => (
            StatusCode::TOO_MANY_REQUESTS,
            [(RETRY_AFTER, retry_after_seconds.to_string())],
        )
            .into_response(),
        Behaviour::Redirects => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, "/oauth/token")]).into_response(),
        Behaviour::Garbage => "<html>".into_response(),
        Behaviour::Floods => "x".repeat(1 << 20).into_response(),
        Behaviour::Hangs => {
            drop(rules);
            // What is thrown here ends the connection, and nothing else.
            std::panic::resume_unwind(Box::new("hung up as told"));
        }
        Behaviour::Answers { status, headers, body } => {
            let mut response = body.into_response();
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
            for (name, value) in headers {
                add(&mut response, name, &value);
            }
            response
        }
    };
    if let Some(quota) = &rules.quota
        && !audience.is_some_and(|audience| audience.ends_with("/api/v2/"))
    {
        add(&mut response, "auth0-client-quota-limit", quota);
    }
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl Rules {
    fn give(&mut self) -> Response {
        self.given += 1;
        let mut answer = json!({
            "access_token": format!("t{}", self.given),
            "expires_in": self.lifetime_seconds,
            "token_type": "Bearer",
        });
        if let Some(rotated) = &self.rotated {
            answer["refresh_token"] = rotated.clone().into();
        }
        if let Some(scope) = self.requests.last().and_then(|request| request.get("scope")) {
            answer["scope"] = scope.clone().into();
        }
        answer.to_string().into_response()
    }
}

fn add(response: &mut Response, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        response.headers_mut().append(name, value);
    }
}

fn parameters(headers: &HeaderMap, body: &str) -> BTreeMap<String, String> {
    let form = Url::parse(&format!("http://localhost/?{body}"));
    let mut found: BTreeMap<_, _> = form
        .iter()
        .flat_map(|form| form.query_pairs())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    if let Some(value) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        found.insert("authorization".into(), value.to_owned());
    }
    found
}
