//! `POST /oauth/token` (RFC 6749 §3.2; CONTRACT §1): parse, call, answer.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;

use tokenhouse_protocol::credentials::{self, ClientCredentials};
use tokenhouse_protocol::id::ClientId;
use tokenhouse_protocol::parameters::Parameters;
use tokenhouse_protocol::token::{TokenRequest, TokenResponse};

use super::{error, quota};
use crate::caller::Caller;
use crate::issuing::{self, Issued};
use crate::refusal::{Reason, Refusal};
use crate::tenant::Tenant;
use crate::web::answer::{http_error, json, set};
use crate::web::body::{self, BodyError};
use crate::web::cors;
use crate::web::door::admitted;

/// Issues a token.
pub async fn post(request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some((tenant, caller)) = admitted(&parts.extensions) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let (mut response, client) = exchange(&tenant, &caller, &parts.headers, body).await;
    set(&mut response, header::VARY, "Accept-Encoding, Origin");
    if let Some(origin) = cors::origin(&parts.headers).and_then(|origin| origin.to_str().ok())
        && let Some(client) = client
        && let Ok(Some(application)) = tenant.directory.client(&client).await
        && application.origins.iter().any(|allowed| allowed == origin)
    {
        cors::allow(&mut response, origin);
    }
    response
}

/// Answers a preflight for any origin (CONTRACT Decision 16).
pub async fn options(headers: HeaderMap) -> Response<Body> {
    cors::preflight(&headers, "POST")
}

/// The answer, and the client that the request named.
async fn exchange(
    tenant: &Tenant,
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
) -> (Response<Body>, Option<ClientId>) {
    let parameters = match body::parameters(headers, body).await {
        Ok(parameters) => parameters,
        Err(BodyError::Http(status, text)) => {
            issuing::refuse(tenant, caller, None, None, &Refusal::new(Reason::InvalidRequest, text));
            return (http_error(status, "invalid_request", text), None);
        }
        Err(BodyError::Parameters(error)) => {
            let refusal = error.into();
            issuing::refuse(tenant, caller, None, None, &refusal);
            return (error::answer(tenant, &caller.request_id, &refusal), None);
        }
    };
    let (credentials, request) = match read(headers, &parameters) {
        Ok(read) => read,
        Err(unread) => {
            let Unread {
                client,
                request,
                refusal,
            } = *unread;
            issuing::refuse(tenant, caller, client.as_ref(), request.as_ref(), &refusal);
            return (error::answer(tenant, &caller.request_id, &refusal), client);
        }
    };
    let answer = match issuing::issue(tenant, caller, &credentials, &request).await {
        Ok(Issued { response, quota }) => {
            let mut answer = granted(&response);
            if let Some(standing) = &quota {
                quota::say(&mut answer, standing);
            }
            answer
        }
        Err(refusal) => error::answer(tenant, &caller.request_id, &refusal),
    };
    (answer, Some(credentials.client_id))
}

/// A request that could not be read, and as much of it as could.
struct Unread {
    client: Option<ClientId>,
    request: Option<TokenRequest>,
    refusal: Refusal,
}

/// Reads what is asked and who asks. What is wrong with the request comes first: it is the caller's to mend.
fn read(headers: &HeaderMap, parameters: &Parameters) -> Result<(ClientCredentials, TokenRequest), Box<Unread>> {
    let authorization = headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    match (
        credentials::read(authorization, parameters),
        TokenRequest::read(parameters),
    ) {
        (Ok(credentials), Ok(request)) => Ok((credentials, request)),
        (credentials, Err(error)) => {
            let client = credentials.ok().map(|credentials| credentials.client_id);
            Err(Box::new(Unread {
                client,
                request: None,
                refusal: error.into(),
            }))
        }
        (Err(error), Ok(request)) => Err(Box::new(Unread {
            client: None,
            request: Some(request),
            refusal: error.into(),
        })),
    }
}

fn granted(issued: &TokenResponse) -> Response<Body> {
    let mut response = json(StatusCode::OK, issued);
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::PRAGMA, "no-cache");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is a piece of memory for each request under way, and copied when it begins: it must hold no room for reading the
    /// database, which few do.
    #[test]
    fn a_request_under_way_takes_little_memory() {
        let future = post(Request::default());
        assert!(size_of_val(&future) <= 4096, "{} bytes", size_of_val(&future));
    }
}
