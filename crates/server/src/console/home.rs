//! The first page: what was issued and refused lately, and for a new tenant what to do next.

use std::collections::BTreeMap;

use askama::Template;

use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Page as StorePage, Traffic};

use super::answer::{Failure, Reply};
use super::chart::{Bar, Chart, count};
use super::display::number;
use super::frame::{Frame, Section};
use super::visit::Visit;
use super::words;
use crate::registry::{apis, clients};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Hours of the chart, the current one among them.
const HOURS: i64 = 24;
/// APIs that are looked at, to see whether one was made.
const FEW: u32 = 2;

#[derive(Template)]
#[template(path = "home.html")]
struct Page {
    frame: Frame,
    today: String,
    month: String,
    refused: String,
    chart: Chart,
    /// What a new tenant lacks; none of it once tokens were issued.
    steps: Option<Steps>,
}

struct Steps {
    has_api: bool,
    has_application: bool,
}

/// `GET /console/`
pub(crate) async fn get(visit: Visit) -> Result<Reply, Failure> {
    let (tenant, store) = (&visit.tenant, &visit.tenant.house.store);
    let now = tenant.house.clock.now();
    let today = Timestamp::from_ms(now.ms().div_euclid(DAY_MS) * DAY_MS);
    let month = beginning_of_month(now);
    let first_hour = now.hour().plus_ms(-(HOURS - 1) * HOUR_MS);
    let hours = store.traffic(&tenant.id, month.min(first_hour), now.plus_ms(1)).await?;
    let issued = |hour: &Traffic| hour.machine + hour.people;
    let since = |from: Timestamp| -> i64 { hours.iter().filter(|hour| hour.hour >= from).map(issued).sum() };
    let shown: BTreeMap<Timestamp, &Traffic> = hours
        .iter()
        .filter(|hour| hour.hour >= first_hour)
        .map(|hour| (hour.hour, hour))
        .collect();
    let bar = |place: i64| {
        let hour = first_hour.plus_ms(place * HOUR_MS);
        let iso = hour.to_string();
        let part = |range: std::ops::Range<usize>| iso.get(range).unwrap_or_default();
        Bar {
            name: words::time::instant(part(0..10), part(11..16)),
            label: part(11..16).to_owned(),
            counts: match shown.get(&hour) {
                Some(counted) => [issued(counted), counted.refused].map(count).to_vec(),
                None => vec![0, 0],
            },
        }
    };
    let bars = (0..HOURS).map(bar).collect();
    let steps = match since(month) == 0 {
        true => Some(Steps {
            has_api: apis::apis(tenant, StorePage::first(FEW))
                .await?
                .iter()
                .any(|api| !api.is_system),
            has_application: !clients::clients(tenant, StorePage::first(1)).await?.is_empty(),
        }),
        false => None,
    };
    Reply::page(&Page {
        frame: visit.frame(Section::Home, words::navigation::HOME).await?,
        today: number(since(today)),
        month: number(since(month)),
        refused: number(shown.values().map(|hour| hour.refused).sum::<i64>()),
        chart: Chart::new(
            "by-hour",
            words::home::CHART,
            &[words::home::CHART_ISSUED, words::home::CHART_REFUSED],
            bars,
        ),
        steps,
    })
}

fn beginning_of_month(now: Timestamp) -> Timestamp {
    let day_of_month = now.civil().day;
    let today = now.ms().div_euclid(DAY_MS) * DAY_MS;
    Timestamp::from_ms(today - (day_of_month - 1) * DAY_MS)
}
