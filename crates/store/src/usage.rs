//! Counting tokens: the log is folded, node by node, into hourly sums, and with them the logins of each user. Tables
//! `usage`, those of `traffic`, `nodes`, and three columns of `users`.
//!
//! A node's row holds the last log id that was counted; it moves in the transaction that counts, and only from
//! the value that was read, so every row counts once, whoever folds it and whenever they crash (DESIGN §4).

use std::collections::BTreeMap;

use tokenhouse_protocol::id::{ApiId, ClientId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::from_row;
use crate::db::{all, execute, optional};
use crate::{Store, StoreError, Tx, traffic};

/// Log rows of one folding transaction.
const STEP: i64 = 20_000;
/// A node that wrote nothing for so long is forgotten when all its rows are counted.
const SILENT_MS: i64 = 3_600_000;

/// Access tokens issued in one hour, of all nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageRow {
    /// The hour's beginning, UTC.
    pub hour: Timestamp,
    /// The application that got them.
    pub client_id: Option<ClientId>,
    /// The API they are for.
    pub api_id: Option<ApiId>,
    /// The grant's short name; empty if the log did not say.
    pub grant: String,
    /// How many.
    pub tokens: i64,
}

/// Access tokens that an application was issued in a span of time, for one API and by one grant, of all nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageSum {
    /// The application that got them.
    pub client_id: Option<ClientId>,
    /// The API they are for.
    pub api_id: Option<ApiId>,
    /// The grant's short name; empty if the log did not say.
    pub grant: String,
    /// How many.
    pub tokens: i64,
}

from_row!(UsageSum, row => UsageSum {
    client_id: named(row.text("client_id")?).map(ClientId::new),
    api_id: named(row.text("api_id")?).map(ApiId::new),
    grant: row.text("grant_type")?,
    tokens: row.integer("tokens")?,
});

/// One node's share of an hour, as stored: the empty text stands for none.
struct Share {
    hour: i64,
    client_id: String,
    api_id: String,
    grant: String,
    tokens: i64,
}

from_row!(Share, row => Share {
    hour: row.integer("hour")?,
    client_id: row.text("client_id")?,
    api_id: row.text("api_id")?,
    grant: row.text("grant_type")?,
    tokens: row.integer("tokens")?,
});

impl Store {
    /// Counts every node's rows that are not counted yet: how many rows that were. Called about once a second; any
    /// number of processes may do so at once.
    pub async fn fold_usage(&self) -> Result<u64, StoreError> {
        let sql = "select id, folded_to, seen_at from nodes order by started_at, id";
        let nodes: Vec<(String, String, i64)> = all!(self.db(), sql)?;
        let silent_since = self.clock().now().plus_ms(-SILENT_MS).ms();
        let mut folded = 0;
        for (node, folded_to, seen_at) in nodes {
            // A read first: an idle house must not take the write lock every second.
            if !self.has_more(&node, &folded_to).await? {
                if seen_at < silent_since {
                    self.forget(&node, silent_since).await?;
                }
                continue;
            }
            loop {
                let step = self.fold_step(&node).await?;
                folded += step;
                if step == 0 {
                    break;
                }
            }
        }
        Ok(folded)
    }

    /// The tokens issued by hour, application, API and grant: from the hour that `from` is in, through the last
    /// that began before `to`. Whole hours, since nothing finer is kept.
    pub async fn usage(&self, tenant: &TenantId, from: Timestamp, to: Timestamp) -> Result<Vec<UsageRow>, StoreError> {
        let sql = "select hour, client_id, api_id, grant_type, tokens from usage \
                   where tenant_id = $1 and hour >= $2 and hour < $3";
        let shares = all!(self.db(), sql, tenant.as_str(), from.hour().ms(), to.ms())?;
        Ok(added_up(shares))
    }

    /// Who was issued most between these times (see [`Store::usage`]), at most `take`, the most first.
    pub async fn usage_sums(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        to: Timestamp,
        take: u32,
    ) -> Result<Vec<UsageSum>, StoreError> {
        let sql = "select client_id, api_id, grant_type, cast(sum(tokens) as bigint) as tokens from usage \
                   where tenant_id = $1 and hour >= $2 and hour < $3 group by client_id, api_id, grant_type \
                   order by 4 desc, client_id, api_id, grant_type limit $4";
        let (from, to) = (from.hour().ms(), to.ms());
        all!(self.db(), sql, tenant.as_str(), from, to, i64::from(take))
    }

    /// How many rows are added up between these times (see [`Store::usage`]); counts no further than `at_most`.
    pub async fn usage_rows(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        to: Timestamp,
        at_most: u32,
    ) -> Result<u32, StoreError> {
        let sql = "select count(*) from (\
                   select hour from usage where tenant_id = $1 and hour >= $2 and hour < $3 limit $4) as counted";
        let (from, to) = (from.hour().ms(), to.ms());
        let row: Option<(i64,)> = optional!(self.db(), sql, tenant.as_str(), from, to, i64::from(at_most))?;
        Ok(row.map_or(0, |(rows,)| u32::try_from(rows).unwrap_or(at_most)))
    }

