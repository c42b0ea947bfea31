//! The faults that a test asks of `tokenhouse dev`, and the layer that acts them out at the door: behind it everything
//! goes on as ever. Only `router::with_faults` mounts it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware::Next;
use http_body_util::{BodyExt as _, Limited};
use serde::{Deserialize, Serialize};

use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::token::TokenResponse;
use tokenhouse_store::Key;

use super::forge::{self, Flaw};
use crate::tenant::Tenant;
use crate::web::answer::{http_error, json, set};

/// Longest answer of the token endpoint that is looked into, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// What is no JSON and no key set.
const GARBAGE: &str = "<!doctype html><title>Bad gateway</title>\u{0}{\"keys\":[{\"kty\":";

/// The faults in force. Cloning shares them.
#[derive(Clone, Default)]
pub struct Faults {
    asked: Arc<Mutex<Asked>>,
    keys: Arc<Mutex<HashMap<TenantId, Vec<Key>>>>,
}

/// What was asked for, and what was seen since the last reset.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Asked {
    /// Where requests go wrong.
    #[serde(flatten)]
    pub endpoints: BTreeMap<Endpoint, Fault>,
    /// What is wrong with the next access tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<NextToken>,
    /// Requests that came in, those that went wrong among them.
    #[serde(skip)]
    pub requests: BTreeMap<Endpoint, u64>,
    /// Milliseconds that the clock was moved by.
    #[serde(skip)]
    pub forward_ms: i64,
}

/// An endpoint that can go wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `/.well-known/jwks.json`
    Jwks,
    /// `/.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`
    Metadata,
    /// `/oauth/token`
    Token,
}

/// How an endpoint goes wrong. Several at once are one after the other: first slow, then the status or the garbage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Answers with this status in place of doing anything: 429 or 500 to 599.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Seconds in the `Retry-After` of such an answer; none unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// Answers 200 with something that is neither JSON nor keys.
    pub garbage: bool,
    /// Waits so long first, 60 000 at most.
    pub delay_ms: u32,
    /// For so many requests; until the reset unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// What is wrong with the next access tokens that are JWTs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextToken {
    /// What is wrong.
    pub is: Flaw,
    /// Of how many of them; one unless given.
    #[serde(default = "once")]
    pub times: u32,
}

impl Faults {
    /// What is asked for now.
    pub fn asked(&self) -> Asked {
        self.lock().clone()
    }

    /// Lets an endpoint go wrong from now on.
    pub fn set(&self, endpoint: Endpoint, fault: Fault) {
        self.lock().endpoints.insert(endpoint, fault);
    }

    /// Lets the next tokens be wrong.
    pub fn set_next_token(&self, next: NextToken) {
        self.lock().next_token = Some(next).filter(|next| next.times > 0);
    }

    /// Notes that the clock was moved.
    pub fn note_forward(&self, ms: i64) {
        self.lock().forward_ms += ms;
    }

    /// Forgets everything that was asked and seen; answers by how much the clock has to go back, in milliseconds.
    pub fn reset(&self) -> i64 {
        std::mem::take(&mut *self.lock()).forward_ms
    }

    /// Keeps a tenant's keys as they are, to be put back. Of an algorithm those stay that were kept first.
    pub fn keep_keys(&self, tenant: &TenantId, mut keys: Vec<Key>) {
        let mut kept = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.entry(tenant.clone()).or_default();
        keys.retain(|key| kept.iter().all(|kept| kept.algorithm != key.algorithm));
        kept.append(&mut keys);
    }

    /// The keys of a tenant as they were kept, if they were.
    pub fn kept_keys(&self, tenant: &TenantId) -> Option<Vec<Key>> {
        let kept = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(tenant).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request; answers how it goes wrong, if it does.
    fn take(&self, endpoint: Endpoint) -> Option<Fault> {
        let mut asked = self.lock();
        *asked.requests.entry(endpoint).or_default() += 1;
        let fault = asked.endpoints.get_mut(&endpoint)?;
        let taken = fault.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                asked.endpoints.remove(&endpoint);
            }
        }
        Some(taken)
    }

    fn take_next_token(&self) -> Option<Flaw> {
        let mut asked = self.lock();
        let next = asked.next_token.as_mut()?;
        let flaw = next.is;
        next.times = next.times.saturating_sub(1);
        if next.times == 0 {
            asked.next_token = None;
        }
        Some(flaw)
    }
}

impl Endpoint {
    fn of(path: &str) -> Option<Self> {
        match path {
            "/.well-known/jwks.json" => Some(Self::Jwks),
            "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server" => Some(Self::Metadata),
            "/oauth/token" => Some(Self::Token),
            _ => None,
        }
    }
}

/// The layer: slow, wrong or untouched, as was asked for.
pub async fn act(
    State(faults): State<Faults>,
    Extension(tenant): Extension<Arc<Tenant>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let Some(endpoint) = Endpoint::of(request.uri().path()) else {
        return next.run(request).await;
    };
    if let Some(fault) = faults.take(endpoint) {
        wait(fault.delay_ms).await;
        if let Some(answer) = fault.answer() {
            return answer;
        }
    }
    let response = next.run(request).await;
    match endpoint {
        Endpoint::Token if response.status() == StatusCode::OK => spoil(&faults, &tenant, response).await,
        Endpoint::Token | Endpoint::Jwks | Endpoint::Metadata => response,
    }
}

impl Fault {
    fn answer(&self) -> Option<Response<Body>> {
        if let Some(status) = self.status.and_then(|status| StatusCode::from_u16(status).ok()) {
            let (error, text) = match status {
                StatusCode::TOO_MANY_REQUESTS => ("too_many_requests", "A test asked for this: too many requests."),
                _ => ("temporarily_unavailable", "A test asked for this: the server fails."),
            };
            let mut response = http_error(status, error, text);
            if let Some(seconds) = self.retry_after_s {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            return Some(response);
        }
        self.garbage.then(|| {
            let mut response = Response::new(Body::from(GARBAGE));
            set(&mut response, header::CONTENT_TYPE, "application/json");
            set(&mut response, header::CACHE_CONTROL, "no-store");
            response
        })
    }
}

/// Exchanges the access token of an answer for a wrong one, if one was asked for. An opaque token stays.
async fn spoil(faults: &Faults, tenant: &Tenant, response: Response<Body>) -> Response<Body> {
    if faults.asked().next_token.is_none() {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = Limited::new(body, MAX_ANSWER_BYTES).collect().await else {
        let text = "The token endpoint's answer is too long to be spoilt.";
        return http_error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", text);
    };
    let body = body.to_bytes();
    let untouched = |parts, body| Response::from_parts(parts, Body::from(body));
    let Ok(mut answer) = serde_json::from_slice::<TokenResponse>(&body) else {
        return untouched(parts, body);
    };
    if !forge::can_be_spoilt(&answer.access_token) {
        return untouched(parts, body);
    }
    let Some(flaw) = faults.take_next_token() else {
        return untouched(parts, body);
    };
    match forge::spoilt(tenant, &answer.access_token, flaw).await {
        Ok(token) => answer.access_token = token,
        Err(error) => {
            tracing::error!(%error, "a wrong token cannot be made");
            let text = "The wrong token that a test asked for cannot be made; the log says why.";
            return http_error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", text);
        }
    }
    let (_, body) = json(StatusCode::OK, &answer).into_parts();
    Response::from_parts(parts, body)
}

#[expect(clippy::disallowed_methods, reason = "being slow is what was asked for")]
async fn wait(ms: u32) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms.into())).await;
    }
}

fn once() -> u32 {
    1
}
