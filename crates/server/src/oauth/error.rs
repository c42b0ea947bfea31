//! Refusals as HTTP: the status, the word and the headers, in the tenant's dialect (CONTRACT Decision 1, §1.7).

use axum::body::Body;
use axum::http::{Response, StatusCode, header};

use tokenhouse_protocol::credentials::CredentialsError;
use tokenhouse_protocol::error::{ErrorBody, plain};
use tokenhouse_protocol::token::ParameterError;

use crate::refusal::{Reason, Refusal};
use crate::tenant::{ErrorDialect, Tenant};
use crate::web::answer::{json, set, set_text};

/// What Auth0 sends with every refusal of the token endpoint (CONTRACT §1.2).
const REFUSAL_CACHE_CONTROL: &str =
    "private, no-store, no-cache, must-revalidate, post-check=0, pre-check=0, no-transform";

/// The answer to a refused request; its private cause is logged here, once.
pub fn answer(tenant: &Tenant, request_id: &str, refusal: &Refusal) -> Response<Body> {
    log(tenant, request_id, refusal);
    let dialect = tenant.settings().error_dialect;
    let (status, error) = status_and_word(refusal.reason, dialect);
    let description = match dialect {
        ErrorDialect::Auth0 => refusal.text.clone(),
        ErrorDialect::Rfc6749 => plain(&refusal.text),
    };
    let error_uri =
        (refusal.reason == Reason::GrantTypeNotAllowed).then(|| tenant.issuer.url("docs/errors#unauthorized_client"));
    let body = ErrorBody {
        error: error.into(),
        error_description: Some(description),
        error_uri,
    };
    let mut response = json(status, &body);
    set(&mut response, header::CACHE_CONTROL, REFUSAL_CACHE_CONTROL);
    if let Some(seconds) = refusal.retry_after_s {
        set_text(&mut response, header::RETRY_AFTER, &seconds.to_string());
    }
    if refusal.by_basic && status == StatusCode::UNAUTHORIZED {
        // Only after Basic: a challenge changes how strict clients read a 401 (CONTRACT §5.1).
        set(
            &mut response,
            header::WWW_AUTHENTICATE,
            "Basic realm=\"oauth/token\", charset=\"UTF-8\"",
        );
    }
    response
}

fn log(tenant: &Tenant, request_id: &str, refusal: &Refusal) {
    let cause = refusal.cause.as_deref();
    match refusal.reason {
        Reason::Internal | Reason::Unavailable => {
            tracing::error!(tenant = %tenant.id, request_id, cause, reason = ?refusal.reason, "refused");
        }
        _ => tracing::debug!(tenant = %tenant.id, request_id, cause, reason = ?refusal.reason, "refused"),
    }
}

