//! Why a request is denied (RFC 6750 §3.1). Descriptions are worded as express-oauth2-jwt-bearer words them; each has a
//! hint that says what to do about it.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use tokenhouse_protocol::bearer::BearerError;
use tokenhouse_protocol::jose::claims::ClaimError;

use crate::keys::Unavailable;

/// Why a request does not pass.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Denied {
    /// No token was shown: 401 with a bare challenge.
    NoToken,
    /// Two tokens by two methods: 400 `invalid_request`.
    InvalidRequest(Reason),
    /// The token is no good: 401 `invalid_token`. The caller needs another one.
    InvalidToken(Reason),
    /// The token is good but has not the scopes for this: 403 `insufficient_scope`, with the scopes to ask for.
    InsufficientScope {
        /// The scopes that were wanted, all of them or any, as the route says.
        required: Vec<String>,
    },
    /// The token is good but does not allow this, and no scope would help: 403 `insufficient_scope`.
    Forbidden(Reason),
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
            Self::InsufficientScope { .. } | Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The word for programs: RFC 6750 §3.1's, `unauthorized` without a token, `temporarily_unavailable` without keys.
    pub fn error(&self) -> &'static str {
        match self {
            Self::NoToken => "unauthorized",
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidToken(_) => "invalid_token",
            Self::InsufficientScope { .. } | Self::Forbidden(_) => "insufficient_scope",
            Self::Unavailable(_) => "temporarily_unavailable",
        }
    }

    /// What is wrong, for the challenge.
    pub fn description(&self) -> &str {
        match self {
            Self::NoToken => "Unauthorized",
            Self::InvalidRequest(reason) | Self::InvalidToken(reason) | Self::Forbidden(reason) => &reason.description,
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
            Self::InvalidRequest(reason) | Self::InvalidToken(reason) | Self::Forbidden(reason) => {
                reason.hint.as_ref().into()
            }
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
