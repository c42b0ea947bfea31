//! Applications: table `clients`.

use serde_json::{Map, Value};

use tokenhouse_protocol::id::{ClientId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::{from_row, json};
use crate::db::{all, execute, optional};
use crate::totals::Counted;
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

/// Which applications of a list are wanted; none of these means all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientFilter {
    /// The global client alone, or all but it.
    pub is_global: Option<bool>,
    /// Those of the tenant's own people alone, or all but them.
    pub is_first_party: Option<bool>,
    /// Those of these kinds, six at most; empty means of any.
    pub app_types: Vec<String>,
}

/// How many kinds a filter may name.
pub const MAX_APP_TYPES: usize = 6;

macro_rules! columns {
    () => {
        "id, name, app_type, grant_types, token_endpoint_auth_method, is_first_party, is_global, rest, created_at, \
         updated_at"
    };
}
pub(crate) use columns;

/// What a filter adds to a list's `where`: binds 2 to 9.
macro_rules! filtered {
    () => {
        " and ($2 is null or is_global = $2) and ($3 is null or is_first_party = $3) \
         and ($4 = '' or app_type in ($4, $5, $6, $7, $8, $9))"
    };
}

impl ClientFilter {
    /// Its kinds as six binds; the first one is empty if it names none, the others repeat it.
    fn kinds(&self) -> [&str; MAX_APP_TYPES] {
        let first = self.app_types.first().map_or("", String::as_str);
        let mut kinds = [first; MAX_APP_TYPES];
        for (place, kind) in kinds.iter_mut().zip(&self.app_types) {
            *place = kind;
        }
        kinds
    }
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

const ONE: &str = concat!("select ", columns!(), " from clients where tenant_id = $1 and id = $2");

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

    /// A page of the applications that a filter lets through, by id.
    pub async fn clients_matching(
        &self,
        tenant: &TenantId,
        filter: &ClientFilter,
        page: Page,
    ) -> Result<Vec<Client>, StoreError> {
        if *filter == ClientFilter::default() {
            return self.clients(tenant, page).await;
        }
        let (after, take, skip) = page.binds();
        if filter.is_global == Some(true) {
            // The one that an index of its own finds.
            let sql = concat!(
                "select ",
                columns!(),
                " from clients where tenant_id = $1 and is_global and id > $2 order by id limit $3 offset $4"
            );
            return all!(self.db(), sql, tenant.as_str(), after, take, skip);
        }
        let sql = concat!(
            "select ",
            columns!(),
            " from clients where tenant_id = $1",
            filtered!(),
            " and id > $10 order by id limit $11 offset $12"
        );
        let [a, b, c, d, e, f] = filter.kinds();
        let (global, first_party) = (filter.is_global, filter.is_first_party);
        let tenant = tenant.as_str();
        all!(
            self.db(),
            sql,
            tenant,
            global,
            first_party,
            a,
            b,
            c,
            d,
            e,
            f,
            after,
            take,
            skip
        )
    }

    /// How many applications a filter lets through. Without one, or with all but the global client, nothing is counted.
    pub async fn clients_total(&self, tenant: &TenantId, filter: &ClientFilter) -> Result<u64, StoreError> {
        let is_narrow = filter.is_first_party.is_some() || !filter.app_types.is_empty();
        if !is_narrow && filter.is_global != Some(true) {
            let all = self.total(tenant, Counted::Clients).await?;
            let global = match filter.is_global {
                None => 0,
                Some(_) => self.count_global(tenant).await?,
            };
            return Ok(all.saturating_sub(global));
        }
        if filter.is_global == Some(true) {
            return self.count_global(tenant).await;
        }
        let sql = concat!("select count(*) from clients where tenant_id = $1", filtered!());
        let [a, b, c, d, e, f] = filter.kinds();
        let (global, first_party) = (filter.is_global, filter.is_first_party);
        let tenant = tenant.as_str();
        let row: Option<(i64,)> = optional!(self.db(), sql, tenant, global, first_party, a, b, c, d, e, f)?;
        Ok(row.map_or(0, |(total,)| u64::try_from(total).unwrap_or(0)))
    }

    async fn count_global(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let sql = "select count(*) from clients where tenant_id = $1 and is_global";
        let row: Option<(i64,)> = optional!(self.db(), sql, tenant.as_str())?;
        Ok(row.map_or(0, |(total,)| u64::try_from(total).unwrap_or(0)))
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
}

impl Tx<'_> {
    /// An application by its id, read inside this transaction.
    pub async fn client(&mut self, tenant: &TenantId, id: &ClientId) -> Result<Option<Client>, StoreError> {
        optional!(tx: self, ONE, tenant.as_str(), id.as_str())
    }

    /// Adds an application.
    pub async fn add_client(&mut self, tenant: &TenantId, client: &Client) -> Result<Added, StoreError> {
        let added = added(execute!(
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
        ))?;
        if added == Added::Yes {
            self.count(tenant, Counted::Clients, 1).await?;
            self.name(tenant, None, Some(client)).await?;
        }
        Ok(added)
    }

    /// Overwrites an application but for its id and age; `false` if there is none.
    pub async fn update_client(&mut self, tenant: &TenantId, client: &Client) -> Result<bool, StoreError> {
        let before = self.client(tenant, &client.id).await?;
        let is_updated = changed(execute!(
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
        ))?;
        if is_updated {
            self.name(tenant, before.as_ref(), Some(client)).await?;
        }
        Ok(is_updated)
    }

    /// Removes an application; its secrets and grants go with it.
    pub async fn remove_client(&mut self, tenant: &TenantId, id: &ClientId) -> Result<bool, StoreError> {
        let before = self.client(tenant, id).await?;
        let sql = "select count(*) from client_grants where tenant_id = $1 and client_id = $2";
        let grants: Option<(i64,)> = optional!(tx: self, sql, tenant.as_str(), id.as_str())?;
        let removed = changed(execute!(
            self,
            "delete from clients where tenant_id = $1 and id = $2",
            tenant.as_str(),
            id.as_str()
        ))?;
        let grants = grants.map_or(0, |(grants,)| grants);
        self.count(tenant, Counted::ClientGrants, -grants).await?;
        self.count(tenant, Counted::Clients, -i64::from(removed)).await?;
        self.name(tenant, before.as_ref(), None).await?;
        Ok(removed)
    }
}
