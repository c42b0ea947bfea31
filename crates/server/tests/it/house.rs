//! The fixture: a house like the one that `tokenhouse dev` opens, its router called in this process, its
//! clock in the test's hand.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::OnceCell;
use tower::ServiceExt as _;

use tokenhouse::app::{App, AppOptions};
use tokenhouse::config::{Console, Limits, Passwords};
use tokenhouse::dev::faults::Faults;
use tokenhouse::dev::seed::{Application, Applications, seed};
use tokenhouse::router::{router, with_faults};
use tokenhouse::tenant::{Issuer, Tenant};
use tokenhouse::web::door::Peer;
use tokenhouse_guard::{Guard, KeySet, LocalKeys};
use tokenhouse_protocol::crypto::{Random, SealingKey};
use tokenhouse_protocol::id::{TenantId, row_id};
use tokenhouse_protocol::time::{Clock, Timestamp};
use tokenhouse_store::{Database, LogRow};

pub(crate) use self::ask::{Answer, Ask, encoded, form};
pub(crate) use self::jwt::{Jwt, member_names};

mod ask;
mod jwt;

/// The sample API.
pub(crate) const AUDIENCE: &str = tokenhouse::dev::seed::AUDIENCE;
/// The sample user.
pub(crate) const USERNAME: &str = tokenhouse::dev::seed::USERNAME;
/// The sample user's password.
pub(crate) const PASSWORD: &str = tokenhouse::dev::seed::PASSWORD;
/// The default tenant's issuer.
pub(crate) const ISSUER: &str = "http://localhost:4000/";
/// A page that may read the samples' answers.
pub(crate) const ORIGIN: &str = "http://localhost:3999";
/// What the clock shows when a house opens: 2026-01-15T10:00:00Z.
pub(crate) const NOW_S: i64 = 1_768_471_200;

/// One node of a house.
pub(crate) struct House {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Clock,
    pub(crate) samples: Applications,
    router: Router,
    place: Place,
    /// Where its requests run, if not on the test's own runtime.
    runtime: Option<Handle>,
}

/// What a house is opened with.
pub(crate) struct Setup {
    pub(crate) passwords: Passwords,
    pub(crate) limits: Limits,
    pub(crate) on_file: bool,
}

/// Where a house keeps everything, so that a second node finds it.
#[derive(Clone)]
struct Place {
    sealing: [u8; 32],
    folder: Option<Arc<Folder>>,
}

/// A folder of one test, gone when its last node is.
struct Folder(PathBuf);

impl House {
    /// A house in memory.
    pub(crate) async fn new() -> Self {
        Self::open(Setup::default()).await
    }

    /// A house in a SQLite file, which more nodes can share.
    pub(crate) async fn on_file() -> Self {
        Self::open(Setup {
            on_file: true,
            ..Setup::default()
        })
        .await
    }

    /// A house in memory behind the door of `tokenhouse dev`, where tests ask for faults.
    pub(crate) async fn with_faults() -> Self {
        let house = Self::new().await;
        Self {
            router: with_faults(&house.app, &Faults::default()),
            ..house
        }
    }

    pub(crate) async fn open(setup: Setup) -> Self {
        let mut sealing = [0; 32];
        Random::system().fill(&mut sealing);
        let place = Place {
            sealing,
            folder: setup.on_file.then(Folder::new),
        };
        Self::node(setup, place, Clock::set_to(Timestamp::from_seconds(NOW_S))).await
    }

    /// Another process on the same database.
    pub(crate) async fn second_node(&self) -> Self {
        assert!(self.place.folder.is_some(), "a house in memory has one node");
        Self::node(Setup::default(), self.place.clone(), self.clock.clone()).await
    }

