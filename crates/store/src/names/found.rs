//! Searching by names: what begins with a text, page by page, wherever in a list of millions it is.

use tokenhouse_protocol::id::TenantId;

use super::{BEYOND, HasNames, beginning, searched};
use crate::columns::from_row;
use crate::db::all;
use crate::{Client, ClientFilter, Page, Store, StoreError, User, clients, users};

/// Shortest beginning of an id that is looked for, in bytes: ids are random letters.
const MIN_ID_BYTES: usize = 4;
/// Longest text that is looked for, in bytes; nothing is called by a longer one.
const MAX_TEXT_BYTES: usize = 1024;
/// Between the two parts of a checkpoint.
const BETWEEN: char = '.';

/// A page of what a search found.
#[derive(Clone, PartialEq, Debug)]
pub struct Found<T> {
    /// The records, by the names under which they were found.
    pub rows: Vec<T>,
    /// What the next page comes after ([`Page::after`]); `None` at the end.
    pub next: Option<String>,
}

/// A record with the row of `names` that led to it.
struct Hit<T> {
    beginning: String,
    record: T,
}

from_row!(Hit<Client>, row => Hit { beginning: row.text("beginning")?, record: Client::from_row(row)? });
from_row!(Hit<User>, row => Hit { beginning: row.text("beginning")?, record: User::from_row(row)? });

/// Where a page of names begins and ends.
struct Range {
    text: String,
    /// After this name of this record.
    from: (String, String),
    /// Before this name.
    to: String,
}

macro_rules! named {
    ($kind:literal, $table:literal, $columns:expr, $more:literal) => {
        concat!(
            "select names.beginning, ",
            $columns,
            " from names cross join ",
            $table,
            " where names.tenant_id = $1 and names.kind = '",
            $kind,
            "' and (names.beginning, names.named_id) > ($2, $3) and names.beginning < $4 and ",
            $table,
            ".tenant_id = $1 and ",
            $table,
            ".id = names.named_id",
            $more,
            " order by names.beginning, names.named_id limit $5 offset $6"
        )
    };
}

impl Store {
    /// A page of the applications whose name, from some word on, or whose `client_id` begins with `text`, however
    /// written; without the one that stands for all of them. An empty text finds all, by id.
    pub async fn clients_found(&self, tenant: &TenantId, text: &str, page: Page) -> Result<Found<Client>, StoreError> {
        let own = ClientFilter {
            is_global: Some(false),
            ..ClientFilter::default()
        };
        let (after, take, skip) = page.binds();
        if searched(text).is_empty() {
            let rows = self.clients_matching(tenant, &own, page.with_one_more()).await?;
            return Ok(of_all(rows, take));
        }
        let Some(range) = Range::of(text, after) else {
            return Ok(none());
        };
        let by_id = match after.is_empty() && skip == 0 && text.trim().len() >= MIN_ID_BYTES {
            true => self.clients_with_id(tenant, text.trim(), take).await?,
            false => Vec::new(),
        };
        let sql = named!("client", "clients", clients::columns!(), " and not clients.is_global");
        let (from, id) = (range.from.0.as_str(), range.from.1.as_str());
        let take = take - i64::try_from(by_id.len()).unwrap_or(0);
        let hits = all!(
            self.db(),
            sql,
            tenant.as_str(),
            from,
            id,
            range.to.as_str(),
            take + 1,
            skip
        )?;
        Ok(range.found(by_id, hits, take))
    }

    /// A page of the users whose e-mail address, user name, name from some word on, or id begins with `text`, however
    /// written. An empty text finds all, by id.
    pub async fn users_found(&self, tenant: &TenantId, text: &str, page: Page) -> Result<Found<User>, StoreError> {
        let (after, take, skip) = page.binds();
        if searched(text).is_empty() {
            return Ok(of_all(self.users(tenant, page.with_one_more()).await?, take));
        }
        let Some(range) = Range::of(text, after) else {
            return Ok(none());
        };
        let by_id = match after.is_empty() && skip == 0 && text.trim().len() >= MIN_ID_BYTES {
            true => self.users_with_id(tenant, text.trim(), take).await?,
            false => Vec::new(),
        };
        let sql = named!("user", "users", users::columns!(), "");
        let (from, id) = (range.from.0.as_str(), range.from.1.as_str());
        let take = take - i64::try_from(by_id.len()).unwrap_or(0);
        let hits = all!(
            self.db(),
            sql,
            tenant.as_str(),
            from,
            id,
            range.to.as_str(),
            take + 1,
            skip
        )?;
        Ok(range.found(by_id, hits, take))
    }

