//! `tokenhouse gate`: forward authentication for a proxy, in front of an API of any language.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::sync::watch;

use super::output::greet;
use super::stop::Stop;
use super::{Failure, logging};
use crate::config::Config;
use crate::gate::{self, config::GateConfig};
use crate::serve;

#[derive(Args, Debug)]
#[command(after_help = "\
The file names the issuer, the audience, the proxy (nginx, caddy, traefik, envoy) and a table of paths, methods and \
scopes; what the table does not name is denied. docs/gate.md shows it, with the proxy's own configuration, which must \
clear the X-Auth-… headers that callers make up.

Example:
  tokenhouse gate --config gate.toml")]
pub(super) struct Arguments {
    /// The gate's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where it listens, over what the file says; 127.0.0.1 stands for [::1] as well
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    logging::start(&Config::load(None)?.log);
    let config = GateConfig::load(&arguments.config)?;
    let listen = arguments.listen.unwrap_or(config.listen);
    let listeners = serve::bind(listen)?;
    let address = listeners
        .first()
        .and_then(|listener| listener.local_addr().ok())
        .unwrap_or(listen);
    let router = gate::router(config)?;
    greet(&format!("The gate answers on http://{address}/\n\nCtrl-C ends it."))?;
    let (stopping, stopped) = watch::channel(false);
    let mut stop = Stop::listen();
    tokio::spawn(async move {
        stop.asked().await;
        // The receiver is gone if the server ended by itself.
        let _ = stopping.send(true);
    });
    serve::serve(listeners, router, None, stopped).await;
    Ok(())
}
