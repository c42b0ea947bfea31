//! A copy of a SQLite database while it is in use, and whether a copy is whole. PostgreSQL has its own tools for both.

use std::path::Path;

use crate::db::{all, on};
use crate::{Store, StoreError};

impl Store {
    /// Writes the database as it is at this moment into `to`: a new file, or an empty one whose rights it keeps.
    ///
    /// Reads one snapshot on a reader's connection: writes go on meanwhile and are not in it. SQLite alone can do
    /// this; on PostgreSQL, and where `to` cannot be written, it fails and what is in `to` is of no use.
    pub async fn copy_to(&self, to: &Path) -> Result<(), StoreError> {
        let Some(to) = to.to_str() else {
            return Err(StoreError::Unavailable("the copy's path is not UTF-8".into()));
        };
        on!(self.db(), pool => {
            let mut reader = pool.acquire().await?;
            // A reader may not write, and SQLite takes even another file for writing.
            let (may_only_read,): (i64,) = sqlx::query_as("pragma query_only").fetch_one(&mut *reader).await?;
            sqlx::query("pragma query_only = off").execute(&mut *reader).await?;
            let copied = sqlx::query("vacuum into $1").bind(to).execute(&mut *reader).await;
            if may_only_read != 0 {
                sqlx::query("pragma query_only = on").execute(&mut *reader).await?;
            }
            copied.map(drop)
        })?;
        Ok(())
    }

    /// Reads every page and index of a SQLite database, and says what does not fit together.
    pub async fn check_integrity(&self) -> Result<(), StoreError> {
        let found: Vec<(String,)> = all!(self.db(), "pragma integrity_check(1)")?;
        match found.first() {
            Some((word,)) if word == "ok" => Ok(()),
            Some((fault,)) => Err(StoreError::Damaged(fault.clone())),
            None => Err(StoreError::Damaged("the check of the database said nothing".into())),
        }
    }
}
