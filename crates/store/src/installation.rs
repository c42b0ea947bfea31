//! Facts about the whole database, in a table of one row: `installation`.

use tokenhouse_protocol::time::Timestamp;

use crate::columns::from_row;
use crate::db::{execute, optional};
use crate::{Added, Store, StoreError, Tx, added};

/// What was made once, when the database was new.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Installation {
    /// A known text under the sealing key: whoever can open it holds the right key.
    pub seal_check: String,
    /// The key of the digests of client secrets, sealed.
    pub digest_key_sealed: String,
    /// When the database was set up.
    pub created_at: Timestamp,
}

from_row!(Installation, row => Installation {
    seal_check: row.text("seal_check")?,
    digest_key_sealed: row.text("digest_key_sealed")?,
    created_at: row.time("created_at")?,
});

impl Store {
    /// The version of the schema: the newest migration that has run.
    pub async fn schema(&self) -> Result<i64, StoreError> {
        let newest: Option<(i64,)> = optional!(
            self.db(),
            "select version from _sqlx_migrations where success order by version desc limit 1"
        )?;
        Ok(newest.map_or(0, |(version,)| version))
    }

    /// The installation's facts; `None` in a database that was never set up.
    pub async fn installation(&self) -> Result<Option<Installation>, StoreError> {
        optional!(
            self.db(),
            "select seal_check, digest_key_sealed, created_at from installation where id = 1"
        )
    }
}

impl Tx<'_> {
    /// Sets the installation's facts, once; [`Added::Exists`] if another process was first.
    pub async fn add_installation(&mut self, installation: &Installation) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into installation (id, seal_check, digest_key_sealed, created_at) values (1, $1, $2, $3) \
             on conflict do nothing",
            installation.seal_check.as_str(),
            installation.digest_key_sealed.as_str(),
            installation.created_at.ms(),
        ))
    }
}
