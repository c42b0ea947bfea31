//! `tokenhouse serve`: the authorization server in production, as its configuration file says.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;

use tokenhouse_protocol::crypto::{Random, SealingKey};
use tokenhouse_protocol::time::Clock;
use tokenhouse_store::Database;

use super::output::greet;
use super::stop::{Reload, Stop};
use super::{Failure, cautions, logging, waiting};
use crate::app::AppOptions;
use crate::config::Config;
use crate::dev::folder;
use crate::serve::{self, Running};
use crate::tenant::Issuer;
use crate::tls::Tls;

/// What `tokenhouse serve` may be told.
#[derive(Args, Debug)]
#[command(after_help = "\
The sealing key, under which secrets are kept in the database, comes from [sealing] in the file, from \
TOKENHOUSE_SEALING__KEY, or from a program that prints it. Make one with:
  head -c 32 /dev/urandom | base64

Example:
  tokenhouse serve --config /etc/tokenhouse/tokenhouse.toml")]
pub struct Arguments {
    /// The configuration file; without one every key has its default
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep everything in this PostgreSQL database, postgres://…; over what the file says
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Keep the sealing key in the data folder beside what it seals: whoever copies the folder has both
    #[arg(long)]
    allow_local_key: bool,
}

/// Runs until Ctrl-C or SIGTERM.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    // From the first moment, or one that comes early ends the process.
    let mut reload = Reload::listen();
    let mut config = Config::load(arguments.config.as_deref())?;
    if let Some(url) = arguments.database {
        config.database.url = url;
    }
    logging::start(&config.log);
    let data = &config.server.data;
    folder::make_private(data)
        .map_err(|error| Failure(format!("cannot use the data folder {}: {error}", data.display())))?;
    check_sealing(&config, arguments.allow_local_key)?;
    let tls = tls(&config)?;
    let listeners = serve::bind(config.server.listen)?;
    let mut stop = Stop::listen();
    let opening = waiting::open(|| app_options(&config), listeners, tls.as_ref(), &mut stop);
    let (Some(app), listeners) = opening.await? else {
        return Ok(());
    };
    app.check_issuer().await?;
    cautions::warn(&config, &app.house.issuer);
    if app.house.issuer.has_path() {
        tracing::warn!(
            issuer = app.house.issuer.as_str(),
            "the issuer has a path, and this server has no routes below one: it works only behind a proxy that takes the \
             path off each request"
        );
    }
    let running = Running::configured(&app, &config, listeners, tls.clone())?;
    greet(&format!(
        "Tokenhouse answers as {} on {}",
        config.server.issuer, config.server.listen
    ))?;
    loop {
        tokio::select! {
            () = stop.asked() => break,
            () = reload.asked() => take_over(tls.as_ref()),
        }
    }
    tokio::select! {
        () = running.stop(&app) => {}
        () = stop.asked() => return Err(Failure("ended at once: requests in flight were cut off".into())),
    }
    Ok(())
}

/// What a server does that is asked to reload: it reads its certificate again, and says so.
fn take_over(tls: Option<&Tls>) {
    match tls.map(Tls::reload) {
        Some(Ok(())) => tracing::info!("asked to reload: the certificate was read again"),
        Some(Err(error)) => {
            tracing::warn!(%error, "asked to reload: the certificate is not taken over; the old one stays");
        }
        None => tracing::info!("asked to reload: there is no certificate in [tls] to read again"),
    }
}

/// The configured certificate, if there is one.
fn tls(config: &Config) -> Result<Option<Tls>, Failure> {
    match (&config.tls.certificate_file, &config.tls.key_file) {
        (Some(certificate), Some(key)) => Ok(Some(
            Tls::from_files(certificate, key).map_err(|error| Failure(error.to_string()))?,
        )),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(Failure(
            "[tls] needs certificate_file and key_file, or neither for http behind a proxy".into(),
        )),
    }
}

/// What a configuration says of the application; nothing is opened yet.
pub(super) fn app_options(config: &Config) -> Result<AppOptions, Failure> {
    let database = match config.database.url.as_str() {
        "" => Database::File(config.server.data.join(folder::DATABASE_FILE)),
        url if url.starts_with("postgres://") || url.starts_with("postgresql://") => Database::Postgres(url.into()),
        _ => {
            return Err(Failure(
                "[database] url must begin with postgres://, or be empty for SQLite".into(),
            ));
        }
    };
    let issuer = Issuer::parse(&config.server.issuer).map_err(Failure)?;
    Ok(AppOptions {
        database,
        sealing: sealing_key(config)?,
        default_hosts: Vec::new(),
        may_be_strict: true,
        issuer,
        clock: Clock::system(),
        passwords: config.passwords.clone(),
        limits: config.limits.clone(),
        console: config.console,
        cache_entries: config.server.cache_entries,
    })
}

/// Refuses a sealing key that lies beside what it seals, unless told; where told, makes the first one.
fn check_sealing(config: &Config, allow_local_key: bool) -> Result<(), Failure> {
    let (sealing, data) = (&config.sealing, &config.server.data);
    let is_named = !sealing.key.is_empty() || !sealing.command.is_empty();
    let is_inside = match &sealing.key_file {
        Some(file) => is_within(file, data),
        None => !is_named,
    };
    if is_inside && !allow_local_key {
        return Err(Failure(format!(
            "the sealing key would lie in the data folder {}, and whoever copies the folder would have both: \
             name another place in [sealing], or accept it with --allow-local-key",
            data.display()
        )));
    }
    let is_first = !data.join(folder::SEALING_KEY_FILE).exists() && !data.join(folder::DATABASE_FILE).exists();
    if sealing.key_file.is_none() && !is_named && is_first {
        folder::make_sealing_key(data, &Random::system())?;
    }
    Ok(())
}

/// Whether a file lies in a folder.
pub(super) fn is_within(file: &Path, folder: &Path) -> bool {
    match (file.canonicalize(), folder.canonicalize()) {
        (Ok(file), Ok(folder)) => file.starts_with(folder),
        _ => file.starts_with(folder),
    }
}

/// The key that the configuration names, or the data folder's.
pub(super) fn sealing_key(config: &Config) -> Result<SealingKey, Failure> {
    let sealing = &config.sealing;
    let parse = |text: &str, place: &str| {
        SealingKey::parse(text.trim()).map_err(|_| Failure(format!("{place} holds no sealing key: 32 bytes in base64")))
    };
    if !sealing.key.is_empty() {
        return parse(&sealing.key, "[sealing] key");
    }
    if let Some(file) = &sealing.key_file {
        let shown = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure(format!("cannot read the sealing key {shown}: {error}")))?;
        return parse(&text, &shown.to_string());
    }
    if let Some((program, arguments)) = sealing.command.split_first() {
        let output = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output();
        let output = output.map_err(|error| Failure(format!("cannot run [sealing] command {program}: {error}")))?;
        if !output.status.success() {
            return Err(Failure(format!(
                "[sealing] command {program} ended with {}",
                output.status
            )));
        }
        return parse(
            &String::from_utf8_lossy(&output.stdout),
            "what [sealing] command prints",
        );
    }
    folder::sealing_key(&config.server.data)
}
