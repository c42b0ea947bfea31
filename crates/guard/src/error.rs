//! Why a request is denied, and the answer that says so (RFC 6750 §3). Descriptions are worded as
//! express-oauth2-jwt-bearer words them; the body adds, after the description, what to do about it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;
use tokenhouse_protocol::bearer::{BearerError, Challenge};
use tokenhouse_protocol::jose::claims::ClaimError;

use crate::keys::Unavailable;

/// Makes the answer to a request that was refused, in place of [`Refusal::response`].
pub(crate) type Render = dyn Fn(&Refusal, &Parts) -> Response<String> + Send + Sync;

/// Why a request does not pass.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Denied {
    /// No token was shown: 401 with a bare challenge.
    NoToken,
    /// Two tokens by two methods: 400 `invalid_request`.
    InvalidRequest(Reason),
    /// The token is no good: 401 `invalid_token`. The caller needs another one.
    InvalidToken(Reason),
    /// The token is good but does not allow this: 403 `insufficient_scope`.
    InsufficientScope {
        /// The scopes that were wanted, all of them or any, as the route says.
        required: Vec<String>,
    },
    /// The token cannot be judged, since the issuer's keys are not to be had: 503. The caller should keep it.
    Unavailable(Unavailable),
}

/// A description for the challenge, and a hint for the people who read the body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// What is wrong, in the words of Auth0's own guard where it has any.
    pub description: Cow<'static, str>,
    /// What to do, or more about what is wrong: a full sentence.
    pub hint: Cow<'static, str>,
}

impl Reason {
    /// A description and a hint.
    pub fn new(description: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Self {
        Self {
            description: description.into(),
            hint: hint.into(),
        }
    }
}

impl Denied {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest(_) => StatusCode::BAD_REQUEST,
            Self::InsufficientScope { .. } => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The word for programs: RFC 6750 §3.1's, `unauthorized` without a token, `temporarily_unavailable` without keys.
    pub fn error(&self) -> &'static str {
        match self {
            Self::NoToken => "unauthorized",
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidToken(_) => "invalid_token",
            Self::InsufficientScope { .. } => "insufficient_scope",
            Self::Unavailable(_) => "temporarily_unavailable",
        }
    }

    /// What is wrong, for the challenge.
    pub fn description(&self) -> &str {
        match self {
            Self::NoToken => "Unauthorized",
            Self::InvalidRequest(reason) | Self::InvalidToken(reason) => &reason.description,
            Self::InsufficientScope { .. } => "Insufficient Scope",
            Self::Unavailable(_) => "The token cannot be checked at the moment",
        }
    }

    /// What to do about it: a sentence for people.
    pub fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::NoToken => {
                "Send an access token for this API in the header \"Authorization: Bearer <token>\".".into()
            }
            Self::InvalidRequest(reason) | Self::InvalidToken(reason) => reason.hint.as_ref().into(),
            Self::InsufficientScope { required } => format!(
                "The token does not allow this. Ask for one with the scope {}.",
                required.join(" ")
            )
            .into(),
            Self::Unavailable(_) => "Keep the token and repeat the request later.".into(),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.description(), self.hint())
    }
}

impl std::error::Error for Denied {}

impl From<BearerError> for Denied {
    fn from(error: BearerError) -> Self {
        let hint = match error {
            BearerError::Missing => return Self::NoToken,
            BearerError::Several => "Send one Authorization header; this request has several.",
            BearerError::Malformed => "Send exactly \"Authorization: Bearer <token>\".",
            BearerError::TooLong => "The token is longer than 16 KiB.",
        };
        Self::InvalidToken(Reason::new("Invalid Compact JWS", hint))
    }
}

impl From<ClaimError> for Denied {
    fn from(error: ClaimError) -> Self {
        Self::InvalidToken(Reason::new(
            error.to_string(),
            "Tokens with such a claim are not taken.",
        ))
    }
}

impl From<Unavailable> for Denied {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

/// A denied request at a guard: what its caller is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Why.
    pub denied: Denied,
    /// The realm that the guard names in challenges.
    pub realm: Arc<str>,
}

impl Refusal {
    /// The `WWW-Authenticate` header (RFC 6750 §3); none on a 503, since another token would not help.
    pub fn challenge(&self) -> Option<String> {
        let bare = Challenge::bare(&self.realm);
        let with_error = |bare: Challenge| {
            bare.with("error", self.denied.error())
                .with("error_description", self.denied.description())
        };
        let challenge = match &self.denied {
            Denied::NoToken => bare,
            Denied::InvalidRequest(_) | Denied::InvalidToken(_) => with_error(bare),
            Denied::InsufficientScope { required } => with_error(bare).with("scope", &required.join(" ")),
            Denied::Unavailable(_) => return None,
        };
        Some(challenge.as_str().to_owned())
    }

    /// The whole answer: status, challenge or `Retry-After`, and `{"error", "error_description"}`.
    pub fn response(&self) -> Response<String> {
        let description = self.denied.to_string();
        self.response_with(json!({ "error": self.denied.error(), "error_description": description }).to_string())
    }

    /// The same answer with another JSON body: for an API whose errors have a shape of their own.
    pub fn response_with(&self, body: String) -> Response<String> {
        let mut response = Response::new(body);
        *response.status_mut() = self.denied.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge().and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Denied::Unavailable(unavailable) = &self.denied {
            headers.insert(RETRY_AFTER, HeaderValue::from(unavailable.retry_after_seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(denied: Denied) -> Option<String> {
        Refusal {
            denied,
            realm: "api".into(),
        }
        .challenge()
    }

    #[test]
    fn challenges_are_rfc_6750s() {
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
        let response = Refusal {
            denied,
            realm: "api".into(),
        }
        .response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[RETRY_AFTER], "7");
        assert!(!response.body().contains("10.0.0.1"), "the cause is for the log");
    }
}
