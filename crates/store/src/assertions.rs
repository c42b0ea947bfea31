//! Client assertions that were used, so that each is good once (RFC 7523 §3, item 7): table `used_assertions`.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use sqlx::QueryBuilder;

use tokenhouse_protocol::id::{ClientId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::db::{execute, on};
use crate::{Store, StoreError, Tx};

/// For how long a used assertion is remembered after it has expired: more than clocks differ.
const REMEMBERED_MS: i64 = 600_000;

/// An assertion that a job uses up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsedAssertion {
    /// Whose it is.
    pub client_id: ClientId,
    /// Its `jti`, unique among the client's.
    pub jti: String,
    /// After this nobody would take it, used or not.
    pub expires_at: Timestamp,
}

/// What identifies an assertion: tenant, client, `jti`.
type Name<'a> = (&'a str, &'a str, &'a str);

/// Uses the assertions of a batch's jobs, each given with its job's number; answers the jobs that come too late,
/// since theirs was used before or by an earlier job of this batch.
pub(crate) async fn take(
    tx: &mut Tx<'_>,
    uses: &[(usize, &TenantId, &UsedAssertion)],
) -> Result<HashSet<usize>, sqlx::Error> {
    let mut late = HashSet::new();
    // In one order on every node, so that two batches never wait for each other.
    let mut first = BTreeMap::new();
    for (job, tenant, used) in uses {
        let name: Name<'_> = (tenant.as_str(), used.client_id.as_str(), used.jti.as_str());
        match first.entry(name) {
            Entry::Vacant(place) => {
                place.insert((*job, used.expires_at));
            }
            Entry::Occupied(_) => {
                late.insert(*job);
            }
        }
    }
    if first.is_empty() {
        return Ok(late);
    }
    // A job has one at most, so this is one statement: 1024 rows of four values.
    let new: Vec<(String, String, String)> = on!(tx: tx, connection => {
        let mut query = QueryBuilder::new("insert into used_assertions (tenant_id, client_id, jti, expires_at) ");
        query.push_values(&first, |mut values, ((tenant, client, jti), (_, expires_at))| {
            values
                .push_bind(*tenant)
                .push_bind(*client)
                .push_bind(*jti)
                .push_bind(expires_at.ms());
        });
        query.push(" on conflict do nothing returning tenant_id, client_id, jti");
        query.build_query_as().persistent(false).fetch_all(connection).await
    })?;
    for (tenant, client, jti) in &new {
        first.remove(&(tenant.as_str(), client.as_str(), jti.as_str()));
    }
    late.extend(first.into_values().map(|(job, _)| job));
    Ok(late)
}

impl Store {
    /// Forgets the assertions that expired more than ten minutes ago: how many. For a background task.
    pub async fn prune_assertions(&self) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let over = self.clock().now().plus_ms(-REMEMBERED_MS).ms();
        let removed = execute!(tx, "delete from used_assertions where expires_at < $1", over)?;
        tx.commit().await?;
        Ok(removed)
    }
}
