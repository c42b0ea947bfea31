//! Tokens issued: by day as a chart, and by application, API and grant as a table and as CSV. Client credentials stand
//! apart, since those are what is billed elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;

use tokenhouse_protocol::id::{ApiId, ClientId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Page as StorePage, UsageRow};

use super::answer::{Failure, Reply};
use super::chart::{Bar, Chart};
use super::fields::Fields;
use super::file::{attachment, csv_line};
use super::frame::{Frame, Section};
use super::link::encoded;
use super::visit::Visit;
use super::words;
use crate::registry::apis;
use crate::tenant::Tenant;

const DAY_MS: i64 = 86_400_000;
/// Days that are shown if none were named, today among them.
const DEFAULT_DAYS: i64 = 30;
/// Most days at once.
const MAX_DAYS: i64 = 731;
/// Rows of the table.
const MAX_ROWS: usize = 200;
/// APIs whose identifiers are looked up.
const MAX_APIS: u32 = 1000;
/// The grant that is billed.
const MACHINE: &str = "client_credentials";

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
    /// How many rows more there are.
    more: usize,
}

struct Row {
    application: String,
    path: Option<String>,
    api: String,
    grant: String,
    tokens: String,
    share: String,
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
    let hours = span.hours(tenant).await?;
    let is_machine = |row: &&UsageRow| row.grant == MACHINE;
    let machine: i64 = hours.iter().filter(is_machine).map(|row| row.tokens).sum();
    let total: i64 = hours.iter().map(|row| row.tokens).sum();
    let mut sums: BTreeMap<(String, String, String), i64> = BTreeMap::new();
    for row in &hours {
        let of = (
            id(row.client_id.as_ref().map(ClientId::as_str)),
            id(row.api_id.as_ref().map(ApiId::as_str)),
        );
        *sums.entry((of.0, of.1, row.grant.clone())).or_insert(0) += row.tokens;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, tokens)| -tokens);
    let more = sums.len().saturating_sub(MAX_ROWS);
    sums.truncate(MAX_ROWS);
    let clients = client_names(tenant, sums.iter().map(|((client, _, _), _)| client.as_str())).await?;
    let identifiers = identifiers(tenant).await?;
    let row = |((client, api, grant), tokens): ((String, String, String), i64)| Row {
        path: clients
            .get(&client)
            .map(|_| format!("/console/applications/{}", encoded(&client))),
        application: clients.get(&client).cloned().unwrap_or(client),
        api: identifiers.get(&api).cloned().unwrap_or(api),
        grant,
        share: format!("{:.1} %", 100.0 * tokens as f64 / total.max(1) as f64),
        tokens: grouped(tokens),
    };
    Reply::page(&Page {
        frame: visit.frame(Section::Usage, "Usage").await?,
        problem,
        from: day(span.from),
        to: day(span.to),
        machine: grouped(machine),
        people: grouped(total - machine),
        chart: chart(&span, &hours),
        rows: sums.into_iter().map(row).collect(),
        more,
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

fn chart(span: &Span, hours: &[UsageRow]) -> Chart {
    let mut days: BTreeMap<i64, [u64; 2]> = BTreeMap::new();
    for row in hours {
        let counts = days.entry(row.hour.ms().div_euclid(DAY_MS)).or_default();
        counts[usize::from(row.grant != MACHINE)] += u64::try_from(row.tokens).unwrap_or(0);
    }
    let bar = |number: i64| {
        let name = day(Timestamp::from_ms(number * DAY_MS));
        Bar {
            label: name.get(5..).unwrap_or_default().to_owned(),
            name,
            counts: days.get(&number).copied().unwrap_or_default().to_vec(),
        }
    };
    let bars = (span.from.ms() / DAY_MS..=span.to.ms() / DAY_MS).map(bar).collect();
    Chart::new(
        "by-day",
        "Tokens issued by day",
        &["client credentials", "for users"],
        bars,
    )
}

/// The names of those applications that are still there.
async fn client_names<'a>(
    tenant: &Tenant,
    ids: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut names = BTreeMap::new();
    let ids: BTreeSet<&str> = ids.filter(|id| !id.is_empty()).take(MAX_ROWS).collect();
    for id in ids {
        if let Some(client) = tenant.house.store.client(&tenant.id, &ClientId::new(id)).await? {
            names.insert(id.to_owned(), client.name);
        }
    }
    Ok(names)
}

async fn identifiers(tenant: &Tenant) -> Result<BTreeMap<String, String>, Failure> {
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

fn grouped(count: i64) -> String {
    super::display::number(count)
}
