//! Tokens counted against quotas, by client and window: table `quotas`, written by the batch that records the tokens, so
//! that what is counted is what was issued, on however many nodes (CONTRACT §4.11; docs/decisions/0011).

use std::collections::{BTreeMap, HashMap};

use serde_json::json;
use sqlx::QueryBuilder;

use tokenhouse_protocol::id::{ClientId, TenantId};
use tokenhouse_protocol::time::Timestamp;

use crate::db::{all, execute, on};
use crate::{LogEntry, Store, StoreError, Tx};

/// Parts of a quota, in percent, at which a warning is logged, the largest first.
const WARN_AT: [i64; 3] = [100, 80, 60];
/// For how long after its beginning a count is kept: the longest window, and more than clocks differ.
const KEPT_MS: i64 = 2 * Span::Day.ms();

/// How many tokens a client may be issued.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quota {
    /// In an hour.
    pub per_hour: Option<i64>,
    /// In a day.
    pub per_day: Option<i64>,
    /// Whether more are refused; otherwise they are only counted.
    pub is_enforced: bool,
}

/// A window of a quota: it begins with the hour or the day, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Span {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

/// A token that a job counts against its client's quota.
#[derive(Clone, PartialEq, Debug)]
pub struct Count {
    /// Whose token it is.
    pub client_id: ClientId,
    /// The quota that holds at the moment.
    pub quota: Quota,
    /// When it was issued, which says in which windows it counts.
    pub at: Timestamp,
    /// What is logged if it uses up 60, 80 or 100 % of a window; `description` and `details` are added here.
    pub warning: LogEntry,
}

/// What became of a [`Count`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counted {
    /// Whether the quota was used up before: nothing was counted, and nothing may be given out.
    pub is_over: bool,
    /// Tokens that the client was issued in the hour, this one among them.
    pub in_hour: i64,
    /// Tokens that the client was issued in the day, this one among them.
    pub in_day: i64,
}

/// What became of the counts of a batch.
#[derive(Default)]
pub(crate) struct Settled<'a> {
    /// By the number of the job.
    pub(crate) counted: HashMap<usize, Counted>,
    /// The warnings to be logged, each with its tenant.
    pub(crate) warnings: Vec<(&'a TenantId, LogEntry)>,
}

/// What a counter counts: tenant, client, window and when that begins.
type Name<'a> = (&'a str, &'a str, Span, i64);

impl Quota {
    /// How many tokens a window allows, if it is limited.
    pub fn limit(&self, span: Span) -> Option<i64> {
        match span {
            Span::Hour => self.per_hour,
            Span::Day => self.per_day,
        }
    }
}

impl Span {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Hour, Self::Day];

    /// When the window that holds `at` began.
    pub fn begin(self, at: Timestamp) -> Timestamp {
        Timestamp::from_ms(at.ms().div_euclid(self.ms()) * self.ms())
    }

    /// When the next one begins.
    pub fn end(self, at: Timestamp) -> Timestamp {
        self.begin(at).plus_ms(self.ms())
    }

    const fn ms(self) -> i64 {
        match self {
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Its name on the wire (CONTRACT §4.11).
    pub fn bucket(self) -> &'static str {
        match self {
            Self::Hour => "per_hour",
            Self::Day => "per_day",
        }
    }
}

impl Counted {
    /// Tokens that the client was issued in a window.
    pub fn used(&self, span: Span) -> i64 {
        match span {
            Span::Hour => self.in_hour,
            Span::Day => self.in_day,
        }
    }
}

impl Count {
    fn name<'a>(&'a self, tenant: &'a TenantId, span: Span) -> Name<'a> {
        let begin = span.begin(self.at).ms();
        (tenant.as_str(), self.client_id.as_str(), span, begin)
    }

    /// The warning of a window of which `used` tokens are used now, if that one token made it due: the highest, since one
    /// token of a small quota can pass several.
    fn warning(&self, span: Span, used: i64) -> Option<LogEntry> {
        let limit = self.quota.limit(span)?;
        let is_reached = |percent: i64, used: i64| used.saturating_mul(100) >= limit.saturating_mul(percent);
        let due = |percent: &&i64| is_reached(**percent, used) && !is_reached(**percent, used - 1);
        let percent = WARN_AT.iter().find(due)?;
        let mut entry = self.warning.clone();
        let text = format!(
            "{percent} % of the application's token quota is used: {used} of {limit} tokens of this {} (UTC)",
            span.as_str()
        );
        let details = json!({ "bucket": span.bucket(), "quota": limit, "used": used, "percent": percent });
        entry.body = entry.body.with(&[("description", json!(text)), ("details", details)]);
        Some(entry)
    }
}

