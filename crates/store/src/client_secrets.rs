//! The secrets of applications: table `client_secrets`.

use sqlx::QueryBuilder;

use tokenhouse_protocol::id::{ClientId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::from_row;
use crate::db::{Backend, all, execute, on};
use crate::{Added, Store, StoreError, Tx, added, changed};

/// Secrets of one statement.
const SECRETS_AT_ONCE: usize = 500;

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

from_row!(ClientSecret, row => ClientSecret {
    id: row.text("id")?,
    client_id: ClientId::new(row.text("client_id")?),
    digest: row.text("digest")?,
    sealed: row.optional_text("sealed")?,
    created_at: row.time("created_at")?,
    expires_at: row.optional_time("expires_at")?,
});

const SECRETS: &str = "select id, client_id, digest, sealed, created_at, expires_at from client_secrets \
                       where tenant_id = $1 and client_id = $2 \
                       order by case when expires_at is null then 0 else 1 end, created_at desc, id desc";

impl Store {
    /// The secrets of several applications, each one's newest first, those that will end behind; for a page of them, so 100 or so.
    pub async fn secrets_of_clients(
        &self,
        tenant: &TenantId,
        clients: &[ClientId],
    ) -> Result<Vec<ClientSecret>, StoreError> {
        if clients.is_empty() {
            return Ok(Vec::new());
        }
        let rows = on!(self.db(), connection => {
            let mut query = QueryBuilder::new(
                "select id, client_id, digest, sealed, created_at, expires_at from client_secrets where tenant_id = ",
            );
            query.push_bind(tenant.as_str());
            query.push(" and client_id in (");
            let mut list = query.separated(", ");
            for client in clients {
                list.push_bind(client.as_str());
            }
            query.push(") order by client_id, case when expires_at is null then 0 else 1 end, created_at desc, id desc");
            query.build_query_as().persistent(false).fetch_all(connection).await
        })?;
        Ok(rows)
    }

    /// An application's secrets, newest first, those that will end or have ended behind.
    pub async fn client_secrets(&self, tenant: &TenantId, id: &ClientId) -> Result<Vec<ClientSecret>, StoreError> {
        all!(self.db(), SECRETS, tenant.as_str(), id.as_str())
    }
}

impl Tx<'_> {
    /// An application's secrets, newest first, read inside this transaction.
    pub async fn client_secrets(&mut self, tenant: &TenantId, id: &ClientId) -> Result<Vec<ClientSecret>, StoreError> {
        all!(tx: self, SECRETS, tenant.as_str(), id.as_str())
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

    /// Adds the secret of an application that this transaction made, of which nobody has heard yet: in a group with those of
    /// the others. It is read back once the transaction is committed: a rotation in the same group would not see it, so no
    /// secret of an application that others know is added like this.
    pub async fn add_secret_of_new_client(
        &mut self,
        tenant: &TenantId,
        secret: ClientSecret,
    ) -> Result<(), StoreError> {
        if let Backend::Turn(turn) = &mut self.backend {
            turn.secret(tenant, secret);
            return Ok(());
        }
        let _new = self.add_client_secret(tenant, &secret).await?;
        Ok(())
    }

    /// Adds secrets of new applications.
    pub(crate) async fn write_client_secrets(
        &mut self,
        secrets: &[(TenantId, ClientSecret)],
    ) -> Result<(), StoreError> {
        for some in secrets.chunks(SECRETS_AT_ONCE) {
            on!(tx: self, connection => {
                let mut query = QueryBuilder::new(
                    "insert into client_secrets (tenant_id, id, client_id, digest, sealed, created_at, expires_at) ",
                );
                query.push_values(some, |mut row, (tenant, secret)| {
                    row.push_bind(tenant.as_str())
                        .push_bind(secret.id.as_str())
                        .push_bind(secret.client_id.as_str())
                        .push_bind(secret.digest.as_str())
                        .push_bind(secret.sealed.as_deref())
                        .push_bind(secret.created_at.ms())
                        .push_bind(secret.expires_at.map(Timestamp::ms));
                });
                query.build().persistent(false).execute(connection).await.map(drop)
            })?;
        }
        Ok(())
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
