//! The sample API on port 3010: what a newcomer calls, and how little it takes to protect one.

use axum::http::{HeaderName, StatusCode, header};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_http::cors::{Any, CorsLayer};

use tokenhouse_guard::{AccessToken, Guard};

/// The API: one route for everybody, one for any valid token, one for tokens with a scope.
pub fn router(guard: &Guard) -> Router {
    Router::new()
        .route("/api/public", get(public))
        .route("/api/private", get(private).layer(guard.layer()))
        .route(
            "/api/private-scoped",
            get(private_scoped).layer(guard.layer().scope("read:messages")),
        )
        .fallback(nothing_here)
        // Pages may call it, and read why they were refused.
        .layer(
            CorsLayer::new()
                .allow_origin(Any)
                .allow_methods(Any)
                .allow_headers([
                    header::AUTHORIZATION,
                    header::CONTENT_TYPE,
                    HeaderName::from_static("dpop"),
                ])
                .expose_headers([header::WWW_AUTHENTICATE]),
        )
}

async fn public() -> Json<Value> {
    Json(json!({ "message": "Everybody may read this: no access token was asked for." }))
}

async fn private(token: AccessToken) -> Json<Value> {
    let caller = token.subject().unwrap_or("somebody");
    Json(json!({ "message": format!("Hello, {caller}: your access token is valid.") }))
}

async fn private_scoped(token: AccessToken) -> Json<Value> {
    let caller = token.subject().unwrap_or("somebody");
    Json(json!({ "message": format!("Hello, {caller}: your access token has the scope read:messages.") }))
}

async fn nothing_here() -> (StatusCode, Json<Value>) {
    let message = "There is nothing here. Try /api/public, /api/private or /api/private-scoped.";
    (StatusCode::NOT_FOUND, Json(json!({ "message": message })))
}
