//! The door frame: every request gets an id, its host finds its tenant, and the room behind is told who
//! is calling. An unknown host is 421 (RFC 9110 §15.5.20), never a default.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, Uri, Version, header};
use axum::middleware::Next;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use tokenhouse_protocol::id::request_id;

use super::answer::{X_AUTH0_REQUEST_ID, X_REQUEST_ID, http_error, set, set_text};
use crate::app::App;
use crate::caller::{Caller, Channel};

/// Longest request id that is taken over from a caller, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;
/// Longest `Auth0-Client` header that is decoded, in bytes.
const MAX_AUTH0_CLIENT_BYTES: usize = 2048;

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Names the request, times it, and sets the headers that every answer has.
pub async fn name(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response<Body> {
    let began = Instant::now();
    let id = given_id(request.headers()).unwrap_or_else(|| request_id(&app.house.random));
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    set_text(&mut response, X_REQUEST_ID, &id);
    set_text(&mut response, X_AUTH0_REQUEST_ID, &id);
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if app.strict_transport {
        set(&mut response, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    tracing::debug!(request_id = %id, %method, path, status = response.status().as_u16(), took_us, "answered");
    response
}

/// The request id, on its way to the rooms.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Finds the tenant of the request's host and tells who is calling.
pub async fn admit(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response<Body> {
    let host = match host(request.uri(), request.headers(), request.version()) {
        Ok(host) => host,
        Err(why) => return http_error(StatusCode::BAD_REQUEST, "invalid_request", why),
    };
    let tenant = match app.tenant_of_host(&host).await {
        Ok(Some(tenant)) => tenant,
        Ok(None) => {
            let text = "This server does not answer for the host of the request. Use the issuer's address.";
            return http_error(StatusCode::MISDIRECTED_REQUEST, "invalid_request", text);
        }
        Err(error) => {
            tracing::warn!(%error, "the tenant of a request cannot be read");
            let text = "The service is temporarily unavailable. Try again in a moment.";
            let mut response = http_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", text);
            set(&mut response, header::RETRY_AFTER, "1");
            return response;
        }
    };
    let caller = caller(&request, host);
    request.extensions_mut().insert(tenant);
    request.extensions_mut().insert(Arc::new(caller));
    next.run(request).await
}

fn caller(request: &Request, host: String) -> Caller {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    Caller {
        channel: Channel::Api,
        address: peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical(),
        forwarded_for: text("auth0-forwarded-for").and_then(|address| address.trim().parse().ok()),
        user_agent: Caller::bounded_user_agent(text("user-agent").unwrap_or_default()),
        host,
        request_id: id.unwrap_or_default(),
        auth0_client: text("auth0-client").and_then(auth0_client),
    }
}

/// The host that is asked, in lower case: from the target if it is absolute, else from the one `Host` header (RFC 9112 §3.2).
fn host(uri: &Uri, headers: &HeaderMap, version: Version) -> Result<String, &'static str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err("The request has several Host headers.");
    }
    if let Some(authority) = uri.authority() {
        return Ok(authority.as_str().to_ascii_lowercase());
    }
    match first.map(|value| value.to_str()) {
        Some(Ok(host)) if !host.is_empty() => Ok(host.to_ascii_lowercase()),
        Some(_) => Err("The Host header cannot be read."),
        None if version == Version::HTTP_10 => Err("The request has no Host header; HTTP/1.0 callers must send one."),
        None => Err("The request has no Host header."),
    }
}

/// A caller's own request id, if it is short and plain.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    (!id.is_empty() && id.len() <= MAX_REQUEST_ID_BYTES && id.bytes().all(is_plain)).then(|| id.to_owned())
}

/// Who wrote the SDK that calls: base64 of JSON, in whichever alphabet (CONTRACT §1.1). Anything else is passed over.
fn auth0_client(header: &str) -> Option<serde_json::Value> {
    if header.len() > MAX_AUTH0_CLIENT_BYTES {
        return None;
    }
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let decoded = engines.iter().find_map(|engine| engine.decode(header).ok())?;
    tokenhouse_protocol::jose::json::parse(&decoded)
        .ok()
        .filter(serde_json::Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_taken_over_only_if_it_is_plain() {
        let headers = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, value.parse().unwrap());
            headers
        };
        assert_eq!(given_id(&headers("trace-1.2:3")).as_deref(), Some("trace-1.2:3"));
        assert_eq!(given_id(&headers("a b")), None);
        assert_eq!(given_id(&headers("")), None);
    }

    #[test]
    fn the_sdk_that_calls_is_decoded() {
        let value = auth0_client("eyJuYW1lIjoiYXV0aDAtanMifQ==").unwrap();
        assert_eq!(value["name"], "auth0-js");
        assert_eq!(auth0_client("not base64!"), None);
    }
}
