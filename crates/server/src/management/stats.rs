//! `/stats`: how many users got in, by day and lately (CONTRACT §4.10).

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};

use tokenhouse_protocol::time::Timestamp;

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::schema::{Body, Violation, text};

/// Days unless the query says which.
const DAYS: i64 = 30;
/// Days of one answer.
const MAX_DAYS: i64 = 366;
const DAY_MS: i64 = 86_400_000;

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "stats/daily",
        scopes: &["read:stats"],
        summary: "Get daily stats",
        status: 200,
        query: &[
            text("from", 0, 8).note("The first day, YYYYMMDD"),
            text("to", 0, 8).note("The last day, YYYYMMDD"),
        ],
        body: Body::None,
        run: |call| Box::pin(daily(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "stats/active-users",
        scopes: &["read:stats"],
        summary: "Get active users count",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(active_users(call)),
    },
];

/// How many users signed in during the last 30 days: a bare number.
async fn active_users(call: Call) -> Result<Reply, Failure> {
    let house = &call.tenant.house;
    let since = house.clock.now().plus_ms(-DAYS * DAY_MS);
    let active = house.store.active_users_total(&call.tenant.id, since).await?;
    Ok(Reply::json(json!(active)))
}

/// The days on which users got tokens; days without any are left out. Nobody signs up here and no passwords leak, so
/// those are none.
async fn daily(call: Call) -> Result<Reply, Failure> {
    let today = day(call.tenant.house.clock.now());
    let last = named(&call, "to")?.unwrap_or(today);
    let first = named(&call, "from")?.unwrap_or_else(|| last.plus_ms((1 - DAYS) * DAY_MS));
    if last.ms() - first.ms() >= MAX_DAYS * DAY_MS {
        let text = "At most 366 days can be asked for at once";
        return Err(Failure::query(&Violation::at("from", text)));
    }
    let store = &call.tenant.house.store;
    let mut logins: BTreeMap<Timestamp, i64> = BTreeMap::new();
    for (hour, tokens) in store.logins(&call.tenant.id, first, last.plus_ms(DAY_MS)).await? {
        *logins.entry(day(hour)).or_default() += tokens;
    }
    let days = logins.into_iter().map(|(day, logins)| {
        json!({
            "date": day.to_string(),
            "logins": logins,
            "signups": 0,
            "leaked_passwords": 0,
            "created_at": day.to_string(),
            "updated_at": call.tenant.house.clock.now().min(day.plus_ms(DAY_MS)).to_string(),
        })
    });
    Ok(Reply::json(days.collect::<Vec<Value>>().into()))
}

/// The beginning of an instant's day, UTC.
fn day(at: Timestamp) -> Timestamp {
    Timestamp::from_ms(at.ms().div_euclid(DAY_MS) * DAY_MS)
}

/// A day of the query.
fn named(call: &Call, name: &str) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = call.query.text(name) else {
        return Ok(None);
    };
    let dashed = match (text.get(..4), text.get(4..6), text.get(6..8)) {
        (Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}"),
        _ => String::new(),
    };
    match Timestamp::parse(&dashed) {
        Some(day) => Ok(Some(day)),
        None => Err(Failure::query(&Violation::at(name, "Write a day like 20260131"))),
    }
}
