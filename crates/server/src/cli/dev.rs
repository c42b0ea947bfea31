//! `tokenhouse dev`: the authorization server and the sample API on this machine, ready to be tried.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;

use tokenhouse_guard::Guard;
use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::time::Clock;
use tokenhouse_store::Database;

use super::output::{greet, print};
use super::stop::Stop;
use super::{Failure, logging};
use crate::app::{App, AppOptions};
use crate::config::{Config, Limits};
use crate::dev::authority::Authority;
use crate::dev::folder::{self, Folder};
use crate::dev::seed::{self, AUDIENCE};
use crate::dev::welcome::DevFile;
use crate::serve::{self, Running};
use crate::tenant::Issuer;
use crate::{router, sample_api};

/// Where the samples' own pages are, for CORS (CONTRACT Decision 16).
const SAMPLE_PAGE: &str = "http://localhost:3999";

/// What `tokenhouse dev` may be told.
#[derive(Args, Debug)]
#[command(after_help = "\
The first run makes a data folder with sample applications, an API and a user; later runs find them as
they were. While it runs, DIR/dev.json says how to reach it and who the samples are.

Examples:
  tokenhouse dev                                   # http://localhost:4000/ and http://localhost:3010
  tokenhouse dev --listen 127.0.0.1:5000           # another port
  tokenhouse dev --data /tmp/try --fresh --yes     # from scratch, as in CI")]
pub struct Arguments {
    /// The data folder
    #[arg(long, value_name = "DIR", default_value = "./tokenhouse-data")]
    data: PathBuf,
    /// Where the authorization server listens; port 0 takes a free one, 127.0.0.1 stands for [::1] as well
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// Where the sample API listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3010")]
    api_listen: SocketAddr,
    /// Another name under which it may be reached, as in /etc/hosts or a compose file; may be repeated
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Keep everything in this PostgreSQL database, postgres://…, in place of SQLite in the data folder
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Serve https, with a certificate of a local authority made once in the data folder
    #[arg(long)]
    https: bool,
    /// Delete the data folder first, if `dev` made it
    #[arg(long)]
    fresh: bool,
    /// Do not ask before deleting
    #[arg(long)]
    yes: bool,
    /// Listen on an address that other machines reach, though the sample password is public
    #[arg(long)]
    expose: bool,
}

/// Requests a second to the Management API that `dev` allows at least.
const GENEROUS_REQUESTS_PER_S: u32 = 10_000;

/// Runs until Ctrl-C or SIGTERM.
pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = Config::load(None)?;
    logging::start(&config.log);
    for address in [arguments.listen, arguments.api_listen] {
        if !address.ip().is_loopback() && !arguments.expose {
            return Err(Failure(format!(
                "{address} can be reached from other machines, and the sample password is public: \
                 add --expose if you want that"
            )));
        }
    }
    if arguments.fresh {
        start_fresh(&arguments.data, arguments.yes)?;
    }
    let folder = Folder::open(&arguments.data)?;
    let listeners = serve::bind(arguments.listen)?;
    let api_listeners = serve::bind(arguments.api_listen)?;
    let scheme = if arguments.https { "https" } else { "http" };
    let issuer = Issuer::parse(&url(scheme, &listeners, arguments.listen)).map_err(Failure)?;
    let api_url = url("http", &api_listeners, arguments.api_listen);
    let app = App::open(options(&arguments, &config, &folder, issuer.clone())?).await?;
    let tenant = app.default_tenant().await?;
    let origins = [SAMPLE_PAGE.to_owned(), issuer.origin(), api_url.clone()];
    let applications = seed::seed(&tenant, &origins).await?;

    let authority = match arguments.https {
        true => Some(Authority::open(folder.path(), app.house.clock.now())?),
        false => None,
    };
    let tls = match &authority {
        Some(authority) => Some(authority.serve_as(&hosts(&arguments, &issuer), app.house.clock.now())?),
        None => None,
    };
    let mut stop = Stop::listen();
    let running = Running::start(&app, listeners, router::router(&app), tls);
    let mut guard = Guard::builder().issuer(issuer.as_str()).audience(AUDIENCE);
    if let Some(authority) = &authority {
        guard = guard.ca_certificate(authority.pem());
    }
    let guard = guard.build()?;
    let api = serve::spawn(api_listeners, sample_api::router(&guard), None, running.stopping());
    // Asks for the keys, so that the first caller finds them there.
    guard.inspect("").await;
    let dev_file = DevFile::new(
        &issuer,
        &api_url,
        &applications,
        authority.as_ref().map(Authority::file),
    );
    folder.write_dev_file(&dev_file.to_json())?;
    greet(&dev_file.welcome())?;

    stop.asked().await;
    let removed = folder.remove_dev_file();
    tokio::select! {
        () = running.stop(&app) => {}
        () = stop.asked() => return Err(Failure("ended at once: requests in flight were cut off".into())),
    }
    // A task that panicked has already said so.
    let _ = api.await;
    removed.map_err(|error| Failure(format!("dev.json could not be removed: {error}")))
}

