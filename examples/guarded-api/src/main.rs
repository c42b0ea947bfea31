//! An API of three routes: open, for any valid token, and for tokens that allow `read:messages`.
//!
//! `cargo run -p guarded-api -- http://localhost:4000/ https://api.example.com 127.0.0.1:3020`, then
//! `curl -i http://127.0.0.1:3020/api/private -H "Authorization: Bearer $TOKEN"`; works with any OpenID issuer.

use std::error::Error;

use axum::Router;
use axum::routing::get;
use tokenhouse_guard::{AccessToken, Guard};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [issuer, audience, listen] = arguments.as_slice() else {
        return Err(
            "arguments: ISSUER AUDIENCE LISTEN, as http://localhost:4000/ https://api.example.com 127.0.0.1:3020"
                .into(),
        );
    };
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app(&Guard::new(issuer, audience)?)).await?;
    Ok(())
}

fn app(guard: &Guard) -> Router {
    Router::new()
        .route("/api/public", get(|| async { "Anyone may read this.\n" }))
        .route("/api/private", get(private).layer(guard.layer()))
        .route(
            "/api/private-scoped",
            get(scoped).layer(guard.layer().scope("read:messages")),
        )
}

async fn private(token: AccessToken) -> String {
    format!(
        "Your token is valid, {}.\n",
        token.subject().unwrap_or("whoever you are")
    )
}

async fn scoped(token: AccessToken) -> String {
    format!("Your token allows: {}.\n", token.scopes().join(" "))
}
