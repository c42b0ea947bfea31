//! Listening, serving connections, and ending well: requests in flight finish, nothing new is taken.

use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, header};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use listenfd::ListenFd;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use crate::app::App;
use crate::config::Config;
use crate::metrics;
use crate::router;
use crate::tls::Tls;
use crate::watch as housekeeping;
use crate::web::answer::set;
use crate::web::door::{Frame, Peer};
use crate::web::ending::{Arriving, Progress, last_call, stopped, until_stopped};
use crate::web::linger;

/// Longest time that a request's header may take to arrive, and that an idle connection is kept.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time that a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest request head, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Longest time that requests in flight get to finish at the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// What http hears where https is spoken.
const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\
    content-length: 59\r\n\r\nThis server speaks https: begin its address with https://.\n";
/// How often another free port is tried.
const FREE_PORT_ATTEMPTS: usize = 8;
/// Pause after a connection could not be accepted, as when no file descriptors are left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An address that cannot be listened on: one sentence.
#[derive(Debug)]
pub struct BindError {
    address: SocketAddr,
    cause: io::Error,
}

/// Sockets that a service manager opened before this process began and keeps open after its end, so that a restart
/// refuses no connection (systemd's socket activation, sd_listen_fds(3)).
static INHERITED: LazyLock<Mutex<Vec<StdListener>>> = LazyLock::new(|| {
    let mut handed = ListenFd::from_env();
    let sockets = (0..handed.len()).filter_map(|place| handed.take_tcp_listener(place).ok().flatten());
    Mutex::new(sockets.collect())
});

/// Listeners on an address; on `127.0.0.1` also on `[::1]` with the same port, where the machine has it.
pub fn bind(address: SocketAddr) -> Result<Vec<TcpListener>, BindError> {
    let mut bound = bind_once(address);
    // A port that is free on one of the two need not be free on the other: another one is.
    for _ in 0..FREE_PORT_ATTEMPTS {
        if address.port() != 0 || bound.is_ok() {
            break;
        }
        bound = bind_once(address);
    }
    bound
}

/// Each listener a second time, for who answers until the server proper begins.
///
/// Fails if no file descriptors are left.
pub fn twins(listeners: Vec<TcpListener>) -> io::Result<(Vec<TcpListener>, Vec<TcpListener>)> {
    let twice = |listener: TcpListener| {
        let listener = listener.into_std()?;
        let twin = listener.try_clone()?;
        Ok((TcpListener::from_std(listener)?, TcpListener::from_std(twin)?))
    };
    listeners.into_iter().map(twice).collect()
}

fn bind_once(address: SocketAddr) -> Result<Vec<TcpListener>, BindError> {
    let first = listener(address)?;
    let bound = first.local_addr().map_err(|cause| BindError { address, cause })?;
    let mut listeners = vec![first];
    if bound.ip() == std::net::Ipv4Addr::LOCALHOST {
        let twin = SocketAddr::from((Ipv6Addr::LOCALHOST, bound.port()));
        match listener(twin) {
            Ok(second) => listeners.push(second),
            Err(error) if error.cause.kind() == io::ErrorKind::AddrInUse => return Err(error),
            // A machine without IPv6.
            Err(_) => {}
        }
    }
    Ok(listeners)
}

fn listener(address: SocketAddr) -> Result<TcpListener, BindError> {
    let open = || {
        let listener = match inherited(address) {
            Some(listener) => listener,
            None => StdListener::bind(address)?,
        };
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    };
    open().map_err(|cause| BindError { address, cause })
}

/// The inherited socket on exactly this address, once.
fn inherited(address: SocketAddr) -> Option<StdListener> {
    let mut sockets = INHERITED.lock().unwrap_or_else(PoisonError::into_inner);
    let is_it = |socket: &StdListener| socket.local_addr().is_ok_and(|own| own == address);
    sockets.iter().position(is_it).map(|place| sockets.swap_remove(place))
}

/// Serves `router` on `listeners`, over TLS if there is some, until `stop` says so, then lets requests in flight finish.
pub async fn serve(listeners: Vec<TcpListener>, router: Router, tls: Option<Tls>, stop: watch::Receiver<bool>) {
    let serving = listeners.into_iter().map(|listener| {
        let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
        tokio::spawn(serve_one(listener, router, tls, stop))
    });
    for served in serving.collect::<Vec<_>>() {
        // A task that panicked has already said so.
        let _ = served.await;
    }
}

/// Serves `router` in the background.
pub fn spawn(
    listeners: Vec<TcpListener>,
    router: Router,
    tls: Option<Tls>,
    stop: watch::Receiver<bool>,
) -> JoinHandle<()> {
    tokio::spawn(serve(listeners, router, tls, stop))
}

/// The authorization server while it runs: what it serves, and its housekeeping.
pub struct Running {
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    housekeeping: JoinSet<()>,
}

impl Running {
    /// Begins to serve.
    pub fn start(app: &Arc<App>, listeners: Vec<TcpListener>, router: Router, tls: Option<Tls>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let mut tasks = housekeeping::start(app);
        if let Some(tls) = tls.clone() {
            tasks.spawn(housekeeping::follow_certificate(tls));
        }
        Self {
            stop,
            serving: spawn(listeners, router, tls, stopping),
            housekeeping: tasks,
        }
    }

