//! An API that takes or refuses tokens as it is told, for the tests of the middleware and the layer.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use tokio::net::TcpListener;

/// The `Authorization` and the body of a request.
type Seen = (Option<String>, String);
/// What the API says to a request with this `Authorization`.
type Rule = Box<dyn Fn(Option<&str>) -> Verdict + Send>;

/// An answer of the API.
pub(super) enum Verdict {
    Takes,
    Refuses(&'static str),
    Forbids,
    Redirects(String),
}

/// An API on 127.0.0.1.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    rule: Arc<Mutex<Rule>>,
}

impl Api {
    pub(super) async fn start(rule: impl Fn(Option<&str>) -> Verdict + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Self {
            origin: format!("http://{}", listener.local_addr().unwrap()),
            seen: Arc::default(),
            rule: Arc::new(Mutex::new(Box::new(rule))),
        };
        let app = Router::new().fallback(any(answer)).with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        api
    }

    /// Each request so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The `Authorization` of each request so far.
    pub(super) fn authorizations(&self) -> Vec<String> {
        self.seen()
            .into_iter()
            .map(|(header, _)| header.unwrap_or_default())
            .collect()
    }

    /// What it says to one.
    pub(super) fn verdict(&self, authorization: Option<&str>, body: String) -> Verdict {
        self.seen.lock().unwrap().push((authorization.map(str::to_owned), body));
        self.rule.lock().unwrap()(authorization)
    }
}

/// Refuses the token `t1` and takes all others.
pub(super) fn not_the_first(authorization: Option<&str>) -> Verdict {
    match authorization {
        Some("Bearer t1") | None => Verdict::Refuses("Bearer realm=\"api\", error=\"invalid_token\""),
        Some(_) => Verdict::Takes,
    }
}

async fn answer(State(api): State<Api>, headers: HeaderMap, body: String) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
    match api.verdict(authorization, body) {
        Verdict::Takes => "taken".into_response(),
        Verdict::Refuses(challenge) => {
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
        }
        Verdict::Forbids => StatusCode::FORBIDDEN.into_response(),
        Verdict::Redirects(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
    }
}
