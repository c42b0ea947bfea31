//! Every route of the authorization server on one page.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Response, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, any, get, post, put};

use crate::app::App;
use crate::console::applications::{access, credentials};
use crate::console::route::Route;
use crate::console::users::user;
use crate::console::{
    self, apis, applications, debugger, files, home, inspector, keys, kinds, logs, quickstart, reference, settings,
    sign_in, test_tab, usage, users,
};
use crate::dev::door as dev;
use crate::dev::faults::{self, Faults};
use crate::management;
use crate::metrics::Requests;
use crate::oauth::{avatar, error_page, metadata, token, userinfo};
use crate::self_service;
use crate::web::answer::{http_error, json, set};
use crate::web::body::MAX_BODY_BYTES;
use crate::web::door::{self, Frame};

/// The routes of a tenant, in the order of the lists in the contract: path and what answers there.
pub fn tenant_routes() -> [(&'static str, MethodRouter<Arc<App>>); 13] {
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
        ("/exports/{id}", get(management::exports::get)),
        (
            "/u/reset-password",
            get(self_service::get_password).post(self_service::post_password),
        ),
        ("/u/email-verification", get(self_service::get_email)),
        ("/avatars/{name}", get(avatar::get)),
        ("/docs/errors", get(error_page::get)),
        ("/docs/page.css", get(error_page::stylesheet)),
    ]
}

/// The console's pages and forms: each with what answers there, and whether only those who are signed in get an answer.
pub fn console_routes() -> Vec<Route> {
    vec![
        Route::open("/console", console::without_slash),
        Route::open("/console/static/{file}", files::get),
        Route::open("/console/sign-in", sign_in::get).opening(sign_in::post),
        Route::open("/console/link", sign_in::get_link).opening(sign_in::post_link),
        Route::action("/console/sign-out", sign_in::sign_out),
        Route::page("/console/", home::get),
        Route::page("/console/applications", applications::list),
        Route::page("/console/applications/new", applications::new).posting(applications::create),
        Route::page("/console/applications/{id}", applications::settings::show).posting(applications::settings::save),
        Route::action("/console/applications/{id}/delete", applications::settings::delete),
        Route::page("/console/applications/{id}/credentials", credentials::show).posting(credentials::act),
        Route::page("/console/applications/{id}/apis", access::show).posting(access::save),
        Route::page("/console/applications/{id}/test", access::test),
        Route::page("/console/applications/{id}/usage", applications::usage::show),
        Route::page("/console/apis", apis::list),
        Route::page("/console/apis/new", apis::new).posting(apis::create),
        Route::page("/console/apis/{id}", apis::settings::show).posting(apis::settings::save),
        Route::action("/console/apis/{id}/delete", apis::settings::delete),
        Route::page("/console/apis/{id}/permissions", apis::permissions::show).posting(apis::permissions::save),
        Route::page("/console/apis/{id}/applications", apis::applications::show).posting(apis::applications::save),
        Route::page("/console/users", users::list),
        Route::page("/console/users/new", users::new).posting(users::create),
        Route::page("/console/users/{id}", user::show),
        Route::action("/console/users/{id}/password", user::set_password),
        Route::action("/console/users/{id}/block", user::block),
        Route::action("/console/users/{id}/delete", user::delete),
        Route::page("/console/logs", logs::list),
        Route::page("/console/logs/file", logs::file::get),
        Route::open("/console/logs/live", logs::live::get),
        Route::page("/console/logs/{id}", logs::show),
        Route::page("/console/usage", usage::show),
        Route::page("/console/usage/file", usage::file::get),
        Route::page("/console/keys", keys::list),
        Route::action("/console/keys/rotate", keys::rotate),
        Route::page("/console/keys/{kid}/revoke", keys::confirm).posting(keys::revoke),
        Route::page("/console/apis/{id}/test", test_tab::get).posting(test_tab::post),
        Route::page("/console/quickstart", quickstart::get).posting(quickstart::post),
        Route::page("/console/quickstart/{kind}", kinds::get),
        Route::page("/console/debugger", debugger::get),
        Route::page("/console/debugger/token", inspector::get).posting(inspector::post),
        Route::page("/console/debugger/{flow}", debugger::get_flow).posting(debugger::post_flow),
        Route::page("/console/reference", reference::get),
        Route::page("/console/reference/endpoints", reference::endpoints),
        Route::page("/console/settings", settings::show).posting(settings::save),
        Route::page("/console/settings/administrators", settings::administrators::show)
            .posting(settings::administrators::act),
        Route::page("/console/{*path}", console::missing),
    ]
}

/// The paths of the probes, which have no tenant.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// A table in which requests are counted by route, each route being in it, and each row of the Management API.
pub fn requests() -> Arc<Requests> {
    let tenants = tenant_routes().into_iter().map(|(path, _)| path);
    let console = console_routes().into_iter().map(|route| route.path);
    let rows = management::endpoints().iter().map(|endpoint| endpoint.path);
    Arc::new(Requests::new(tenants.chain(console).chain(PROBES), rows))
}

/// The authorization server that believes no proxy.
pub fn router(app: &Arc<App>) -> Router {
    framed(&Frame {
        app: app.clone(),
        proxies: Arc::new([]),
        requests: requests(),
    })
}

/// The routes by which tests steer `tokenhouse dev`, and no other server: path and what answers there.
pub fn dev_routes() -> [(&'static str, MethodRouter<Faults>); 6] {
    [
        ("/dev/state", get(dev::state).delete(dev::reset)),
        ("/dev/faults/next_token", put(dev::next_token)),
        ("/dev/faults/{endpoint}", put(dev::fault)),
        ("/dev/rotate", post(dev::rotate)),
        ("/dev/revoke", post(dev::revoke)),
        ("/dev/clock", post(dev::clock)),
    ]
}

/// The authorization server of `tokenhouse dev`, which believes no proxy and lets tests ask for faults.
pub fn with_faults(app: &Arc<App>, faults: &Faults) -> Router {
    let mut steering = Router::new();
    for (path, answers) in dev_routes() {
        steering = steering.route(path, answers);
    }
    let steering = steering
        .layer(from_fn(dev::admit))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(faults.clone());
    let tenant = tenant().layer(from_fn_with_state(faults.clone(), faults::act));
    let frame = Frame {
        app: app.clone(),
        proxies: Arc::new([]),
        requests: requests(),
    };
    behind(&frame, tenant.merge(steering))
}

/// The authorization server behind the door frame that is given.
pub fn framed(frame: &Frame) -> Router {
    behind(frame, tenant())
}

/// What a tenant answers.
fn tenant() -> Router<Arc<App>> {
    let mut tenant = Router::new();
    for (path, answers) in tenant_routes() {
        tenant = tenant.route(path, answers);
    }
    for route in console_routes() {
        tenant = tenant.route(route.path, route.answers);
    }
    tenant
}

/// The frame, the probes, and behind it what a tenant answers.
fn behind(frame: &Frame, tenant: Router<Arc<App>>) -> Router {
    let app = &frame.app;
    let [live, readiness] = PROBES;
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

/// The process can issue tokens: its database answers, and took what was last to be written.
async fn ready(State(app): State<Arc<App>>) -> Response<Body> {
    let (status, word) = match app.house.store.ready().await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(error) => {
            if app.house.store.outages().is_first("not ready", &error.to_string()) {
                tracing::error!(%error, "not ready");
            }
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer, or cannot be written",
            )
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
