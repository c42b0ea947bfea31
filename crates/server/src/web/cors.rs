//! CORS for the endpoints that pages call (Fetch standard §3.2; CONTRACT Decision 16). A preflight names no
//! application, so it is answered for any origin; whether the page may read the answer is decided then.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::answer::{set, set_text};

/// Headers that SDKs in pages send to the token endpoint (CONTRACT §1.1).
const ALLOWED_HEADERS: &str = "authorization, content-type, auth0-client, dpop, x-request-id";
/// Headers of an answer that a page may read.
const EXPOSED_HEADERS: &str = "x-request-id, x-auth0-requestid, retry-after, www-authenticate, \
     link, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, auth0-client-quota-limit";

/// The origin of the page that asks, if a page asks.
pub fn origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(header::ORIGIN)
}

/// The answer to a preflight: any origin may ask with these methods.
pub fn preflight(headers: &HeaderMap, methods: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let any = HeaderValue::from_static("*");
    let origin = origin(headers).cloned().unwrap_or(any);
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set(&mut response, header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    set(&mut response, header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
    set(&mut response, header::ACCESS_CONTROL_MAX_AGE, "7200");
    set(&mut response, header::VARY, "Origin");
    response
}

/// Lets pages of one origin read an answer.
pub fn allow(response: &mut Response<Body>, origin: &str) {
    set_text(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set(response, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
}

/// Lets pages of every origin read an answer: for what is public.
pub fn allow_any(response: &mut Response<Body>, exposed: &'static str) {
    set(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(
        response,
        HeaderName::from_static("access-control-expose-headers"),
        exposed,
    );
}
