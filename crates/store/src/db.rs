//! The two databases behind one face: connecting and transactions. With
//! `revision` this is the only file that tells SQLite from PostgreSQL (DESIGN §3, promise 3).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool};

use tokenhouse_protocol::time::Clock;

use crate::error::{OpenError, StoreError};
use crate::group::Turn;
use crate::measured::Reads;
use crate::migrations;

mod errors;
mod statements;

pub(crate) use errors::{may_be_retried, present};
pub(crate) use statements::{all, execute, optional};

use errors::{migrate_error, postgres_error, sqlite_error};

/// How long a query waits for a connection of its pool.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long SQLite waits for another process to let go of the file.
const BUSY: Duration = Duration::from_secs(5);
/// Connections to PostgreSQL; one of them is most often the batch writer's.
const POSTGRES_CONNECTIONS: u32 = 8;
/// Readers of a SQLite file, besides its one writer.
const SQLITE_READERS: u32 = 4;

/// The open database. Cloning shares it.
#[derive(Clone)]
pub(crate) enum Db {
    /// A file with one writing connection; the readers see the last commit. In memory both are the same one.
    Sqlite {
        writer: SqlitePool,
        reader: SqlitePool,
        reads: Arc<Reads>,
    },
    /// A server; `rings` when it knows NOTIFY, as PostgreSQL does and CockroachDB does not.
    Postgres {
        pool: PgPool,
        options: Box<PgConnectOptions>,
        rings: bool,
        reads: Arc<Reads>,
    },
}

/// A configuration transaction. Dropped without [`Tx::commit`], it leaves nothing.
///
/// SQLite has one writer: while a `Tx` is open, every other write waits for it, so nothing slow belongs inside,
/// and no `Store` method may be awaited in between (a database in memory has one connection for everything).
/// What must be read to decide is read through the `Tx`.
#[must_use = "a transaction that is dropped leaves nothing"]
pub struct Tx<'c> {
    pub(crate) backend: Backend<'c>,
    pub(crate) clock: Clock,
}

/// What the changes of a group have in turn.
pub(crate) type Lent = sqlx::Transaction<'static, Sqlite>;

/// A transaction of either database.
pub(crate) enum Backend<'c> {
    Sqlite(sqlx::Transaction<'c, Sqlite>),
    /// A turn in a transaction that others share; only where there is one writer.
    Turn(Turn),
    /// SQLite for one statement, which commits by itself.
    SqliteStatement(PoolConnection<Sqlite>),
    Postgres {
        transaction: sqlx::Transaction<'c, Postgres>,
        rings: bool,
    },
}

