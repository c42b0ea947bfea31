//! What a tenant was issued and refused, by hour, whichever application asked, so that a look costs the same however
//! many there are: table `traffic`, a row for each hour and node, and table `api_traffic`, one for each API besides.

use std::collections::BTreeMap;

use sqlx::QueryBuilder;

use tokenhouse_protocol::id::{ApiId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::columns::from_row;
use crate::db::{all, on};
use crate::{Store, StoreError, Tx};

/// Rows that are written in one statement, of six values at most.
const ROWS_AT_ONCE: usize = 500;
const HOUR_MS: i64 = 3_600_000;

/// One hour of a tenant, of all nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Traffic {
    /// The hour's beginning, UTC.
    pub hour: Timestamp,
    /// Access tokens issued by client credentials.
    pub machine: i64,
    /// Access tokens issued for users.
    pub people: i64,
    /// Lines of the log whose type begins with `f`, but for changes of the configuration that were refused.
    pub refused: i64,
}

/// An API, and how many of its access tokens may not have expired.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unexpired {
    /// The API.
    pub api_id: ApiId,
    /// Its identifier; the system API has none.
    pub identifier: Option<String>,
    /// Seconds that its tokens live, as it says now.
    pub token_lifetime_s: i64,
    /// How many, at most: whole hours are counted.
    pub tokens: i64,
}

from_row!(Unexpired, row => Unexpired {
    api_id: ApiId::new(row.text("id")?),
    identifier: row.optional_text("identifier")?,
    token_lifetime_s: row.integer("token_lifetime_s")?,
    tokens: row.integer("unexpired")?,
});

/// What one node's log has of an hour, for one API.
struct HourOfApi {
    tenant: String,
    hour: i64,
    /// Empty where the log names none.
    api: String,
    machine: i64,
    people: i64,
    refused: i64,
}

from_row!(HourOfApi, row => HourOfApi {
    tenant: row.text("tenant_id")?,
    hour: row.integer("hour")?,
    api: row.text("api")?,
    machine: row.integer("machine")?,
    people: row.integer("people")?,
    refused: row.integer("refused")?,
});

impl Store {
    /// A tenant's hours in which something was counted, oldest first: from the hour that `from` is in, through the last
    /// that began before `to`.
    pub async fn traffic(&self, tenant: &TenantId, from: Timestamp, to: Timestamp) -> Result<Vec<Traffic>, StoreError> {
        let sql = "select hour, machine, people, refused from traffic \
                   where tenant_id = $1 and hour >= $2 and hour < $3";
        let rows: Vec<(i64, i64, i64, i64)> = all!(self.db(), sql, tenant.as_str(), from.hour().ms(), to.ms())?;
        let mut hours: BTreeMap<i64, Traffic> = BTreeMap::new();
        for (hour, machine, people, refused) in rows {
            let sum = hours.entry(hour).or_insert(Traffic {
                hour: Timestamp::from_ms(hour),
                machine: 0,
                people: 0,
                refused: 0,
            });
            sum.machine += machine;
            sum.people += people;
            sum.refused += refused;
        }
        Ok(hours.into_values().collect())
    }

