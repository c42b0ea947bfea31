//! The tokens that an application was issued: by day as a chart, by API and grant, and how its quota stands.

use std::collections::BTreeMap;

use askama::Template;

use tokenhouse_protocol::id::ApiId;
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::UsageRow;

use super::super::answer::{Failure, Reply};
use super::super::chart::Chart;
use super::super::display::number;
use super::super::frame::Frame;
use super::super::quota::{self, Window};
use super::super::usage::{by_day, identifiers};
use super::super::visit::Visit;
use super::super::words;
use super::{found, frame, path_of};

const DAY_MS: i64 = 86_400_000;
/// Days of the chart, today among them.
const DAYS: i64 = 30;
/// The grant that is billed.
const MACHINE: &str = "client_credentials";

#[derive(Template)]
#[template(path = "application_usage.html")]
struct Page {
    frame: Frame,
    path: String,
    id: String,
    today: String,
    total: String,
    chart: Chart,
    windows: Vec<Window>,
    rows: Vec<Row>,
}

struct Row {
    api: String,
    grant: String,
    tokens: String,
}

/// `GET /console/applications/{id}/usage`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Failure> {
    let client = found(&visit).await?;
    let tenant = &visit.tenant;
    let today = Timestamp::from_ms(tenant.house.clock.now().ms().div_euclid(DAY_MS) * DAY_MS);
    let first = today.plus_ms(-(DAYS - 1) * DAY_MS);
    let store = &tenant.house.store;
    let hours = store
        .usage_of(&tenant.id, &client.id, first, today.plus_ms(DAY_MS))
        .await?;
    let since = |from: Timestamp| -> i64 {
        let rows = hours.iter().filter(|row| row.hour >= from);
        rows.map(|row| row.tokens).sum()
    };
    let issued = |row: &UsageRow| match row.grant == MACHINE {
        true => (row.hour, [row.tokens, 0]),
        false => (row.hour, [0, row.tokens]),
    };
    let identifiers = identifiers(tenant).await?;
    let mut sums: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for row in &hours {
        let api = row.api_id.as_ref().map_or("", ApiId::as_str);
        *sums.entry((api, &row.grant)).or_insert(0) += row.tokens;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, tokens)| -tokens);
    Reply::page(&Page {
        frame: frame(&visit, &client).await?,
        path: path_of(&client.id),
        id: client.id.to_string(),
        today: number(since(today)),
        total: number(since(first)),
        chart: by_day(words::application_usage::CHART, first, today, hours.iter().map(issued)),
        windows: quota::windows(tenant, &client).await?,
        rows: sums
            .into_iter()
            .map(|((api, grant), tokens)| Row {
                api: identifiers.get(api).map_or(api, String::as_str).to_owned(),
                grant: grant.to_owned(),
                tokens: number(tokens),
            })
            .collect(),
    })
}
