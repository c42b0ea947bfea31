//! `tokenhouse gate`: forward authentication. A proxy asks it about each request before it passes the request on; it
//! answers 200 with who is calling, or 401, 403 or 503 as the guard would, so that the API behind needs no code.
//!
//! Routes: every path and method, since what is asked about stands in the proxy's headers; see [`config::Proxy`].

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};

use tokenhouse_guard::{AccessToken, BuildError, Denied, Guard};

use self::config::{GateConfig, Proxy};
use self::rules::{Access, Rules};
use self::target::Target;

pub mod config;
pub mod rules;
pub mod target;

/// Who is calling, for the API behind: every one of them is in every 200, empty where there is nothing to say, so that
/// a proxy overwrites what a caller made up.
pub const IDENTITY: [HeaderName; IDENTITIES] = [
    HeaderName::from_static("x-auth-subject"),
    HeaderName::from_static("x-auth-client-id"),
    HeaderName::from_static("x-auth-scope"),
    HeaderName::from_static("x-auth-permissions"),
    HeaderName::from_static("x-auth-issuer"),
];

const IDENTITIES: usize = 5;
/// Where probes ask; of Envoy's every path is one that it asks about.
const HEALTH: &str = "/healthz";

struct Gate {
    guard: Guard,
    rules: Rules,
    proxy: Proxy,
}

/// The gate that a configuration describes. Nothing is fetched before this returns.
pub fn router(config: GateConfig) -> Result<Router, BuildError> {
    let gate = Gate {
        guard: config.guard()?,
        rules: config.rules,
        proxy: config.proxy,
    };
    Ok(Router::new().fallback(answer).with_state(Arc::new(gate)))
}

/// Answers one question.
async fn answer(State(gate): State<Arc<Gate>>, request: Request<Body>) -> Response<Body> {
    let (asking, _) = request.into_parts();
    let mut response = gate.decide(&asking).await;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}

impl Gate {
    async fn decide(&self, asking: &Parts) -> Response<Body> {
        // 1. What is asked about?
        let (method, uri) = match self.proxy.original(asking) {
            Ok(original) => original,
            // Nothing is asked: somebody wants to know whether the gate lives.
            Err(_) if asking.uri.path() == HEALTH && asking.method == Method::GET => {
                return passed([""; IDENTITIES]).unwrap_or_else(unprintable);
            }
            Err(why) => {
                tracing::error!(why, "the proxy does not say what it asks about");
                return refused(StatusCode::INTERNAL_SERVER_ERROR, "server_error", why);
            }
        };
        // 2. Does it mean one path, whoever reads it?
        let target = match Target::read(&uri) {
            Ok(target) => target,
            Err(why) => return refused(StatusCode::FORBIDDEN, "access_denied", why),
        };
        // 3. Which rule is for it? Without one it is denied.
        match self.rules.find(&method, &target) {
            Ok(Access::Public) => passed([""; IDENTITIES]).unwrap_or_else(unprintable),
            Ok(Access::Token { all, any }) => {
                // The guard looks for a second token in the query, so a target that it cannot read is none.
                let Ok(uri) = uri.parse() else {
                    let why = "The request's target holds characters that have to be percent-encoded.";
                    return refused(StatusCode::FORBIDDEN, "access_denied", why);
                };
                let original = original(asking, method, uri);
                match self.admit(&original, all, any).await {
                    Ok(token) => identified(&token),
                    Err(denied) => self.deny(denied, &original),
                }
            }
            Err(why) => refused(StatusCode::FORBIDDEN, "access_denied", why),
        }
    }

    /// 4. Is the token good, and does it allow what the rule wants?
    async fn admit(&self, original: &Parts, all: &[String], any: &[String]) -> Result<AccessToken, Denied> {
        let token = self.guard.authenticate(original).await?;
        let has_all = all.iter().all(|scope| token.has_scope(scope));
        let has_any = any.is_empty() || any.iter().any(|scope| token.has_scope(scope));
        if has_all && has_any {
            return Ok(token);
        }
        let required = if has_all { any } else { all }.to_vec();
        Err(Denied::InsufficientScope { required })
    }

    fn deny(&self, denied: Denied, original: &Parts) -> Response<Body> {
        let mut response = self.guard.refuse(denied, original).map(Body::from);
        // nginx makes 500 of everything but these two.
        if self.proxy == Proxy::Nginx && response.status() == StatusCode::BAD_REQUEST {
            *response.status_mut() = StatusCode::FORBIDDEN;
        }
        response
    }
}

/// The request that the proxy holds back, as far as the guard looks at it.
fn original(asking: &Parts, method: Method, uri: Uri) -> Parts {
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    for token in asking.headers.get_all(header::AUTHORIZATION) {
        request.headers_mut().append(header::AUTHORIZATION, token.clone());
    }
    request.into_parts().0
}

fn identified(token: &AccessToken) -> Response<Body> {
    let (scope, permissions) = (token.scopes().join(" "), token.permissions().join(" "));
    let identity = [
        token.subject().unwrap_or_default(),
        token.client_id().unwrap_or_default(),
        &scope,
        &permissions,
        token.issuer(),
    ];
    passed(identity).unwrap_or_else(unprintable)
}

/// 200 with these values of [`IDENTITY`]; none if one of them is not visible ASCII.
fn passed(identity: [&str; IDENTITIES]) -> Option<Response<Body>> {
    let mut response = Response::new(Body::empty());
    for (name, value) in IDENTITY.into_iter().zip(identity) {
        let value = HeaderValue::from_str(value)
            .ok()
            .filter(|value| value.to_str().is_ok())?;
        response.headers_mut().insert(name, value);
    }
    Some(response)
}

/// Who cannot be named to the API must not pass as nobody.
fn unprintable() -> Response<Body> {
    let why = "A claim of the token cannot stand in a header: sub, client_id, scope and permissions are visible ASCII.";
    refused(StatusCode::FORBIDDEN, "access_denied", why)
}

fn refused(status: StatusCode, error: &str, why: &str) -> Response<Body> {
    let body = serde_json::json!({ "error": error, "error_description": why }).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    fn example() -> Router {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/gate-nginx/gate.toml");
        router(GateConfig::load(file.as_ref()).ok().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_probe_is_answered_and_no_question_is_taken_for_one() {
        for (path, question, status) in [
            (HEALTH, None, 200),
            ("/", None, 500),
            (HEALTH, Some("/messages"), 401),
            ("/", Some(HEALTH), 403),
        ] {
            let mut asking = Request::get(path);
            if let Some(target) = question {
                asking = asking
                    .header("x-original-method", "GET")
                    .header("x-original-uri", target);
            }
            let answer = example().oneshot(asking.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), status, "{path} {question:?}");
        }
    }

    #[tokio::test]
    async fn every_identity_header_is_in_every_answer_that_lets_a_caller_through() {
        let asking = Request::get("/")
            .header("x-original-method", "GET")
            .header("x-original-uri", "/about")
            .header("x-auth-subject", "somebody else");
        let answer = example().oneshot(asking.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        for name in IDENTITY {
            assert_eq!(answer.headers().get(&name).unwrap(), "", "{name}");
        }
        let answer = passed(["user", "client", "", "", "https://i/"]).unwrap();
        let values = IDENTITY.map(|name| answer.headers()[&name].clone());
        assert_eq!(values, ["user", "client", "", "", "https://i/"]);
        assert!(
            passed(["us\u{e9}r", "", "", "", ""]).is_none(),
            "who cannot be named is nobody"
        );
    }
}
