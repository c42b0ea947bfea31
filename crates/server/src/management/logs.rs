//! `/logs`: searched by page, or followed by checkpoint (CONTRACT §4.8); and `/users/{id}/logs`, those about a user.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use tokenhouse_protocol::id::{LogId, UserId};
use tokenhouse_store::{LogFilter, LogRow};

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::page::{BY_NUMBER, FIELDS, Listed, Paging, Window, chosen};
use super::schema::{Body, Property, Violation, integer, text, word};
use crate::audit::event;

mod search;

use search::Search;

/// Who may read the log.
pub(super) const READ: &[&str] = &["read:logs", "read:logs_users"];
/// In which order.
const SORT: Property = word("sort", &["date:1", "date:-1"]);
/// Lines that can be reached by number; whoever wants more follows by checkpoint.
const REACHED: u32 = 1000;
/// Longest id, in characters.
const MAX_ID_CHARS: usize = 64;

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "logs",
        scopes: READ,
        summary: "Search log events",
        status: 200,
        query: &[
            BY_NUMBER[0],
            BY_NUMBER[1],
            BY_NUMBER[2],
            FIELDS[0],
            FIELDS[1],
            integer("take", 1, 100),
            text("from", 0, MAX_ID_CHARS).note("The log_id after which to go on, oldest first"),
            SORT,
            text("q", 0, 1024).note(search::NOTE),
            text("search", 0, 1024).note("The same as q"),
        ],
        body: Body::None,
        run: |call| Box::pin(list(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "logs/{id}",
        scopes: READ,
        summary: "Get a log event by id",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(show(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "users/{id}/logs",
        scopes: READ,
        summary: "Get user's log events",
        status: 200,
        query: &[BY_NUMBER[0], BY_NUMBER[1], BY_NUMBER[2], SORT],
        body: Body::None,
        run: |call| Box::pin(of_user(call)),
    },
];

async fn list(call: Call) -> Result<Reply, Failure> {
    if call.query.text("from").is_some() || call.query.number("take").is_some() {
        return followed(&call).await;
    }
    let q = call.query.text("q").or(call.query.text("search"));
    let search = search::read(q.unwrap_or_default())?;
    page(&call, &search).await
}

async fn show(call: Call) -> Result<Reply, Failure> {
    let store = &call.tenant.house.store;
    let row = store.log(&call.tenant.id, &LogId::new(call.parameter("id"))).await?;
    let missing = || {
        Failure::new(
            StatusCode::NOT_FOUND,
            "The log event does not exist",
            Some("inexistent_log"),
        )
    };
    Ok(Reply::json(Value::Object(event::shown(&row.ok_or_else(missing)?))))
}

async fn of_user(call: Call) -> Result<Reply, Failure> {
    let filter = LogFilter {
        user_id: Some(UserId::new(call.parameter("id"))),
        ..LogFilter::default()
    };
    page(&call, &filter.into()).await
}

/// The lines after the one that `from` names, in an array; where to go on is in the `Link` header, the same place if
/// there are none yet.
async fn followed(call: &Call) -> Result<Reply, Failure> {
    let from = call.query.text("from");
    if from.is_some_and(|from| !from.bytes().all(|byte| byte.is_ascii_digit())) {
        let text = "This is no log_id: it has digits alone";
        return Err(Failure::query(&Violation::at("from", text)));
    }
    let after = from.map(LogId::new);
    let take = call.query.number("take").unwrap_or(50);
    let store = &call.tenant.house.store;
    let rows = store.logs_settled_after(&call.tenant.id, after.as_ref(), take).await?;
    let last = rows.last().map(|row| &row.id).or(after.as_ref());
    let from = last.map_or_else(String::new, |last| format!("from={last}&"));
    Ok(Reply {
        link: Some(format!("<{}?{from}take={take}>; rel=\"next\"", call.url)),
        ..Reply::json(items(call, &rows).into())
    })
}

/// A page of the lines that a search finds, newest first unless the query says otherwise.
async fn page(call: &Call, search: &Search) -> Result<Reply, Failure> {
    let window = Window::read(&call.query, Paging::Number)?;
    let (skip, take) = match &window {
        Window::Number { page, per_page, .. } => {
            let skip = page.saturating_mul(*per_page);
            (skip, (*per_page).min(REACHED.saturating_sub(skip)))
        }
        Window::Checkpoint { take, .. } => (0, *take),
    };
    let (tenant, store) = (&call.tenant, &call.tenant.house.store);
    let is_ascending = call.query.text("sort") == Some("date:1");
    let (rows, total) = if search.is_simple() {
        let filter = &search.filter;
        let total = match window.wants_total() {
            true => store.logs_total(&tenant.id, filter, REACHED).await?,
            false => 0,
        };
        let rows = store.logs_matching(&tenant.id, filter, (skip, take), is_ascending);
        (rows.await?, total)
    } else {
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let enough = match window.wants_total() {
            true => REACHED,
            false => skip.saturating_add(take),
        };
        let wanted = (number(skip), number(take), number(enough));
        let (rows, total) = search.run(tenant, wanted, is_ascending).await?;
        (rows, u64::try_from(total).unwrap_or(u64::MAX))
    };
    let listed = Listed {
        plural: "logs",
        items: items(call, &rows),
        total,
        next: None,
    };
    Ok(listed.reply(call, &window))
}

fn items(call: &Call, rows: &[LogRow]) -> Vec<Value> {
    rows.iter()
        .map(|row| Value::Object(chosen(&call.query, event::shown(row))))
        .collect()
}
