//! Connections: where users come from. Table `connections`.

use serde_json::{Map, Value};

use tokenhouse_protocol::id::{ClientId, ConnectionId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::{from_row, json};
use crate::db::{all, execute, optional};
use crate::{Added, Page, Store, StoreError, Tx, added, changed};

/// A source of users, such as the database of user names and passwords.
#[derive(Clone, PartialEq, Debug)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its name, unique in the tenant: the `realm` of a password grant.
    pub name: String,
    /// Its kind: `auth0` for our own database.
    pub strategy: String,
    /// What its kind can be told, as it was written.
    pub options: Map<String, Value>,
    /// The other fields that are only carried, as they were written.
    pub rest: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

macro_rules! columns {
    () => {
        "id, name, strategy, options, rest, created_at, updated_at"
    };
}

from_row!(Connection, row => Connection {
    id: ConnectionId::new(row.text("id")?),
    name: row.text("name")?,
    strategy: row.text("strategy")?,
    options: row.map("options")?,
    rest: row.map("rest")?,
    created_at: row.time("created_at")?,
    updated_at: row.time("updated_at")?,
});

const ONE: &str = concat!(
    "select ",
    columns!(),
    " from connections where tenant_id = $1 and id = $2"
);

impl Store {
    /// A connection by its id.
    pub async fn connection(&self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<Connection>, StoreError> {
        optional!(self.db(), ONE, tenant.as_str(), id.as_str())
    }

    /// A connection by its name, compared byte by byte.
    pub async fn connection_by_name(&self, tenant: &TenantId, name: &str) -> Result<Option<Connection>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from connections where tenant_id = $1 and name = $2"
        );
        optional!(self.db(), sql, tenant.as_str(), name)
    }

    /// A page of connections, by id.
    pub async fn connections(&self, tenant: &TenantId, page: Page) -> Result<Vec<Connection>, StoreError> {
        let (after, take, skip) = page.binds();
        let sql = concat!(
            "select ",
            columns!(),
            " from connections where tenant_id = $1 and id > $2 order by id limit $3 offset $4"
        );
        all!(self.db(), sql, tenant.as_str(), after, take, skip)
    }
}

impl Tx<'_> {
    /// A connection by its id, read inside this transaction.
    pub async fn connection(&mut self, tenant: &TenantId, id: &ConnectionId) -> Result<Option<Connection>, StoreError> {
        optional!(tx: self, ONE, tenant.as_str(), id.as_str())
    }

    /// The connections in whose carried fields an application's id stands, or a text of which it is a part. There are few
    /// connections, and all of the tenant's are looked at.
    pub async fn connections_that_name(
        &mut self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<Connection>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from connections where tenant_id = $1 and rest like '%' || $2 || '%' order by id"
        );
        all!(tx: self, sql, tenant.as_str(), client.as_str())
    }

    /// Adds a connection; [`Added::Exists`] if its id or name is taken.
    pub async fn add_connection(&mut self, tenant: &TenantId, connection: &Connection) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into connections (tenant_id, id, name, strategy, options, rest, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
            tenant.as_str(),
            connection.id.as_str(),
            connection.name.as_str(),
            connection.strategy.as_str(),
            json(&connection.options),
            json(&connection.rest),
            connection.created_at.ms(),
            connection.updated_at.ms(),
        ))
    }

    /// Overwrites a connection's options and carried fields; `false` if there is none. Name and kind stay.
    pub async fn update_connection(&mut self, tenant: &TenantId, connection: &Connection) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "update connections set options = $3, rest = $4, updated_at = $5 where tenant_id = $1 and id = $2",
            tenant.as_str(),
            connection.id.as_str(),
            json(&connection.options),
            json(&connection.rest),
            connection.updated_at.ms(),
        ))
    }

    /// Removes a connection; its users go with it.
    pub async fn remove_connection(&mut self, tenant: &TenantId, id: &ConnectionId) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "delete from connections where tenant_id = $1 and id = $2",
            tenant.as_str(),
            id.as_str()
        ))
    }
}