impl Db {
    /// A new database in this process's memory, gone when it is closed.
    pub(crate) async fn memory() -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .in_memory(true)
            .foreign_keys(true)
            .disable_statement_logging();
        let pool = sqlite_pool(1)
            .connect_with(options)
            .await
            .map_err(|error| sqlite_error(":memory:", &error))?;
        let mut connection = pool.acquire().await.map_err(|error| sqlite_error(":memory:", &error))?;
        sqlx::raw_sql(AssertSqlSafe(migrations::text()))
            .execute(&mut *connection)
            .await
            .map_err(|error| sqlite_error(":memory:", &error))?;
        migrations::skip(&mut *connection)
            .await
            .map_err(|error| migrate_error(":memory:", error, sqlite_error))?;
        drop(connection);
        Ok(Self::Sqlite {
            writer: pool.clone(),
            reader: pool,
            reads: Arc::default(),
        })
    }

    /// Opens the file, or makes it, readable for this user alone.
    pub(crate) async fn file(path: &Path) -> Result<Self, OpenError> {
        let name = path.display().to_string();
        make_private(path).map_err(|cause| {
            OpenError::NotWritable(format!(
                "the database file {name} cannot be written ({cause}): check that its folder exists and belongs to this user"
            ))
        })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .pragma("wal_autocheckpoint", "8000")
            .disable_statement_logging();
        migrate_file(&options)
            .await
            .map_err(|error| migrate_error(&name, error, sqlite_error))?;
        // After a full disk or a failed write SQLite has rolled back by itself, and the driver still counts a
        // transaction: such a connection is thrown away, or nothing could be written until a restart.
        let writer = sqlite_pool(1)
            .after_release(|connection, _| Box::pin(async move { is_idle(connection).await }))
            .connect_with(options.clone())
            .await
            .map_err(|error| sqlite_error(&name, &error))?;
        let reader = sqlite_pool(SQLITE_READERS).connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self::Sqlite {
            writer,
            reader,
            reads: Arc::default(),
        })
    }

    /// Connects to PostgreSQL, or what speaks its protocol, at `url`; encrypted when its `sslmode` asks.
    pub(crate) async fn postgres(url: &str) -> Result<Self, OpenError> {
        let options: PgConnectOptions = url.parse().map_err(|cause: sqlx::Error| {
            OpenError::Other(format!(
                "the database address is not a postgres:// address ({cause}): correct it"
            ))
        })?;
        let options = options.application_name("tokenhouse").disable_statement_logging();
        let name = format!("{}:{}", options.get_host(), options.get_port());
        let connecting = tokio::time::timeout(Duration::from_secs(10), options.connect());
        let Ok(connection) = connecting.await else {
            return Err(OpenError::Unreachable(format!(
                "the PostgreSQL server at {name} does not answer: start it, or correct the database address"
            )));
        };
        // Without the limits below: a second process waits here for as long as the first one migrates.
        let mut connection = connection.map_err(|error| postgres_error(&name, &error))?;
        migrations::run(&mut connection)
            .await
            .map_err(|error| migrate_error(&name, error, postgres_error))?;
        let rings = sqlx::query("listen tokenhouse").execute(&mut connection).await.is_ok();
        connection
            .close()
            .await
            .map_err(|error| postgres_error(&name, &error))?;
        let limited = options.clone().options([
            ("statement_timeout", "10s"),
            ("lock_timeout", "5s"),
            // Shorter than a caller waits: what a process that was stopped in the middle holds locked, a quota's
            // counter for example, must not stop the others.
            ("idle_in_transaction_session_timeout", "3s"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE)
            .connect_with(limited)
            .await
            .map_err(|error| postgres_error(&name, &error))?;
        Ok(Self::Postgres {
            pool,
            options: Box::new(options),
            rings,
            reads: Arc::default(),
        })
    }

    /// How long reads took.
    pub(crate) fn reads(&self) -> &Reads {
        match self {
            Self::Sqlite { reads, .. } | Self::Postgres { reads, .. } => reads,
        }
    }

    /// Begins a transaction that may write; on SQLite the write lock is taken at once, so that what is read in it
    /// stays true until it commits.
    pub(crate) async fn begin(&self, clock: Clock) -> Result<Tx<'static>, sqlx::Error> {
        let backend = match self {
            Self::Sqlite { writer, .. } => Backend::Sqlite(writer.begin_with("begin immediate").await?),
            Self::Postgres { pool, rings, .. } => Backend::Postgres {
                transaction: pool.begin().await?,
                rings: *rings,
            },
        };
        Ok(Tx { backend, clock })
    }

    /// The same for one statement and no more. In SQLite it needs no transaction around it, and a begin and a commit
    /// would each change threads: half of what a small batch costs.
    pub(crate) async fn begin_statement(&self, clock: Clock) -> Result<Tx<'static>, sqlx::Error> {
        match self {
            Self::Sqlite { writer, .. } => {
                let backend = Backend::SqliteStatement(writer.acquire().await?);
                Ok(Tx { backend, clock })
            }
            Self::Postgres { .. } => self.begin(clock).await,
        }
    }

    /// Begins a transaction that only reads, and sees the database as it is at its first read.
    pub(crate) async fn snapshot(&self, clock: Clock) -> Result<Tx<'static>, sqlx::Error> {
        let backend = match self {
            Self::Sqlite { reader, .. } => Backend::Sqlite(reader.begin().await?),
            Self::Postgres { pool, .. } => Backend::Postgres {
                transaction: pool
                    .begin_with("begin isolation level repeatable read, read only")
                    .await?,
                rings: false,
            },
        };
        Ok(Tx { backend, clock })
    }

    /// Whether all who write wait for one another, so that changes had better share a transaction.
    pub(crate) fn has_one_writer(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// Begins a transaction that changes have in turn, with the first one's savepoint.
    pub(crate) async fn begin_group(&self) -> Result<Lent, sqlx::Error> {
        match self {
            Self::Sqlite { writer, .. } => writer.begin_with("begin immediate; savepoint change").await,
            Self::Postgres { .. } => Err(sqlx::Error::Protocol("PostgreSQL has no groups".into())),
        }
    }

    /// Closes every connection once what runs on it has ended.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, reader, .. } => {
                reader.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

impl Tx<'_> {
    /// Makes everything done in this transaction durable and visible, and rings other nodes if it was a change.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.backend {
            Backend::Turn(turn) => turn.keep().await,
            backend => Ok(backend.end().await?),
        }
    }
}

