//! Searching the log, and following it: table `logs`.

use tokenhouse_protocol::id::{ClientId, LogId, TenantId, UserId};
use tokenhouse_protocol::time::Timestamp;

use crate::db::{all, optional};
use crate::log_id::prefix;
use crate::logs::{LogRow, columns};
use crate::writer::OPEN_AT_MOST_MS;
use crate::{Store, StoreError};

/// Kinds that a filter may name.
pub const MAX_LOG_KINDS: usize = 6;

/// Lines that a search looks at: filters have no index, which every token would pay for, so the newest alone are
/// searched.
const SEARCHED: i64 = 100_000;
/// Lines that the search for one page looks at, which takes some milliseconds.
const SEARCHED_AT_ONCE: i64 = 2_000;
/// How far the clocks of two nodes may be apart without a follower of the log missing a line.
const CLOCKS_APART_MS: i64 = 6_000;
/// Comes after every id: they begin with 9 and have digits alone.
const LAST: &str = "99";

/// Which lines of a log are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogFilter {
    /// Of these kinds, [`MAX_LOG_KINDS`] at most; of any if there is none.
    pub kinds: Vec<String>,
    /// Of kinds that begin so.
    pub kind_prefix: Option<String>,
    /// About this application.
    pub client_id: Option<ClientId>,
    /// About this user.
    pub user_id: Option<UserId>,
    /// From this address.
    pub address: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
}

/// A page of the log, newest first.
#[derive(Clone, PartialEq, Debug)]
pub struct LogPage {
    /// The lines.
    pub rows: Vec<LogRow>,
    /// What the next page comes before; `None` when all lines in the filter's time were looked at.
    pub next: Option<LogId>,
    /// How far the search came, if it ended before the page was full: older lines may be let through as well.
    pub stopped_at: Option<Timestamp>,
}

/// The lines that a search looks at: those in its filter's time, of them the newest 100 000.
#[derive(Clone, Debug)]
pub struct LogSpan {
    /// The first id.
    from: String,
    /// One beyond the last.
    to: String,
}

/// The filter's conditions after the range of ids, by the binds from `$4` on.
macro_rules! matching {
    () => {
        " from logs where tenant_id = $1 and id >= $2 and id < $3 \
         and ($4 = '' or kind in ($4, $5, $6, $7, $8, $9)) and substr(kind, 1, length($10)) = $10 \
         and ($11 = '' or client_id = $11) and ($12 = '' or user_id = $12) and ($13 = '' or address = $13)"
    };
}

/// Reads with a filter's binds in their order, then those that are named.
macro_rules! filtered {
    ($read:ident, $store:expr, $tenant:expr, $filter:expr, $range:expr, $sql:expr $(, $bind:expr)*) => {{
        let filter: &LogFilter = $filter;
        let [k4, k5, k6, k7, k8, k9] = filter.kinds();
        $read!(
            $store.db(),
            $sql,
            $tenant.as_str(),
            $range.from.as_str(),
            $range.to.as_str(),
            k4, k5, k6, k7, k8, k9,
            filter.kind_prefix.as_deref().unwrap_or(""),
            filter.client_id.as_ref().map_or("", ClientId::as_str),
            filter.user_id.as_ref().map_or("", UserId::as_str),
            filter.address.as_deref().unwrap_or(""),
            $($bind),*
        )
    }};
}

impl Store {
    /// At most `take` lines that a filter lets through, after the first `skip`; newest first, or oldest first if
    /// `is_ascending`. Of the lines in the filter's time only the newest 100 000 are looked at.
    pub async fn logs_matching(
        &self,
        tenant: &TenantId,
        filter: &LogFilter,
        (skip, take): (u32, u32),
        is_ascending: bool,
    ) -> Result<Vec<LogRow>, StoreError> {
        let range = &self.range(tenant, filter).await?;
        self.logs_within(tenant, filter, range, (skip, take), is_ascending)
            .await
    }

    /// The same among the lines of a span.
    pub async fn logs_within(
        &self,
        tenant: &TenantId,
        filter: &LogFilter,
        range: &LogSpan,
        (skip, take): (u32, u32),
        is_ascending: bool,
    ) -> Result<Vec<LogRow>, StoreError> {
        let (skip, take) = (i64::from(skip), i64::from(take));
        if is_ascending {
            let sql = concat!("select ", columns!(), matching!(), " order by id limit $14 offset $15");
            filtered!(all, self, tenant, filter, range, sql, take, skip)
        } else {
            let sql = concat!(
                "select ",
                columns!(),
                matching!(),
                " order by id desc limit $14 offset $15"
            );
            filtered!(all, self, tenant, filter, range, sql, take, skip)
        }
    }

