//! `api`: one handler, behind the guard or not, so that the difference between the two is the guard and nothing else.

use std::net::SocketAddr;
use std::process::ExitCode;

use axum::routing::get;
use axum::{Json, Router};
use clap::Parser;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use tokenhouse_bench::{Outcome, exit};
use tokenhouse_guard::{AccessToken, Guard};

/// Serves GET /api/private.
#[derive(Parser)]
struct Arguments {
    /// Where it listens
    #[arg(long)]
    listen: SocketAddr,
    /// Whose tokens it takes
    #[arg(long)]
    issuer: String,
    /// The audience that they must have
    #[arg(long)]
    audience: String,
    /// Take every request, without looking at its token
    #[arg(long)]
    unguarded: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Outcome<()> {
    let handler = get(private);
    let guard = Guard::new(arguments.issuer, arguments.audience)?;
    // Asks for the keys, so that the first request finds them there. Without a guard before the handler too: a name is
    // looked up by another thread, and of a process with two threads every allocation and call of the system costs more,
    // as in every program that asks anybody for anything.
    guard.inspect("").await;
    let handler = if arguments.unguarded {
        handler
    } else {
        handler.layer(guard.layer())
    };
    let listener = TcpListener::bind(arguments.listen).await?;
    axum::serve(listener, Router::new().route("/api/private", handler)).await?;
    Ok(())
}

/// Who is greeted where nobody looked at the token: as long as an application's subject, so that the answers are as long.
const SOMEBODY: &str = "one-application-of-32-characters@clients";

/// What the sample API answers.
async fn private(token: Option<AccessToken>) -> Json<Value> {
    let caller = token.as_ref().and_then(AccessToken::subject).unwrap_or(SOMEBODY);
    Json(json!({ "message": format!("Hello, {caller}: your access token is valid.") }))
}
