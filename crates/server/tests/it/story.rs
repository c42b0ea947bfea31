//! The story of one day: server, guard and client as three programs would have them, on one clock that a test moves.
//! Keys rotate, the issuer restarts, tokens expire, a key is revoked, a quota is used up; no request that deserves an
//! answer is refused.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Extension;
use axum::extract::Request;
use axum::http;
use axum::middleware::{Next, from_fn};
use serde_json::{Map, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::{Layer as _, Service as _, ServiceExt as _};

use tokenhouse::registry::apis::{self, ApiChanges};
use tokenhouse::registry::{clients, keys};
use tokenhouse::router::router;
use tokenhouse::web::door::Peer;
use tokenhouse_client::TokenClient;
use tokenhouse_guard::{Guard, Issuer};
use tokenhouse_protocol::crypto::Algorithm;
use tokenhouse_protocol::id::{ClientId, KeyId};

use crate::house::{AUDIENCE, House, ISSUER, Jwt};

/// How far the clock moves from one request to the next.
const STEP_S: i64 = 20;
/// How long a token lives.
const LIFETIME_S: i64 = 3_600;
/// How many tokens the application may be issued in an hour.
const QUOTA_PER_HOUR: usize = 10;
/// How long a restart of the issuer takes, as the calls before it see it.
const RESTART_S: i64 = 120;
/// How long the issuer is away once, while the program has a token that lasts.
const OUTAGE_S: i64 = 2_400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_rotations_restarts_and_expiries_refuses_no_request() {
    let mut day = Day::begin().await;
    for (hour, event) in [
        (2, Event::Rotation),
        (3, Event::Restart),
        (5, Event::Rotation),
        (7, Event::Restart),
        (9, Event::Rotation),
        (10, Event::Outage),
        (12, Event::RotationUnannounced),
        (13, Event::QuotaUsedUp),
        (14, Event::Restart),
        (16, Event::Revocation),
        (18, Event::RotationWhileAway),
        (20, Event::Restart),
        (22, Event::Rotation),
    ] {
        day.live_until(hour * 3_600).await;
        day.meet(event).await;
    }
    day.live_until(24 * 3_600).await;

    let (tokens, fetches) = (day.count.tokens(), day.count.key_sets());
    // One in each of its hours, less the time it is renewed ahead, and one that took a revoked one's place.
    assert!((24..=30).contains(&tokens), "{tokens} tokens in a day");
    // Every few minutes at most, ahead of need; never for a request.
    assert!((96..=400).contains(&fetches), "{fetches} key sets in a day");
    let status = day.guard.status();
    assert!(status.is_ready && status.issuers[0].fetches.failures == 0, "{status:?}");
    day.issuer.close().await;
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Rotation,
    /// Two rotations at once: the key that signs was published to nobody.
    RotationUnannounced,
    RotationWhileAway,
    Revocation,
    Restart,
    Outage,
    /// Another program with the same credentials takes all that the hour's quota leaves.
    QuotaUsedUp,
}

/// The three programs, and how far the day has come.
struct Day {
    house: House,
    issuer: OpenIssuer,
    count: Arc<Count>,
    guard: Guard,
    client: TokenClient,
    begun_s: i64,
    requests: usize,
}

impl Day {
    async fn begin() -> Self {
        let house = House::on_file().await;
        let changes = ApiChanges {
            token_lifetime_s: Some(LIFETIME_S),
            ..ApiChanges::default()
        };
        let tenant = house.tenant().await;
        apis::update(&tenant, AUDIENCE, changes).await.unwrap();
        let quota = json!({ "client_credentials": { "per_hour": QUOTA_PER_HOUR, "per_day": 60, "enforce": true } });
        let changes = Map::from_iter([("token_quota".to_owned(), quota)]);
        let id = ClientId::new(house.samples.sample.client_id.as_str());
        clients::update(&tenant, &id, changes, None).await.unwrap();
        let count = Arc::<Count>::default();
        let issuer = OpenIssuer::open(&house, "127.0.0.1:0".parse().unwrap(), &count).await;
        let address = issuer.address;
        let keys = Issuer::new(ISSUER).jwks_url(format!("http://{address}/.well-known/jwks.json"));
        let guard = Guard::builder()
            .issuer(keys)
            .audience(AUDIENCE)
            .clock(house.clock.clone());
        let application = &house.samples.sample;
        let client = TokenClient::builder()
            .token_url(format!("http://{address}/oauth/token"))
            .credentials(&application.client_id, &application.client_secret)
            .audience(AUDIENCE)
            .clock(house.clock.clone());
        Self {
            guard: guard.build().unwrap(),
            client: client.build().unwrap(),
            begun_s: house.clock.now().seconds(),
            requests: 0,
            house,
            issuer,
            count,
        }
    }

    /// A request every few seconds until so long after the day began.
    async fn live_until(&mut self, second: i64) {
        while self.house.clock.now().seconds() < self.begun_s + second {
            self.house.advance_s(STEP_S);
            self.request().await;
        }
    }

    async fn live_for(&mut self, seconds: i64) {
        self.live_until(self.house.clock.now().seconds() - self.begun_s + seconds)
            .await;
    }

    /// One request from the program with the client to the API behind the guard.
    async fn request(&mut self) {
        let api = tower::service_fn(async |_: Request<String>| Ok::<_, Infallible>(http::Response::new(String::new())));
        let api = self.guard.layer().scope("read:messages").layer(api);
        let mut program = self.client.layer("https://api.example.com").unwrap().layer(api);
        let request = Request::get("https://api.example.com/messages")
            .body(String::new())
            .unwrap();
        let answer = program.ready().await.unwrap().call(request).await;
        let place = (self.requests, self.house.clock.now());
        let answer = answer.unwrap_or_else(|error| panic!("{place:?}: {error}"));
        assert_eq!(answer.status(), 200, "{place:?}: {:?}", answer.headers());
        self.requests += 1;
        self.settle().await;
    }

    /// Requests take real time, of which the day has none: guard and client have what is due before the clock moves on.
    async fn settle(&self) {
        let now = self.house.clock.now();
        let is_due = || self.guard.status().issuers[0].fetches.next_fetch_at <= Some(now);
        let settled = async {
            while is_due() || self.client.is_asking() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), settled)
            .await
            .unwrap();
    }

    async fn meet(&mut self, event: Event) {
        let tenant = self.house.tenant().await;
        let rotate = async |now| {
            let rotated = keys::rotate(&tenant, Algorithm::Rs256, now).await;
            rotated.unwrap()
        };
        match event {
            Event::Rotation => drop(rotate(false).await),
            Event::RotationUnannounced => {
                rotate(false).await;
                rotate(true).await;
                self.renew().await;
            }
            Event::RotationWhileAway => {
                self.issuer.close().await;
                rotate(false).await;
                self.live_for(RESTART_S).await;
                self.reopen().await;
            }
            Event::Revocation => {
                let signed_by = self.signed_by().await;
                rotate(false).await;
                keys::revoke(&tenant, &signed_by).await.unwrap();
                // Until the guard's next fetch the old token passes; then another takes its place, unseen by the caller.
                self.live_for(LIFETIME_S / 2).await;
                assert_ne!(self.signed_by().await, signed_by);
            }
            Event::Restart => self.away_for(RESTART_S).await,
            Event::Outage => {
                self.renew().await;
                self.away_for(OUTAGE_S).await;
            }
            Event::QuotaUsedUp => {
                // The program has a token that outlasts the hour.
                self.renew().await;
                let other = &self.house.samples.sample;
                let mut taken = 0;
                while self.house.client_credentials(other).await.status == 200 {
                    taken += 1;
                }
                assert!(taken < QUOTA_PER_HOUR, "{taken}");
                let refused = self.house.client_credentials(other).await;
                assert_eq!((refused.status, refused.header("retry-after").is_empty()), (429, false));
                self.live_for(LIFETIME_S).await;
            }
        }
    }

    /// The issuer is away, and comes back as another process on the same folder.
    async fn away_for(&mut self, seconds: i64) {
        self.issuer.close().await;
        self.live_for(seconds).await;
        self.reopen().await;
    }

    async fn reopen(&mut self) {
        self.house = self.house.second_node().await;
        self.issuer = OpenIssuer::open(&self.house, self.issuer.address, &self.count).await;
    }

    /// Has the program take another token at once.
    async fn renew(&mut self) {
        let token = self.client.token().await.unwrap();
        assert!(self.client.invalidate(&token));
        self.request().await;
    }

    /// The key of the token that the program has.
    async fn signed_by(&self) -> KeyId {
        let token = self.client.token().await.unwrap();
        KeyId::new(Jwt::read(token.expose()).kid())
    }
}

