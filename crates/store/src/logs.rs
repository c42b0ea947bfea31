//! Writing, reading and ageing the log: table `logs`. Only the batch task adds to it (`writer`), and only `forgotten_users`
//! writes a line again.

use serde_json::{Map, Value};
use sqlx::QueryBuilder;

use tokenhouse_protocol::id::{ApiId, ClientId, LogId, NodeId, TenantId, UserId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::from_row;
use crate::db::{all, execute, on, optional};
use crate::job::LogEntry;
use crate::log_id::prefix;
use crate::{Store, StoreError, Tx};

/// Rows of one statement: SQLite binds 32 766 values, a row is 13.
pub(crate) const ROWS_AT_ONCE: usize = 2500;
/// Up to so many rows a statement is kept ready for the next batch of its size: reading it costs a small batch more than
/// its rows do, and keeping those of every size would cost memory.
const KEPT_ROWS: usize = 16;

/// A line of a tenant's log; its fields are those of [`LogEntry`](crate::LogEntry).
#[expect(missing_docs, reason = "LogEntry says what each field is")]
#[derive(Clone, PartialEq, Debug)]
pub struct LogRow {
    pub id: LogId,
    pub node: NodeId,
    pub at: Timestamp,
    pub kind: String,
    pub client_id: Option<ClientId>,
    pub api_id: Option<ApiId>,
    pub user_id: Option<UserId>,
    pub grant: Option<String>,
    pub address: Option<String>,
    pub tokens: i64,
    pub repeats: i64,
    pub body: Map<String, Value>,
}

/// A line with its id, ready to be written.
pub(crate) struct NewLine<'a> {
    pub(crate) id: LogId,
    pub(crate) tenant: &'a TenantId,
    pub(crate) entry: &'a LogEntry,
}

macro_rules! columns {
    () => {
        "id, node_id, happened_at, kind, client_id, api_id, user_id, grant_type, address, tokens, repeats, body"
    };
}
pub(crate) use columns;

from_row!(LogRow, row => LogRow {
    id: LogId::new(row.text("id")?),
    node: NodeId::new(row.text("node_id")?),
    at: row.time("happened_at")?,
    kind: row.text("kind")?,
    client_id: row.optional_text("client_id")?.map(ClientId::new),
    api_id: row.optional_text("api_id")?.map(ApiId::new),
    user_id: row.optional_text("user_id")?.map(UserId::new),
    grant: row.optional_text("grant_type")?,
    address: row.optional_text("address")?,
    tokens: row.integer("tokens")?,
    repeats: row.integer("repeats")?,
    body: row.map("body")?,
});

/// Writes lines of this node's.
pub(crate) async fn add(tx: &mut Tx<'_>, node: &NodeId, lines: &[&NewLine<'_>]) -> Result<(), sqlx::Error> {
    for some in lines.chunks(ROWS_AT_ONCE) {
        on!(tx: tx, connection => {
            let mut query = QueryBuilder::new(
                "insert into logs (tenant_id, id, node_id, happened_at, kind, client_id, api_id, user_id, \
                 grant_type, address, tokens, repeats, body) ",
            );
            query.push_values(some, |mut values, NewLine { id, tenant, entry }| {
                values
                    .push_bind(tenant.as_str())
                    .push_bind(id.as_str())
                    .push_bind(node.as_str())
                    .push_bind(entry.at.ms())
                    .push_bind(entry.kind)
                    .push_bind(entry.client_id.as_ref().map(ClientId::as_str))
                    .push_bind(entry.api_id.as_ref().map(ApiId::as_str))
                    .push_bind(entry.user_id.as_ref().map(UserId::as_str))
                    .push_bind(entry.grant.as_deref())
                    .push_bind(entry.address.as_deref())
                    .push_bind(entry.tokens)
                    .push_bind(entry.repeats)
                    .push_bind(entry.body.as_str());
            });
            let is_kept = some.len() <= KEPT_ROWS;
            query.build().persistent(is_kept).execute(connection).await.map(drop)
        })?;
    }
    Ok(())
}

impl Store {
    /// A line by its id.
    pub async fn log(&self, tenant: &TenantId, id: &LogId) -> Result<Option<LogRow>, StoreError> {
        let sql = concat!("select ", columns!(), " from logs where tenant_id = $1 and id = $2");
        optional!(self.db(), sql, tenant.as_str(), id.as_str())
    }

