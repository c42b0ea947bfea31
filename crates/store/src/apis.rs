//! APIs (resource servers): table `apis`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use tokenhouse_protocol::id::{ApiId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::{from_row, json};
use crate::db::{all, execute, optional};
use crate::totals::Counted;
use crate::{Added, Page, Store, StoreError, Tx, added, changed};

/// An API: what an access token is for (RFC 6749 §1.1, "resource server").
#[derive(Clone, PartialEq, Debug)]
pub struct Api {
    /// Its id. Grants refer to it by this, never by the identifier.
    pub id: ApiId,
    /// Its identifier, the audience of its tokens; `None` for the system API, whose is derived from the issuer.
    pub identifier: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// The algorithm of its tokens' signatures (RFC 7518 §3.1).
    pub signing_alg: String,
    /// How long its tokens live.
    pub token_lifetime_s: i64,
    /// How long those live that browsers get.
    pub token_lifetime_for_web_s: i64,
    /// The tokens' profile: Auth0's own, RFC 9068, with permissions or without.
    pub token_dialect: Option<String>,
    /// Whether users' roles decide which scopes they get.
    pub enforce_policies: bool,
    /// Whether refresh tokens may be issued for it.
    pub allow_offline_access: bool,
    /// Whether it is this tenant's Management API; a tenant has one at most.
    pub is_system: bool,
    /// The key of its HS256 signatures, sealed.
    pub signing_secret_sealed: Option<String>,
    /// Its scopes, in the order they were written.
    pub scopes: Vec<ApiScope>,
    /// The fields that are only carried, as they were written.
    pub rest: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// One scope of an API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApiScope {
    /// The scope's value (RFC 6749 §3.3), such as `read:messages`.
    pub value: String,
    /// What it lets one do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

macro_rules! columns {
    () => {
        "id, identifier, name, signing_alg, token_lifetime_s, token_lifetime_for_web_s, token_dialect, \
         enforce_policies, allow_offline_access, is_system, signing_secret_sealed, scopes, rest, created_at, updated_at"
    };
}

from_row!(Api, row => Api {
    id: ApiId::new(row.text("id")?),
    identifier: row.optional_text("identifier")?,
    name: row.optional_text("name")?,
    signing_alg: row.text("signing_alg")?,
    token_lifetime_s: row.integer("token_lifetime_s")?,
    token_lifetime_for_web_s: row.integer("token_lifetime_for_web_s")?,
    token_dialect: row.optional_text("token_dialect")?,
    enforce_policies: row.flag("enforce_policies")?,
    allow_offline_access: row.flag("allow_offline_access")?,
    is_system: row.flag("is_system")?,
    signing_secret_sealed: row.optional_text("signing_secret_sealed")?,
    scopes: row.json("scopes")?,
    rest: row.map("rest")?,
    created_at: row.time("created_at")?,
    updated_at: row.time("updated_at")?,
});

const ONE: &str = concat!("select ", columns!(), " from apis where tenant_id = $1 and id = $2");

impl Store {
    /// An API by its id.
    pub async fn api(&self, tenant: &TenantId, id: &ApiId) -> Result<Option<Api>, StoreError> {
        optional!(self.db(), ONE, tenant.as_str(), id.as_str())
    }

