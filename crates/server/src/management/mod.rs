//! The Management API, `/api/v2/` (CONTRACT §4): everything that can be configured, wire-compatible with Auth0.
//!
//! There is one table, [`endpoints`]. From it come the routing, the check of scopes, the check of bodies and queries,
//! the log's rows, the OpenAPI document and the generated tests: a handler cannot be reached but by its row, which says
//! who may.
//!
//! # How to add a resource
//!
//! 1. `registry/<things>.rs` changes it: `create_of` and `update` take properties as they are on the wire (a
//!    `Map<String, Value>`), put those that are looked up into columns, carry the rest, and use `patch::apply` for the
//!    shallow PATCH. Errors are `RegistryError`s; a sentence for what is not there gets its `errorCode` in `error.rs`.
//! 2. `store/<things>.rs` reads it: a page by [`tokenhouse_store::Page`], and how many there are without counting a
//!    million rows (`totals`).
//! 3. `management/<things>.rs` is the door: first `ENDPOINTS`, the rows; then its properties as data (`schema`); then a
//!    handler a row, `async fn list(call: Call) -> Result<Reply, Failure>`; then `shown`, the thing as it is answered.
//!    A handler gets a body, a query and a path that were checked, and a caller who has one of the row's scopes; what
//!    depends on more (a secret, a single property) asks `call.administrator`. Lists go through [`page`].
//! 4. Name its `ENDPOINTS` in [`endpoints`] below, and any scope that is new in `registry/apis.rs`. The row of the log,
//!    the document and the generated tests are there then; its own tests go to `tests/it/management/<things>.rs`.

use std::sync::{Arc, LazyLock};

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use serde_json::{Map, Value};

use crate::app::App;
use crate::caller::Caller;
use crate::metrics::Row;
use crate::rate::Standing;
use crate::tenant::Tenant;
use crate::web::answer::{X_RATE_LIMIT_LIMIT, X_RATE_LIMIT_REMAINING, X_RATE_LIMIT_RESET, json, set, set_text};
use crate::web::body::{self, BodyError};
use crate::web::cors;
use crate::web::door::admitted;
use crate::web::multipart;

mod absent;
pub mod access;
mod anomaly;
mod answers;
mod attack_protection;
mod client_grants;
mod clients;
pub mod command;
mod connections;
pub mod endpoint;
pub mod error;
pub mod exports;
mod jobs;
pub mod logs;
pub mod openapi;
pub mod page;
mod permissions;
pub mod query;
mod record;
pub mod request;
mod resource_servers;
mod roles;
pub mod schema;
mod signing_keys;
mod snippets;
mod stats;
mod tenant_settings;
mod term;
mod tickets;
mod user_blocks;
mod users;

use access::Administrator;
use endpoint::{Endpoint, Found, Reply};
use error::Failure;
use request::Admitted;

/// Where it is.
const ROOT: &str = "/api/v2/";
/// What is said of every answer: it may hold a secret (CONTRACT §4.1).
const CACHE_CONTROL: &str = "no-cache, no-store";

/// Every endpoint.
pub fn endpoints() -> &'static [&'static Endpoint] {
    static ENDPOINTS: LazyLock<Vec<&'static Endpoint>> = LazyLock::new(|| {
        let tables = [
            clients::ENDPOINTS,
            clients::credentials::ENDPOINTS,
            resource_servers::ENDPOINTS,
            client_grants::ENDPOINTS,
            signing_keys::ENDPOINTS,
            tenant_settings::ENDPOINTS,
            connections::ENDPOINTS,
            attack_protection::ENDPOINTS,
            stats::ENDPOINTS,
            logs::ENDPOINTS,
            users::ENDPOINTS,
            users::export::ENDPOINTS,
            roles::ENDPOINTS,
            permissions::ENDPOINTS,
            user_blocks::ENDPOINTS,
            anomaly::ENDPOINTS,
            jobs::ENDPOINTS,
            exports::ENDPOINTS,
            tickets::ENDPOINTS,
            snippets::ENDPOINTS,
            absent::ENDPOINTS,
        ];
        tables.into_iter().flatten().collect()
    });
    &ENDPOINTS
}

/// Answers every request below `/api/v2/`.
pub async fn answer(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Some((tenant, caller)) = admitted(&parts.extensions) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if parts.method == Method::OPTIONS {
        return cors::preflight(&parts.headers, "GET, POST, PATCH, PUT, DELETE");
    }
    let raw = parts.uri.path().strip_prefix(ROOT).unwrap_or_default();
    let mut administrator = None;
    let mut standing = None;
    let mut row = None;
    // What a HEAD is answered is that of a GET, without its body (RFC 9110 §9.3.2).
    let is_head = parts.method == Method::HEAD;
    let method = if is_head { &Method::GET } else { &parts.method };
    let answered = match endpoint::find(endpoints(), method, raw) {
        Found::Row(endpoint, path) => {
            row = Some(Row(endpoint.path));
            let door = Door {
                app: &app,
                tenant: &tenant,
                caller: &caller,
                parts: &parts,
                endpoint,
                administrator: &mut administrator,
                standing: &mut standing,
            };
            let answered = Box::pin(door.through(path, body)).await;
            answered.map(|reply| success(reply.status.unwrap_or(endpoint.status), &reply))
        }
        Found::OtherMethods(methods) => {
            let text = "This path has other methods; the Allow header lists them.";
            let mut response =
                Failure::new(StatusCode::METHOD_NOT_ALLOWED, text, None).response(&tenant, &caller.request_id);
            set_text(&mut response, header::ALLOW, &methods);
            Ok(response)
        }
        Found::Nothing => Err(Failure::new(StatusCode::NOT_FOUND, "Not Found", None)),
        Found::Unreadable(violation) => Err(Failure::path(&violation)),
    };
    let mut response = answered.unwrap_or_else(|failure| failure.response(&tenant, &caller.request_id));
    frame(&mut response, &parts, administrator.as_ref(), standing);
    if let Some(row) = row {
        // For the door frame, which counts requests.
        response.extensions_mut().insert(row);
    }
    if is_head {
        let bytes = response.body().size_hint().exact().unwrap_or(0);
        set_text(&mut response, header::CONTENT_LENGTH, &bytes.to_string());
        *response.body_mut() = Body::empty();
    }
    response
}

