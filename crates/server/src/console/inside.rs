//! A request to this server itself, as its own door answers it: through the router, without a network between.

use std::net::SocketAddr;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::http::{Request as HttpRequest, header};
use serde_json::Value;
use tower::ServiceExt as _;

use super::outbound::{Answer, Content, Failure, sent_headers};
use super::visit::Visit;
use super::words;
use crate::refusal::Reason;
use crate::router::router;
use crate::snippets::Request;
use crate::web::door::Peer;

/// Most bytes of an answer: all but one are short, and the OpenAPI document has some 300 KB.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The document that this server publishes at an address below the tenant's issuer; `None` if it is no JSON.
pub(super) async fn document(visit: &Visit, request: &Request) -> Option<Value> {
    match ask(visit, request).await.ok()?.body {
        Content::Text(text) => serde_json::from_str(&text).ok(),
        Content::Empty | Content::Bytes(_) => None,
    }
}

/// Sends a request to an address below the tenant's issuer, from the administrator's own address.
pub(super) async fn ask(visit: &Visit, request: &Request) -> Result<Answer, Failure> {
    let issuer = &visit.tenant.issuer;
    let elsewhere = || Failure::Address(words::no_answer::NOT_HERE.into());
    let path = request.url().strip_prefix(issuer.as_str()).ok_or_else(elsewhere)?;
    let mut http = HttpRequest::builder()
        .method(request.method().as_str())
        .uri(format!("/{path}"))
        .header(header::HOST, issuer.authority())
        .extension(Peer(SocketAddr::new(visit.caller.address, 0)));
    for (name, value) in sent_headers(request) {
        http = http.header(name, value);
    }
    let content = request.content().unwrap_or_default();
    let http = http
        .body(Body::from(content))
        .map_err(|error| Failure::Address(error.to_string()))?;
    let began = Instant::now();
    let answered = router(&visit.app).oneshot(http).await;
    let (parts, body) = answered
        .map_err(|never| Failure::Protocol(never.to_string()))?
        .into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await;
    let body = body.map_err(|error| Failure::Protocol(error.to_string()))?;
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter();
    Ok(Answer {
        status: parts.status.as_u16(),
        reason: parts.status.canonical_reason().unwrap_or_default(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body: Content::of(body.to_vec()),
        is_cut: false,
        took: began.elapsed(),
        address: None,
        refused: parts.extensions.get::<Reason>().copied(),
    })
}