fn options(arguments: &Arguments, config: &Config, folder: &Folder, issuer: Issuer) -> Result<AppOptions, Failure> {
    let file = folder.database();
    let has_database = match &arguments.database {
        None => file.exists(),
        Some(_) => false,
    };
    let random = Random::system();
    Ok(AppOptions {
        sealing: folder.sealing_key(&random, has_database)?,
        database: match &arguments.database {
            None => Database::File(file),
            Some(url) => Database::Postgres(url.clone()),
        },
        default_hosts: hosts(arguments, &issuer),
        // A browser would remember it for every other server on this machine.
        strict_transport: false,
        issuer,
        clock: Clock::system(),
        passwords: config.passwords.clone(),
        limits: Limits {
            // Whoever tries things out on their own machine need not wait.
            management_requests_per_s: match config.limits.management_requests_per_s {
                0 => 0,
                limit => limit.max(GENEROUS_REQUESTS_PER_S),
            },
            ..config.limits.clone()
        },
        cache_entries: config.server.cache_entries,
    })
}

/// The hosts that mean this machine, and those that were named.
fn hosts(arguments: &Arguments, issuer: &Issuer) -> Vec<String> {
    let mut hosts = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
    hosts.extend(arguments.host.iter().map(|host| host.to_ascii_lowercase()));
    let own = issuer.host().to_owned();
    if !hosts.contains(&own) {
        hosts.push(own);
    }
    hosts
}

/// The URL of what listens there, without a slash; on this machine's own addresses by its usual name.
fn url(scheme: &str, listeners: &[tokio::net::TcpListener], asked: SocketAddr) -> String {
    let bound = listeners
        .first()
        .and_then(|listener| listener.local_addr().ok())
        .unwrap_or(asked);
    let is_usual = bound.ip().is_unspecified()
        || bound.ip() == IpAddr::from([127, 0, 0, 1])
        || bound.ip() == IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
    let host = if is_usual {
        "localhost".to_owned()
    } else {
        SocketAddr::new(bound.ip(), 0).to_string()
    };
    let host = host.strip_suffix(":0").unwrap_or(&host);
    let usual = if scheme == "https" { 443 } else { 80 };
    match bound.port() {
        port if port == usual => format!("{scheme}://{host}"),
        port => format!("{scheme}://{host}:{port}"),
    }
}

fn start_fresh(data: &Path, yes: bool) -> Result<(), Failure> {
    if !data.exists() {
        return Ok(());
    }
    if !yes {
        let shown = data.display();
        if !std::io::stdin().is_terminal() {
            return Err(Failure(format!(
                "--fresh deletes {shown} and everything in it: add --yes if you want that"
            )));
        }
        print(&format!(
            "Delete {shown} with every application, user and key in it? Type yes:"
        ))?;
        // What cannot be flushed or read is no yes.
        let _ = std::io::stdout().flush();
        let mut answer = String::new();
        let _ = std::io::stdin().lock().read_line(&mut answer);
        if answer.trim() != "yes" {
            return Err(Failure("nothing was deleted".into()));
        }
    }
    folder::delete(data)
}