    async fn clients_with_id(&self, tenant: &TenantId, text: &str, take: i64) -> Result<Vec<Client>, StoreError> {
        // No upper end, since collations differ: what begins so comes first, and what does not is left out.
        let sql = concat!(
            "select ",
            clients::columns!(),
            " from clients where tenant_id = $1 and id >= $2 order by id limit $3"
        );
        let mut rows: Vec<Client> = all!(self.db(), sql, tenant.as_str(), text, take)?;
        rows.retain(|client| client.id.as_str().starts_with(text) && !client.is_global);
        Ok(rows)
    }

    async fn users_with_id(&self, tenant: &TenantId, text: &str, take: i64) -> Result<Vec<User>, StoreError> {
        let sql = concat!(
            "select ",
            users::columns!(),
            " from users where tenant_id = $1 and id >= $2 order by id limit $3"
        );
        let mut found: Vec<User> = Vec::new();
        for id in [text.to_owned(), format!("auth0|{text}")] {
            let rows: Vec<User> = all!(self.db(), sql, tenant.as_str(), id.as_str(), take)?;
            found.extend(rows.into_iter().filter(|user| user.id.as_str().starts_with(&id)));
        }
        found.truncate(usize::try_from(take).unwrap_or(0));
        Ok(found)
    }
}

impl Range {
    /// The names that begin with a text, after a checkpoint; `None` if nothing can be called so (PostgreSQL takes no
    /// U+0000).
    fn of(text: &str, after: &str) -> Option<Self> {
        if text.len() > MAX_TEXT_BYTES || text.contains('\0') || after.contains('\0') {
            return None;
        }
        let text = searched(text);
        let first = beginning(&text);
        let to = format!("{first}{BEYOND}");
        let (name, id) = after.split_once(BETWEEN).unwrap_or_default();
        let from = match name >= first.as_str() {
            true => (name.to_owned(), id.to_owned()),
            false => (first, String::new()),
        };
        Some(Self { text, from, to })
    }

    /// What was found by id, then those that hits led to: each where its first name that fits is, so that none comes
    /// twice, and one that is not called so any more not at all.
    fn found<T: HasNames>(&self, by_id: Vec<T>, mut hits: Vec<Hit<T>>, take: i64) -> Found<T> {
        let has_more = cut(&mut hits, take);
        let (last, id) = match hits.last() {
            Some(hit) => (hit.beginning.as_str(), hit.record.named_id()),
            None => (self.from.0.as_str(), self.from.1.as_str()),
        };
        let next = has_more.then(|| format!("{last}{BETWEEN}{id}"));
        let mut rows = by_id;
        let known = rows.len();
        for Hit { beginning: at, record } in hits {
            let names = record.names();
            let fits = names.iter().filter(|name| name.starts_with(&self.text));
            let first = fits.map(|name| beginning(name)).min();
            let is_new = |row: &T| row.named_id() != record.named_id();
            if first.is_some_and(|first| first == at) && rows.iter().take(known).all(is_new) {
                rows.push(record);
            }
        }
        Found { rows, next }
    }
}

/// A page of all there are.
fn of_all<T: HasNames>(mut rows: Vec<T>, take: i64) -> Found<T> {
    let has_more = cut(&mut rows, take);
    let next = rows.last().filter(|_| has_more).map(|last| last.named_id().to_owned());
    Found { rows, next }
}

fn none<T>() -> Found<T> {
    Found {
        rows: Vec::new(),
        next: None,
    }
}

/// Leaves what a page holds of what was read, which is one more: whether there was.
fn cut<T>(rows: &mut Vec<T>, take: i64) -> bool {
    let take = usize::try_from(take).unwrap_or(0);
    let has_more = rows.len() > take;
    rows.truncate(take);
    has_more
}
