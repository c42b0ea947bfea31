//! Tenants and the hosts that lead to them: tables `tenants` and `tenant_hosts`.

use serde_json::{Map, Value};

use tokenhouse_protocol::id::TenantId;
use tokenhouse_protocol::time::Timestamp;

use crate::columns::{from_row, json};
use crate::db::{all, execute, optional};
use crate::{Added, Page, Store, StoreError, Tx, added, changed};

/// A tenant: one issuer with its own keys, applications, APIs, users and logs.
#[derive(Clone, PartialEq, Debug)]
pub struct Tenant {
    /// Its id, the first part of every key.
    pub id: TenantId,
    /// What people call it.
    pub name: String,
    /// Its issuer, or `None` when the configuration says it.
    pub issuer: Option<String>,
    /// The tenant's settings, as the Management API knows them.
    pub settings: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

macro_rules! columns {
    () => {
        "id, name, issuer, settings, created_at, updated_at"
    };
}

from_row!(Tenant, row => Tenant {
    id: TenantId::new(row.text("id")?),
    name: row.text("name")?,
    issuer: row.optional_text("issuer")?,
    settings: row.map("settings")?,
    created_at: row.time("created_at")?,
    updated_at: row.time("updated_at")?,
});

const ONE: &str = concat!("select ", columns!(), " from tenants where id = $1");

impl Store {
    /// A tenant by its id.
    pub async fn tenant(&self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        optional!(self.db(), ONE, id.as_str())
    }

    /// A page of tenants, by id.
    pub async fn tenants(&self, page: Page) -> Result<Vec<Tenant>, StoreError> {
        let (after, take, skip) = page.binds();
        let sql = concat!(
            "select ",
            columns!(),
            " from tenants where id > $1 order by id limit $2 offset $3"
        );
        all!(self.db(), sql, after, take, skip)
    }

    /// The tenant that a host leads to. The host is compared as it is given: lower case, without a port.
    pub async fn tenant_by_host(&self, host: &str) -> Result<Option<TenantId>, StoreError> {
        let row: Option<(String,)> = optional!(self.db(), "select tenant_id from tenant_hosts where host = $1", host)?;
        Ok(row.map(|(id,)| TenantId::new(id)))
    }

    /// The hosts that lead to a tenant.
    pub async fn hosts(&self, id: &TenantId) -> Result<Vec<String>, StoreError> {
        let sql = "select host from tenant_hosts where tenant_id = $1 order by host";
        let rows: Vec<(String,)> = all!(self.db(), sql, id.as_str())?;
        Ok(rows.into_iter().map(|(host,)| host).collect())
    }

    /// Every host that leads to a tenant, whichever it is.
    pub async fn all_hosts(&self) -> Result<Vec<String>, StoreError> {
        let rows: Vec<(String,)> = all!(self.db(), "select host from tenant_hosts order by host")?;
        Ok(rows.into_iter().map(|(host,)| host).collect())
    }

    /// Removes at most `most` rows of what a tenant can have many of, its log and its usage among them: how many, and none
    /// once there are no more. It counts no revision: whoever goes on to [`Tx::remove_tenant`] lets no request in any more.
    pub async fn remove_some_of_tenant(&self, id: &TenantId, most: u32) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let mut removed = 0;
        for sql in MANY {
            removed = execute!(tx, *sql, id.as_str(), i64::from(most))?;
            if removed > 0 {
                break;
            }
        }
        tx.commit().await?;
        Ok(removed)
    }
}

impl Tx<'_> {
    /// A tenant by its id, read inside this transaction.
    pub async fn tenant(&mut self, id: &TenantId) -> Result<Option<Tenant>, StoreError> {
        optional!(tx: self, ONE, id.as_str())
    }

    /// Adds a tenant.
    pub async fn add_tenant(&mut self, tenant: &Tenant) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into tenants (id, name, issuer, settings, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            tenant.id.as_str(),
            tenant.name.as_str(),
            tenant.issuer.as_deref(),
            json(&tenant.settings),
            tenant.created_at.ms(),
            tenant.updated_at.ms(),
        ))
    }

    /// Overwrites a tenant but for its id and age; `false` if there is none.
    pub async fn update_tenant(&mut self, tenant: &Tenant) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "update tenants set name = $2, issuer = $3, settings = $4, updated_at = $5 where id = $1",
            tenant.id.as_str(),
            tenant.name.as_str(),
            tenant.issuer.as_deref(),
            json(&tenant.settings),
            tenant.updated_at.ms(),
        ))
    }

    /// Lets a host lead to a tenant; [`Added::Exists`] if it leads somewhere already.
    pub async fn add_host(&mut self, id: &TenantId, host: &str) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into tenant_hosts (tenant_id, host) values ($1, $2) on conflict do nothing",
            id.as_str(),
            host,
        ))
    }

    /// Takes a host from a tenant; `false` if it does not lead there.
    pub async fn remove_host(&mut self, id: &TenantId, host: &str) -> Result<bool, StoreError> {
        let sql = "delete from tenant_hosts where tenant_id = $1 and host = $2";
        changed(execute!(self, sql, id.as_str(), host))
    }

    /// Takes every host from a tenant: no request finds it any more.
    pub async fn remove_hosts(&mut self, id: &TenantId) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "delete from tenant_hosts where tenant_id = $1",
            id.as_str()
        ))
    }

    /// Removes a tenant and all that refers to it: not its log and its usage.
    pub async fn remove_tenant(&mut self, id: &TenantId) -> Result<bool, StoreError> {
        changed(execute!(self, "delete from tenants where id = $1", id.as_str()))
    }
}

/// What a tenant can have many of, those first that refer to others. The last seven refer to no row, and outlive their tenant.
const MANY: &[&str] = &[
    "delete from users where tenant_id = $1 and id in (select id from users where tenant_id = $1 limit $2)",
    "delete from client_grants where tenant_id = $1 and id in \
     (select id from client_grants where tenant_id = $1 limit $2)",
    "delete from clients where tenant_id = $1 and id in (select id from clients where tenant_id = $1 limit $2)",
    "delete from apis where tenant_id = $1 and id in (select id from apis where tenant_id = $1 limit $2)",
    "delete from transfers where tenant_id = $1 and id in (select id from transfers where tenant_id = $1 limit $2)",
    "delete from administrator_sessions where tenant_id = $1 and digest in \
     (select digest from administrator_sessions where tenant_id = $1 limit $2)",
    "delete from logs where tenant_id = $1 and id in (select id from logs where tenant_id = $1 limit $2)",
    "delete from usage where tenant_id = $1 and (hour, client_id, api_id, grant_type, node_id) in \
     (select hour, client_id, api_id, grant_type, node_id from usage where tenant_id = $1 limit $2)",
    "delete from traffic where tenant_id = $1 and (hour, node_id) in \
     (select hour, node_id from traffic where tenant_id = $1 limit $2)",
    "delete from api_traffic where tenant_id = $1 and (api_id, hour, node_id) in \
     (select api_id, hour, node_id from api_traffic where tenant_id = $1 limit $2)",
    "delete from quotas where tenant_id = $1 and (client_id, span, starts_at) in \
     (select client_id, span, starts_at from quotas where tenant_id = $1 limit $2)",
    "delete from used_assertions where tenant_id = $1 and (client_id, jti) in \
     (select client_id, jti from used_assertions where tenant_id = $1 limit $2)",
    "delete from forgotten_users where tenant_id = $1 and pseudonym in \
     (select pseudonym from forgotten_users where tenant_id = $1 limit $2)",
];
