//! Where a test's database is: a SQLite file in a folder of its own, or a PostgreSQL database of its own.

use std::io::Write;
use std::path::PathBuf;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqlSafeStr, SqliteConnection};
use tokenhouse_protocol::crypto::Random;
use tokenhouse_protocol::id::row_id;
use tokenhouse_protocol::time::{Clock, Timestamp};
use tokenhouse_store::{Database, OpenError, Options, Store};

/// A database of one test's own; removed with everything in it when the test ends well.
pub(crate) struct Place {
    pub(crate) clock: Clock,
    kind: Kind,
}

enum Kind {
    Sqlite(PathBuf),
    Postgres { server: String, name: String },
}

impl Place {
    /// An empty folder for a SQLite file.
    pub(crate) fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(format!("tokenhouse-store-{}", row_id(&Random::system())));
        std::fs::create_dir(&folder).unwrap();
        Self {
            clock: clock(),
            kind: Kind::Sqlite(folder),
        }
    }

    /// An empty database on the PostgreSQL server, if there is one to test with.
    pub(crate) async fn postgres() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "a test has no config that could read it")]
        let Ok(server) = std::env::var("TOKENHOUSE_TEST_POSTGRES") else {
            // Straight to the terminal: what a passing test prints is not shown.
            std::io::stderr()
                .write_all(b"postgres: not run (TOKENHOUSE_TEST_POSTGRES unset)\n")
                .unwrap();
            return None;
        };
        let name = format!("store_{}", row_id(&Random::system()).to_lowercase());
        run_on_postgres(&server, format!("create database {name}")).await;
        Some(Self {
            clock: clock(),
            kind: Kind::Postgres { server, name },
        })
    }

    /// Opens the database here, once more if it is open already: a second node.
    pub(crate) async fn open(&self) -> Store {
        self.try_open().await.unwrap()
    }

    pub(crate) async fn try_open(&self) -> Result<Store, OpenError> {
        let database = match &self.kind {
            Kind::Sqlite(_) => Database::File(self.file()),
            Kind::Postgres { .. } => Database::Postgres(self.address()),
        };
        Store::open(Options {
            database,
            clock: self.clock.clone(),
            random: Random::system(),
        })
        .await
    }

    /// Runs a statement behind the store's back.
    pub(crate) async fn run(&self, statement: &str) {
        match &self.kind {
            Kind::Sqlite(_) => {
                let address = format!("sqlite://{}", self.file().display());
                let mut connection = SqliteConnection::connect(&address).await.unwrap();
                sqlx::query(AssertSqlSafe(statement))
                    .execute(&mut connection)
                    .await
                    .unwrap();
                connection.close().await.unwrap();
            }
            Kind::Postgres { .. } => run_on_postgres(&self.address(), statement.to_owned()).await,
        }
    }

    /// An empty place of the same kind.
    pub(crate) async fn another(&self) -> Self {
        match &self.kind {
            Kind::Sqlite(_) => Self::sqlite(),
            Kind::Postgres { .. } => Self::postgres().await.unwrap(),
        }
    }

    /// Leaves an empty database as a binary did that knew so many of the migrations.
    pub(crate) async fn migrate(&self, known: usize) {
        let known = migrations().into_iter().take(known).map(|(version, text)| {
            let text = AssertSqlSafe(text).into_sql_str();
            Migration::new(version, "old".into(), MigrationType::Simple, text, false)
        });
        let migrator = Migrator::with_migrations(known.collect());
        match &self.kind {
            Kind::Sqlite(_) => {
                let address = format!("sqlite://{}?mode=rwc", self.file().display());
                let mut connection = SqliteConnection::connect(&address).await.unwrap();
                migrator.run_direct(None, &mut connection, false).await.unwrap();
                connection.close().await.unwrap();
            }
            Kind::Postgres { .. } => {
                let mut connection = PgConnection::connect(&self.address()).await.unwrap();
                migrator.run_direct(None, &mut connection, false).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    pub(crate) fn rings(&self) -> bool {
        matches!(self.kind, Kind::Postgres { .. })
    }

    /// The SQLite file.
    pub(crate) fn file(&self) -> PathBuf {
        let Kind::Sqlite(folder) = &self.kind else {
            panic!("not a file")
        };
        folder.join("tokenhouse.db")
    }

    pub(crate) async fn remove(self) {
        match self.kind {
            Kind::Sqlite(folder) => std::fs::remove_dir_all(folder).unwrap(),
            Kind::Postgres { server, name } => {
                run_on_postgres(&server, format!("drop database {name} with (force)")).await;
            }
        }
    }

    /// The test's own database on the server that the variable names.
    fn address(&self) -> String {
        let Kind::Postgres { server, name } = &self.kind else {
            panic!("not a server")
        };
        let (address, options) = server
            .split_once('?')
            .map_or((server.as_str(), None), |(a, o)| (a, Some(o)));
        let (scheme, rest) = address.split_once("://").unwrap();
        let host = rest.split('/').next().unwrap();
        options.map_or_else(
            || format!("{scheme}://{host}/{name}"),
            |o| format!("{scheme}://{host}/{name}?{o}"),
        )
    }
}

/// The texts of `migrations/` with their versions, oldest first.
pub(crate) fn migrations() -> Vec<(i64, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut texts: Vec<_> = files
        .map(|file| {
            let name = file.file_name().unwrap().to_str().unwrap();
            let version = name.split('_').take(2).collect::<String>().parse().unwrap();
            (version, std::fs::read_to_string(&file).unwrap())
        })
        .collect();
    texts.sort_unstable();
    texts
}

/// A clock that stands still in the middle of an hour.
fn clock() -> Clock {
    Clock::set_to(Timestamp::from_ms(1_795_000_000_000))
}

async fn run_on_postgres(address: &str, statement: String) {
    let mut connection = PgConnection::connect(address).await.unwrap();
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Makes two tests of each promise, one per database.
macro_rules! both {
    ($($promise:ident),* $(,)?) => {
        $crate::place::both!("multi_thread": $($promise),*);
    };
    ($flavor:literal: $($promise:ident),*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = $flavor)]
                async fn $promise() {
                    let place = $crate::place::Place::sqlite();
                    Box::pin(super::$promise(&place)).await;
                    place.remove().await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test(flavor = $flavor)]
                async fn $promise() {
                    let Some(place) = $crate::place::Place::postgres().await else { return };
                    Box::pin(super::$promise(&place)).await;
                    place.remove().await;
                }
            )*
        }
    };
}
pub(crate) use both;