    /// The tokens that one application was issued by hour, API and grant, in some years at most; see [`Store::usage`].
    pub async fn usage_of(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<UsageRow>, StoreError> {
        // Hour by hour along the primary key: another index would be paid for by every application's every hour.
        let sql = "with recursive hours (began) as (select cast($3 as bigint) union all \
                   select began + 3600000 from hours where began + 3600000 < $4) \
                   select hour, client_id, api_id, grant_type, tokens from hours cross join usage \
                   where usage.tenant_id = $1 and usage.hour = hours.began and usage.client_id = $2";
        let shares = all!(
            self.db(),
            sql,
            tenant.as_str(),
            client.as_str(),
            from.hour().ms(),
            to.ms()
        )?;
        Ok(added_up(shares))
    }

    /// The tokens issued to users by hour, from the hour that `from` is in, through the last that began before `to`.
    pub async fn logins(
        &self,
        tenant: &TenantId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(Timestamp, i64)>, StoreError> {
        let sql = "select hour, tokens from usage where tenant_id = $1 and hour >= $2 and hour < $3 \
                   and grant_type <> '' and grant_type <> 'client_credentials'";
        let rows: Vec<(i64, i64)> = all!(self.db(), sql, tenant.as_str(), from.hour().ms(), to.ms())?;
        Ok(rows
            .into_iter()
            .map(|(hour, tokens)| (Timestamp::from_ms(hour), tokens))
            .collect())
    }

    async fn has_more(&self, node: &str, folded_to: &str) -> Result<bool, StoreError> {
        let sql = "select id from logs where node_id = $1 and id > $2 order by id limit 1";
        let row: Option<(String,)> = optional!(self.db(), sql, node, folded_to)?;
        Ok(row.is_some())
    }

    /// Counts a node's next rows: how many, 0 when none are left or another process counts them.
    async fn fold_step(&self, node: &str) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let row: Option<(String,)> = optional!(tx: tx, "select folded_to from nodes where id = $1", node)?;
        let Some((old,)) = row else { return Ok(0) };
        let sql = "select max(step.id), count(step.id) from \
                   (select id from logs where node_id = $1 and id > $2 order by id limit $3) as step";
        let row: Option<(Option<String>, i64)> = optional!(tx: tx, sql, node, old.as_str(), STEP)?;
        let Some((Some(new), rows)) = row else { return Ok(0) };
        // Before the counting: whoever loses waits here, and has nothing to undo.
        let won = execute!(
            tx,
            "update nodes set folded_to = $2 where id = $1 and folded_to = $3",
            node,
            new.as_str(),
            old.as_str()
        )?;
        if won == 0 {
            return Ok(0);
        }
        execute!(
            tx,
            "insert into usage (tenant_id, hour, client_id, api_id, grant_type, node_id, tokens) \
             select tenant_id, (happened_at / 3600000) * 3600000, coalesce(client_id, ''), coalesce(api_id, ''), \
             coalesce(grant_type, ''), node_id, sum(tokens) from logs \
             where node_id = $1 and id > $2 and id <= $3 and tokens > 0 \
             group by tenant_id, (happened_at / 3600000) * 3600000, coalesce(client_id, ''), coalesce(api_id, ''), \
             coalesce(grant_type, ''), node_id \
             on conflict (tenant_id, hour, client_id, api_id, grant_type, node_id) \
             do update set tokens = usage.tokens + excluded.tokens",
            node,
            old.as_str(),
            new.as_str(),
        )?;
        traffic::count(&mut tx, node, &old, &new).await?;
        count_logins(&mut tx, node, &old, &new).await?;
        tx.commit().await?;
        Ok(u64::try_from(rows).unwrap_or(0))
    }

    /// Removes a node that has been silent, unless it spoke again meanwhile; it would come back by itself.
    async fn forget(&self, node: &str, silent_since: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        execute!(
            tx,
            "delete from nodes where id = $1 and seen_at < $2 and not exists (\
             select 1 from logs where logs.node_id = nodes.id and logs.id > nodes.folded_to)",
            node,
            silent_since,
        )?;
        tx.commit().await
    }
}

/// The nodes' shares as one. Added up here: PostgreSQL's sum of bigints is no bigint.
fn added_up(shares: Vec<Share>) -> Vec<UsageRow> {
    let mut sums = BTreeMap::new();
    for share in shares {
        *sums
            .entry((share.hour, share.client_id, share.api_id, share.grant))
            .or_insert(0) += share.tokens;
    }
    let row = |((hour, client_id, api_id, grant), tokens)| UsageRow {
        hour: Timestamp::from_ms(hour),
        client_id: named(client_id).map(ClientId::new),
        api_id: named(api_id).map(ApiId::new),
        grant,
        tokens,
    };
    sums.into_iter().map(row).collect()
}

/// Counts the logins among a node's rows after `old`, through `new`. In the order of the users, since another node's
/// rows may be counted at the same moment.
async fn count_logins(tx: &mut Tx<'_>, node: &str, old: &str, new: &str) -> Result<(), StoreError> {
    // Ids have one length and grow with time, so the greatest of these texts is about the last login.
    let sql = "select tenant_id, user_id, count(*), max(id || ' ' || happened_at || ' ' || coalesce(address, '')) \
               from logs where node_id = $1 and id > $2 and id <= $3 and user_id is not null \
               and kind in ('sepft', 's') group by tenant_id, user_id order by tenant_id, user_id";
    let rows: Vec<(String, String, i64, String)> = all!(tx: tx, sql, node, old, new)?;
    for (tenant, user, count, last) in rows {
        let mut words = last.splitn(3, ' ').skip(1);
        let at_ms = words.next().and_then(|text| text.parse().ok()).unwrap_or(0);
        let address = words.next().unwrap_or_default();
        tx.add_logins(&tenant, &user, (count, at_ms, address)).await?;
    }
    Ok(())
}

/// The empty text is no name.
fn named(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
