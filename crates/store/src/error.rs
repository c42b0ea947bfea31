//! What can go wrong with a database: when it is opened, and when it is used.
//!
//! Absence is an `Option` and a lost race is an outcome; neither is an error.

use std::fmt;

/// Why a database could not be opened. Its text is one sentence that says what to do; nothing was changed.
#[derive(Debug)]
pub enum OpenError {
    /// The database did not answer, or another process holds it: it may be there in a moment.
    Unreachable(String),
    /// The file is not a database, or was damaged.
    Damaged(String),
    /// The database was written by a newer Tokenhouse: its schema's version, and the newest known here.
    Newer {
        /// The version found in the database.
        found: i64,
        /// The newest version this binary knows.
        known: i64,
    },
    /// The file or its folder cannot be written, or the database's user may not create tables.
    NotWritable(String),
    /// Anything else: a malformed address, a migration that failed.
    Other(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(text) | Self::Damaged(text) | Self::NotWritable(text) | Self::Other(text) => {
                f.write_str(text)
            }
            Self::Newer { found, known } => write!(
                f,
                "the database was written by a newer Tokenhouse (schema {found}, this one knows {known}): \
                 run that version or a later one; nothing was changed"
            ),
        }
    }
}

impl std::error::Error for OpenError {}

/// Why the store could not do what was asked. The caller answers 503 with Retry-After.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoreError {
    /// Too many jobs wait already; nothing was written.
    Busy,
    /// The database is away, locked or full, or a record that this one refers to was removed meanwhile.
    Unavailable(String),
    /// A row cannot be read back: the database was damaged or changed by hand.
    Damaged(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("too many writes are waiting for the database"),
            Self::Unavailable(cause) => write!(f, "the database cannot be used now: {cause}"),
            Self::Damaged(cause) => write!(f, "the database holds something unreadable: {cause}"),
        }
    }
}

impl std::error::Error for StoreError {}
