//! The answer to a request that does not pass: status, challenge (RFC 6750 §3, RFC 9728 §5.1), `Retry-After`, and a body
//! in JSON, as problem details (RFC 9457) or as plain text.

use std::fmt;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::json;
use tokenhouse_protocol::bearer::Challenge;

use crate::Builder;
use crate::error::Denied;

/// Makes the answer to a request that was refused, in place of [`Refusal::response`].
type Render = dyn Fn(&Refusal, &Parts) -> Response<String> + Send + Sync;

/// What the bodies of refusals look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ErrorFormat {
    /// `{"error": …, "error_description": …}`, as OAuth endpoints answer.
    #[default]
    Json,
    /// Problem details, `application/problem+json` (RFC 9457), with the member `error` beside its own.
    Problem,
    /// One line of plain text.
    Text,
}

/// How a guard answers those whom it refuses.
#[derive(Clone, Default)]
pub(crate) struct Answers {
    realm: Option<String>,
    format: ErrorFormat,
    render: Option<Arc<Render>>,
    /// Where clients find this API's issuer, named in every challenge.
    pub(crate) resource_metadata: Option<String>,
}

/// Stands in a request's extensions for the token that it passed without.
#[derive(Clone)]
pub(crate) struct Anonymous(
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "only the extractors read it"))]
    pub(crate)  Arc<Answers>,
);

impl Answers {
    /// Whether the author answers, who is shown the request.
    pub(crate) fn are_rendered(&self) -> bool {
        self.render.is_some()
    }
}

impl Builder {
    /// The realm in challenges; `api` if not set.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.answers.realm = Some(realm.into());
        self
    }

    /// What the bodies of refusals look like; [`ErrorFormat::Json`] if not set.
    pub fn error_format(mut self, format: ErrorFormat) -> Self {
        self.answers.format = format;
        self
    }

    /// Answers refused requests with this in place of [`Refusal::response`]; start from [`Refusal::response_with`].
    ///
    /// What callers go by cannot be lost: where the answer lacks them, `WWW-Authenticate`, `Retry-After` and
    /// `Cache-Control: no-store` are added, and an answer of success gets the refusal's status. An answer of another
    /// status, such as 404 to hide what is there, is left without a challenge.
    pub fn on_refusal(mut self, render: impl Fn(&Refusal, &Parts) -> Response<String> + Send + Sync + 'static) -> Self {
        self.answers.render = Some(Arc::new(render));
        self
    }
}

/// A denied request at a guard: what its caller is told.
#[derive(Clone)]
pub struct Refusal {
    /// Why.
    pub denied: Denied,
    /// The scopes that the route wants, for those who came without a token.
    scopes: Vec<String>,
    answers: Arc<Answers>,
}

impl Refusal {
    pub(crate) fn new(denied: Denied, answers: Arc<Answers>) -> Self {
        Self {
            denied,
            scopes: Vec::new(),
            answers,
        }
    }

    /// Names the scopes to ask for to clients that look for the issuer: they begin with the challenge alone.
    pub(crate) fn wanting<'a>(mut self, scopes: impl Iterator<Item = &'a str>) -> Self {
        if self.answers.resource_metadata.is_some() {
            self.scopes = scopes.map(str::to_owned).collect();
        }
        self
    }

    /// The realm that the guard names in challenges.
    pub fn realm(&self) -> &str {
        self.answers.realm.as_deref().unwrap_or("api")
    }

    /// The `WWW-Authenticate` header (RFC 6750 §3, RFC 9728 §5.1); none on a 503, since another token would not help.
    pub fn challenge(&self) -> Option<String> {
        let mut challenge = self.denied.head_of_challenge(self.realm(), &self.scopes)?;
        if let Some(url) = &self.answers.resource_metadata {
            challenge = challenge.with("resource_metadata", url);
        }
        Some(challenge.as_str().to_owned())
    }

    /// The whole answer: status, challenge or `Retry-After`, and a body in the guard's [`ErrorFormat`].
    pub fn response(&self) -> Response<String> {
        let (error, description) = (self.denied.error(), self.denied.to_string());
        match self.answers.format {
            ErrorFormat::Json => {
                self.response_with(json!({ "error": error, "error_description": description }).to_string())
            }
            ErrorFormat::Problem => {
                let status = self.denied.status();
                let title = status.canonical_reason();
                let body = json!({ "title": title, "status": status.as_u16(), "detail": description, "error": error });
                self.response_as("application/problem+json", body.to_string())
            }
            ErrorFormat::Text => self.response_as("text/plain; charset=utf-8", format!("{description}\n")),
        }
    }

    /// The same answer with another JSON body: for an API whose errors have a shape of their own.
    pub fn response_with(&self, body: String) -> Response<String> {
        self.response_as("application/json", body)
    }

    /// The same answer with a body of another type.
    pub fn response_as(&self, content_type: &'static str, body: String) -> Response<String> {
        let mut response = Response::new(body);
        *response.status_mut() = self.denied.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.complete(headers);
        response
    }

    /// What the guard answers: its own, or the author's with what callers go by.
    pub(crate) fn answer(&self, parts: &Parts) -> Response<String> {
        let Some(render) = &self.answers.render else {
            return self.response();
        };
        let mut response = render(self, parts);
        if response.status().is_success() {
            *response.status_mut() = self.denied.status();
        }
        if response.status() == self.denied.status() || response.status() == StatusCode::UNAUTHORIZED {
            self.complete(response.headers_mut());
        }
        response
    }

    /// Adds the headers that callers go by, where they are missing.
    fn complete(&self, headers: &mut HeaderMap) {
        headers
            .entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge().and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.entry(WWW_AUTHENTICATE).or_insert(challenge);
        }
        if let Denied::Unavailable(unavailable) = &self.denied {
            headers
                .entry(RETRY_AFTER)
                .or_insert(HeaderValue::from(unavailable.retry_after_seconds));
        }
    }
}