impl Backend<'_> {
    /// The same, with the driver's own error, for whoever can try again.
    pub(crate) async fn end(self) -> Result<(), sqlx::Error> {
        match self {
            Backend::Turn(turn) => {
                let ended = turn.keep().await;
                ended.map_err(|error| sqlx::Error::AnyDriverError(error.into()))
            }
            Backend::Sqlite(transaction) => transaction.commit().await,
            Backend::SqliteStatement(_) => Ok(()),
            Backend::Postgres { transaction, .. } => transaction.commit().await,
        }
    }
}

impl From<Lent> for Backend<'_> {
    fn from(lent: Lent) -> Self {
        Self::Sqlite(lent)
    }
}

/// Runs one expression on either database: `on!(store, c => …)` on a reading connection, and measured, `on!(tx: tx,
/// c => …)` inside a transaction. The driver's types are inferred anew in each arm.
macro_rules! on {
    (tx: $tx:expr, $connection:ident => $run:expr) => {
        match &mut $tx.backend {
            $crate::db::Backend::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $run
            }
            $crate::db::Backend::Turn(turn) => {
                let $connection = &mut **turn.lent();
                $run
            }
            $crate::db::Backend::SqliteStatement(connection) => {
                let $connection = &mut **connection;
                $run
            }
            $crate::db::Backend::Postgres { transaction, .. } => {
                let $connection = &mut **transaction;
                $run
            }
        }
    };
    ($db:expr, $connection:ident => $run:expr) => {{
        let db: &$crate::db::Db = $db;
        let _reading = db.reads().begin();
        match db {
            $crate::db::Db::Sqlite {
                reader: $connection, ..
            } => $run,
            $crate::db::Db::Postgres { pool: $connection, .. } => $run,
        }
    }};
}
pub(crate) use on;

/// Whether a connection is in no transaction.
async fn is_idle(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // What was dropped unfinished is rolled back before this is answered.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// A pool whose connections live as long as it does: a connection to a database in memory *is* the database.
fn sqlite_pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Makes the file if there is none, readable for its owner alone; SQLite gives its side files the same rights.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Migrates a file inside one write transaction, so that a second process waits and then finds it done.
async fn migrate_file(options: &SqliteConnectOptions) -> Result<(), MigrateError> {
    let mut connection = connect_file(options).await?;
    let mut transaction = connection.begin_with("begin immediate").await?;
    migrations::run(&mut *transaction).await?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

/// The first connection. Turning a new file's journal into a write-ahead log does not wait for a second process
/// that is doing the same, so that is tried again.
async fn connect_file(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
    for _ in 0..20 {
        match options.connect().await {
            Err(error) if may_be_retried(&error) => pause(Duration::from_millis(50)).await,
            connection => return connection,
        }
    }
    options.connect().await
}

/// Waits for another process, which no clock of ours can move.
#[expect(clippy::disallowed_methods, reason = "what is waited for is another process")]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