    /// At most `take` lines after the one named, or from the first, oldest first.
    pub async fn logs_after(
        &self,
        tenant: &TenantId,
        after: Option<&LogId>,
        take: u32,
    ) -> Result<Vec<LogRow>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from logs where tenant_id = $1 and id > $2 order by id limit $3"
        );
        all!(
            self.db(),
            sql,
            tenant.as_str(),
            after.map_or("", LogId::as_str),
            i64::from(take)
        )
    }

    /// At most `take` lines about a user after the one named, or from the first, oldest first. No index knows them: the
    /// tenant's whole log is looked at.
    pub async fn logs_of_user_after(
        &self,
        tenant: &TenantId,
        user: &UserId,
        after: Option<&LogId>,
        take: u32,
    ) -> Result<Vec<LogRow>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from logs where tenant_id = $1 and id > $2 and user_id = $3 order by id limit $4"
        );
        let after = after.map_or("", LogId::as_str);
        all!(self.db(), sql, tenant.as_str(), after, user.as_str(), i64::from(take))
    }

    /// At most `take` lines of one node after the one named, oldest first.
    ///
    /// A node's lines become visible in the order of their ids; those of several do not, so whoever follows the log
    /// keeps a place in each node's.
    pub async fn logs_of_node_after(
        &self,
        tenant: &TenantId,
        node: &NodeId,
        after: Option<&LogId>,
        take: u32,
    ) -> Result<Vec<LogRow>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from logs where node_id = $1 and id > $2 and tenant_id = $3 order by id limit $4"
        );
        let after = after.map_or("", LogId::as_str);
        all!(self.db(), sql, node.as_str(), after, tenant.as_str(), i64::from(take))
    }

    /// The nodes that wrote to the log and may have more to be counted, or may write again.
    pub async fn nodes(&self) -> Result<Vec<NodeId>, StoreError> {
        let rows: Vec<(String,)> = all!(self.db(), "select id from nodes order by id")?;
        Ok(rows.into_iter().map(|(id,)| NodeId::new(id)).collect())
    }

    /// The last `take` lines, newest first.
    pub async fn logs_latest(&self, tenant: &TenantId, take: u32) -> Result<Vec<LogRow>, StoreError> {
        let sql = concat!(
            "select ",
            columns!(),
            " from logs where tenant_id = $1 order by id desc limit $2"
        );
        all!(self.db(), sql, tenant.as_str(), i64::from(take))
    }

    /// Removes at most `take` lines written before `before` whose tokens are counted: how many it removed. For a
    /// background task, which calls again while the answer is `take`.
    pub async fn prune_logs(&self, before: Timestamp, take: u32) -> Result<u64, StoreError> {
        let before = prefix(before);
        let take = u64::from(take);
        let mut removed = 0;
        let mut tenant = String::new();
        // From one tenant to the next along the primary key: those whose tenant was removed are found as well.
        while removed < take {
            let sql = "select tenant_id from logs where tenant_id > $1 order by tenant_id limit 1";
            let next: Option<(String,)> = optional!(self.db(), sql, tenant.as_str())?;
            let Some((next,)) = next else { break };
            tenant = next;
            removed += self.prune_tenant(&tenant, &before, take - removed).await?;
        }
        Ok(removed)
    }

    async fn prune_tenant(&self, tenant: &str, before: &str, take: u64) -> Result<u64, StoreError> {
        // A node without a row was removed with nothing left to count.
        let old = "select logs.id from logs where logs.tenant_id = $1 and logs.id < $2 and not exists (\
                   select 1 from nodes where nodes.id = logs.node_id and nodes.folded_to < logs.id) \
                   order by logs.id limit $3";
        let take = i64::try_from(take).unwrap_or(i64::MAX);
        let rows: Vec<(String,)> = all!(self.db(), old, tenant, before, take)?;
        let (Some((first,)), Some((last,))) = (rows.first(), rows.last()) else {
            return Ok(0);
        };
        let mut tx = self.begin().await?;
        let removed = execute!(
            tx,
            "delete from logs where tenant_id = $1 and id >= $2 and id <= $3 and not exists (\
             select 1 from nodes where nodes.id = logs.node_id and nodes.folded_to < logs.id)",
            tenant,
            first.as_str(),
            last.as_str(),
        )?;
        tx.commit().await?;
        Ok(removed)
    }
}
