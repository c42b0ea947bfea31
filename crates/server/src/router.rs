//! Every route of the authorization server on one page.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get, post};

use crate::app::App;
use crate::management;
use crate::metrics::Requests;
use crate::oauth::{error_page, metadata, token, userinfo};
use crate::web::answer::{http_error, json, set};
use crate::web::door::{self, Frame};

/// The routes of a tenant, in the order of the lists in the contract: path and what answers there.
pub fn tenant_routes() -> [(&'static str, MethodRouter<Arc<App>>); 9] {
    [
        ("/oauth/token", post(token::post).options(token::options)),
        (
            "/userinfo",
            get(userinfo::answer).post(userinfo::answer).options(userinfo::options),
        ),
        ("/.well-known/jwks.json", get(metadata::jwks)),
        ("/.well-known/openid-configuration", get(metadata::get)),
        ("/.well-known/oauth-authorization-server", get(metadata::get)),
        ("/api/v2/openapi.json", get(management::openapi::get)),
        ("/api/v2/{*path}", any(management::answer)),
        ("/docs/errors", get(error_page::get)),
        ("/docs/page.css", get(error_page::stylesheet)),
    ]
}

/// The paths of the probes, which have no tenant.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// A table in which requests are counted by route, each route being in it.
pub fn requests() -> Arc<Requests> {
    let tenants = tenant_routes().into_iter().map(|(path, _)| path);
    Arc::new(Requests::new(tenants.chain(PROBES)))
}

/// The authorization server that believes no proxy.
pub fn router(app: &Arc<App>) -> Router {
    framed(&Frame {
        app: app.clone(),
        proxies: Arc::new([]),
        requests: requests(),
    })
}

/// The authorization server behind the door frame that is given.
pub fn framed(frame: &Frame) -> Router {
    let app = &frame.app;
    let [live, readiness] = PROBES;
    let mut tenant = Router::new();
    for (path, answers) in tenant_routes() {
        tenant = tenant.route(path, answers);
    }
    let tenant = tenant
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(frame.clone(), door::admit));
    // Probes ask by whatever address they know: these two have no tenant.
    Router::new()
        .route(live, get(alive))
        .route(readiness, get(ready))
        .method_not_allowed_fallback(wrong_method)
        .merge(tenant)
        .layer(from_fn_with_state(frame.clone(), door::name))
        .with_state(app.clone())
}

/// The process runs.
async fn alive() -> Response<Body> {
    let mut response = json(StatusCode::OK, &serde_json::json!({ "status": "ok" }));
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

/// The process can issue tokens: its database answers.
async fn ready(State(app): State<Arc<App>>) -> Response<Body> {
    let (status, word) = match app.house.store.ping().await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
        }
    };
    let mut response = json(status, &serde_json::json!({ "status": word }));
    set(&mut response, header::CACHE_CONTROL, "no-store");
    response
}

async fn unknown_path() -> Response<Body> {
    let text = "There is nothing at this path. The metadata at /.well-known/openid-configuration lists what there is.";
    http_error(StatusCode::NOT_FOUND, "not_found", text)
}

async fn wrong_method() -> Response<Body> {
    let text = "This path has other methods; the Allow header lists them.";
    http_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", text)
}
