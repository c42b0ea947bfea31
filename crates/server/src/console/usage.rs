//! Tokens issued: by day as a chart, and by application, API and grant as a table and as CSV. Client credentials stand
//! apart, since those are what is billed elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;

use tokenhouse_protocol::id::{ApiId, ClientId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Page as StorePage, UsageRow, UsageSum};

use super::answer::{Failure, Reply};
use super::applications::path_of;
use super::chart::{Bar, Chart, count};
use super::display::number;
use super::fields::Fields;
use super::file::attachment;
use super::frame::{Frame, Section};
use super::link::encoded;
use super::quota;
use super::visit::Visit;
use super::words;
use crate::registry::apis;
use crate::tenant::Tenant;
use crate::web::csv::csv_line;

const DAY_MS: i64 = 86_400_000;
/// Days that are shown if none were named, today among them.
const DEFAULT_DAYS: i64 = 30;
/// Most days at once.
const MAX_DAYS: i64 = 731;
/// Rows of the table.
const MAX_ROWS: u32 = 200;
/// Counters whose applications' quotas are shown; an application has two.
const MAX_QUOTAS: u32 = 50;
/// APIs whose identifiers are looked up.
const MAX_APIS: u32 = 1000;

#[derive(Template)]
#[template(path = "usage.html")]
struct Page {
    frame: Frame,
    problem: Option<&'static str>,
    from: String,
    to: String,
    machine: String,
    people: String,
    chart: Chart,
    rows: Vec<Row>,
    /// Whether there are more rows.
    has_more: bool,
    /// The applications whose quota counts, and how each stands.
    quotas: Vec<QuotaRow>,
}

struct Row {
    application: String,
    path: Option<String>,
    api: String,
    grant: String,
    tokens: String,
    share: String,
}

struct QuotaRow {
    application: String,
    path: String,
    windows: Vec<quota::Window>,
}

/// The days that are asked for, the last one among them.
struct Span {
    from: Timestamp,
    to: Timestamp,
}

/// `GET /console/usage`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    let tenant = &visit.tenant;
    let (span, problem) = match Span::of(&visit.query, tenant.house.clock.now()) {
        Some(span) => (span, None),
        None => (Span::latest(tenant.house.clock.now()), Some(words::BAD_DAYS)),
    };
    let (store, end) = (&tenant.house.store, span.to.plus_ms(DAY_MS));
    let hours = store.traffic(&tenant.id, span.from, end).await?;
    let machine: i64 = hours.iter().map(|hour| hour.machine).sum();
    let people: i64 = hours.iter().map(|hour| hour.people).sum();
    let mut sums = store.usage_sums(&tenant.id, span.from, end, MAX_ROWS + 1).await?;
    let has_more = sums.len() > MAX_ROWS as usize;
    sums.truncate(MAX_ROWS as usize);
    let client_id = |sum: &UsageSum| id(sum.client_id.as_ref().map(ClientId::as_str));
    let of_clients: Vec<String> = sums.iter().map(client_id).collect();
    let clients = client_names(tenant, of_clients.iter().map(String::as_str)).await?;
    let identifiers = identifiers(tenant).await?;
    let row = |sum: UsageSum| {
        let (client, api) = (client_id(&sum), id(sum.api_id.as_ref().map(ApiId::as_str)));
        Row {
            path: clients
                .get(&client)
                .map(|_| format!("/console/applications/{}/usage", encoded(&client))),
            application: clients.get(&client).cloned().unwrap_or(client),
            api: identifiers.get(&api).cloned().unwrap_or(api),
            grant: sum.grant,
            share: format!("{:.1} %", 100.0 * sum.tokens as f64 / (machine + people).max(1) as f64),
            tokens: number(sum.tokens),
        }
    };
    Reply::page(&Page {
        frame: visit.frame(Section::Usage, "Usage").await?,
        problem,
        from: day(span.from),
        to: day(span.to),
        machine: number(machine),
        people: number(people),
        chart: by_day(
            "Tokens issued by day",
            span.from,
            span.to,
            hours.iter().map(|hour| (hour.hour, [hour.machine, hour.people])),
        ),
        quotas: quotas(tenant).await?,
        rows: sums.into_iter().map(row).collect(),
        has_more,
    })
}

