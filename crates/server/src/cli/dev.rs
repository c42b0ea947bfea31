//! `tokenhouse dev`: the authorization server and the sample API on this machine, ready to be tried.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use tokenhouse_guard::Guard;
use tokenhouse_protocol::crypto::{Random, SealingKey};
use tokenhouse_protocol::time::Clock;
use tokenhouse_store::Database;

use super::output::{greet, print};
use super::stop::Stop;
use super::{Failure, logging};
use crate::app::{App, AppOptions};
use crate::config::{Config, Limits, Passwords};
use crate::console::trial::{LocalAuthority, Trial};
use crate::dev::administrator;
use crate::dev::authority::Authority;
use crate::dev::faults::Faults;
use crate::dev::folder::{self, Folder, Temporary};
use crate::dev::hosts::{self, Certificate};
use crate::dev::seed::{self, AUDIENCE};
use crate::dev::seed_file::SeedFile;
use crate::dev::seeded;
use crate::dev::welcome::{DevFile, Places, Told};
use crate::dev::welcome_seeded::SeededDevFile;
use crate::registry::keys;
use crate::serve::{self, Running};
use crate::tenant::Issuer;
use crate::{router, sample_api};

/// Where the samples' own pages are, for CORS (CONTRACT Decision 16).
const SAMPLE_PAGE: &str = "http://localhost:3999";

/// The authorization server's port unless another is named.
const DEFAULT_PORT: u16 = 4000;
/// The sample API's.
const DEFAULT_API_PORT: u16 = 3010;

/// What `tokenhouse dev` may be told.
#[derive(Args, Debug)]
#[command(after_help = "\
The first run makes a data folder with sample applications, an API and a user; later runs find them as \
they were. While it runs, DIR/dev.json says how to reach it and who the samples are.

Examples:
  tokenhouse dev                                 # on ports 4000 and 3010
  tokenhouse dev --listen 127.0.0.1:5000         # another port
  tokenhouse dev --data /tmp/try --fresh --yes   # from scratch, as in CI
  tokenhouse dev --memory --port 0 --seed seed.toml --json   # for a test

docs/test-double.md is about `dev` in tests.")]
pub struct Arguments {
    /// The data folder
    #[arg(long, value_name = "DIR", default_value = "./tokenhouse-data")]
    data: PathBuf,
    /// Keep everything in memory: no folder is made, nothing is left
    #[arg(long, conflicts_with_all = ["data", "database", "fresh"])]
    memory: bool,
    /// Begin with the APIs, applications, users and keys of this file in place of the samples
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// The authorization server's port on this machine; 0 takes free ones for it and for the sample API
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    port: Option<u16>,
    /// Where the authorization server listens; port 0 takes a free one, 127.0.0.1 stands for [::1] as well
    /// [default: 127.0.0.1:4000]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where the sample API listens [default: 127.0.0.1:3010]
    #[arg(long, value_name = "ADDRESS")]
    api_listen: Option<SocketAddr>,
    /// Once ready, also write here what dev.json says; the file is gone when the server is
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Once ready, print what dev.json says on one line, for programs, in place of the welcome
    #[arg(long)]
    json: bool,
    /// Another name under which it may be reached, as in /etc/hosts or a compose file; may be repeated
    #[arg(long, value_name = "NAME", value_parser = hosts::named)]
    host: Vec<String>,
    /// Keep everything in this PostgreSQL database, postgres://…, in place of SQLite in the data folder
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Serve https, with a certificate of a local authority made once in the data folder; with --memory one that ends
    /// with the process, in a temporary folder
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
    let (listen, api_listen) = addresses(&arguments);
    for address in [listen, api_listen] {
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
    let seed = arguments.seed.as_deref().map(SeedFile::read).transpose()?;
    let keys = seed.as_ref().map_or_else(|| Ok(Vec::new()), seeded::keys)?;
    if let Some(file) = &arguments.ready_file {
        // One that an earlier run left would be believed.
        folder::remove_file(file).map_err(|error| Failure(format!("cannot replace {}: {error}", file.display())))?;
    }
    let folder = match arguments.memory {
        true => None,
        false => Some(Folder::open(&arguments.data)?),
    };
    let listeners = serve::bind(listen)?;
    let api_listeners = serve::bind(api_listen)?;
    let scheme = if arguments.https { "https" } else { "http" };
    let issuer = Issuer::parse(&url(scheme, &listeners, listen)).map_err(Failure)?;
    let api_url = url("http", &api_listeners, api_listen);
    let options = options(&arguments, &config, folder.as_ref(), issuer.clone())?;
    let app = Box::pin(App::open_with_keys(options, &keys)).await?;
    app.check_issuer().await?;
    let tenant = app.default_tenant().await?;
    let origins = [SAMPLE_PAGE.to_owned(), issuer.origin(), api_url.clone()];

    let temporary = match arguments.https && arguments.memory {
        true => Some(Temporary::make(&app.house.random)?),
        false => None,
    };
    let now = app.house.clock.now();
    let authority = match (&folder, &temporary) {
        (Some(folder), _) if arguments.https => Some(Arc::new(Authority::open(folder.path(), now)?)),
        (_, Some(temporary)) => Some(Arc::new(Authority::fleeting(temporary.path(), now)?)),
        (_, None) => None,
    };
    let certificate = match &authority {
        Some(authority) => {
            let own = hosts::of_this_machine(&arguments.host, &issuer);
            Some(Certificate::make(app.clone(), authority.clone(), own).await?)
        }
        None => None,
    };
    let authority = authority.as_deref();
    let ca_file = authority.map(Authority::file);
    app.set_trial(Trial::in_dev(api_url.clone(), authority.map(local)));
    let console_url = administrator::console_url(&tenant).await?;
    let places = Places {
        issuer: &issuer,
        api_url: &api_url,
        console_url: &console_url,
        ca_file,
    };
    let (told, audience) = match &seed {
        Some(seed) => {
            let seeded = Box::pin(seeded::sow(&tenant, seed)).await?;
            let told = SeededDevFile::new(places, &seeded).told();
            (told, seeded.audience)
        }
        None => {
            let applications = Box::pin(seed::seed(&tenant, &origins)).await?;
            let told = DevFile::new(places, &applications).told();
            (told, AUDIENCE.to_owned())
        }
    };
    let mut stop = Stop::listen();
    let faults = Faults::default();
    let router = router::with_faults(&app, &faults);
    let running = Running::start(&app, listeners, router, certificate.as_ref().map(Certificate::tls));
    if let Some(certificate) = certificate {
        tokio::spawn(certificate.follow(running.stopping()));
    }
    let guard = guard(&issuer, audience, &app, authority)?;
    let api = serve::spawn(api_listeners, sample_api::router(&guard), None, running.stopping());
    // A seed may bring the key that signs and not the next one, which takes a while to make.
    tokio::spawn(async move {
        let settled = async {
            keys::ensure_next(&tenant).await?;
            keys::keys(&tenant).await
        };
        match settled.await {
            Ok(keys) => faults.keep_keys(&tenant.id, keys),
            Err(error) => tracing::warn!(%error, "the next signing keys cannot be made"),
        }
    });
    // Asks for the keys, so that the first caller finds them there.
    guard.inspect("").await;
    let ready = Ready::announce(&arguments, folder.as_ref(), &told)?;

    stop.asked().await;
    let removed = ready.end();
    tokio::select! {
        () = running.stop(&app) => {}
        () = stop.asked() => return Err(Failure("ended at once: requests in flight were cut off".into())),
    }
    // A task that panicked has already said so.
    let _ = api.await;
    removed
}

/// What says that the server is ready, for as long as it is.
struct Ready<'a> {
    folder: Option<&'a Folder>,
    file: Option<&'a Path>,
}