/// What the issuer was asked for.
#[derive(Default)]
struct Count {
    tokens: AtomicUsize,
    key_sets: AtomicUsize,
}

impl Count {
    fn tokens(&self) -> usize {
        self.tokens.load(Ordering::Relaxed)
    }

    fn key_sets(&self) -> usize {
        self.key_sets.load(Ordering::Relaxed)
    }

    fn note(&self, path: &str) {
        let counter = match path {
            "/oauth/token" => &self.tokens,
            _ => &self.key_sets,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// A house that answers on a port.
struct OpenIssuer {
    address: SocketAddr,
    close: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl OpenIssuer {
    async fn open(house: &House, address: SocketAddr, count: &Arc<Count>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let counted = Arc::clone(count);
        let router =
            router(&house.app)
                .layer(Extension(Peer(address)))
                .layer(from_fn(move |request: Request, next: Next| {
                    counted.note(request.uri().path());
                    next.run(request)
                }));
        let (close, closed) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let serving = axum::serve(listener, router);
            let serving = serving.with_graceful_shutdown(async { drop(closed.await) });
            serving.await.unwrap();
        });
        Self {
            address,
            close: Some(close),
            serving: Some(serving),
        }
    }

    /// Stops listening, and ends the connections that callers keep.
    async fn close(&mut self) {
        drop(self.close.take());
        if let Some(serving) = self.serving.take() {
            serving.await.unwrap();
        }
    }
}
