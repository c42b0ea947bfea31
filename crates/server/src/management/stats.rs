//! `/stats`: how many users got in, by day and lately (CONTRACT §4.10), how many tokens were issued to whom, and how
//! quotas stand.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Value, json};

use tokenhouse_protocol::id::{ApiId, ClientId};
use tokenhouse_protocol::time::Timestamp;

use super::endpoint::{Call, Endpoint, Reply};
use super::error::Failure;
use super::schema::{Body, Property, Violation, text};
use crate::quota;
use crate::registry::{RegistryError, apis};

/// Days unless the query says which.
const DAYS: i64 = 30;
/// Days of one answer.
const MAX_DAYS: i64 = 366;
const DAY_MS: i64 = 86_400_000;
/// Windows of quotas in one answer.
const MAX_WINDOWS: u32 = 200;

/// Which days.
const DAYS_QUERY: [Property; 2] = [
    text("from", 0, 8).note("The first day, YYYYMMDD"),
    text("to", 0, 8).note("The last day, YYYYMMDD"),
];

/// The rows of the table.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::GET,
        path: "stats/daily",
        scopes: &["read:stats"],
        summary: "Get daily stats",
        status: 200,
        query: &DAYS_QUERY,
        body: Body::None,
        run: |call| Box::pin(daily(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "stats/usage",
        scopes: &["read:stats"],
        summary: "Get tokens issued by day, application, API and grant",
        status: 200,
        query: &DAYS_QUERY,
        body: Body::None,
        run: |call| Box::pin(usage(call)),
    },
    Endpoint {
        method: Method::GET,
        path: "stats/quotas",
        scopes: &["read:stats"],
        summary: "Get how the token quotas in use stand, the fullest windows first",
        status: 200,
        query: &[],
        body: Body::None,
        run: |call| Box::pin(quotas(call)),
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
    let (first, last) = days(&call)?;
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

/// Tokens issued, the last of them as well: ours alone, since Auth0 has no such figures (CONTRACT §6.5).
async fn usage(call: Call) -> Result<Reply, Failure> {
    let (first, last) = days(&call)?;
    let (tenant, store) = (&call.tenant, &call.tenant.house.store);
    store.fold_usage().await?;
    let mut sums: BTreeMap<(Timestamp, Option<ClientId>, Option<ApiId>, String), i64> = BTreeMap::new();
    for row in store.usage(&tenant.id, first, last.plus_ms(DAY_MS)).await? {
        let group = (day(row.hour), row.client_id, row.api_id, row.grant);
        *sums.entry(group).or_default() += row.tokens;
    }
    let mut clients = BTreeMap::new();
    for id in sums
        .keys()
        .filter_map(|(_, client, ..)| client.as_ref())
        .collect::<BTreeSet<_>>()
    {
        clients.insert(id, store.client(&tenant.id, id).await?.map(|client| client.name));
    }
    let mut audiences = BTreeMap::new();
    for id in sums
        .keys()
        .filter_map(|(_, _, api, _)| api.as_ref())
        .collect::<BTreeSet<_>>()
    {
        match apis::api(tenant, id.as_str()).await {
            Ok(api) => drop(audiences.insert(id, apis::identifier(tenant, &api))),
            // Its tokens are counted still.
            Err(RegistryError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let rows = sums.iter().map(|((day, client, api, grant), tokens)| {
        json!({
            "date": day.to_string().get(..10),
            "client_id": client,
            "client_name": client.as_ref().and_then(|client| clients.get(client)),
            "audience": api.as_ref().and_then(|api| audiences.get(api)),
            "grant_type": grant,
            "tokens": tokens,
        })
    });
    Ok(Reply::json(rows.collect::<Vec<Value>>().into()))
}

/// The windows in which applications with a quota got tokens: ours alone as well.
async fn quotas(call: Call) -> Result<Reply, Failure> {
    let (tenant, store) = (&call.tenant, &call.tenant.house.store);
    let now = tenant.house.clock.now();
    let default = tenant.settings().default_quota;
    let mut rows = Vec::new();
    for (id, span, used) in store.quota_counters(&tenant.id, MAX_WINDOWS).await? {
        let Some(client) = store.client(&tenant.id, &id).await? else {
            continue;
        };
        let quota = quota::read(client.rest.get("token_quota")).or(default);
        // A limit may have been taken away since.
        let Some((quota, limit)) = quota.and_then(|quota| Some((quota, quota.limit(span)?))) else {
            continue;
        };
        rows.push(json!({
            "client_id": id,
            "client_name": client.name,
            "bucket": span.bucket(),
            "quota": limit,
            "used": used,
            "remaining": (limit - used).max(0),
            "enforce": quota.is_enforced,
            "resets_at": span.end(now).to_string(),
        }));
    }
    Ok(Reply::json(rows.into()))
}

/// The first and the last day that the query wants.
fn days(call: &Call) -> Result<(Timestamp, Timestamp), Failure> {
    let today = day(call.tenant.house.clock.now());
    let last = named(call, "to")?.unwrap_or(today);
    let first = named(call, "from")?.unwrap_or_else(|| last.plus_ms((1 - DAYS) * DAY_MS));
    if last.ms() - first.ms() >= MAX_DAYS * DAY_MS {
        let text = "At most 366 days can be asked for at once";
        return Err(Failure::query(&Violation::at("from", text)));
    }
    Ok((first, last))
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