/// `GET /console/usage/file`: a line for each day, application, API and grant.
pub(crate) async fn download(visit: Visit) -> Result<Reply, Failure> {
    let tenant = &visit.tenant;
    let span = Span::of(&visit.query, tenant.house.clock.now());
    let span = span.ok_or_else(|| words::bad_request(words::BAD_DAYS))?;
    let mut sums: BTreeMap<[String; 4], i64> = BTreeMap::new();
    for row in span.hours(tenant).await? {
        let of = [
            day(row.hour),
            id(row.client_id.as_ref().map(ClientId::as_str)),
            id(row.api_id.as_ref().map(ApiId::as_str)),
            row.grant,
        ];
        *sums.entry(of).or_insert(0) += row.tokens;
    }
    let clients = client_names(tenant, sums.keys().map(|[_, client, _, _]| client.as_str())).await?;
    let identifiers = identifiers(tenant).await?;
    let mut text = csv_line(["date", "client_id", "client_name", "audience", "grant_type", "tokens"]);
    for ([day, client, api, grant], tokens) in &sums {
        let name = clients.get(client).map_or("", String::as_str);
        let audience = identifiers.get(api).unwrap_or(api);
        text += &csv_line([day, client, name, audience, grant, &tokens.to_string()]);
    }
    let name = format!("usage-{}-{}.csv", day(span.from), day(span.to));
    Ok(attachment(text, "text/csv; charset=utf-8", &name))
}

impl Span {
    /// The days that a query names; `None` if they cannot be read or are too many.
    fn of(query: &Fields, now: Timestamp) -> Option<Self> {
        let named = |name: &str| match query.filled(name) {
            Some(day) => Timestamp::parse(&format!("{day}T00:00:00.000Z")).map(Some),
            None => Some(None),
        };
        let latest = Self::latest(now);
        let to = named("to")?.unwrap_or(latest.to);
        let from = named("from")?.unwrap_or_else(|| to.plus_ms(-(DEFAULT_DAYS - 1) * DAY_MS));
        let days = (to.ms() - from.ms()) / DAY_MS + 1;
        (from <= to && days <= MAX_DAYS).then_some(Self { from, to })
    }

    fn latest(now: Timestamp) -> Self {
        let to = Timestamp::from_ms(now.ms().div_euclid(DAY_MS) * DAY_MS);
        Self {
            from: to.plus_ms(-(DEFAULT_DAYS - 1) * DAY_MS),
            to,
        }
    }

    async fn hours(&self, tenant: &Tenant) -> Result<Vec<UsageRow>, Failure> {
        let store = &tenant.house.store;
        Ok(store.usage(&tenant.id, self.from, self.to.plus_ms(DAY_MS)).await?)
    }
}

/// A chart of tokens by day: of each hour, those issued to machines and those issued for people.
pub(super) fn by_day(
    title: &'static str,
    from: Timestamp,
    to: Timestamp,
    hours: impl Iterator<Item = (Timestamp, [i64; 2])>,
) -> Chart {
    let mut days: BTreeMap<i64, [u64; 2]> = BTreeMap::new();
    for (hour, issued) in hours {
        let counts = days.entry(hour.ms().div_euclid(DAY_MS)).or_default();
        counts[0] += count(issued[0]);
        counts[1] += count(issued[1]);
    }
    let bar = |at: i64| {
        let name = day(Timestamp::from_ms(at * DAY_MS));
        Bar {
            label: name.get(5..).unwrap_or_default().to_owned(),
            name,
            counts: days.get(&at).copied().unwrap_or_default().to_vec(),
        }
    };
    let bars = (from.ms() / DAY_MS..=to.ms() / DAY_MS).map(bar).collect();
    Chart::new("by-day", title, &["client credentials", "for users"], bars)
}

/// How the quotas stand of those who were issued most today.
async fn quotas(tenant: &Tenant) -> Result<Vec<QuotaRow>, Failure> {
    let store = &tenant.house.store;
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    for (id, _, _) in store.quota_counters(&tenant.id, MAX_QUOTAS).await? {
        if !seen.insert(id.clone()) {
            continue;
        }
        let Some(client) = store.client(&tenant.id, &id).await? else {
            continue;
        };
        let windows = quota::windows(tenant, &client).await?;
        if !windows.is_empty() {
            rows.push(QuotaRow {
                path: format!("{}/usage", path_of(&client.id)),
                application: client.name,
                windows,
            });
        }
    }
    Ok(rows)
}

/// The names of those applications that are still there.
async fn client_names<'a>(
    tenant: &Tenant,
    ids: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut names = BTreeMap::new();
    let ids: BTreeSet<&str> = ids.filter(|id| !id.is_empty()).take(MAX_ROWS as usize).collect();
    for id in ids {
        if let Some(client) = tenant.house.store.client(&tenant.id, &ClientId::new(id)).await? {
            names.insert(id.to_owned(), client.name);
        }
    }
    Ok(names)
}

/// The identifier of each API, by its id.
pub(super) async fn identifiers(tenant: &Tenant) -> Result<BTreeMap<String, String>, Failure> {
    let found = apis::apis(tenant, StorePage::first(MAX_APIS)).await?;
    let named = found
        .iter()
        .map(|api| (api.id.to_string(), apis::identifier(tenant, api)));
    Ok(named.collect())
}

fn id(id: Option<&str>) -> String {
    id.unwrap_or_default().to_owned()
}

/// A day as ISO 8601 has it.
fn day(at: Timestamp) -> String {
    at.to_string().get(..10).unwrap_or_default().to_owned()
}