/// What a request goes through, in this order.
struct Door<'a> {
    app: &'a App,
    tenant: &'a Arc<Tenant>,
    caller: &'a Arc<Caller>,
    parts: &'a Parts,
    endpoint: &'static Endpoint,
    administrator: &'a mut Option<Administrator>,
    standing: &'a mut Option<Standing>,
}

impl Door<'_> {
    async fn through(self, parameters: Vec<(&'static str, String)>, body: Body) -> Result<Reply, Failure> {
        let Self {
            tenant,
            caller,
            parts,
            endpoint,
            ..
        } = self;
        // 1. Who asks?
        let administrator = access::admit(tenant, parts).await?;
        *self.administrator = Some(administrator.clone());
        // 2. Not too often?
        let application = administrator.application.as_ref();
        let standing = application.and_then(|application| self.app.management_rate.take(&tenant.id, &application.id));
        *self.standing = standing;
        if let Some(wait_s) = standing.and_then(|standing| standing.retry_after_s) {
            return Err(Failure::too_many(wait_s));
        }
        // 3. The rest is the same whichever way a request came.
        let admitted = Admitted {
            tenant,
            caller,
            administrator: &administrator,
            endpoint,
            raw_path: parts.uri.path(),
            parameters,
            raw_query: parts.uri.query().unwrap_or_default(),
        };
        admitted.answer(document(parts, endpoint, body)).await
    }
}

/// The body as JSON, `null` if there is none; for endpoints that take none it is not looked at.
async fn document(parts: &Parts, endpoint: &Endpoint, body: Body) -> Result<Value, Failure> {
    if let schema::Body::None = endpoint.body {
        body::ignored(body).await?;
        return Ok(Value::Null);
    }
    if let schema::Body::Upload(shape) = &endpoint.body
        && let Some(boundary) = multipart::boundary(&parts.headers)
    {
        return form(shape, &boundary, &body::whole(body).await?);
    }
    match body::document(&parts.headers, body).await {
        Ok(document) => Ok(document.unwrap_or(Value::Null)),
        Err(BodyError::Parameters(_)) => {
            let text = "Invalid request payload JSON format";
            Err(Failure::new(StatusCode::BAD_REQUEST, text, Some("invalid_body")))
        }
        Err(error) => Err(error.into()),
    }
}

/// A form as JSON: texts, but for what is true or false.
fn form(shape: &schema::Shape, boundary: &str, body: &[u8]) -> Result<Value, Failure> {
    let bad = |text: &str| Failure::new(StatusCode::BAD_REQUEST, text, Some("invalid_body"));
    let mut members = Map::new();
    for (name, value) in multipart::fields(boundary, body).map_err(bad)? {
        let text = String::from_utf8(value).map_err(|_| bad("A field of the form is not UTF-8."))?;
        let known = shape.properties.iter().find(|property| property.name == name);
        let value = match (known.map(|property| property.kind), text.as_str()) {
            (Some(schema::Kind::Flag), "true") => Value::Bool(true),
            (Some(schema::Kind::Flag), "false") => Value::Bool(false),
            _ => Value::String(text),
        };
        members.insert(name, value);
    }
    Ok(members.into())
}

fn success(status: u16, reply: &Reply) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = match &reply.body {
        Some(body) => json(status, body),
        None => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            response
        }
    };
    if let Some(link) = &reply.link {
        set_text(&mut response, header::LINK, link);
    }
    response
}

/// The headers that every answer has, and those for pages of origins that the caller's application lists.
fn frame(
    response: &mut Response<Body>,
    parts: &Parts,
    administrator: Option<&Administrator>,
    standing: Option<Standing>,
) {
    // Also where there is no body: tools look at it (CONTRACT §4.1).
    set(response, header::CONTENT_TYPE, "application/json; charset=utf-8");
    set(response, header::CACHE_CONTROL, CACHE_CONTROL);
    set(response, header::VARY, "Accept-Encoding, Origin");
    if let Some(standing) = standing {
        set_text(response, X_RATE_LIMIT_LIMIT, &standing.limit.to_string());
        set_text(response, X_RATE_LIMIT_REMAINING, &standing.remaining.to_string());
        set_text(response, X_RATE_LIMIT_RESET, &standing.reset_s.to_string());
    }
    if let Some(origin) = cors::origin(&parts.headers).and_then(|origin| origin.to_str().ok())
        && let Some(application) = administrator.and_then(|administrator| administrator.application.as_ref())
        && application.origins.iter().any(|allowed| allowed == origin)
    {
        cors::allow(response, origin);
    }
}