    /// At most `take` lines that a filter lets through, older than the one named, newest first. A page costs the same
    /// wherever in the log it is: if few are let through it ends early and says how far it came, and the next one goes
    /// on from there.
    pub async fn logs_back(
        &self,
        tenant: &TenantId,
        filter: &LogFilter,
        before: Option<&LogId>,
        take: u32,
    ) -> Result<LogPage, StoreError> {
        let (from, mut to) = filter.span();
        // Ids are digits alone; whatever else an address names is none.
        let is_id = |id: &&LogId| id.as_str().bytes().all(|byte| byte.is_ascii_digit());
        if let Some(before) = before.filter(is_id).filter(|before| before.as_str() < to.as_str()) {
            to = before.to_string();
        }
        let stop = match filter.is_narrow() {
            true => self.line_before(tenant, (&from, &to), SEARCHED_AT_ONCE).await?,
            false => None,
        };
        let first = stop.as_ref().map_or(from, |(id, _)| id.clone());
        let sql = concat!("select ", columns!(), matching!(), " order by id desc limit $14");
        let range = LogSpan { from: first, to };
        let mut rows: Vec<LogRow> = filtered!(all, self, tenant, filter, range, sql, i64::from(take) + 1)?;
        if rows.len() > take as usize {
            rows.truncate(take as usize);
            return Ok(LogPage {
                next: rows.last().map(|row| row.id.clone()),
                rows,
                stopped_at: None,
            });
        }
        Ok(LogPage {
            rows,
            stopped_at: stop.as_ref().map(|(_, at)| Timestamp::from_ms(*at)),
            next: stop.map(|(id, _)| LogId::new(id)),
        })
    }

    /// How many lines that filter lets through, of those that are looked at; counts no further than `at_most`.
    pub async fn logs_total(&self, tenant: &TenantId, filter: &LogFilter, at_most: u32) -> Result<u64, StoreError> {
        let range = self.range(tenant, filter).await?;
        let sql = concat!(
            "select count(*) from (select id",
            matching!(),
            " order by id desc limit $14) found"
        );
        let row: Option<(i64,)> = filtered!(optional, self, tenant, filter, range, sql, i64::from(at_most))?;
        Ok(row.map_or(0, |(total,)| u64::try_from(total).unwrap_or(0)))
    }

    /// At most `take` lines after the one named, or from the first, oldest first, but none so young that another
    /// node may yet write one before it: whoever follows the log by the last id meets every line once.
    ///
    /// A line's id is made when its batch begins, and a batch is written within seconds or given up; so lines older
    /// than that stay as they are, as long as the nodes' clocks are not more than six seconds apart.
    pub async fn logs_settled_after(
        &self,
        tenant: &TenantId,
        after: Option<&LogId>,
        take: u32,
    ) -> Result<Vec<LogRow>, StoreError> {
        let settled = self.clock().now().plus_ms(-OPEN_AT_MOST_MS - CLOCKS_APART_MS);
        let sql = concat!(
            "select ",
            columns!(),
            " from logs where tenant_id = $1 and id > $2 and id < $3 order by id limit $4"
        );
        all!(
            self.db(),
            sql,
            tenant.as_str(),
            after.map_or("", LogId::as_str),
            prefix(settled),
            i64::from(take)
        )
    }

    /// The lines that a search with this filter looks at.
    pub async fn log_span(&self, tenant: &TenantId, filter: &LogFilter) -> Result<LogSpan, StoreError> {
        let (from, to) = filter.span();
        let first = self.line_before(tenant, (&from, &to), SEARCHED).await?;
        Ok(LogSpan {
            from: first.map_or(from, |(first, _)| first),
            to,
        })
    }

    /// The same, where no more is looked at than what the filter lets through.
    async fn range(&self, tenant: &TenantId, filter: &LogFilter) -> Result<LogSpan, StoreError> {
        if filter.is_narrow() {
            return self.log_span(tenant, filter).await;
        }
        let (from, to) = filter.span();
        Ok(LogSpan { from, to })
    }

    /// The last but so many of the lines in a range of ids, and when it happened; `None` if there are fewer.
    async fn line_before(
        &self,
        tenant: &TenantId,
        (from, to): (&str, &str),
        count: i64,
    ) -> Result<Option<(String, i64)>, StoreError> {
        let sql = "select id, happened_at from logs where tenant_id = $1 and id >= $2 and id < $3 \
                   order by id desc limit 1 offset $4";
        optional!(self.db(), sql, tenant.as_str(), from, to, count - 1)
    }
}

impl LogSpan {
    /// Leaves out what was looked at, up to `last`, which was the newest of it if it `is_ascending`.
    pub fn beyond(&mut self, last: &LogId, is_ascending: bool) {
        match is_ascending {
            // Ids are equally long: nothing lies between one and the same with a digit more.
            true => self.from = format!("{last}0"),
            false => last.as_str().clone_into(&mut self.to),
        }
    }
}

impl LogFilter {
    /// Whether it names more than a time.
    fn is_narrow(&self) -> bool {
        let Self {
            kinds,
            kind_prefix,
            client_id,
            user_id,
            address,
            from: _,
            to: _,
        } = self;
        !kinds.is_empty()
            || [
                kind_prefix.is_some(),
                client_id.is_some(),
                user_id.is_some(),
                address.is_some(),
            ]
            .contains(&true)
    }

    /// The first id of its time, and one beyond the last.
    fn span(&self) -> (String, String) {
        let from = self.from.map_or_else(String::new, prefix);
        (
            from,
            self.to.map_or_else(|| LAST.to_owned(), |to| prefix(to.plus_ms(1))),
        )
    }

    /// Its kinds as six binds; the first one is empty if it names none, the others repeat it.
    fn kinds(&self) -> [&str; MAX_LOG_KINDS] {
        let first = self.kinds.first().map_or("", String::as_str);
        let mut kinds = [first; MAX_LOG_KINDS];
        for (place, kind) in kinds.iter_mut().zip(&self.kinds) {
            *place = kind;
        }
        kinds
    }
}