    /// The one house that tests share which change nothing but the log.
    pub(crate) async fn shared() -> &'static Self {
        static SHARED: OnceCell<&House> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::lasting(|_| std::future::ready(()))).await
    }

    /// A house for several tests, prepared once. Everything in it runs on a runtime that outlives the tests': a
    /// connection given back on a runtime that ends is closed, and with it a database in memory.
    pub(crate) async fn lasting<F: Future<Output = ()> + Send>(
        prepare: impl FnOnce(Arc<Tenant>) -> F + Send + 'static,
    ) -> &'static Self {
        static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
        let opening = RUNTIME.spawn(async {
            let house = Self::new().await;
            prepare(house.tenant().await).await;
            Self {
                runtime: Some(RUNTIME.handle().clone()),
                ..house
            }
        });
        Box::leak(Box::new(opening.await.unwrap()))
    }

    async fn node(setup: Setup, place: Place, clock: Clock) -> Self {
        let database = match &place.folder {
            Some(folder) => Database::File(folder.0.join("tokenhouse.db")),
            None => Database::Memory,
        };
        let sealing = SealingKey::from_bytes(place.sealing);
        crate::secrets::used(&sealing.to_base64());
        let app = App::open(AppOptions {
            database,
            sealing,
            issuer: Issuer::parse(ISSUER).unwrap(),
            default_hosts: ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec(),
            clock: clock.clone(),
            passwords: setup.passwords,
            limits: setup.limits,
            console: Console::default(),
            cache_entries: 1000,
            may_be_strict: true,
        });
        let app = Box::pin(app).await.unwrap();
        let tenant = app.default_tenant().await.unwrap();
        let samples = Box::pin(seed(&tenant, &[ORIGIN.to_owned()])).await.unwrap();
        let all = [
            &samples.sample,
            &samples.reader,
            &samples.stranger,
            &samples.password,
            &samples.admin,
        ];
        all.iter()
            .for_each(|application| crate::secrets::used(&application.client_secret));
        Self {
            router: router(&app),
            app,
            clock,
            samples,
            place,
            runtime: None,
        }
    }

    /// The folder of a house on file.
    pub(crate) fn folder(&self) -> &Path {
        &self.place.folder.as_ref().unwrap().0
    }

    /// The default tenant.
    pub(crate) async fn tenant(&self) -> Arc<Tenant> {
        self.app.default_tenant().await.unwrap()
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        let mut request = ask.request();
        let peer: SocketAddr = (ask.address, 50_000).into();
        request.extensions_mut().insert(Peer(peer));
        let router = self.router.clone();
        let answering = async { Answer::read(router.oneshot(request).await.unwrap()).await };
        match &self.runtime {
            Some(runtime) => runtime.spawn(answering).await.unwrap(),
            None => answering.await,
        }
    }

    /// Sends a request, whose answer may go on for a while.
    pub(crate) async fn response(&self, ask: Ask) -> Response<Body> {
        let mut request = ask.request();
        let peer: SocketAddr = (ask.address, 50_000).into();
        request.extensions_mut().insert(Peer(peer));
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Ask::get(path)).await
    }

    /// Posts a form to the token endpoint.
    pub(crate) async fn post_form(&self, fields: &[(&str, &str)]) -> Answer {
        self.ask(Ask::token(fields)).await
    }

    /// A client credentials request for the sample API, answered.
    pub(crate) async fn client_credentials(&self, application: &Application) -> Answer {
        self.post_form(&with_secret(
            application,
            &[("grant_type", "client_credentials"), ("audience", AUDIENCE)],
        ))
        .await
    }

    /// A client credentials token for the sample API.
    pub(crate) async fn token(&self, application: &Application) -> Jwt {
        self.client_credentials(application).await.token()
    }

    /// A password request by the sample password client, answered.
    pub(crate) async fn password(&self, fields: &[(&str, &str)]) -> Answer {
        self.ask(Ask::token(&self.password_fields(fields))).await
    }

    /// The fields of a password request: the sample user's, and `fields` over them.
    pub(crate) fn password_fields<'a>(&'a self, fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let usual = [
            ("grant_type", "password"),
            ("username", USERNAME),
            ("password", PASSWORD),
        ];
        let kept = usual
            .into_iter()
            .filter(|(name, _)| fields.iter().all(|(other, _)| other != name));
        with_secret(
            &self.samples.password,
            &kept.chain(fields.iter().copied()).collect::<Vec<_>>(),
        )
    }

    pub(crate) fn advance_s(&self, seconds: i64) {
        self.clock.advance_ms(seconds * 1000);
    }

    /// The default tenant's log, oldest first; what was recorded without waiting is waited for.
    pub(crate) async fn logs(&self) -> Vec<LogRow> {
        self.logs_of(&TenantId::default_tenant()).await
    }

    pub(crate) async fn logs_of(&self, tenant: &TenantId) -> Vec<LogRow> {
        self.written().await;
        self.app.house.store.logs_after(tenant, None, 100_000).await.unwrap()
    }

    /// Waits until everything queued before has been written: batches are written in order.
    pub(crate) async fn written(&self) {
        let nothing = tokenhouse_store::Job {
            tenant: TenantId::default_tenant(),
            entries: Vec::new(),
            uses: None,
            counts: None,
        };
        self.app.house.store.commit(nothing).await.unwrap();
    }

    /// The guard of an API that trusts the published keys of `host`.
    pub(crate) async fn guard(&self, host: &str, audience: &str) -> Guard {
        let jwks = self.ask(Ask::get("/.well-known/jwks.json").host(host)).await;
        let keys = KeySet::from_json(jwks.body.as_bytes()).unwrap();
        let metadata = self
            .ask(Ask::get("/.well-known/openid-configuration").host(host))
            .await
            .json();
        Guard::builder()
            .issuer(metadata["issuer"].as_str().unwrap())
            .audience(audience)
            .clock(self.clock.clone())
            .keys(LocalKeys::fixed(keys))
            .build()
            .unwrap()
    }

    /// Whether an API that trusts the published keys takes a token.
    pub(crate) async fn accepts(&self, token: &Jwt) -> bool {
        self.guard("localhost:4000", AUDIENCE)
            .await
            .verify(&token.raw)
            .await
            .is_ok()
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            passwords: Passwords {
                memory_kib: 64,
                iterations: 1,
                parallelism: 1,
                threads: 1,
                queue: 64,
            },
            limits: Limits {
                // Many tests ask often at one moment of their clock.
                management_requests_per_s: 0,
                ..Limits::default()
            },
            on_file: false,
        }
    }
}

impl Folder {
    fn new() -> Arc<Self> {
        let path = std::env::temp_dir().join(format!("tokenhouse-it-{}", row_id(&Random::system())));
        std::fs::create_dir(&path).unwrap();
        Arc::new(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test that failed leaves its connections open; the system empties its temporary folder some day.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// `fields` and an application's id and secret.
pub(crate) fn with_secret<'a>(application: &'a Application, fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = [
        ("client_id", application.client_id.as_str()),
        ("client_secret", application.client_secret.as_str()),
    ];
    let kept = own
        .into_iter()
        .filter(|(name, _)| fields.iter().all(|(other, _)| other != name));
    fields.iter().copied().chain(kept.collect::<Vec<_>>()).collect()
}
