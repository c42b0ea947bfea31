//! `guards`: the handler of `bench/src/bin/api.rs` behind one of the guard's peers, so that the difference between two
//! runs is the guard and nothing else. Each is set up as its own documentation says and demands the same of a token:
//! RS256, a key of the issuer's, `iss`, `aud`, `exp`, `nbf`.

use std::error::Error;
use std::net::SocketAddr;

use clap::{Parser, ValueEnum};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

mod axum_jwt_auth;
mod huskarl;
mod jsonwebtoken;
mod jwt_authorizer;
mod tower_oauth2;

/// What any of this may fail with: a person reads it.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// Serves GET /api/private.
#[derive(Parser)]
struct Arguments {
    /// Who guards it
    #[arg(long)]
    guard: Peer,
    /// Where it listens
    #[arg(long)]
    listen: SocketAddr,
    /// Whose tokens it takes
    #[arg(long)]
    issuer: String,
    /// The audience that they must have
    #[arg(long)]
    audience: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Peer {
    Jsonwebtoken,
    JwtAuthorizer,
    AxumJwtAuth,
    #[value(name = "tower-oauth2-resource-server")]
    TowerOauth2ResourceServer,
    HuskarlResourceServer,
}

/// The claims that the handler reads.
#[derive(Clone, Deserialize)]
struct Claims {
    sub: String,
}

impl Arguments {
    /// Where the issuer's keys are.
    fn jwks_url(&self) -> String {
        format!("{}.well-known/jwks.json", self.issuer)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind(arguments.listen).await?;
    let router = match arguments.guard {
        Peer::Jsonwebtoken => jsonwebtoken::api(&arguments).await?,
        Peer::AxumJwtAuth => axum_jwt_auth::api(&arguments).await?,
        Peer::TowerOauth2ResourceServer => tower_oauth2::api(&arguments).await?,
        Peer::HuskarlResourceServer => huskarl::api(&arguments).await?,
        Peer::JwtAuthorizer => return jwt_authorizer::serve(&arguments, listener).await,
    };
    axum::serve(listener, router).await?;
    Ok(())
}

/// What the handler answers.
fn message(subject: &str) -> Value {
    json!({ "message": format!("Hello, {subject}: your access token is valid.") })
}