/// CONTRACT §1.7, and RFC 6749 §5.2 beside it. What is about load keeps its status in both.
fn status_and_word(reason: Reason, dialect: ErrorDialect) -> (StatusCode, &'static str) {
    use StatusCode as S;
    let (auth0, rfc6749) = match reason {
        Reason::InvalidRequest => ((S::BAD_REQUEST, "invalid_request"), (S::BAD_REQUEST, "invalid_request")),
        Reason::ClientAuthentication => ((S::UNAUTHORIZED, "access_denied"), (S::UNAUTHORIZED, "invalid_client")),
        Reason::InvalidClient => ((S::UNAUTHORIZED, "invalid_client"), (S::UNAUTHORIZED, "invalid_client")),
        Reason::UnsupportedGrantType => (
            (S::FORBIDDEN, "unsupported_grant_type"),
            (S::BAD_REQUEST, "unsupported_grant_type"),
        ),
        Reason::GrantTypeNotAllowed => (
            (S::FORBIDDEN, "unauthorized_client"),
            (S::BAD_REQUEST, "unauthorized_client"),
        ),
        Reason::UnknownAudience | Reason::NoAudience | Reason::NoClientGrant => {
            ((S::FORBIDDEN, "access_denied"), (S::BAD_REQUEST, "invalid_target"))
        }
        Reason::InvalidAudience => ((S::BAD_REQUEST, "invalid_request"), (S::BAD_REQUEST, "invalid_target")),
        Reason::InvalidTarget => ((S::BAD_REQUEST, "invalid_target"), (S::BAD_REQUEST, "invalid_target")),
        Reason::ScopeNotGranted => ((S::FORBIDDEN, "access_denied"), (S::BAD_REQUEST, "invalid_scope")),
        Reason::InvalidScope => ((S::BAD_REQUEST, "invalid_scope"), (S::BAD_REQUEST, "invalid_scope")),
        Reason::WrongPassword => ((S::FORBIDDEN, "invalid_grant"), (S::BAD_REQUEST, "invalid_grant")),
        Reason::UserBlocked => ((S::FORBIDDEN, "unauthorized"), (S::BAD_REQUEST, "invalid_grant")),
        Reason::UnknownRealm => ((S::BAD_REQUEST, "invalid_request"), (S::BAD_REQUEST, "invalid_request")),
        Reason::NoDefaultDirectory => (
            (S::INTERNAL_SERVER_ERROR, "server_error"),
            (S::INTERNAL_SERVER_ERROR, "server_error"),
        ),
        Reason::TooManyAttempts | Reason::SuspiciousAddress => (
            (S::TOO_MANY_REQUESTS, "too_many_attempts"),
            (S::TOO_MANY_REQUESTS, "too_many_attempts"),
        ),
        Reason::TooManyRequests => (
            (S::TOO_MANY_REQUESTS, "too_many_requests"),
            (S::TOO_MANY_REQUESTS, "too_many_requests"),
        ),
        Reason::Unavailable => (
            (S::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            (S::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        ),
        Reason::Internal => (
            (S::INTERNAL_SERVER_ERROR, "server_error"),
            (S::INTERNAL_SERVER_ERROR, "server_error"),
        ),
    };
    match dialect {
        ErrorDialect::Auth0 => auth0,
        ErrorDialect::Rfc6749 => rfc6749,
    }
}

/// A parameter that cannot be read, as a refusal.
impl From<ParameterError> for Refusal {
    fn from(error: ParameterError) -> Self {
        match error {
            ParameterError::Malformed(why) => {
                Self::new(Reason::InvalidRequest, format!("The body cannot be read: {why}"))
            }
            ParameterError::Duplicate(name) => Self::new(
                Reason::InvalidRequest,
                format!("Parameter {name} occurs more than once"),
            ),
            ParameterError::TooMany => Self::new(Reason::InvalidRequest, "The request has too many parameters"),
            ParameterError::NotText(name) => {
                Self::new(Reason::InvalidRequest, format!("Parameter {name} must be a string"))
            }
            ParameterError::Missing(name) => {
                Self::new(Reason::InvalidRequest, format!("Missing required parameter: {name}"))
            }
            ParameterError::UnsupportedGrantType(word) => {
                Self::new(Reason::UnsupportedGrantType, format!("Unsupported grant type: {word}"))
            }
            ParameterError::InvalidScope => Self::new(
                Reason::InvalidScope,
                "The scope holds a character that scopes cannot hold. Separate scopes by single spaces.",
            ),
            ParameterError::InvalidTarget(why) => Self::new(Reason::InvalidTarget, why),
        }
    }
}

/// Client credentials that cannot be read, as a refusal.
impl From<CredentialsError> for Refusal {
    fn from(error: CredentialsError) -> Self {
        match error {
            CredentialsError::Missing => Self::new(
                Reason::ClientAuthentication,
                "Unauthorized. The request names no client: send client_id and client_secret.",
            ),
            CredentialsError::MalformedBasic => Self {
                by_basic: true,
                ..Self::new(
                    Reason::ClientAuthentication,
                    "Unauthorized. The Basic header is not the base64 of client_id:client_secret.",
                )
            },
            CredentialsError::Several => Self::new(
                Reason::InvalidRequest,
                "The client authenticates in several ways at once. Use the Authorization header or the body, not both.",
            ),
            CredentialsError::Parameter(error) => error.into(),
        }
    }
}
