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
        let range = &self.log_span(tenant, filter).await?;
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

    /// How many lines that filter lets through, of those that are looked at; counts no further than `at_most`.
    pub async fn logs_total(&self, tenant: &TenantId, filter: &LogFilter, at_most: u32) -> Result<u64, StoreError> {
        let range = self.log_span(tenant, filter).await?;
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
        let from = filter.from.map_or_else(String::new, prefix);
        let to = filter.to.map_or_else(|| LAST.to_owned(), |to| prefix(to.plus_ms(1)));
        let sql =
            "select id from logs where tenant_id = $1 and id >= $2 and id < $3 order by id desc limit 1 offset $4";
        let first: Option<(String,)> = optional!(
            self.db(),
            sql,
            tenant.as_str(),
            from.as_str(),
            to.as_str(),
            SEARCHED - 1
        )?;
        Ok(LogSpan {
            from: first.map_or(from, |(first,)| first),
            to,
        })
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
