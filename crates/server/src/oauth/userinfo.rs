//! `/userinfo` (OpenID Connect Core §5.3; CONTRACT §1.8): the claims of the user that a token speaks for.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use serde::Serialize;

use tokenhouse_protocol::bearer::{self, Challenge};
use tokenhouse_protocol::id::UserId;
use tokenhouse_protocol::scope::Scopes;
use tokenhouse_store::StoreError;

use crate::accounts::profile::Profile;
use crate::issuing::userinfo_token;
use crate::tenant::Tenant;
use crate::web::answer::{http_error, json, set, set_text};
use crate::web::cors;
use crate::web::door::admitted;

/// Headers of an answer that a page may read.
const EXPOSED: &str = "www-authenticate, x-request-id, retry-after";

/// The claims, `sub` first (CONTRACT §1.8).
#[derive(Serialize)]
struct UserInfo<'a> {
    sub: &'a str,
    #[serde(flatten)]
    profile: Profile<'a>,
}

/// Answers `GET` and `POST` alike (OpenID Connect Core §5.3.1).
pub async fn answer(request: Request) -> Response<Body> {
    let (parts, _body) = request.into_parts();
    let Some((tenant, _caller)) = admitted(&parts.extensions) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = match claims(&tenant, &parts.headers).await {
        Ok(response) => response,
        Err(Denied::Token(challenge)) => unauthorized(&challenge),
        Err(Denied::Unavailable(error)) => {
            let what = "userinfo cannot be read";
            if tenant.house.store.outages().is_first(what, &error) {
                tracing::error!(tenant = %tenant.id, %error, "{what}");
            }
            let text = "The service is temporarily unavailable. Try again in a moment.";
            let mut response = http_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", text);
            set(&mut response, header::RETRY_AFTER, "1");
            response
        }
    };
    set(&mut response, header::CACHE_CONTROL, "no-store");
    cors::allow_any(&mut response, EXPOSED);
    response
}

/// Answers a preflight.
pub async fn options(headers: HeaderMap) -> Response<Body> {
    cors::preflight(&headers, "GET, POST")
}

enum Denied {
    Token(Challenge),
    Unavailable(String),
}

async fn claims(tenant: &Tenant, headers: &HeaderMap) -> Result<Response<Body>, Denied> {
    let (subject, scopes) = subject(tenant, headers).await?;
    let found = tenant.house.store.user(&tenant.id, &subject).await?;
    let user = found
        .filter(|user| !user.blocked)
        .ok_or_else(|| invalid("The user is not there any more"))?;
    let info = UserInfo {
        sub: user.id.as_str(),
        profile: Profile::of(&tenant.issuer, &user, &scopes),
    };
    let mut response = json(StatusCode::OK, &info);
    set(&mut response, header::CONTENT_TYPE, "application/json; charset=utf-8");
    Ok(response)
}

/// Whom the request's token speaks for: an opaque token of ours, or a JWT that names this endpoint in its `aud`.
async fn subject(tenant: &Tenant, headers: &HeaderMap) -> Result<(UserId, Scopes), Denied> {
    let authorization = headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    let token = bearer::read(authorization).map_err(|error| match error {
        bearer::BearerError::Missing => Denied::Token(Challenge::bare("Users")),
        bearer::BearerError::Several | bearer::BearerError::Malformed | bearer::BearerError::TooLong => {
            invalid("The Authorization header holds no single bearer token")
        }
    })?;
    if let Some(opened) = userinfo_token::open(tenant, token) {
        return Ok((opened.sub, opened.scope.parse().unwrap_or_default()));
    }
    let verified = tenant
        .userinfo_guard
        .verify(token)
        .await
        .map_err(|denied| match denied {
            tokenhouse_guard::Denied::Unavailable(unavailable) => Denied::Unavailable(unavailable.cause),
            other => invalid(other.description()),
        })?;
    let subject = verified.subject().ok_or_else(|| invalid("The token names no user"))?;
    Ok((
        UserId::new(subject),
        verified.scopes().iter().map(String::as_str).collect(),
    ))
}

fn invalid(description: &str) -> Denied {
    let challenge = Challenge::bare("Users")
        .with("error", "invalid_token")
        .with("error_description", description);
    Denied::Token(challenge)
}

/// Auth0 answers the bare word (CONTRACT §1.8).
fn unauthorized(challenge: &Challenge) -> Response<Body> {
    let mut response = Response::new(Body::from("Unauthorized"));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    set_text(&mut response, header::WWW_AUTHENTICATE, challenge.as_str());
    response
}

impl From<StoreError> for Denied {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
