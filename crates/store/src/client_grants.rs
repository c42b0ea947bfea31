//! Client grants: which scopes of which API an application may have. Table `client_grants`.

use serde_json::{Map, Value};

use tokenhouse_protocol::id::{ApiId, ClientGrantId, ClientId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::{from_row, json};
use crate::db::{all, execute, optional};
use crate::totals::Counted;
use crate::{Added, Page, Store, StoreError, Tx, added, changed};

/// What one application may ask of one API. There is one at most per application, API and subject type.
#[derive(Clone, PartialEq, Debug)]
pub struct ClientGrant {
    /// Its id.
    pub id: ClientGrantId,
    /// The application.
    pub client_id: ClientId,
    /// The API, by its id.
    pub api_id: ApiId,
    /// `client` for tokens about the application itself, `user` for those about a user.
    pub subject_type: String,
    /// The scopes, in the order they were written.
    pub scopes: Vec<String>,
    /// Whether all scopes of the API are granted, those to come as well.
    pub allow_all_scopes: bool,
    /// The fields that are only carried, as they were written.
    pub rest: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Which grants of a list are wanted; none of these means all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientGrantFilter {
    /// Those to one API.
    pub api_id: Option<ApiId>,
    /// Those of one subject type.
    pub subject_type: Option<String>,
}

macro_rules! columns {
    () => {
        "id, client_id, api_id, subject_type, scopes, allow_all_scopes, rest, created_at, updated_at"
    };
}

from_row!(ClientGrant, row => ClientGrant {
    id: ClientGrantId::new(row.text("id")?),
    client_id: ClientId::new(row.text("client_id")?),
    api_id: ApiId::new(row.text("api_id")?),
    subject_type: row.text("subject_type")?,
    scopes: row.json("scopes")?,
    allow_all_scopes: row.flag("allow_all_scopes")?,
    rest: row.map("rest")?,
    created_at: row.time("created_at")?,
    updated_at: row.time("updated_at")?,
});

const ONE: &str = concat!(
    "select ",
    columns!(),
    " from client_grants where tenant_id = $1 and id = $2"
);

impl Store {
    /// A grant by its id.
    pub async fn client_grant(&self, tenant: &TenantId, id: &ClientGrantId) -> Result<Option<ClientGrant>, StoreError> {
        optional!(self.db(), ONE, tenant.as_str(), id.as_str())
    }

    /// Every grant of an application, by id.
    pub async fn grants_of_client(&self, tenant: &TenantId, client: &ClientId) -> Result<Vec<ClientGrant>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from client_grants where tenant_id = $1 and client_id = $2 order by created_at, id"
        );
        all!(self.db(), sql, tenant.as_str(), client.as_str())
    }

    /// Every grant to an API, by id.
    pub async fn grants_of_api(&self, tenant: &TenantId, api: &ApiId) -> Result<Vec<ClientGrant>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from client_grants where tenant_id = $1 and api_id = $2 order by created_at, id"
        );
        all!(self.db(), sql, tenant.as_str(), api.as_str())
    }

    /// A page of grants, by id.
    pub async fn client_grants(&self, tenant: &TenantId, page: Page) -> Result<Vec<ClientGrant>, StoreError> {
        let (after, take, skip) = page.binds();
        let sql = concat!(
            "select ",
            columns!(),
            " from client_grants where tenant_id = $1 and id > $2 order by id limit $3 offset $4"
        );
        all!(self.db(), sql, tenant.as_str(), after, take, skip)
    }

    /// A page of the grants that a filter lets through, by id.
    pub async fn client_grants_matching(
        &self,
        tenant: &TenantId,
        filter: &ClientGrantFilter,
        page: Page,
    ) -> Result<Vec<ClientGrant>, StoreError> {
        let (after, take, skip) = page.binds();
        let (tenant, subject) = (tenant.as_str(), filter.subject_type.as_deref());
        let Some(api) = &filter.api_id else {
            let sql = concat!(
                "select ",
                columns!(),
                " from client_grants where tenant_id = $1 and ($2 is null or subject_type = $2) \
                 and id > $3 order by id limit $4 offset $5"
            );
            return all!(self.db(), sql, tenant, subject, after, take, skip);
        };
        let sql = concat!(
            "select ",
            columns!(),
            " from client_grants where tenant_id = $1 and api_id = $2 and ($3 is null or subject_type = $3) \
             and id > $4 order by id limit $5 offset $6"
        );
        all!(self.db(), sql, tenant, api.as_str(), subject, after, take, skip)
    }

    /// How many grants a filter lets through; of all there are nothing is counted.
    pub async fn client_grants_total(&self, tenant: &TenantId, filter: &ClientGrantFilter) -> Result<u64, StoreError> {
        if *filter == ClientGrantFilter::default() {
            return self.total(tenant, Counted::ClientGrants).await;
        }
        let sql = "select count(*) from client_grants where tenant_id = $1 \
                   and ($2 is null or api_id = $2) and ($3 is null or subject_type = $3)";
        let api = filter.api_id.as_ref().map(ApiId::as_str);
        let subject = filter.subject_type.as_deref();
        let row: Option<(i64,)> = optional!(self.db(), sql, tenant.as_str(), api, subject)?;
        Ok(row.map_or(0, |(total,)| u64::try_from(total).unwrap_or(0)))
    }
}

