//! SQLite's file: made for its owner alone, and brought up to date while a second process waits.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::{may_be_retried, pause};
use crate::migrations;

/// Makes the file if there is none, readable for its owner alone; SQLite gives its side files the same rights.
pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Migrates a file inside one write transaction, so that a second process waits and then finds it done.
pub(super) async fn migrate_file(options: &SqliteConnectOptions) -> Result<(), MigrateError> {
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
