//! Answers: JSON with the headers that every answer has.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use tokenhouse_protocol::error::ErrorBody;

/// Auth0's name for the request id (CONTRACT §1.2).
pub const X_AUTH0_REQUEST_ID: HeaderName = HeaderName::from_static("x-auth0-requestid");
/// The request id, in and out.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How many requests were allowed, where a limit is in force (CONTRACT Decision 15).
pub const X_RATE_LIMIT_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
/// How many are left.
pub const X_RATE_LIMIT_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
/// When there will be more, in seconds since 1970.
pub const X_RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// How the application's token quota stands (CONTRACT §4.11).
pub const AUTH0_CLIENT_QUOTA_LIMIT: HeaderName = HeaderName::from_static("auth0-client-quota-limit");
/// `false` beside it where the quota refuses nobody.
pub const TOKENHOUSE_QUOTA_ENFORCED: HeaderName = HeaderName::from_static("tokenhouse-quota-enforced");

/// Headers that an answer may have before its map grows.
const HEADERS: usize = 12;

/// A JSON answer.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    // What is answered are structs of texts and numbers, which always serialise.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    // Room for what the door frame adds: a map that grows is hashed again.
    response.headers_mut().reserve(HEADERS);
    set(&mut response, header::CONTENT_TYPE, "application/json");
    response
}

/// An OAuth error that is about HTTP itself, before any endpoint has looked at the request.
pub fn http_error(status: StatusCode, error: &str, description: &str) -> Response<Body> {
    let description = Some(description.to_owned());
    let mut response = json(
        status,
        &ErrorBody {
            error: error.into(),
            error_description: description,
            error_uri: None,
        },
    );
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

/// Sets a header whose value is one of ours.
pub fn set(response: &mut Response<Body>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}

/// Sets a header whose value was made from something else; one that cannot stand in a header is left out.
pub fn set_text(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