    /// Begins to serve as the configuration says: behind which proxies, with which retention, measured where.
    ///
    /// Fails if the address of `[metrics]` cannot be listened on.
    pub fn configured(
        app: &Arc<App>,
        config: &Config,
        listeners: Vec<TcpListener>,
        tls: Option<Tls>,
    ) -> Result<Self, BindError> {
        let measuring = config.metrics.listen.map_or_else(|| Ok(Vec::new()), bind)?;
        let frame = Frame {
            app: app.clone(),
            proxies: config.server.trusted_proxies.clone().into(),
            requests: router::requests(),
        };
        let mut running = Self::start(app, listeners, router::framed(&frame), tls);
        let metrics = metrics::router(app, &frame.requests);
        running
            .housekeeping
            .spawn(serve(measuring, metrics, None, running.stopping()));
        running
            .housekeeping
            .spawn(housekeeping::keep_logs(app.clone(), config.retention));
        Ok(running)
    }

    /// Says when it is being stopped, for what should end with it.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Lets requests in flight finish, writes what is still to be written, and closes the database.
    pub async fn stop(self, app: &App) {
        self.stop.send_replace(true);
        // A task that panicked has already said so.
        let _ = self.serving.await;
        drop(self.housekeeping);
        app.house.audit.finish();
        if let Err(error) = app.house.store.fold_usage().await {
            tracing::warn!(%error, "usage was not counted to the end; the next start does it");
        }
        app.house.store.close().await;
    }
}

async fn serve_one(listener: TcpListener, router: Router, tls: Option<Tls>, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let acceptor = tls.as_ref().map(Tls::acceptor);
                    let (router, watcher, stop) = (router.clone(), graceful.watcher(), stop.clone());
                    tokio::spawn(connection(stream, peer, router, acceptor, Ending { watcher, stop }));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    #[expect(clippy::disallowed_methods, reason = "out of descriptors: only waiting frees some")]
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            () = stopped(&mut stop) => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    acceptor: Option<TlsAcceptor>,
    ending: Ending,
) {
    let Ending { watcher, mut stop } = ending;
    // An answer is one small write: waiting for more to send with it costs 40 ms.
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => http(stream, peer, router, Ending { watcher, stop }).await,
        Some(acceptor) => match handshake(&acceptor, stream, &mut stop).await {
            Ok(Some(stream)) => http(stream, peer, router, Ending { watcher, stop }).await,
            Ok(None) => tracing::debug!(%peer, "a TLS handshake took too long"),
            Err(error) => tracing::debug!(%error, %peer, "a TLS handshake failed"),
        },
    }
}

/// How a connection comes to its end: what waits for it, and what says that it is time.
struct Ending {
    watcher: Watcher,
    stop: watch::Receiver<bool>,
}

/// A TLS handshake; `None` if it takes too long, or longer than the last call once the server ends.
async fn handshake(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    stop: &mut watch::Receiver<bool>,
) -> io::Result<Option<TlsStream<TcpStream>>> {
    tokio::select! {
        accepted = tokio::time::timeout(HANDSHAKE_TIMEOUT, shake(acceptor, stream)) => {
            accepted.ok().transpose()
        }
        () = async { stopped(stop).await; last_call().await } => Ok(None),
    }
}

/// The handshake itself. Who begins to speak http instead, as after a server got its certificate, is told.
async fn shake(acceptor: &TlsAcceptor, mut stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    // A method's letter; a handshake begins with the number of its record (RFC 8446 §5.1).
    if !first[0].is_ascii_uppercase() {
        return acceptor.accept(stream).await;
    }
    stream.write_all(NO_TLS).await?;
    let (lent, returned) = linger::lend(stream, Arc::default());
    drop(lent);
    returned.linger().await;
    Err(io::Error::other("the client speaks http"))
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: SocketAddr,
    router: Router,
    ending: Ending,
) {
    // The watcher is what the end waits for; it goes with this task.
    let Ending {
        watcher: _waited_for,
        mut stop,
    } = ending;
    let progress = Arc::new(Progress::default());
    let service = router
        .map_request({
            let (progress, stop) = (progress.clone(), stop.clone());
            move |mut request: Request<Incoming>| {
                progress.ask();
                request.extensions_mut().insert(Peer(peer));
                request.map(|body| match body.is_end_stream() {
                    true => Body::empty(),
                    false => Body::new(Arriving::new(body, stop.clone())),
                })
            }
        })
        .map_response({
            let (progress, stop) = (progress.clone(), stop.clone());
            move |mut response: Response<Body>| {
                progress.answer();
                // Said aloud, or a client may send its next request into a connection that is being closed.
                if *stop.borrow() {
                    set(&mut response, header::CONNECTION, "close");
                }
                until_stopped(response, &stop)
            }
        });
    let (stream, returned) = linger::lend(stream, progress.clone());
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = Box::pin(connection);
    // At the end a connection that was just taken still gets an answer: hyper would close it before its first request.
    let ending = async {
        stopped(&mut stop).await;
        tokio::select! {
            () = progress.asked() => {}
            () = last_call() => {}
        }
    };
    let (ended, is_last) = tokio::select! {
        ended = connection.as_mut() => (ended, false),
        () = ending => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => (ended, true),
                () = progress.given_up() => (Ok(()), true),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection ended early");
    }
    drop(connection);
    if !is_last {
        returned.linger().await;
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, cause } = self;
        if cause.kind() == io::ErrorKind::AddrInUse {
            write!(
                f,
                "{address} is in use by another program: stop that one, or choose another address"
            )
        } else {
            write!(f, "cannot listen on {address}: {cause}")
        }
    }
}

impl std::error::Error for BindError {}
