//! `tokenhouse usage`: tokens issued, by day, application, API and grant.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use tokenhouse_protocol::id::{ApiId, ClientId};
use tokenhouse_protocol::time::Timestamp;
use tokenhouse_store::{Client, UsageRow};

use super::output::{print, print_json, table};
use super::place::{Place, all};
use super::{Failure, apis};
use crate::registry::clients;
use crate::tenant::Tenant;

const DAY_MS: i64 = 86_400_000;
/// Days that are shown if nothing was said, today among them.
const DEFAULT_DAYS: i64 = 30;

#[derive(Args, Debug)]
#[command(after_help = "\
Days are days in UTC.

Examples:
  tokenhouse usage
  tokenhouse usage --from 2026-01-01 --to 2026-01-31 --json")]
pub(super) struct Arguments {
    /// The first day [default: 29 days ago]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    from: Option<Timestamp>,
    /// The last day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    to: Option<Timestamp>,
    #[command(flatten)]
    place: Place,
}

/// What tokens are summed by: the day, the application's id, the API's id, the grant.
type Group = (String, String, String, String);

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { from, to, place } = arguments;
    place
        .with_tenant(async |tenant| usage(tenant, &place, from, to).await)
        .await
}

async fn usage(tenant: &Tenant, place: &Place, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<(), Failure> {
    let house = &tenant.house;
    let today = Timestamp::from_ms(house.clock.now().ms().div_euclid(DAY_MS) * DAY_MS);
    let to = to.unwrap_or(today);
    let from = from.unwrap_or_else(|| to.plus_ms(-(DEFAULT_DAYS - 1) * DAY_MS));
    if from > to {
        return Err(Failure("the first day, --from, is after the last, --to".into()));
    }
    // No server may be running to count what was issued last.
    house.store.fold_usage().await?;
    let sums = by_day(&house.store.usage(&tenant.id, from, to.plus_ms(DAY_MS)).await?);
    let identifiers = apis::identifiers(tenant).await?;
    let identifiers: BTreeMap<_, _> = identifiers
        .iter()
        .map(|(id, name)| (id.as_str(), name.as_str()))
        .collect();
    let clients = all(
        async |page| clients::clients(tenant, page).await,
        |client: &Client| client.id.as_str(),
    )
    .await?;
    let names: BTreeMap<_, _> = clients
        .iter()
        .map(|client| (client.id.as_str(), client.name.as_str()))
        .collect();
    if place.json {
        let view = |((day, client, api, grant), tokens): (&Group, &i64)| {
            json!({
                "date": day,
                "client_id": client,
                "client_name": names.get(client.as_str()),
                "audience": identifiers.get(api.as_str()),
                "grant_type": grant,
                "tokens": tokens,
            })
        };
        return print_json(&sums.iter().map(view).collect::<Value>());
    }
    if sums.is_empty() {
        return print(&format!("No tokens were issued from {} to {}.", date(from), date(to)));
    }
    let named = |names: &BTreeMap<&str, &str>, id: &str| names.get(id).map_or(id, |name| *name).to_owned();
    let row = |((day, client, api, grant), tokens): (&Group, &i64)| {
        vec![
            day.clone(),
            named(&names, client),
            named(&identifiers, api),
            grant.clone(),
            tokens.to_string(),
        ]
    };
    let total: i64 = sums.values().sum();
    let rows: Vec<_> = sums.iter().map(row).collect();
    print(&table(&["DAY", "APPLICATION", "API", "GRANT", "TOKENS"], &rows))?;
    print(&format!("\n{total} tokens from {} to {}", date(from), date(to)))
}

fn by_day(hours: &[UsageRow]) -> BTreeMap<Group, i64> {
    let mut sums = BTreeMap::new();
    for row in hours {
        let client = row.client_id.as_ref().map_or("", ClientId::as_str);
        let api = row.api_id.as_ref().map_or("", ApiId::as_str);
        let group = (date(row.hour), client.to_owned(), api.to_owned(), row.grant.clone());
        *sums.entry(group).or_insert(0) += row.tokens;
    }
    sums
}

fn date(at: Timestamp) -> String {
    let civil = at.civil();
    format!("{:04}-{:02}-{:02}", civil.year, civil.month, civil.day)
}

/// The beginning of a day written as ISO 8601 has it.
fn day(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("{text} is no day; write it like 2026-01-31");
    let numbers: Option<Vec<i64>> = text.split('-').map(|number| number.parse().ok()).collect();
    let Some(&[year, month, day]) = numbers.as_deref() else {
        return Err(wrong());
    };
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(wrong());
    }
    // Days since 1970, the inverse of `Timestamp::civil`: years begin in March, so that leap days come last.
    let shifted_year = year - i64::from(month <= 2);
    let (era, year_of_era) = (shifted_year.div_euclid(400), shifted_year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    let at = Timestamp::from_ms(days * DAY_MS);
    // The 30th of February is another day.
    if date(at) == format!("{year:04}-{month:02}-{day:02}") {
        Ok(at)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_is_read_back() {
        for days in -25_567..120_530 {
            let at = Timestamp::from_ms(days * DAY_MS);
            assert_eq!(day(&date(at)), Ok(at));
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-04-31",
            "26",
            "2026-01-01-01",
            "yesterday",
            "",
        ] {
            assert!(day(text).is_err(), "{text}");
        }
    }
}
