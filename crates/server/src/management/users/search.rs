//! Searching users: the subset of Lucene's language that Auth0's tools send (CONTRACT §4.6).
//!
//! Whoever names an address, a user name or an id exactly is found by an index. Anything else looks at the users one by
//! one, at most [`MAX_LOOKED_AT`] of them, and says so when there are more.

use std::cmp::Ordering;

use axum::http::StatusCode;
use serde_json::{Map, Value};

use tokenhouse_protocol::id::UserId;
use tokenhouse_store::Page;

use super::super::endpoint::Call;
use super::super::error::Failure;
use super::super::page::Window;
use super::super::query::Query;
use super::super::schema::Violation;
use super::super::term::{self, Term};
use super::shown_all;
use crate::registry::users;

/// Most users that one search looks at.
const MAX_LOOKED_AT: usize = 100_000;
/// Found users that can be reached by number.
const REACHED: usize = 1000;
/// Users that are read at once.
const STEP: u32 = 500;

/// Where a term without a field looks.
const FREE: [&str; 7] = [
    "email",
    "name",
    "nickname",
    "username",
    "given_name",
    "family_name",
    "user_id",
];

/// Which users are wanted, in which order.
pub(super) struct Search {
    term: Term,
    connection: Option<String>,
    sort: Option<(String, bool)>,
}

/// What a query searches for; `None` if it wants all users, by id.
pub(super) fn wanted(query: &Query) -> Result<Option<Search>, Failure> {
    let refused = |property: &str, text: String| Failure::query(&Violation::at(property, text));
    let (q, connection, sort) = (query.text("q"), query.text("connection"), query.text("sort"));
    if q.is_none() && connection.is_none() && sort.is_none() {
        return Ok(None);
    }
    let sort = sort.map(|sort| match sort.split_once(':') {
        Some((field, order @ ("1" | "-1"))) if !field.is_empty() => Ok((field.to_owned(), order == "-1")),
        Some(_) | None => Err(refused("sort", "It is a property, then :1 or :-1".into())),
    });
    Ok(Some(Search {
        term: Term::parse(q.unwrap_or_default()).map_err(|text| refused("q", text))?,
        connection: connection.map(str::to_owned),
        sort: sort.transpose()?,
    }))
}

impl Search {
    /// The users of a page, and how many there are in all.
    pub(super) async fn run(self, call: &Call, window: &Window) -> Result<(Vec<Map<String, Value>>, u64), Failure> {
        let mut found = Vec::new();
        let mut total = 0;
        if let Some(candidates) = self.candidates(call).await? {
            total = self.sift(candidates, &mut found);
        } else {
            let (mut looked_at, mut page) = (0, Page::first(STEP));
            loop {
                let rows = users::users(&call.tenant, page).await?;
                let Some(last) = rows.last() else { break };
                looked_at += rows.len();
                if looked_at > MAX_LOOKED_AT {
                    return Err(too_broad());
                }
                page = Page::after(last.id.as_str(), STEP);
                let is_last = rows.len() < usize::try_from(STEP).unwrap_or(usize::MAX);
                total += self.sift(shown_all(&call.tenant, &rows).await?, &mut found);
                if is_last {
                    break;
                }
            }
        }
        Ok((window.cut(found, |_| ""), total))
    }

    /// The few users among whom all that are wanted are, if an index knows them.
    async fn candidates(&self, call: &Call) -> Result<Option<Vec<Map<String, Value>>>, Failure> {
        let (tenant, store) = (&call.tenant, &call.tenant.house.store);
        let rows = if let Some(email) = self.term.exactly("email") {
            store.users_by_email(&tenant.id, email).await?
        } else if let Some(username) = self.term.exactly("username") {
            store.users_by_username(&tenant.id, username).await?
        } else if let Some(id) = self.term.exactly("user_id") {
            store.user(&tenant.id, &UserId::new(id)).await?.into_iter().collect()
        } else {
            return Ok(None);
        };
        Ok(Some(shown_all(tenant, &rows).await?))
    }

    /// Puts those that are wanted among `found`, of which the first that can be reached are kept; how many they are.
    fn sift(&self, users: Vec<Map<String, Value>>, found: &mut Vec<Map<String, Value>>) -> u64 {
        let is_of_connection = |user: &Map<String, Value>| {
            let name = user
                .get("identities")
                .and_then(|identities| identities.pointer("/0/connection"));
            self.connection
                .as_deref()
                .is_none_or(|wanted| name.and_then(Value::as_str) == Some(wanted))
        };
        let before = found.len();
        found.extend(
            users
                .into_iter()
                .filter(|user| is_of_connection(user) && self.term.matches(user, &FREE)),
        );
        let matched = found.len() - before;
        if let Some((field, is_descending)) = &self.sort {
            found.sort_by(|a, b| {
                let order = compared(term::property(a, field), term::property(b, field));
                if *is_descending { order.reverse() } else { order }
            });
        }
        found.truncate(REACHED);
        u64::try_from(matched).unwrap_or(u64::MAX)
    }
}

/// Numbers by size, the rest by their text; what is not there comes first.
fn compared(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => text(a).cmp(&text(b)),
    }
}

fn too_broad() -> Failure {
    let text = format!(
        "The search would look at more than {MAX_LOOKED_AT} users. Name an email, username or user_id exactly, \
         as in email:\"ada@example.com\"."
    );
    Failure::new(StatusCode::BAD_REQUEST, text, Some("query_too_broad"))
}
