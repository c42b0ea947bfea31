//! Refusals as HTTP: the status, the word and the headers, in the tenant's dialect (CONTRACT Decision 1, §1.7).

use axum::body::Body;
use axum::http::{Response, StatusCode, header};

use tokenhouse_protocol::credentials::CredentialsError;
use tokenhouse_protocol::error::{ErrorBody, plain};
use tokenhouse_protocol::parameters::ParameterError;

use super::quota;
use crate::refusal::{Reason, Refusal};
use crate::tenant::{ErrorDialect, Tenant};
use crate::web::answer::{X_RATE_LIMIT_LIMIT, X_RATE_LIMIT_REMAINING, X_RATE_LIMIT_RESET, json, set, set_text};

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
    // For the door frame, which counts refusals.
    response.extensions_mut().insert(refusal.reason);
    set(&mut response, header::CACHE_CONTROL, REFUSAL_CACHE_CONTROL);
    if let Some(seconds) = refusal.retry_after_s {
        set_text(&mut response, header::RETRY_AFTER, &seconds.to_string());
    }
    if let Some(limit) = refusal.limit {
        // The reset is an instant, in seconds since 1970, not a span (CONTRACT §1.2).
        let reset = tenant.house.clock.now().seconds() + i64::from(refusal.retry_after_s.unwrap_or(1));
        set_text(&mut response, X_RATE_LIMIT_LIMIT, &limit.to_string());
        set(&mut response, X_RATE_LIMIT_REMAINING, "0");
        set_text(&mut response, X_RATE_LIMIT_RESET, &reset.to_string());
    }
    if let Some(standing) = &refusal.quota {
        quota::say(&mut response, standing);
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
    let (cause, reason) = (refusal.cause.as_deref(), refusal.reason);
    if matches!(reason, Reason::Internal | Reason::Unavailable) {
        let outages = tenant.house.store.outages();
        if outages.is_first("refused", cause.unwrap_or_default()) {
            tracing::error!(tenant = %tenant.id, request_id, cause, ?reason, "refused");
        }
    } else {
        tracing::debug!(tenant = %tenant.id, request_id, cause, ?reason, "refused");
    }
}

fn status_and_word(reason: Reason, dialect: ErrorDialect) -> (StatusCode, &'static str) {
    match dialect {
        ErrorDialect::Auth0 => in_auth0s_words(reason),
        ErrorDialect::Rfc6749 => in_rfc6749s_words(reason),
    }
}

/// CONTRACT §1.7.
fn in_auth0s_words(reason: Reason) -> (StatusCode, &'static str) {
    match reason {
        Reason::InvalidRequest | Reason::InvalidAudience | Reason::UnknownRealm => {
            (StatusCode::BAD_REQUEST, "invalid_request")
        }
        Reason::InvalidScope => (StatusCode::BAD_REQUEST, "invalid_scope"),
        Reason::InvalidTarget => (StatusCode::BAD_REQUEST, "invalid_target"),
        Reason::ClientAuthentication => (StatusCode::UNAUTHORIZED, "access_denied"),
        Reason::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client"),
        Reason::UnsupportedGrantType => (StatusCode::FORBIDDEN, "unsupported_grant_type"),
        Reason::GrantTypeNotAllowed => (StatusCode::FORBIDDEN, "unauthorized_client"),
        Reason::UnknownAudience | Reason::NoAudience | Reason::NoClientGrant | Reason::ScopeNotGranted => {
            (StatusCode::FORBIDDEN, "access_denied")
        }
        Reason::WrongPassword => (StatusCode::FORBIDDEN, "invalid_grant"),
        Reason::UserBlocked => (StatusCode::FORBIDDEN, "unauthorized"),
        Reason::TooManyAttempts | Reason::SuspiciousAddress => (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"),
        Reason::TooManyRequests | Reason::QuotaExceeded => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
        Reason::NoDefaultDirectory | Reason::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        Reason::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
    }
}

/// RFC 6749 §5.2 and RFC 8707 §2. What is about load or a fault of ours keeps its status.
fn in_rfc6749s_words(reason: Reason) -> (StatusCode, &'static str) {
    let word = match reason {
        Reason::InvalidRequest | Reason::UnknownRealm => "invalid_request",
        Reason::InvalidScope | Reason::ScopeNotGranted => "invalid_scope",
        Reason::InvalidTarget
        | Reason::InvalidAudience
        | Reason::UnknownAudience
        | Reason::NoAudience
        | Reason::NoClientGrant => "invalid_target",
        Reason::UnsupportedGrantType => "unsupported_grant_type",
        Reason::GrantTypeNotAllowed => "unauthorized_client",
        Reason::WrongPassword | Reason::UserBlocked => "invalid_grant",
        Reason::ClientAuthentication | Reason::InvalidClient => return (StatusCode::UNAUTHORIZED, "invalid_client"),
        Reason::TooManyAttempts
        | Reason::SuspiciousAddress
        | Reason::TooManyRequests
        | Reason::QuotaExceeded
        | Reason::NoDefaultDirectory
        | Reason::Unavailable
        | Reason::Internal => return in_auth0s_words(reason),
    };
    (StatusCode::BAD_REQUEST, word)
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
            ParameterError::Unusable(name) => Self::new(
                Reason::InvalidRequest,
                format!("Parameter {name} is too long or holds U+0000"),
            ),
            ParameterError::Missing(name) => {
                Self::new(Reason::InvalidRequest, format!("Missing required parameter: {name}"))
            }
            ParameterError::UnsupportedGrantType(word) => {
                Self::new(Reason::UnsupportedGrantType, format!("Unsupported grant type: {word}"))
            }
            ParameterError::Unsupported(name) => {
                let text = format!("Parameter {name} is not supported: this server has none. Leave it out.");
                Self::new(Reason::InvalidRequest, text)
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
            CredentialsError::Assertion(why) => {
                Self::new(Reason::InvalidClient, format!("Client authentication failed. {why}"))
            }
            CredentialsError::Parameter(error) => error.into(),
        }
    }
}
