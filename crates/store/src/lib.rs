//! Everything Tokenhouse keeps, in SQLite or PostgreSQL. All SQL lives in this crate; nothing of the driver's
//! leaves it (DESIGN §5).
//!
//! Reads are methods of [`Store`]. Configuration changes through a [`Tx`], which is [`Store::change`], the writes,
//! [`Tx::commit`]; or [`Store::begin`] with a [`Tx::bump`], for what shares its transaction with nobody. What a token exchange leaves behind is a [`Job`], which [`Store::commit`] makes
//! durable together with everything that waits at that moment.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::NodeId;
use tokenhouse_protocol::time::Clock;

mod administrator_sessions;
mod administrators;
mod apis;
mod assertions;
mod backup;
mod client_grants;
mod client_keys;
mod client_secrets;
mod clients;
mod columns;
mod connections;
mod db;
mod error;
mod forgotten_users;
mod group;
mod installation;
mod job;
mod keys;
mod log_id;
mod log_search;
mod logs;
mod measured;
mod migrations;
mod names;
mod outage;
mod page;
mod permissions;
mod portable;
mod quotas;
mod revision;
mod roles;
mod sign_in_links;
mod tenants;
mod totals;
mod traffic;
mod transfers;
mod usage;
mod users;
mod writer;

pub use administrator_sessions::AdministratorSession;
pub use administrators::Administrator;
pub use apis::{Api, ApiScope};
pub use assertions::UsedAssertion;
pub use client_grants::{ClientGrant, ClientGrantFilter};
pub use client_keys::ClientKey;
pub use client_secrets::ClientSecret;
pub use clients::{Client, ClientFilter, MAX_APP_TYPES};
pub use connections::Connection;
pub use db::Tx;
pub use error::{OpenError, StoreError};
pub use forgotten_users::{Forgetting, ForgottenUser};
pub use installation::Installation;
pub use job::{Job, LogBody, LogEntry, Outcome};
pub use keys::{Key, KeyState};
pub use log_search::{LogFilter, LogPage, LogSpan, MAX_LOG_KINDS};
pub use logs::LogRow;
pub use measured::{Histogram, Measured};
pub use names::{Found, normalise};
pub use outage::Outages;
pub use page::Page;
pub use permissions::Permission;
pub use portable::{ROWS_AT_ONCE, TABLES, Table};
pub use quotas::{Count, Counted, Quota, Span};
pub use revision::{Change, Doorbell};
pub use roles::Role;
pub use sign_in_links::SignInLink;
pub use tenants::Tenant;
pub use traffic::{Traffic, Unexpired};
pub use transfers::Transfer;
pub use usage::{UsageRow, UsageSum};
pub use users::{Logins, User};

use db::Db;
use writer::{Message, Started};

/// How long a probe waits for the database.
const PROBE: Duration = Duration::from_secs(1);

/// The open database. Cloning shares it; the last clone that is dropped ends it without waiting, so a server calls
/// [`Store::close`].
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    db: Db,
    node: NodeId,
    clock: Clock,
    queue: mpsc::Sender<Message>,
    /// Where changes ask for their turn, if they share transactions.
    turns: Option<mpsc::Sender<group::Asked>>,
    /// Whether the last batch was not written.
    is_failing: Arc<AtomicBool>,
    outages: Arc<Outages>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What [`Store::open`] needs.
pub struct Options {
    /// Which database.
    pub database: Database,
    /// The clock of log ids and of what ages.
    pub clock: Clock,
    /// Where this node's id comes from.
    pub random: Random,
}

/// Which database to open.
pub enum Database {
    /// SQLite in this process's memory, on one connection; gone when it is closed. For tests.
    Memory,
    /// SQLite in this file, which is made if it is missing.
    File(PathBuf),
    /// PostgreSQL at this `postgres://` address; encrypted when its `sslmode` asks.
    Postgres(String),
}

/// Whether something was added, or was there before. An addition never fails for being there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "what was there before stays as it was"]
pub enum Added {
    /// It was added.
    Yes,
    /// Its id, or a name that must be unique, is taken; nothing was written.
    Exists,
}

