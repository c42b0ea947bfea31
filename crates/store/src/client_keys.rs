//! The public keys that applications prove themselves with (RFC 7523): table `client_keys`.

use serde_json::{Map, Value};

use tokenhouse_protocol::id::{ClientId, CredentialId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::{from_row, json};
use crate::db::{all, execute};
use crate::{Added, Store, StoreError, Tx, added, changed};

/// One public key of an application. No two of an application share a `kid`.
#[derive(Clone, PartialEq, Debug)]
pub struct ClientKey {
    /// Its id, Auth0's credential id.
    pub id: CredentialId,
    /// Whose it is.
    pub client_id: ClientId,
    /// What people call it.
    pub name: Option<String>,
    /// The key's id in the headers of the assertions it signs.
    pub kid: String,
    /// The one algorithm it signs with (RFC 7518 §3.1).
    pub algorithm: String,
    /// The public key as a JWK (RFC 7517).
    pub jwk: Map<String, Value>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it stops working; `None` for never.
    pub expires_at: Option<Timestamp>,
}

from_row!(ClientKey, row => ClientKey {
    id: CredentialId::new(row.text("id")?),
    client_id: ClientId::new(row.text("client_id")?),
    name: row.optional_text("name")?,
    kid: row.text("kid")?,
    algorithm: row.text("algorithm")?,
    jwk: row.map("jwk")?,
    created_at: row.time("created_at")?,
    updated_at: row.time("updated_at")?,
    expires_at: row.optional_time("expires_at")?,
});

const OF_CLIENT: &str = "select id, client_id, name, kid, algorithm, jwk, created_at, updated_at, expires_at \
                         from client_keys where tenant_id = $1 and client_id = $2 order by created_at, id";

impl Store {
    /// An application's keys, oldest first, those expired among them.
    pub async fn client_keys(&self, tenant: &TenantId, client: &ClientId) -> Result<Vec<ClientKey>, StoreError> {
        all!(self.db(), OF_CLIENT, tenant.as_str(), client.as_str())
    }
}

impl Tx<'_> {
    /// An application's keys, oldest first, read inside this transaction.
    pub async fn client_keys(&mut self, tenant: &TenantId, client: &ClientId) -> Result<Vec<ClientKey>, StoreError> {
        all!(tx: self, OF_CLIENT, tenant.as_str(), client.as_str())
    }

    /// Adds a key to an application; [`Added::Exists`] if it has one with this `kid`. The application must be there.
    pub async fn add_client_key(&mut self, tenant: &TenantId, key: &ClientKey) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into client_keys (tenant_id, id, client_id, name, kid, algorithm, jwk, created_at, updated_at, \
             expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
            tenant.as_str(),
            key.id.as_str(),
            key.client_id.as_str(),
            key.name.as_deref(),
            key.kid.as_str(),
            key.algorithm.as_str(),
            json(&key.jwk),
            key.created_at.ms(),
            key.updated_at.ms(),
            key.expires_at.map(Timestamp::ms),
        ))
    }

    /// Overwrites when a key of an application stops working; `false` if there is none.
    pub async fn update_client_key(&mut self, tenant: &TenantId, key: &ClientKey) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "update client_keys set expires_at = $4, updated_at = $5 \
             where tenant_id = $1 and client_id = $2 and id = $3",
            tenant.as_str(),
            key.client_id.as_str(),
            key.id.as_str(),
            key.expires_at.map(Timestamp::ms),
            key.updated_at.ms(),
        ))
    }

    /// Removes one key of an application.
    pub async fn remove_client_key(
        &mut self,
        tenant: &TenantId,
        client: &ClientId,
        id: &CredentialId,
    ) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "delete from client_keys where tenant_id = $1 and client_id = $2 and id = $3",
            tenant.as_str(),
            client.as_str(),
            id.as_str(),
        ))
    }
}