    /// The APIs that sign with `algorithm` and have tokens, issued between these times, that may not have expired: those
    /// with the most first. Every API counts as it is set now, from the hour in which the oldest token was issued that
    /// can be valid, through the last that began before `to`.
    pub async fn unexpired_tokens(
        &self,
        tenant: &TenantId,
        algorithm: &str,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<Unexpired>, StoreError> {
        // API by API along the key of `api_traffic`, each its own hours: never all that was ever counted.
        let sql = "select apis.id, apis.identifier, apis.token_lifetime_s, \
                   cast(sum(api_traffic.tokens) as bigint) as unexpired from apis cross join api_traffic \
                   where apis.tenant_id = $1 and apis.signing_alg = $2 and $5 + apis.token_lifetime_s * 1000 > $6 \
                   and api_traffic.tenant_id = apis.tenant_id and api_traffic.api_id = apis.id \
                   and api_traffic.hour > case when $3 > $4 - apis.token_lifetime_s * 1000 then $3 \
                   else $4 - apis.token_lifetime_s * 1000 end and api_traffic.hour < $5 \
                   group by apis.id, apis.identifier, apis.token_lifetime_s order by 4 desc, 1";
        let now = self.clock().now();
        all!(
            self.db(),
            sql,
            tenant.as_str(),
            algorithm,
            // An hour is in it whose end comes after these.
            from.plus_ms(-HOUR_MS).ms(),
            now.plus_ms(-HOUR_MS).ms(),
            to.ms(),
            now.ms(),
        )
    }
}

/// Counts a node's log rows after `old`, through `new`. They are looked at once for both tables: every token pays.
pub(crate) async fn count(tx: &mut Tx<'_>, node: &str, old: &str, new: &str) -> Result<(), StoreError> {
    let sql = "select tenant_id, (happened_at / 3600000) * 3600000 as hour, coalesce(api_id, '') as api, \
               cast(sum(case when grant_type = 'client_credentials' then tokens else 0 end) as bigint) as machine, \
               cast(sum(case when grant_type = 'client_credentials' then 0 else tokens end) as bigint) as people, \
               cast(sum(case when substr(kind, 1, 1) = 'f' and kind <> 'fapi' then repeats else 0 end) as bigint) \
               as refused from logs \
               where node_id = $1 and id > $2 and id <= $3 and (tokens > 0 or substr(kind, 1, 1) = 'f') \
               group by tenant_id, (happened_at / 3600000) * 3600000, coalesce(api_id, '')";
    let counted: Vec<HourOfApi> = all!(tx: tx, sql, node, old, new)?;
    let mut hours: BTreeMap<(&str, i64), [i64; 3]> = BTreeMap::new();
    for row in &counted {
        let sum = hours.entry((row.tenant.as_str(), row.hour)).or_default();
        for (sum, more) in sum.iter_mut().zip([row.machine, row.people, row.refused]) {
            *sum += more;
        }
    }
    let hours: Vec<_> = hours.into_iter().collect();
    for rows in hours.chunks(ROWS_AT_ONCE) {
        add_hours(tx, node, rows).await?;
    }
    let of_apis = |row: &&HourOfApi| !row.api.is_empty() && row.machine + row.people > 0;
    let of_apis: Vec<_> = counted.iter().filter(of_apis).collect();
    for rows in of_apis.chunks(ROWS_AT_ONCE) {
        add_hours_of_apis(tx, node, rows).await?;
    }
    Ok(())
}

async fn add_hours(tx: &mut Tx<'_>, node: &str, rows: &[((&str, i64), [i64; 3])]) -> Result<(), StoreError> {
    on!(tx: tx, connection => {
        let mut query =
            QueryBuilder::new("insert into traffic (tenant_id, hour, node_id, machine, people, refused) ");
        query.push_values(rows, |mut values, ((tenant, hour), [machine, people, refused])| {
            values
                .push_bind(*tenant)
                .push_bind(*hour)
                .push_bind(node)
                .push_bind(*machine)
                .push_bind(*people)
                .push_bind(*refused);
        });
        query.push(
            " on conflict (tenant_id, hour, node_id) do update set machine = traffic.machine + excluded.machine, \
             people = traffic.people + excluded.people, refused = traffic.refused + excluded.refused",
        );
        query.build().persistent(false).execute(connection).await.map(drop)
    })?;
    Ok(())
}

async fn add_hours_of_apis(tx: &mut Tx<'_>, node: &str, rows: &[&HourOfApi]) -> Result<(), StoreError> {
    on!(tx: tx, connection => {
        let mut query = QueryBuilder::new("insert into api_traffic (tenant_id, api_id, hour, node_id, tokens) ");
        query.push_values(rows, |mut values, row| {
            values
                .push_bind(row.tenant.as_str())
                .push_bind(row.api.as_str())
                .push_bind(row.hour)
                .push_bind(node)
                .push_bind(row.machine + row.people);
        });
        query.push(
            " on conflict (tenant_id, api_id, hour, node_id) \
             do update set tokens = api_traffic.tokens + excluded.tokens",
        );
        query.build().persistent(false).execute(connection).await.map(drop)
    })?;
    Ok(())
}