impl<'a> Ready<'a> {
    fn announce(arguments: &'a Arguments, folder: Option<&'a Folder>, told: &Told) -> Result<Self, Failure> {
        let ready = Self {
            folder,
            file: arguments.ready_file.as_deref(),
        };
        if let Some(folder) = ready.folder {
            folder.write_dev_file(&told.file)?;
        }
        if let Some(file) = ready.file {
            folder::write_ready_file(file, &told.file)?;
        }
        greet(if arguments.json { &told.line } else { &told.welcome })?;
        Ok(ready)
    }

    fn end(&self) -> Result<(), Failure> {
        let failed = |error| Failure(format!("dev.json could not be removed: {error}"));
        if let Some(folder) = self.folder {
            folder.remove_dev_file().map_err(failed)?;
        }
        self.file
            .map_or(Ok(()), |file| folder::remove_file(file).map_err(failed))
    }
}

/// The local authority as the console names and trusts it.
fn local(authority: &Authority) -> LocalAuthority {
    LocalAuthority {
        pem: authority.pem().to_owned(),
        file: authority.file().display().to_string(),
    }
}

/// Where the authorization server and the sample API listen.
fn addresses(arguments: &Arguments) -> (SocketAddr, SocketAddr) {
    let here = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listen = arguments
        .listen
        .unwrap_or_else(|| here(arguments.port.unwrap_or(DEFAULT_PORT)));
    let api_port = if arguments.port == Some(0) { 0 } else { DEFAULT_API_PORT };
    (listen, arguments.api_listen.unwrap_or_else(|| here(api_port)))
}

/// The sample API's guard: it fetches the issuer's keys as anybody's does, and goes by the issuer's clock.
fn guard(issuer: &Issuer, audience: String, app: &App, authority: Option<&Authority>) -> Result<Guard, Failure> {
    let guard = Guard::builder()
        .issuer(issuer.as_str())
        .audience(audience)
        .clock(app.house.clock.clone());
    let guard = match authority {
        Some(authority) => guard.ca_certificate(authority.pem()),
        None => guard,
    };
    Ok(guard.build()?)
}

fn options(
    arguments: &Arguments,
    config: &Config,
    folder: Option<&Folder>,
    issuer: Issuer,
) -> Result<AppOptions, Failure> {
    let random = Random::system();
    let (database, sealing) = match (folder, &arguments.database) {
        (None, _) => (Database::Memory, SealingKey::generate(&random)),
        (Some(folder), None) => {
            let file = folder.database();
            let sealing = folder.sealing_key(&random, file.exists())?;
            (Database::File(file), sealing)
        }
        (Some(folder), Some(url)) => (Database::Postgres(url.clone()), folder.sealing_key(&random, false)?),
    };
    Ok(AppOptions {
        sealing,
        database,
        default_hosts: hosts::of_this_machine(&arguments.host, &issuer),
        // A browser would remember it for every other server on this machine.
        may_be_strict: false,
        issuer,
        clock: Clock::movable(),
        passwords: match arguments.memory {
            // What is gone with the process needs no protection from whoever copies it, and tests sign in often.
            true => Passwords {
                memory_kib: 64,
                iterations: 1,
                parallelism: 1,
                ..config.passwords.clone()
            },
            false => config.passwords.clone(),
        },
        limits: Limits {
            // Whoever tries things out on their own machine need not wait.
            management_requests_per_s: match config.limits.management_requests_per_s {
                0 => 0,
                limit => limit.max(GENEROUS_REQUESTS_PER_S),
            },
            ..config.limits.clone()
        },
        console: config.console,
        cache_entries: config.server.cache_entries,
    })
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
