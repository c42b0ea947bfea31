//! A server whose database is not there yet, as after a power cut, when both begin: it waits, and says so to whoever asks.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use tokenhouse_store::OpenError;

use super::Failure;
use super::stop::Stop;
use crate::app::{App, AppOptions, StartError};
use crate::serve;
use crate::tls::Tls;
use crate::web::answer::{http_error, set};

/// How often the database is tried.
const PAUSE: Duration = Duration::from_secs(1);

/// Opens the application, however long its database takes; `None` if somebody wanted the server to end meanwhile. The
/// listeners come back.
pub(super) async fn open(
    options: impl Fn() -> Result<AppOptions, Failure>,
    listeners: Vec<TcpListener>,
    tls: Option<&Tls>,
    stop: &mut Stop,
) -> Result<(Option<Arc<App>>, Vec<TcpListener>), Failure> {
    let mut why = match App::open(options()?).await {
        Err(StartError::Open(OpenError::Unreachable(why))) => why,
        opened => return Ok((Some(opened?), listeners)),
    };
    tracing::warn!(%why, "the server waits for its database, and answers 503 until it is there");
    let twins = serve::twins(listeners);
    let (listeners, twins) =
        twins.map_err(|error| Failure::because("the address cannot be listened on twice", error))?;
    let (ended, ending) = watch::channel(false);
    let waiting = serve::spawn(twins, router(), tls.cloned(), ending);
    let opened = loop {
        tokio::select! {
            () = stop.asked() => break None,
            () = pause() => {}
        }
        match App::open(options()?).await {
            Err(StartError::Open(OpenError::Unreachable(still))) if still == why => {}
            Err(StartError::Open(OpenError::Unreachable(other))) => {
                tracing::warn!(why = other, "the server still waits for its database");
                why = other;
            }
            opened => break Some(opened),
        }
    };
    ended.send_replace(true);
    // A task that panicked has already said so.
    let _ = waiting.await;
    Ok((opened.transpose()?, listeners))
}

#[expect(clippy::disallowed_methods, reason = "what is waited for is on another machine")]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

/// As it is while a database is away from a server that runs: alive, and not ready.
fn router() -> Router {
    Router::new()
        .route("/healthz", get(|| async { Response::new(Body::empty()) }))
        .fallback(async || {
            let text = "The service is temporarily unavailable. Try again in a moment.";
            let mut response = http_error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", text);
            set(&mut response, header::RETRY_AFTER, "1");
            response
        })
}