impl Denied {
    /// The `WWW-Authenticate` header of an API that answers by itself (RFC 6750 §3); none on a 503, since another token
    /// would not help.
    pub fn challenge(&self, realm: &str) -> Option<String> {
        Some(self.head_of_challenge(realm, &[])?.as_str().to_owned())
    }

    /// The challenge but for where the issuer is found; `wanted` are the scopes of the route.
    fn head_of_challenge(&self, realm: &str, wanted: &[String]) -> Option<Challenge> {
        let mut challenge = Challenge::bare(realm);
        let (has_error, scopes) = match self {
            Self::NoToken => (false, wanted),
            Self::InvalidToken(_) => (true, wanted),
            Self::InvalidRequest(_) | Self::Forbidden(_) => (true, &[][..]),
            Self::InsufficientScope { required } => (true, required.as_slice()),
            Self::Unavailable(_) => return None,
        };
        if has_error {
            challenge = challenge
                .with("error", self.error())
                .with("error_description", self.description());
        }
        if !scopes.is_empty() {
            challenge = challenge.with("scope", &scopes.join(" "));
        }
        Some(challenge)
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("denied", &self.denied)
            .field("realm", &self.realm())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers")
            .field("realm", &self.realm)
            .field("format", &self.format)
            .field("resource_metadata", &self.resource_metadata)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;
    use crate::keys::Unavailable;

    fn refusal(denied: Denied) -> Refusal {
        Refusal::new(denied, Arc::default())
    }

    #[test]
    fn challenges_are_rfc_6750s() {
        let challenge = |denied| refusal(denied).challenge();
        assert_eq!(challenge(Denied::NoToken).unwrap(), r#"Bearer realm="api""#);
        assert_eq!(
            challenge(Denied::InvalidToken(Reason::new(
                "\"exp\" claim timestamp check failed",
                ""
            )))
            .unwrap(),
            r#"Bearer realm="api", error="invalid_token", error_description="'exp' claim timestamp check failed""#
        );
        assert_eq!(
            challenge(Denied::InsufficientScope {
                required: vec!["read:messages".into()]
            })
            .unwrap(),
            r#"Bearer realm="api", error="insufficient_scope", error_description="Insufficient Scope", scope="read:messages""#
        );
        assert_eq!(
            challenge(Denied::Unavailable(Unavailable::for_seconds(7, "down"))),
            None
        );
    }

    #[test]
    fn an_unavailable_issuer_is_a_503_that_says_when_to_come_back() {
        let denied = Denied::Unavailable(Unavailable::for_seconds(7, "connection refused at 10.0.0.1"));
        let response = refusal(denied).response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[RETRY_AFTER], "7");
        assert!(!response.body().contains("10.0.0.1"), "the cause is for the log");
    }

    #[test]
    fn an_author_s_answer_keeps_what_callers_go_by() {
        let answers = |render: fn(&Refusal, &Parts) -> Response<String>| {
            let answers = Answers {
                render: Some(Arc::new(render)),
                ..Answers::default()
            };
            let (parts, ()) = http::Request::new(()).into_parts();
            Refusal::new(Denied::NoToken, Arc::new(answers)).answer(&parts)
        };
        let forgetful = answers(|_, _| Response::new("no".into()));
        assert_eq!(forgetful.status(), 401);
        assert_eq!(forgetful.headers()[WWW_AUTHENTICATE], r#"Bearer realm="api""#);
        assert_eq!(forgetful.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(forgetful.body(), "no");
        let hiding = answers(|_, _| {
            let mut response = Response::new(String::new());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        });
        assert_eq!(hiding.status(), 404);
        assert!(hiding.headers().get(WWW_AUTHENTICATE).is_none());
    }
}