impl Tx<'_> {
    /// A grant by its id, read inside this transaction.
    pub async fn client_grant(
        &mut self,
        tenant: &TenantId,
        id: &ClientGrantId,
    ) -> Result<Option<ClientGrant>, StoreError> {
        optional!(tx: self, ONE, tenant.as_str(), id.as_str())
    }

    /// Adds a grant; [`Added::Exists`] if the application has one of this subject type for the API.
    pub async fn add_client_grant(&mut self, tenant: &TenantId, grant: &ClientGrant) -> Result<Added, StoreError> {
        let added = added(execute!(
            self,
            "insert into client_grants (tenant_id, id, client_id, api_id, subject_type, scopes, allow_all_scopes, \
             rest, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
            tenant.as_str(),
            grant.id.as_str(),
            grant.client_id.as_str(),
            grant.api_id.as_str(),
            grant.subject_type.as_str(),
            json(&grant.scopes),
            grant.allow_all_scopes,
            json(&grant.rest),
            grant.created_at.ms(),
            grant.updated_at.ms(),
        ))?;
        self.count(tenant, Counted::ClientGrants, i64::from(added == Added::Yes))
            .await?;
        Ok(added)
    }

    /// Overwrites a grant's scopes and carried fields; `false` if there is none. Whose it is and for what stays.
    pub async fn update_client_grant(&mut self, tenant: &TenantId, grant: &ClientGrant) -> Result<bool, StoreError> {
        changed(execute!(
            self,
            "update client_grants set scopes = $3, allow_all_scopes = $4, rest = $5, updated_at = $6 \
             where tenant_id = $1 and id = $2",
            tenant.as_str(),
            grant.id.as_str(),
            json(&grant.scopes),
            grant.allow_all_scopes,
            json(&grant.rest),
            grant.updated_at.ms(),
        ))
    }

    /// Removes a grant and hands back what it was, so that the caller knows whose caches to clear.
    pub async fn remove_client_grant(
        &mut self,
        tenant: &TenantId,
        id: &ClientGrantId,
    ) -> Result<Option<ClientGrant>, StoreError> {
        let sql = concat!(
            "delete from client_grants where tenant_id = $1 and id = $2 returning ",
            columns!()
        );
        let removed: Option<ClientGrant> = optional!(tx: self, sql, tenant.as_str(), id.as_str())?;
        self.count(tenant, Counted::ClientGrants, -i64::from(removed.is_some()))
            .await?;
        Ok(removed)
    }
}