/// Counts the tokens of a batch's jobs, each given with its job's number, in the order of the jobs.
///
/// All are added first, which locks the counters until the batch is durable; those beyond an enforced quota are then
/// taken off again.
pub(crate) async fn count<'a>(
    tx: &mut Tx<'_>,
    counts: &[(usize, &'a TenantId, &'a Count)],
) -> Result<Settled<'a>, sqlx::Error> {
    let mut settled = Settled::default();
    if counts.is_empty() {
        return Ok(settled);
    }
    let mut wanted = BTreeMap::new();
    for (_, tenant, count) in counts {
        for span in Span::ALL {
            *wanted.entry(count.name(tenant, span)).or_insert(0) += 1;
        }
    }
    let after = add(tx, &wanted).await?;
    let mut used: BTreeMap<Name<'_>, i64> = wanted
        .iter()
        .map(|(name, wanted)| (*name, after.get(&key(name)).map_or(0, |after| after - wanted)))
        .collect();
    for (job, tenant, count) in counts {
        let names = Span::ALL.map(|span| (span, count.name(tenant, span)));
        let so_far = |span: Span| used.get(&count.name(tenant, span)).copied().unwrap_or(0);
        let is_used_up = |span: Span| count.quota.limit(span).is_some_and(|limit| so_far(span) >= limit);
        let is_over = count.quota.is_enforced && Span::ALL.into_iter().any(is_used_up);
        if !is_over {
            for (span, name) in names {
                let used = used.entry(name).or_insert(0);
                *used += 1;
                *wanted.entry(name).or_insert(0) -= 1;
                settled
                    .warnings
                    .extend(count.warning(span, *used).map(|row| (*tenant, row)));
            }
        }
        let now = |span: Span| used.get(&count.name(tenant, span)).copied().unwrap_or(0);
        let counted = Counted {
            is_over,
            in_hour: now(Span::Hour),
            in_day: now(Span::Day),
        };
        settled.counted.insert(*job, counted);
    }
    // What is left was wanted and not given.
    let too_many: BTreeMap<_, _> = wanted
        .into_iter()
        .filter(|(_, left)| *left > 0)
        .map(|(name, left)| (name, -left))
        .collect();
    if !too_many.is_empty() {
        add(tx, &too_many).await?;
    }
    Ok(settled)
}

/// A counter's name with texts of its own, as the database answers it.
type Key = (String, String, String, i64);

fn key((tenant, client, span, starts_at): &Name<'_>) -> Key {
    let text = |text: &str| text.to_owned();
    (text(tenant), text(client), text(span.as_str()), *starts_at)
}

/// Adds to counters, in one order on every node so that two batches never wait for each other, and answers how much they
/// show now. A job has two counters, so this is one statement: 2048 rows of five values.
async fn add(tx: &mut Tx<'_>, by: &BTreeMap<Name<'_>, i64>) -> Result<HashMap<Key, i64>, sqlx::Error> {
    let rows: Vec<(String, String, String, i64, i64)> = on!(tx: tx, connection => {
        let mut query = QueryBuilder::new("insert into quotas (tenant_id, client_id, span, starts_at, used) ");
        query.push_values(by, |mut values, ((tenant, client, span, starts_at), by)| {
            values
                .push_bind(*tenant)
                .push_bind(*client)
                .push_bind(span.as_str())
                .push_bind(*starts_at)
                .push_bind(*by);
        });
        query.push(
            " on conflict (tenant_id, client_id, span, starts_at) do update set used = quotas.used + excluded.used \
             returning tenant_id, client_id, span, starts_at, used",
        );
        query.build_query_as().persistent(false).fetch_all(connection).await
    })?;
    let named = |(tenant, client, span, starts_at, used)| ((tenant, client, span, starts_at), used);
    Ok(rows.into_iter().map(named).collect())
}

impl Store {
    /// The counters of a tenant's windows that are open at the moment, the fullest first, at most `most` of them: whose,
    /// of which window, and how many tokens were issued in it.
    pub async fn quota_counters(&self, tenant: &TenantId, most: u32) -> Result<Vec<(ClientId, Span, i64)>, StoreError> {
        let now = self.clock().now();
        let sql = "select client_id, span, used from quotas where tenant_id = $1 and used > 0 \
                   and ((span = 'hour' and starts_at = $2) or (span = 'day' and starts_at = $3)) \
                   order by used desc, client_id, span limit $4";
        let (hour, day) = (Span::Hour.begin(now).ms(), Span::Day.begin(now).ms());
        let rows: Vec<(String, String, i64)> = all!(self.db(), sql, tenant.as_str(), hour, day, i64::from(most))?;
        let named = |(client, span, used): (String, String, i64)| {
            let span = Span::ALL.into_iter().find(|one| one.as_str() == span)?;
            Some((ClientId::new(client), span, used))
        };
        Ok(rows.into_iter().filter_map(named).collect())
    }

    /// How many tokens a client was issued in the windows that hold `at`, as far as it had a quota.
    pub async fn quota_used(&self, tenant: &TenantId, client: &ClientId, at: Timestamp) -> Result<Counted, StoreError> {
        let sql = "select span, starts_at, used from quotas where tenant_id = $1 and client_id = $2";
        let rows: Vec<(String, i64, i64)> = all!(self.db(), sql, tenant.as_str(), client.as_str())?;
        let used = |wanted: Span| {
            let found = rows
                .iter()
                .find(|(span, begin, _)| span == wanted.as_str() && *begin == wanted.begin(at).ms());
            found.map_or(0, |(_, _, used)| *used)
        };
        Ok(Counted {
            is_over: false,
            in_hour: used(Span::Hour),
            in_day: used(Span::Day),
        })
    }

    /// Forgets the counts of windows that ended long ago: how many. For a background task.
    pub async fn prune_quotas(&self) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let over = self.clock().now().plus_ms(-KEPT_MS).ms();
        let removed = execute!(tx, "delete from quotas where starts_at < $1", over)?;
        tx.commit().await?;
        Ok(removed)
    }
}
