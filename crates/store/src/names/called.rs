//! What applications are called, for a page that names many of them: one read in place of one for each.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use tokenhouse_protocol::id::{ClientId, TenantId};

use crate::db::on;
use crate::{Store, StoreError};

/// Ids of one statement.
const IDS_AT_ONCE: usize = 500;

impl Store {
    /// The names of those applications that are there, by their ids.
    pub async fn client_names(
        &self,
        tenant: &TenantId,
        clients: &[ClientId],
    ) -> Result<BTreeMap<ClientId, String>, StoreError> {
        let mut names = BTreeMap::new();
        for some in clients.chunks(IDS_AT_ONCE) {
            let rows: Vec<(String, String)> = on!(self.db(), connection => {
                let mut query = QueryBuilder::new("select id, name from clients where tenant_id = ");
                query.push_bind(tenant.as_str());
                query.push(" and id in (");
                let mut list = query.separated(", ");
                for client in some {
                    list.push_bind(client.as_str());
                }
                query.push(")");
                query.build_query_as().persistent(false).fetch_all(connection).await
            })?;
            names.extend(rows.into_iter().map(|(id, name)| (ClientId::new(id), name)));
        }
        Ok(names)
    }
}
