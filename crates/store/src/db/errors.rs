//! What the databases' errors mean: to whoever opened one, and to whoever was just using it.

use sqlx::migrate::MigrateError;

use crate::error::{OpenError, StoreError};
use crate::migrations;

/// A looked-up row. A name with U+0000, which PostgreSQL refuses to hear, is the name of nothing.
pub(crate) fn present<T>(row: Result<Option<T>, sqlx::Error>) -> Result<Option<T>, StoreError> {
    match row {
        Err(error) if code(&error).is_some_and(|code| code == "22021") => Ok(None),
        row => Ok(row?),
    }
}

/// Whether the same work may succeed if it is done again: another transaction was in its way.
pub(crate) fn may_be_retried(error: &sqlx::Error) -> bool {
    // SQLite's BUSY and LOCKED (the low byte of its code); PostgreSQL's serialization failure and deadlock.
    let Some(code) = code(error) else { return false };
    code == "40001" || code == "40P01" || (code.len() < 5 && matches!(sqlite_code(&code), Some(5 | 6)))
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let damaged = match &error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => true,
            other => code(other).is_some_and(|code| code.len() < 5 && matches!(sqlite_code(&code), Some(11 | 26))),
        };
        if damaged {
            Self::Damaged(error.to_string())
        } else {
            Self::Unavailable(error.to_string())
        }
    }
}

/// The driver's code: five characters from PostgreSQL, a shorter number from SQLite.
fn code(error: &sqlx::Error) -> Option<String> {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .map(std::borrow::Cow::into_owned)
}

/// SQLite's primary result code, the low byte of the extended one.
fn sqlite_code(code: &str) -> Option<i32> {
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// What a migration's failure means to the person who started the program.
pub(super) fn migrate_error(name: &str, error: MigrateError, driver: fn(&str, &sqlx::Error) -> OpenError) -> OpenError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => driver(name, &error),
        MigrateError::VersionMissing(found) if found > migrations::newest() => OpenError::Newer {
            found,
            known: migrations::newest(),
        },
        other => OpenError::Other(format!(
            "the database {name} has a schema that no release of Tokenhouse made ({other}): restore it from a backup"
        )),
    }
}

pub(super) fn sqlite_error(name: &str, error: &sqlx::Error) -> OpenError {
    match code(error).as_deref().and_then(sqlite_code) {
        Some(11 | 26) => OpenError::Damaged(format!(
            "the file {name} is damaged or not a database: restore it from a backup, or name another; nothing was changed"
        )),
        Some(5 | 6) => OpenError::Unreachable(format!(
            "the database file {name} is locked by another process: stop that one, then start again"
        )),
        Some(3 | 8 | 14) => OpenError::NotWritable(format!(
            "the database file {name} cannot be written: check that it and its folder belong to this user"
        )),
        _ => OpenError::Other(format!("the database file {name} cannot be opened: {error}")),
    }
}

pub(super) fn postgres_error(name: &str, error: &sqlx::Error) -> OpenError {
    match code(error).as_deref() {
        Some("42501" | "25006") => OpenError::NotWritable(format!(
            "the database's user at {name} may not create tables ({error}): grant it that right, or name another user"
        )),
        Some("28000" | "28P01" | "3D000") => OpenError::Other(format!(
            "the PostgreSQL server at {name} refuses this user or database ({error}): correct the database address"
        )),
        // It starts, stops, or has as many connections as it takes: it may be there in a moment.
        Some("57P01" | "57P02" | "57P03" | "53300") => OpenError::Unreachable(format!(
            "the PostgreSQL server at {name} takes no connection ({error}): wait until it does"
        )),
        Some(_) => OpenError::Other(format!("the PostgreSQL server at {name} cannot be used: {error}")),
        None => OpenError::Unreachable(format!(
            "the PostgreSQL server at {name} cannot be reached ({error}): start it, or correct the database address"
        )),
    }
}
