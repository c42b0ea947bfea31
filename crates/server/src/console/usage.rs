//! Tokens issued: by day as a chart, and by application, API and grant as a table and as CSV. Client credentials stand
//! apart, since those are what is billed elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;

use tokenhouse_protocol::id::{ApiId, ClientId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Page as StorePage, UsageSum};

use super::answer::{Failure, Reply};
use super::applications::path_of;
use super::chart::{Bar, Chart, count};
use super::display::{Moment, number};
use super::fields::Fields;
use super::frame::{Frame, Section};
use super::link::encoded;
use super::quota;
use super::visit::Visit;
use super::words;
use crate::registry::apis;
use crate::tenant::Tenant;
use largest::{Largest, Sums};

pub(crate) mod file;
pub(crate) mod largest;

const DAY_MS: i64 = 86_400_000;
/// Days that are shown if none were named, today among them.
const DEFAULT_DAYS: i64 = 30;
/// Most days at once.
const MAX_DAYS: i64 = 731;
/// Rows of the table.
const MAX_ROWS: u32 = 200;
/// Counters whose applications' quotas are shown; an application has two.
const MAX_QUOTAS: u32 = 50;
/// Sums that are older say so.
const SOON_MS: i64 = 2_000;
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
    /// When they were added up, if that is a while ago.
    as_of: Option<Moment>,
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
    let now = tenant.house.clock.now();
    let (span, problem) = match Span::of(&visit.query, now) {
        Some(span) => (span, None),
        None => (Span::latest(now), Some(words::problems::BAD_DAYS)),
    };
    let (store, end) = (&tenant.house.store, span.to.plus_ms(DAY_MS));
    let hours = store.traffic(&tenant.id, span.from, end).await?;
    let machine: i64 = hours.iter().map(|hour| hour.machine).sum();
    let people: i64 = hours.iter().map(|hour| hour.people).sum();
    let Sums { rows: sums, at } = Largest::sums(&visit.app, tenant, (span.from, end), MAX_ROWS + 1).await?;
    let shown = sums.get(..MAX_ROWS as usize).unwrap_or(&sums);
    let of_clients: Vec<ClientId> = shown.iter().filter_map(|sum| sum.client_id.clone()).collect();
    let clients = store.client_names(&tenant.id, &of_clients).await?;
    let identifiers = identifiers(tenant).await?;
    let row = |sum: &UsageSum| {
        let client = id(sum.client_id.as_ref().map(ClientId::as_str));
        let name = sum.client_id.as_ref().and_then(|id| clients.get(id));
        let api = id(sum.api_id.as_ref().map(ApiId::as_str));
        Row {
            path: name.map(|_| format!("/console/applications/{}/usage", encoded(&client))),
            application: name.cloned().unwrap_or(client),
            api: identifiers.get(&api).cloned().unwrap_or(api),
            grant: sum.grant.clone(),
            share: format!("{:.1} %", 100.0 * sum.tokens as f64 / (machine + people).max(1) as f64),
            tokens: number(sum.tokens),
        }
    };
    Reply::page(&Page {
        frame: visit.frame(Section::Usage, words::navigation::USAGE).await?,
        problem,
        from: day(span.from),
        to: day(span.to),
        machine: number(machine),
        people: number(people),
        chart: by_day(
            words::usage::CHART,
            span.from,
            span.to,
            hours.iter().map(|hour| (hour.hour, [hour.machine, hour.people])),
        ),
        quotas: quotas(tenant).await?,
        rows: shown.iter().map(row).collect(),
        has_more: sums.len() > shown.len(),
        as_of: (now.ms() - at.ms() > SOON_MS).then(|| Moment::of(at)),
    })
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
    Chart::new(
        "by-day",
        title,
        &[words::usage::CHART_MACHINE, words::usage::CHART_PEOPLE],
        bars,
    )
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
