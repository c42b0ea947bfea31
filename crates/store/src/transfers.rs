//! Imports and exports of users that were asked for over the Management API, and what became of them: table `transfers`. No
//! configuration: a day later they are gone.

use serde_json::{Map, Value};

use tokenhouse_protocol::id::{ConnectionId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::{from_row, json};
use crate::db::{execute, optional};
use crate::{Store, StoreError};

/// For how long one is kept.
const KEPT_MS: i64 = 86_400_000;

/// An import that was done, or an export that is wanted.
#[derive(Clone, PartialEq, Debug)]
pub struct Transfer {
    /// Its id, `job_…`.
    pub id: String,
    /// Its kind, as it is on the wire.
    pub kind: String,
    /// Into which connection, or out of which.
    pub connection_id: Option<ConnectionId>,
    /// What the caller calls it.
    pub external_id: Option<String>,
    /// What else was said of it, and how it went.
    pub body: Map<String, Value>,
    /// The records that were not taken.
    pub errors: Vec<Value>,
    /// When it was done.
    pub created_at: Timestamp,
}

macro_rules! columns {
    () => {
        "id, kind, connection_id, external_id, body, errors, created_at"
    };
}

from_row!(Transfer, row => Transfer {
    id: row.text("id")?,
    kind: row.text("kind")?,
    connection_id: row.optional_text("connection_id")?.map(ConnectionId::new),
    external_id: row.optional_text("external_id")?,
    body: row.map("body")?,
    errors: row.json("errors")?,
    created_at: row.time("created_at")?,
});

impl Store {
    /// A transfer by its id.
    pub async fn transfer(&self, tenant: &TenantId, id: &str) -> Result<Option<Transfer>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from transfers where tenant_id = $1 and id = $2"
        );
        optional!(self.db(), sql, tenant.as_str(), id)
    }

    /// Notes a transfer, and forgets those of the tenant that are over a day old.
    pub async fn note_transfer(&self, tenant: &TenantId, transfer: &Transfer) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let old = self.clock().now().plus_ms(-KEPT_MS).ms();
        let sql = "delete from transfers where tenant_id = $1 and created_at < $2";
        execute!(tx, sql, tenant.as_str(), old)?;
        execute!(
            tx,
            "insert into transfers (tenant_id, id, kind, connection_id, external_id, body, errors, created_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            tenant.as_str(),
            transfer.id.as_str(),
            transfer.kind.as_str(),
            transfer.connection_id.as_ref().map(ConnectionId::as_str),
            transfer.external_id.as_deref(),
            json(&transfer.body),
            json(&transfer.errors),
            transfer.created_at.ms(),
        )?;
        tx.commit().await
    }
}
