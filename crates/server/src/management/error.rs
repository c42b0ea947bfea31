//! Refusals of the Management API: `{"statusCode","error","message","errorCode"}` (CONTRACT §4.1). The private cause is
//! logged here, once.

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use serde_json::{Value, json};

use tokenhouse_guard::{Denied, Reason};
use tokenhouse_protocol::error::reflected;
use tokenhouse_store::StoreError;

use super::schema::Violation;
use crate::registry::RegistryError;
use crate::tenant::Tenant;
use crate::web::answer::{json as answer, set_text};
use crate::web::body::BodyError;

/// The realm in challenges.
const REALM: &str = "api/v2";
/// What an absent thing is called in the sentence that says so, and its `errorCode`.
const ABSENT: [(&str, &str); 8] = [
    ("The client does not exist", "inexistent_client"),
    ("The resource server does not exist", "inexistent_resource_server"),
    ("The client grant does not exist", "inexistent_client_grant"),
    ("The credential does not exist", "inexistent_credential"),
    ("The user does not exist.", "inexistent_user"),
    ("The job does not exist.", "inexistent_job"),
    ("The connection does not exist", "inexistent_connection"),
    ("The signing key does not exist", "inexistent_signing_key"),
];

/// Why a request was refused.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    message: String,
    code: Option<&'static str>,
    /// Whether the message stands in `attributes` too, as it does for tokens.
    is_about_token: bool,
    challenge: Option<String>,
    retry_after_s: Option<u64>,
    cause: Option<String>,
}

impl Failure {
    /// A refusal of this status, message and `errorCode`.
    pub fn new(status: StatusCode, message: impl Into<String>, code: Option<&'static str>) -> Self {
        Self {
            status,
            message: message.into(),
            code,
            is_about_token: false,
            challenge: None,
            retry_after_s: None,
            cause: None,
        }
    }

    /// The body holds what it may not.
    pub fn body(violation: &Violation) -> Self {
        Self::bad(violation.message("Payload"), "invalid_body")
    }

    /// The query holds what it may not.
    pub fn query(violation: &Violation) -> Self {
        Self::bad(violation.message("Query"), "invalid_query_string")
    }

    /// The path holds what it may not.
    pub fn path(violation: &Violation) -> Self {
        Self::bad(violation.message("Path"), "invalid_uri")
    }

    /// The token, or the grant by now, has none of these scopes.
    pub fn scope(scopes: &[&str]) -> Self {
        let denied = Denied::InsufficientScope {
            required: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        };
        let message = format!("Insufficient scope, expected any of: {}", scopes.join(","));
        Self {
            challenge: denied.challenge(REALM),
            ..Self::new(StatusCode::FORBIDDEN, message, Some("insufficient_scope"))
        }
    }

    /// The token cannot be taken any more, though it was once good.
    pub fn token(cause: &str) -> Self {
        let denied = Denied::InvalidToken(Reason::new("Invalid token", cause.to_owned()));
        Self {
            is_about_token: true,
            challenge: denied.challenge(REALM),
            cause: Some(cause.to_owned()),
            ..Self::new(StatusCode::UNAUTHORIZED, "Invalid token", None)
        }
    }

    /// What the guard denied; `audience` is what the token was for.
    pub fn denied(denied: &Denied, audience: &str) -> Self {
        let cause = denied.to_string();
        let mut failure = match denied {
            Denied::NoToken => Self::new(StatusCode::UNAUTHORIZED, "Missing authentication", None),
            Denied::InvalidRequest(reason) => {
                Self::bad(format!("{}. {}", reason.description, reason.hint), "invalid_request")
            }
            Denied::InvalidToken(reason) => Self {
                message: match reason.description.as_ref() {
                    "\"exp\" claim timestamp check failed" => {
                        "Expired token received for JSON Web Token validation".into()
                    }
                    "signature verification failed" => {
                        "Invalid signature received for JSON Web Token validation".into()
                    }
                    "Unexpected 'aud' value" => format!("Bad audience: {}", reflected(audience)),
                    _ => "Invalid token".into(),
                },
                ..Self::token("")
            },
            Denied::InsufficientScope { .. } | Denied::Forbidden(_) => {
                Self::new(StatusCode::FORBIDDEN, "Insufficient scope", Some("insufficient_scope"))
            }
            Denied::Unavailable(unavailable) => Self {
                retry_after_s: Some(unavailable.retry_after_seconds),
                ..Self::unavailable(&unavailable.cause)
            },
        };
        failure.challenge = denied.challenge(REALM);
        failure.cause = Some(cause);
        failure
    }

    /// Too many requests; how long to wait.
    pub fn too_many(retry_after_s: u32) -> Self {
        Self {
            retry_after_s: Some(retry_after_s.into()),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Global limit has been reached",
                Some("too_many_requests"),
            )
        }
    }

    /// The house cannot do it now.
    pub fn unavailable(cause: &str) -> Self {
        let message = "The service is temporarily unavailable. Try again in a moment.";
        Self {
            retry_after_s: Some(1),
            cause: Some(cause.to_owned()),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                message,
                Some("temporarily_unavailable"),
            )
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong and what to change, for whoever asked.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Why, for the log alone, and for whoever has the database on this machine.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The answer's JSON.
    pub fn to_json(&self) -> Value {
        let error = self.status.canonical_reason().unwrap_or_default();
        let mut body = json!({ "statusCode": self.status.as_u16(), "error": error, "message": self.message });
        if self.is_about_token {
            body["attributes"] = json!({ "error": self.message });
        }
        if let Some(code) = self.code {
            body["errorCode"] = json!(code);
        }
        body
    }

    /// The answer.
    pub fn response(&self, tenant: &Tenant, request_id: &str) -> Response<Body> {
        let cause = self.cause.as_deref();
        if self.status.is_server_error() {
            let what = "the Management API failed";
            if tenant.house.store.outages().is_first(what, cause.unwrap_or_default()) {
                tracing::error!(tenant = %tenant.id, request_id, cause, "{what}");
            }
        } else {
            tracing::debug!(tenant = %tenant.id, request_id, cause, status = self.status.as_u16(), "refused");
        }
        let mut response = answer(self.status, &self.to_json());
        if let Some(challenge) = &self.challenge {
            set_text(&mut response, header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after_s {
            set_text(&mut response, header::RETRY_AFTER, &seconds.to_string());
        }
        response
    }

    fn bad(message: String, code: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message, Some(code))
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Invalid {
                property: "permissions",
                text,
            } => Self::new(
                StatusCode::NOT_FOUND,
                text,
                Some("inexistent_resource_server_permission"),
            ),
            RegistryError::Invalid { text, .. } => Self::bad(text, "invalid_body"),
            RegistryError::Conflict(text) if text == "The user already exists." => {
                Self::new(StatusCode::CONFLICT, text, Some("auth0_idp_error"))
            }
            RegistryError::Conflict(text) => Self::new(StatusCode::CONFLICT, text, Some("conflict")),
            RegistryError::NotFound(text) => {
                let known = ABSENT.iter().find(|(sentence, _)| *sentence == text);
                Self::new(StatusCode::NOT_FOUND, text, known.map(|(_, code)| *code))
            }
            RegistryError::Refused(text) => Self::bad(text, "operation_not_supported"),
            RegistryError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::unavailable(&error.to_string())
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Http(status, text) => Self::new(status, text, Some("invalid_body")),
            // Of parameters there are none in a JSON body.
            BodyError::Parameters(_) => Self::bad("The body cannot be read.".into(), "invalid_body"),
        }
    }
}