    /// An API by its identifier, compared byte by byte. The system API is not found by this.
    pub async fn api_by_identifier(&self, tenant: &TenantId, identifier: &str) -> Result<Option<Api>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from apis where tenant_id = $1 and identifier = $2"
        );
        optional!(self.db(), sql, tenant.as_str(), identifier)
    }

    /// The tenant's system API: its Management API.
    pub async fn system_api(&self, tenant: &TenantId) -> Result<Option<Api>, StoreError> {
        let sql = concat!("select ", columns!(), " from apis where tenant_id = $1 and is_system");
        optional!(self.db(), sql, tenant.as_str())
    }

    /// A page of APIs, by id; the system API is among them.
    pub async fn apis(&self, tenant: &TenantId, page: Page) -> Result<Vec<Api>, StoreError> {
        let (after, take, skip) = page.binds();
        let sql = concat!(
            "select ",
            columns!(),
            " from apis where tenant_id = $1 and id > $2 order by id limit $3 offset $4"
        );
        all!(self.db(), sql, tenant.as_str(), after, take, skip)
    }

    /// How many APIs there are, the system API among them.
    pub async fn apis_total(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let sql = "select count(*) from apis where tenant_id = $1";
        let row: Option<(i64,)> = optional!(self.db(), sql, tenant.as_str())?;
        Ok(row.map_or(0, |(total,)| u64::try_from(total).unwrap_or(0)))
    }

    /// The algorithms that the tenant's APIs sign with, each once.
    pub async fn algorithms(&self, tenant: &TenantId) -> Result<Vec<String>, StoreError> {
        let sql = "select distinct signing_alg from apis where tenant_id = $1";
        let rows: Vec<(String,)> = all!(self.db(), sql, tenant.as_str())?;
        let mut algorithms: Vec<String> = rows.into_iter().map(|(algorithm,)| algorithm).collect();
        algorithms.sort();
        Ok(algorithms)
    }
}

impl Tx<'_> {
    /// An API by its id, read inside this transaction.
    pub async fn api(&mut self, tenant: &TenantId, id: &ApiId) -> Result<Option<Api>, StoreError> {
        optional!(tx: self, ONE, tenant.as_str(), id.as_str())
    }

    /// Adds an API; [`Added::Exists`] if its id or identifier is taken, or a second one would be the system's.
    pub async fn add_api(&mut self, tenant: &TenantId, api: &Api) -> Result<Added, StoreError> {
        added(execute!(
            self,
            "insert into apis (tenant_id, id, identifier, name, signing_alg, token_lifetime_s, \
             token_lifetime_for_web_s, token_dialect, enforce_policies, allow_offline_access, is_system, \
             signing_secret_sealed, scopes, rest, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict do nothing",
            tenant.as_str(),
            api.id.as_str(),
            api.identifier.as_deref(),
            api.name.as_deref(),
            api.signing_alg.as_str(),
            api.token_lifetime_s,
            api.token_lifetime_for_web_s,
            api.token_dialect.as_deref(),
            api.enforce_policies,
            api.allow_offline_access,
            api.is_system,
            api.signing_secret_sealed.as_deref(),
            json(&api.scopes),
            json(&api.rest),
            api.created_at.ms(),
            api.updated_at.ms(),
        ))
    }

    /// Overwrites an API but for its id, its identifier, its being the system's, and its age; `false` if there is
    /// none.
    pub async fn update_api(&mut self, tenant: &TenantId, api: &Api) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "update apis set name = $3, signing_alg = $4, token_lifetime_s = $5, token_lifetime_for_web_s = $6, \
             token_dialect = $7, enforce_policies = $8, allow_offline_access = $9, signing_secret_sealed = $10, \
             scopes = $11, rest = $12, updated_at = $13 where tenant_id = $1 and id = $2",
            tenant.as_str(),
            api.id.as_str(),
            api.name.as_deref(),
            api.signing_alg.as_str(),
            api.token_lifetime_s,
            api.token_lifetime_for_web_s,
            api.token_dialect.as_deref(),
            api.enforce_policies,
            api.allow_offline_access,
            api.signing_secret_sealed.as_deref(),
            json(&api.scopes),
            json(&api.rest),
            api.updated_at.ms(),
        ))
    }

    /// Removes an API; the grants to it go with it.
    pub async fn remove_api(&mut self, tenant: &TenantId, id: &ApiId) -> Result<bool, StoreError> {
        let sql = "select count(*) from client_grants where tenant_id = $1 and api_id = $2";
        let grants: Option<(i64,)> = optional!(tx: self, sql, tenant.as_str(), id.as_str())?;
        let removed = changed(execute!(
            self,
            "delete from apis where tenant_id = $1 and id = $2",
            tenant.as_str(),
            id.as_str()
        ))?;
        let grants = grants.map_or(0, |(grants,)| grants);
        self.count(tenant, Counted::ClientGrants, -grants).await?;
        Ok(removed)
    }
}
