//! Applications and their secrets: tables `clients` and `client_secrets`.

use serde_json::{Map, Value};

use tokenhouse_protocol::id::{ClientId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::{from_row, json};
use crate::db::{all, execute, optional};
use crate::{Added, Page, Store, StoreError, Tx, added, changed};

/// An application: a client of the authorization server (RFC 6749 §2).
#[derive(Clone, PartialEq, Debug)]
pub struct Client {
    /// Its `client_id`.
    pub id: ClientId,
    /// What people call it; not unique.
    pub name: String,
    /// `non_interactive`, `regular_web`, `spa`, `native`, …
    pub app_type: Option<String>,
    /// The grants it may use, by their wire names.
    pub grant_types: Vec<String>,
    /// How it authenticates (RFC 7591 §2).
    pub token_endpoint_auth_method: Option<String>,
    /// Whether it belongs to the tenant's own people.
    pub is_first_party: bool,
    /// Whether it is the tenant's global client, which tools expect to exist.
    pub is_global: bool,
    /// The fields that are only carried, as they were written.
    pub rest: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// One of an application's secrets; there are two while it is being rotated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientSecret {
    /// A short id that nobody outside sees.
    pub id: String,
    /// Whose it is.
    pub client_id: ClientId,
    /// The keyed digest that a presented secret is compared with.
    pub digest: String,
    /// The secret itself, sealed; `None` if it is never shown again.
    pub sealed: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working; `None` for never.
    pub expires_at: Option<Timestamp>,
}

macro_rules! columns {
    () => {
        "id, name, app_type, grant_types, token_endpoint_auth_method, is_first_party, is_global, rest, created_at, \
         updated_at"
    };
}

from_row!(Client, row => Client {
    id: ClientId::new(row.text("id")?),
    name: row.text("name")?,
    app_type: row.optional_text("app_type")?,
    grant_types: row.json("grant_types")?,
    token_endpoint_auth_method: row.optional_text("token_endpoint_auth_method")?,
    is_first_party: row.flag("is_first_party")?,
    is_global: row.flag("is_global")?,
    rest: row.map("rest")?,
    created_at: row.time("created_at")?,
    updated_at: row.time("updated_at")?,
});

from_row!(ClientSecret, row => ClientSecret {
    id: row.text("id")?,
    client_id: ClientId::new(row.text("client_id")?),
    digest: row.text("digest")?,
    sealed: row.optional_text("sealed")?,
    created_at: row.time("created_at")?,
    expires_at: row.optional_time("expires_at")?,
});

const ONE: &str = concat!("select ", columns!(), " from clients where tenant_id = $1 and id = $2");

const SECRETS: &str = "select id, client_id, digest, sealed, created_at, expires_at from client_secrets \
                       where tenant_id = $1 and client_id = $2 order by created_at desc, id desc";

impl Store {
    /// An application by its id.
    pub async fn client(&self, tenant: &TenantId, id: &ClientId) -> Result<Option<Client>, StoreError> {
        optional!(self.db(), ONE, tenant.as_str(), id.as_str())
    }

    /// A page of applications, by id.
    pub async fn clients(&self, tenant: &TenantId, page: Page) -> Result<Vec<Client>, StoreError> {
        let (after, take, skip) = page.binds();
        let sql = concat!(
            "select ",
            columns!(),
            " from clients where tenant_id = $1 and id > $2 order by id limit $3 offset $4"
        );
        all!(self.db(), sql, tenant.as_str(), after, take, skip)
    }

    /// The oldest application of this name.
    pub async fn client_by_name(&self, tenant: &TenantId, name: &str) -> Result<Option<Client>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from clients where tenant_id = $1 and name = $2 order by created_at, id limit 1"
        );
        optional!(self.db(), sql, tenant.as_str(), name)
    }

    /// An application's secrets, newest first, those expired among them.
    pub async fn client_secrets(&self, tenant: &TenantId, id: &ClientId) -> Result<Vec<ClientSecret>, StoreError> {
        all!(self.db(), SECRETS, tenant.as_str(), id.as_str())
    }
}

impl Tx<'_> {
    /// An application by its id, read inside this transaction.
    pub async fn client(&mut self, tenant: &TenantId, id: &ClientId) -> Result<Option<Client>, StoreError> {
        optional!(tx: self, ONE, tenant.as_str(), id.as_str())
    }

    /// An application's secrets, newest first, read inside this transaction.
    pub async fn client_secrets(&mut self, tenant: &TenantId, id: &ClientId) -> Result<Vec<ClientSecret>, StoreError> {
        all!(tx: self, SECRETS, tenant.as_str(), id.as_str())
    }

    /// Adds an application.
    pub async fn add_client(&mut self, tenant: &TenantId, client: &Client) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into clients (tenant_id, id, name, app_type, grant_types, token_endpoint_auth_method, \
             is_first_party, is_global, rest, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
            tenant.as_str(),
            client.id.as_str(),
            client.name.as_str(),
            client.app_type.as_deref(),
            json(&client.grant_types),
            client.token_endpoint_auth_method.as_deref(),
            client.is_first_party,
            client.is_global,
            json(&client.rest),
            client.created_at.ms(),
            client.updated_at.ms(),
        ))
    }

    /// Overwrites an application but for its id and age; `false` if there is none.
    pub async fn update_client(&mut self, tenant: &TenantId, client: &Client) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "update clients set name = $3, app_type = $4, grant_types = $5, token_endpoint_auth_method = $6, \
             is_first_party = $7, is_global = $8, rest = $9, updated_at = $10 where tenant_id = $1 and id = $2",
            tenant.as_str(),
            client.id.as_str(),
            client.name.as_str(),
            client.app_type.as_deref(),
            json(&client.grant_types),
            client.token_endpoint_auth_method.as_deref(),
            client.is_first_party,
            client.is_global,
            json(&client.rest),
            client.updated_at.ms(),
        ))
    }

    /// Removes an application; its secrets and grants go with it.
    pub async fn remove_client(&mut self, tenant: &TenantId, id: &ClientId) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "delete from clients where tenant_id = $1 and id = $2",
            tenant.as_str(),
            id.as_str()
        ))
    }

    /// Adds a secret to an application.
    pub async fn add_client_secret(&mut self, tenant: &TenantId, secret: &ClientSecret) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into client_secrets (tenant_id, id, client_id, digest, sealed, created_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
            tenant.as_str(),
            secret.id.as_str(),
            secret.client_id.as_str(),
            secret.digest.as_str(),
            secret.sealed.as_deref(),
            secret.created_at.ms(),
            secret.expires_at.map(Timestamp::ms),
        ))
    }

    /// Lets every secret of an application that would never expire do so at `at`: how many those were.
    pub async fn expire_client_secrets(
        &mut self,
        tenant: &TenantId,
        id: &ClientId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        Ok(execute!(
            self,
            "update client_secrets set expires_at = $3 \
             where tenant_id = $1 and client_id = $2 and expires_at is null",
            tenant.as_str(),
            id.as_str(),
            at.ms(),
        )?)
    }

    /// Removes one secret of an application by the secret's id.
    pub async fn remove_client_secret(
        &mut self,
        tenant: &TenantId,
        client: &ClientId,
        id: &str,
    ) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "delete from client_secrets where tenant_id = $1 and client_id = $2 and id = $3",
            tenant.as_str(),
            client.as_str(),
            id,
        ))
    }
}