impl Store {
    /// Connects, brings the schema up to date, and starts the task that writes batches.
    ///
    /// Fails with one sentence that says what to do; a database that is damaged or newer than this binary is left
    /// as it is. Several processes may open one database at once.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let Options {
            database,
            clock,
            random,
        } = options;
        let db = match database {
            Database::Memory => Db::memory().await?,
            Database::File(path) => Db::file(&path).await?,
            Database::Postgres(url) => Db::postgres(&url).await?,
        };
        let node = NodeId::generate(&random);
        let outages = Arc::new(Outages::new(clock.clone()));
        let Started {
            queue,
            is_failing,
            task,
        } = writer::start(db.clone(), node.clone(), clock.clone(), outages.clone());
        let turns = group::start(&db, &clock);
        Ok(Self(Arc::new(Inner {
            turns,
            db,
            node,
            clock,
            queue,
            is_failing,
            outages,
            writer: Mutex::new(Some(task)),
        })))
    }

    /// This run of this process, as its log rows name it.
    pub fn node(&self) -> &NodeId {
        &self.0.node
    }

    /// Where failures are noted that come by the request, so that an outage is not told as often.
    pub fn outages(&self) -> &Outages {
        &self.0.outages
    }

    /// Whether jobs can be made durable: says no if the last batch was not written, or if the database does not answer
    /// within a second. While batches fail an empty one tries the database every second, so this becomes true by itself.
    pub async fn ready(&self) -> Result<(), StoreError> {
        if self.0.is_failing.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("the last batch was not written".into()));
        }
        let silent = |_| Err(StoreError::Unavailable("it does not answer within a second".into()));
        timeout(PROBE, self.ping()).await.unwrap_or_else(silent)
    }

    /// Asks the database for an answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        db::on!(self.db(), connection => sqlx::query("select 1").execute(connection).await.map(drop))?;
        Ok(())
    }

    /// Begins a transaction of its own. While it is open, await no other method of the store; see [`Tx`].
    pub async fn begin(&self) -> Result<Tx<'static>, StoreError> {
        Ok(self.0.db.begin(self.0.clock.clone()).await?)
    }

    /// Begins a transaction that only reads, and reads all as it was at one moment, whatever is written meanwhile. Await no
    /// other method of the store while it is open, and let it not rest for more than a second or two: where the database is
    /// PostgreSQL, it is ended then.
    pub async fn snapshot(&self) -> Result<Tx<'static>, StoreError> {
        Ok(self.0.db.snapshot(self.0.clock.clone()).await?)
    }

    /// Makes a job durable, in one transaction with all that waits now, and answers when it is.
    ///
    /// On an error nothing may be given out: [`StoreError::Busy`] when 4096 wait already, or what the database
    /// said, after five seconds at most, or six if it hangs in a commit, which may become durable later. Once this was
    /// first polled the job is written even if the caller hangs up.
    pub async fn commit(&self, job: Job) -> Result<Outcome, StoreError> {
        let (answer, outcome) = oneshot::channel();
        self.enqueue(job.prepare(), Some(answer))?;
        writer::outcome(outcome).await
    }

    /// Queues a job without waiting for it: for refusals, of which nothing depends.
    pub fn record(&self, job: Job) -> Result<(), StoreError> {
        self.enqueue(job.prepare(), None)
    }

    /// Takes no more jobs, commits those that wait, and closes the database.
    pub async fn close(&self) {
        // An error means that the queue is closed already.
        self.0.queue.send(Message::Close).await.ok();
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && let Err(error) = writer.await
        {
            tracing::error!(%error, "the task that writes batches failed");
        }
        self.0.outages.finish();
        self.0.db.close().await;
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn turns(&self) -> Option<&mpsc::Sender<group::Asked>> {
        self.0.turns.as_ref()
    }

    pub(crate) fn queue(&self) -> &mpsc::Sender<Message> {
        &self.0.queue
    }
}

/// What an `insert … on conflict do nothing` did.
pub(crate) fn added(rows: Result<u64, sqlx::Error>) -> Result<Added, StoreError> {
    Ok(if rows? == 0 { Added::Exists } else { Added::Yes })
}

/// Whether an update or a removal found its row.
pub(crate) fn changed(rows: Result<u64, sqlx::Error>) -> Result<bool, StoreError> {
    Ok(rows? > 0)
}
