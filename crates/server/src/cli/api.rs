//! `tokenhouse api`: the sample API alone, protected by any OpenID issuer.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::sync::watch;

use tokenhouse_guard::Guard;

use super::output::greet;
use super::stop::Stop;
use super::verify::authority;
use super::{Failure, logging};
use crate::config::Config;
use crate::{sample_api, serve};

#[derive(Args, Debug)]
#[command(after_help = "\
The issuer must be written exactly as in its tokens; Auth0's and Tokenhouse's end in a slash.

Example:
  tokenhouse api --issuer https://example.eu.auth0.com/ \\
    --audience https://api.example.com")]
pub(super) struct Arguments {
    /// Whose tokens it takes
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The audience that its tokens must have
    #[arg(long, value_name = "AUDIENCE")]
    audience: String,
    /// Trust this certificate authority beside the machine's own, PEM, as `ca.pem` in the folder of `tokenhouse dev --https`
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Where it listens; 127.0.0.1 stands for [::1] as well
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3010")]
    listen: SocketAddr,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        issuer,
        audience,
        ca_file,
        listen,
    } = arguments;
    logging::start(&Config::load(None)?.log);
    let mut guard = Guard::builder().issuer(issuer.as_str()).audience(audience.as_str());
    if let Some(file) = &ca_file {
        guard = guard.ca_certificate(authority(file)?);
    }
    let guard = guard.build()?;
    let listeners = serve::bind(listen)?;
    let address = listeners
        .first()
        .and_then(|listener| listener.local_addr().ok())
        .unwrap_or(listen);
    let welcome = format!(
        "The sample API is at http://{address}/ and takes tokens of {issuer} for {audience}:\n\n  \
         curl http://{address}/api/public\n  \
         curl http://{address}/api/private -H \"Authorization: Bearer $TOKEN\"\n  \
         curl http://{address}/api/private-scoped -H \"Authorization: Bearer $TOKEN\"   # needs read:messages\n\n\
         Ctrl-C ends it."
    );
    greet(&welcome)?;
    let (stopping, stopped) = watch::channel(false);
    let mut stop = Stop::listen();
    tokio::spawn(async move {
        stop.asked().await;
        // The receiver is gone if the server ended by itself.
        let _ = stopping.send(true);
    });
    serve::serve(listeners, sample_api::router(&guard), None, stopped).await;
    Ok(())
}
