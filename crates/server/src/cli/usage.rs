//! `tokenhouse usage`: tokens issued, by day, application, API and grant; and how the quotas of applications stand.

use clap::Args;
use serde_json::Value;

use tokenhouse_protocol::time::Timestamp;

use super::Failure;
use super::management::Management;
use super::output::{print, text};
use super::place::Place;

#[derive(Args, Debug)]
#[command(after_help = "\
Days are days in UTC.

Examples:
  tokenhouse usage
  tokenhouse usage --from 2026-01-01 --to 2026-01-31 --json
  tokenhouse usage --quotas")]
pub(super) struct Arguments {
    /// The first day [default: 29 days before the last]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    from: Option<String>,
    /// The last day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    to: Option<String>,
    /// How the token quotas stand at the moment, in place of tokens by day
    #[arg(long, conflicts_with_all = ["from", "to"])]
    quotas: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        from,
        to,
        quotas,
        place,
    } = arguments;
    if quotas {
        let shown = async |api: &Management| shown_quotas(&place, &api.get("stats/quotas", &[]).await?);
        return place.with_management(shown).await;
    }
    // Written like this, days are in order as texts are.
    if let (Some(from), Some(to)) = (&from, &to)
        && from > to
    {
        return Err(Failure("the first day, --from, is after the last, --to".into()));
    }
    let said = [("from", &from), ("to", &to)];
    let query: Vec<_> = said
        .into_iter()
        .filter_map(|(name, day)| Some((name, day.as_deref()?)))
        .collect();
    place
        .with_management(async |api| shown(&place, &api.get("stats/usage", &query).await?))
        .await
}

fn shown(place: &Place, usage: &Value) -> Result<(), Failure> {
    let rows = usage.as_array().map_or(&[][..], Vec::as_slice);
    let named = |row: &Value, name: &str, id: &str| match text(row, name) {
        name if name.is_empty() => text(row, id),
        name => name,
    };
    let cells = |row: &Value| {
        vec![
            text(row, "date"),
            named(row, "client_name", "client_id"),
            text(row, "audience"),
            text(row, "grant_type"),
            text(row, "tokens"),
        ]
    };
    let total: i64 = rows.iter().filter_map(|row| row["tokens"].as_i64()).sum();
    let rows: Vec<_> = rows.iter().map(cells).collect();
    place.print_list(
        usage,
        &["DAY", "APPLICATION", "API", "GRANT", "TOKENS"],
        &rows,
        "No tokens were issued in these days.",
    )?;
    match place.is_json() || place.is_csv() || rows.is_empty() {
        true => Ok(()),
        false => print(&format!("\n{total} tokens in all")),
    }
}

fn shown_quotas(place: &Place, quotas: &Value) -> Result<(), Failure> {
    let rows = quotas.as_array().map_or(&[][..], Vec::as_slice);
    let cells = |row: &Value| {
        let window = match row["bucket"] == "per_hour" {
            true => "hour",
            false => "day",
        };
        let is_enforced = row["enforce"] != false;
        vec![
            text(row, "client_name"),
            window.to_owned(),
            text(row, "quota"),
            text(row, "used"),
            text(row, "remaining"),
            text(row, "resets_at"),
            if is_enforced { "refused" } else { "counted" }.to_owned(),
        ]
    };
    let heads = ["APPLICATION", "WINDOW", "LIMIT", "USED", "LEFT", "ENDS", "BEYOND IT"];
    place.print_list(
        quotas,
        &heads,
        &rows.iter().map(cells).collect::<Vec<_>>(),
        "No application with a quota got a token today. One is set with: tokenhouse apps update ID --set \
         'token_quota={\"client_credentials\":{\"per_day\":1000}}'",
    )
}

/// A day written as ISO 8601 has it, as the Management API takes it: without its dashes.
fn day(text: &str) -> Result<String, String> {
    let is_day = text.len() == 10 && Timestamp::parse(text).is_some();
    match is_day {
        true => Ok(text.replace('-', "")),
        false => Err(format!("{text} is no day; write it like 2026-01-31")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_and_what_is_none_is_refused() {
        assert_eq!(day("2026-01-31").as_deref(), Ok("20260131"));
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
